// @vitest-environment node
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const WEB = path.resolve(__dirname, "..");
const BUILT = path.resolve(WEB, "../src/unified_agent/server/static/client");
const packed = JSON.parse(readFileSync(path.join(WEB, "client/package.json"), "utf8")) as Record<string, unknown>;
const whole = JSON.parse(readFileSync(path.join(WEB, "package.json"), "utf8")) as Record<string, unknown>;

/** Every path that the package names. */
function pathsIn(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith("./") ? [value.slice(2)] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}

test("the package has the version of the whole, and no dependency", () => {
  expect(packed["version"]).toBe(whole["version"]);
  expect(Object.keys(packed).filter((key) => /ependencies/.test(key))).toEqual([]);
});

test("every file that the package names is one that the build makes", () => {
  const build = readFileSync(path.join(WEB, "build.mjs"), "utf8");
  const names = [...build.matchAll(/name: "([\w-]+)", from: "\w+\.ts", module: (true|false)/g)];
  const made = names.flatMap(([, name, module]) => [`${name}.js`, ...(module === "true" ? [`${name}.mjs`] : [])]);
  const types = [...build.matchAll(/"([\w-]+\.d\.ts)"/g)].map(([, name]) => name);
  expect(made).toContain("ua-client.mjs");
  expect(pathsIn(packed).filter((name) => ![...made, ...types, "package.json"].includes(name))).toEqual([]);
});

test.skipIf(!existsSync(BUILT))("what was built has all of them", () => {
  expect(pathsIn(packed).filter((name) => !existsSync(path.join(BUILT, name)))).toEqual([]);
});
