/**
 * Builds the browser code into the Python package, so that an installed wheel needs no Node.
 *
 *   static/<page>/index.html            each page of PAGES, its script and styles beside it under assets/
 *   static/<page>/assets/*-<hash>.js    named by content: a server may let browsers keep them for ever
 *   static/client/ua-client.js          the client library for a plain <script>: global UA, ES2018
 *   static/client/ua-client.mjs         the same as a module, ES2022
 *   static/client/ua-client.d.ts        its types; the files it names are in types/
 *   static/client/ua-fallbacks.*        what a desk does where WebSockets do not get through, in the same three forms
 *   static/client/uaserver.js           both, and the plain functions of the original library: global uaserver
 *   static/samples/<name>/              a page for each way of using them, as it stands
 *
 * Everything is built beside the old tree and swapped in at the end: a failed build leaves the old one whole.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { MANGLED } from "./mangled.mjs";

const WEB = path.dirname(fileURLToPath(import.meta.url));
const STATIC = path.resolve(WEB, "../src/unified_agent/server/static");
const FRESH = path.join(WEB, `node_modules/.building-${process.pid}`);

/** A page is a folder with `<name>.tsx`, `<name>.css` and `index.html`; index.html names the other two. */
const PAGES = ["desktop"];

/** Copied as they are, next to index.html, when a page has such a folder (icons, sounds, message files). */
const PUBLIC_FOLDER = "public";

/** Bundles one page and writes its index.html with the hashed names put in. @param {string} name */
async function buildPage(name) {
  const from = path.join(WEB, name);
  const to = path.join(FRESH, name);
  const entries = { js: `${name}.tsx`, css: `${name}.css` };
  requireFiles(from, [entries.js, entries.css, "index.html"]);
  const { metafile } = await build({
    absWorkingDir: from,
    entryPoints: [entries.js, entries.css],
    outdir: path.join(to, "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    // Modules are always read as UTF-8; escaped, the Hungarian letters would cost 0.7 kB.
    charset: "utf8",
    sourcemap: "linked",
    legalComments: "eof",
    mangleProps: MANGLED,
    metafile: true,
    logLevel: "warning",
    loader: { ".svg": "file", ".woff2": "file", ".mp3": "file", ".ogg": "file", ".png": "file" },
  });
  let html = await readFile(path.join(from, "index.html"), "utf8");
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint === undefined) continue;
    const plain = `"${name}${path.extname(output)}"`;
    if (!html.includes(plain)) throw new Error(`${name}/index.html does not name ${plain}`);
    html = html.replaceAll(plain, `"assets/${path.basename(output)}"`);
  }
  await writeFile(path.join(to, "index.html"), html);
  const kept = path.join(from, PUBLIC_FOLDER);
  if (existsSync(kept)) await cp(kept, to, { recursive: true });
}

/** The files of the client library, what each begins from, and in which forms it comes. */
const LIBRARY = [
  { name: "ua-client", from: "index.ts", module: true },
  { name: "ua-fallbacks", from: "fallbacks.ts", module: true },
  { name: "uaserver", from: "uaserver.ts", module: false },
];

/** Builds the client library as modules and as plain scripts, and its types once. */
async function buildClient() {
  const from = path.join(WEB, "client");
  const to = path.join(FRESH, "client");
  requireFiles(from, [...LIBRARY.map((each) => each.from), "package.json", "README.md"]);
  await mkdir(to, { recursive: true });
  for (const each of LIBRARY) await buildScripts(from, to, each);
  const types = path.join(to, "types");
  const compiler = path.join(WEB, "node_modules/typescript/bin/tsc");
  const flags = ["-p", from, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", types];
  execFileSync(process.execPath, [compiler, ...flags], { stdio: "inherit" });
  await writeFile(path.join(to, "ua-client.d.ts"), 'export * from "./types/index.js";\n');
  await writeFile(path.join(to, "ua-fallbacks.d.ts"), 'export * from "./types/fallbacks.js";\n');
  for (const name of ["package.json", "README.md"]) await cp(path.join(from, name), path.join(to, name));
}

/**
 * Builds one file of the library.
 *
 * @param {string} from
 * @param {string} to
 * @param {{name: string, from: string, module: boolean}} file
 */
async function buildScripts(from, to, file) {
  /** @type {import("esbuild").BuildOptions} */
  const shared = { absWorkingDir: from, bundle: true, logLevel: "warning" };
  const module = { ...shared, entryPoints: [file.from], format: /** @type {const} */ ("esm"), target: "es2022" };
  const made = { minify: true, mangleProps: MANGLED, sourcemap: /** @type {const} */ ("linked") };
  if (file.module) await build({ ...module, ...made, outfile: path.join(to, `${file.name}.mjs`) });
  const { outputFiles } = await build({ ...module, sourcemap: "inline", write: false });
  const contents = asPlainScript(outputFiles[0]?.text ?? "", file.name === "ua-client" ? "UA" : "");
  await build({
    ...shared,
    ...made,
    stdin: { contents, sourcefile: `${file.name}.ts`, loader: "ts" },
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    format: "iife",
    target: "es2018",
    outfile: path.join(to, `${file.name}.js`),
  });
}

/**
 * Makes a script of the bundled module that is small in ES2018. There a private member would become a `WeakMap` and its
 * calls, and a namespace a handful of helpers: with both the library has 12.5 kB instead of 10 after compression. So
 * `#member` becomes `_member`, which the next step shortens, and the exports become the properties of a plain object.
 * The reasons' names stay for pages, and are numbers where the library itself means them.
 *
 * @param {string} module
 * @param {string} name the global that gets the exports; empty for a script that sets its own.
 */
function asPlainScript(module, name) {
  const exported = name === "" ? "" : `window.${name} = {$1};`;
  const numbers = new Map([...module.matchAll(/^  ([A-Z]\w+): (\d+),?$/gm)].map(([, word, number]) => [word, number]));
  const script = module
    .replace(/#(?=[a-z]\w*)/gi, "_")
    .replace(/\bConnectionReason\.(\w+)/g, (whole, word) => numbers.get(word) ?? whole)
    .replace(/^export \{([^}]*)\};$/m, exported);
  if (script.includes("export {")) throw new Error("the client library exports something that is not understood");
  return script;
}

/** Stops the build in a sentence when a file it begins from is missing. @param {string} folder @param {string[]} names */
function requireFiles(folder, names) {
  const missing = names.filter((name) => !existsSync(path.join(folder, name)));
  if (missing.length > 0) throw new Error(`web/${path.basename(folder)} lacks ${missing.join(", ")}`);
}

/** Prints the name and plain size of each file built; the gzip budgets are held by size.mjs. */
async function report() {
  for (const name of (await readdir(STATIC, { recursive: true })).sort()) {
    if (!/\.(js|mjs|css|html)$/.test(name)) continue;
    const { length } = await readFile(path.join(STATIC, name));
    console.log(`  ${name}  ${(length / 1000).toFixed(1)} kB`);
  }
}

try {
  await rm(FRESH, { recursive: true, force: true });
  await buildClient();
  for (const page of PAGES) await buildPage(page);
  await cp(path.join(WEB, "samples"), path.join(FRESH, "samples"), { recursive: true });
  await rm(STATIC, { recursive: true, force: true });
  await rename(FRESH, STATIC);
  await report();
} catch (problem) {
  // esbuild and tsc have printed where; a stack through this file would only hide it.
  console.error(`build: ${problem instanceof Error ? problem.message.split("\n")[0] : problem}`);
  process.exitCode = 1;
}
