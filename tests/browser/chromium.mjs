/** The system's Chromium, driven by playwright-core, and axe-core put into a page. */

import { createRequire } from "node:module";
import { existsSync } from "node:fs";

const fromWeb = createRequire(new URL("../../web/package.json", import.meta.url));
/** @type {typeof import("playwright-core")} */
const { chromium } = fromWeb("playwright-core");
const AXE = fromWeb.resolve("axe-core/axe.min.js");

const PROGRAMS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts it without a window. */
export function launch() {
  const executablePath = PROGRAMS.find((each) => each && existsSync(each));
  if (!executablePath) throw new Error("no Chromium here: apt-get install chromium, or name one in CHROMIUM");
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio"],
  });
}

/**
 * Looks for barriers, WCAG 2.2 A and AA and axe's own good practice.
 *
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>} one line for each barrier; empty when there is none
 */
export async function barriers(page) {
  // Added by the debugger, not by the page: the page's own policy lets no foreign script in.
  const session = await page.context().newCDPSession(page);
  const { readFile } = await import("node:fs/promises");
  await session.send("Runtime.evaluate", { expression: await readFile(AXE, "utf8") });
  const found = await page.evaluate(async () => {
    // @ts-expect-error axe was just put in
    const { violations } = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, help, nodes }) => {
      const where = nodes.slice(0, 4).map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`);
      return `${id}: ${help}: ${where.join(" | ")}`;
    });
  });
  await session.detach();
  return found;
}
