// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { INTERNAL_NAMES } from "../mangled.mjs";

const WEB = path.resolve(__dirname, "..");

function read(...names: string[]): string {
  return names.map((name) => readFileSync(path.join(WEB, name), "utf8")).join("\n");
}

function filesUnder(folder: string, end: RegExp): string[] {
  const names = readdirSync(path.join(WEB, folder), { recursive: true }) as string[];
  return names.filter((name) => end.test(name)).map((name) => path.join(folder, name));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** Names that are declared as members or parameters in a TypeScript text. */
function members(text: string): Set<string> {
  const them = /^\s*(?:(?:readonly|static|get|set|export|declare) )*(?:"([^"]+)"|([A-Za-z_$][\w$]*))\??\s*[(:<]/gm;
  return new Set([...withoutComments(text).matchAll(them)].flatMap((found) => found.slice(1)));
}

/** Names that are declared as members, parameters or variables. */
function declared(text: string): Set<string> {
  const values = /\b(?:var|const|let|function)\s+([A-Za-z_$][\w$]*)/g;
  return new Set([...members(text), ...[...withoutComments(text).matchAll(values)].map(([, name = ""]) => name)]);
}

/** The declarations in `.d.ts` files of what `index.ts` gives to pages. */
const PUBLIC = [
  "client/frames.ts",
  "client/messages.ts",
  "client/reasons.ts",
  "client/settings.ts",
  "client/transports/transport.ts",
  "client/transports/ways.ts",
];

test("no name that is shortened is one of the browser's or the language's", () => {
  const scope = path.join(WEB, "node_modules/@typescript");
  const libraries = (readdirSync(scope, { recursive: true }) as string[]).filter((name) => /lib\.\S*d\.ts$/.test(name));
  const theirs = declared(libraries.map((name) => readFileSync(path.join(scope, name), "utf8")).join("\n"));
  expect(theirs.size).toBeGreaterThan(5_000);
  expect(theirs).toContain("addEventListener");
  expect(INTERNAL_NAMES.filter((name) => theirs.has(name))).toEqual([]);
});

test("no name that is shortened is on the wire, in the settings, or what a page gives or gets", () => {
  const ours = declared(read(...PUBLIC));
  expect(ours).toContain("reconnect_window_ms");
  const text = read("client/desk.ts", "client/connection.ts", "client/commands.ts", "client/rest.ts", "client/home.ts");
  const shapes = /export (?:interface|class) (DeskOptions|DeskEvents|Desk|ConnectionStatus|CommandResult|OpenCommand|RequestError|Home)\b[^]*?\n\}/g;
  const found = [...text.matchAll(shapes)];
  expect(found).toHaveLength(8);
  for (const [shape, name] of found) {
    const members = declared(shape.replace(/^ {4,}.*$/gm, "").replace(/^\s*#.*$/gm, ""));
    const shared = INTERNAL_NAMES.filter((each) => members.has(each));
    expect({ name, shared }).toEqual({ name, shared: [] });
  }
});

test("no name that is shortened is written as a text, by which a member might be looked for", () => {
  const names = [...filesUnder("client", /\.ts$/), ...filesUnder("desktop", /\.tsx?$/)];
  const texts = new Set([...withoutComments(read(...names)).matchAll(/["'`]([A-Za-z]+)["'`]/g)].map(([, text]) => text));
  expect(texts.size).toBeGreaterThan(100);
  expect(INTERNAL_NAMES.filter((name) => texts.has(name))).toEqual([]);
});

test("each name that is shortened is there to be shortened", () => {
  const source = read(...filesUnder("client", /\.ts$/));
  expect(INTERNAL_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(source))).toEqual([]);
  expect(new Set(INTERNAL_NAMES).size).toBe(INTERNAL_NAMES.length);
});

test("no name that is shortened is a gap in the desktop's texts, or kept by the desktop", () => {
  const gaps = [...read(...filesUnder("desktop/text", /\.ts$/)).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const kept = members(read("desktop/prefs.ts", "desktop/draft.ts"));
  expect(gaps).toContain("server");
  expect(kept).toContain("theme");
  expect(INTERNAL_NAMES.filter((name) => gaps.includes(name) || kept.has(name))).toEqual([]);
});
