/**
 * Holds what the build made to its budgets, in kB (1,000 bytes) after gzip, as a browser would fetch it.
 * Exits 1 and says by how much when one is passed. Run `npm run build` first.
 */

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const STATIC = fileURLToPath(new URL("../src/unified_agent/server/static", import.meta.url));

/** Each budget covers every file of a folder whose name matches, added up. */
const BUDGETS = [
  { what: "client library", folder: "client", files: /^ua-client\.js$/, limitKb: 10 },
  { what: "fallbacks", folder: "client", files: /^ua-fallbacks\.js$/, limitKb: 5 },
  { what: "compatible library", folder: "client", files: /^uaserver\.js$/, limitKb: 16 },
  { what: "desktop script", folder: "desktop/assets", files: /\.js$/, limitKb: 60 },
  { what: "desktop styles", folder: "desktop/assets", files: /\.css$/, limitKb: 15 },
];

let passed = true;
for (const { what, folder, files, limitKb } of BUDGETS) {
  const names = (await readdir(path.join(STATIC, folder))).filter((name) => files.test(name));
  if (names.length === 0) {
    console.error(`${what}: nothing built in ${folder}`);
    passed = false;
    continue;
  }
  let bytes = 0;
  for (const name of names) bytes += gzipSync(await readFile(path.join(STATIC, folder, name)), { level: 9 }).length;
  const kb = bytes / 1000;
  const verdict = kb <= limitKb ? "ok" : `${(kb - limitKb).toFixed(1)} kB too much`;
  console.log(`${what}: ${kb.toFixed(1)} of ${limitKb} kB, ${verdict}`);
  if (kb > limitKb) passed = false;
}
process.exit(passed ? 0 : 1);
