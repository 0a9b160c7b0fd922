/**
 * Takes a picture of the desktop in each important state, size and theme, and looks for barriers in each.
 *
 *   node tests/browser/screenshots.mjs [--only wide-light,phone-dark] [state …]
 *
 * Into artefacts/desktop/; exits 1 when a barrier was found or a page is wider than its window.
 *
 * Needs the pages built (`make pages`), and nothing else: the backend is simulated.
 */

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join, startBackend } from "../../web/dev/backend.mjs";
import { SCENES } from "../../web/dev/scenes.mjs";
import { SITUATIONS } from "../../web/dev/situations.mjs";
import { barriers, launch } from "./chromium.mjs";

const OUT = fileURLToPath(new URL("../../artefacts/desktop/", import.meta.url));
/** `zoomed` is a window of 1,280 × 1,024 at 400 %. */
const SIZES = { wide: [1440, 900], desktop: [1280, 800], small: [1024, 700], phone: [360, 740], zoomed: [320, 256] };
const THEMES = ["light", "dark"];

const PAGES = [
  "login",
  ...Object.keys(SCENES),
  ...Object.keys(SITUATIONS),
  "palette",
  "help",
  "settings",
  "reason-menu",
  "callback",
  "toast",
  "hungarian",
  "hungarian-claim",
];

const wanted = process.argv.slice(2);
const onlyAt = wanted.indexOf("--only");
const only = onlyAt < 0 ? null : wanted.splice(onlyAt, 2)[1]?.split(",");
const names = wanted.length > 0 ? wanted : PAGES;

/** Logs in, with the fields the page asks for. @param {import("playwright-core").Page} page */
async function logIn(page) {
  await page.getByRole("textbox", { name: /^(Agent|Ügynök)$/ }).fill("4711");
  await page.getByRole("textbox", { name: /^(Station|Mellék)/ }).fill("2041");
  await page.locator('[name="password"]').fill("secret");
  await page.locator('[name="diallerName"]').fill("kovacs");
  await page.locator('[name="diallerPassword"]').fill("secret");
  await page.locator('button[type="submit"]').click();
}

/** Has something befall the page, and waits until it shows. */
async function befall({ scene, refuse = null, happen, shows }, page, backend, other) {
  backend.state.refuseLogin = refuse;
  if (scene) backend.state.view = SCENES[scene]();
  await logIn(page);
  if (scene) await page.locator(".desk").waitFor();
  happen?.(backend, other);
  await page.locator(shows).first().waitFor();
}

/** Brings the page into the state to be looked at. */
async function stage(name, page, backend) {
  if (name === "login") return;
  const scene = {
    palette: "talking",
    callback: "wrap-up",
    toast: "talking",
    hungarian: "wrap-up",
    "hungarian-claim": "claim-owner-lives",
  }[name];
  backend.state.view = (SCENES[scene ?? name] ?? SCENES.ready)();
  await logIn(page);
  if (name.startsWith("logging-in")) {
    await page.locator(".steps").waitFor();
    return;
  }
  await page.locator(".desk").waitFor();
  if (name === "palette") {
    await page.keyboard.press("Control+k");
    await page.locator(".palette").waitFor();
  } else if (name === "help" || name === "settings") {
    await page.keyboard.press("Control+k");
    await page.locator(".palette").waitFor();
    await page.keyboard.type(name === "help" ? "keys and signs" : "settings");
    await page.keyboard.press("Enter");
    await page.locator("dialog[open] h3").first().waitFor();
  } else if (name === "reason-menu") {
    await page.locator(".modes .menu > button").click();
    await page.locator(".menu__list").waitFor();
  } else if (name === "callback") {
    await page.getByRole("button", { name: "Callback" }).click();
    await page.locator("dialog[open]").waitFor();
  } else if (name === "toast") {
    backend.state.answer = () => ({ outcome: "refused", error: "switch.no-such-call", detail: "CSTA invalidCallID" });
    await page.locator(".call__main .btn").first().click();
    await page.locator(".toast").waitFor();
  }
}

await mkdir(OUT, { recursive: true });
const browser = await launch();
let found = 0;
for (const name of names) {
  for (const theme of THEMES) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      if (only && !only.includes(`${size}-${theme}`)) continue;
      const situation = SITUATIONS[name];
      const backend = await startBackend();
      const other = situation?.there ? await startBackend({ instance: "desk-2", scene: situation.there }) : null;
      if (other) join(backend, other);
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        reducedMotion: "reduce",
        locale: name.startsWith("hungarian") ? "hu-HU" : "en-GB",
      });
      const page = await context.newPage();
      page.setDefaultTimeout(8_000);
      page.on("console", (message) => {
        if (message.type() === "error" && !/WebSocket|ERR_|status of [45]/.test(message.text()))
          console.log(`${name}: ${message.text()}`);
      });
      page.on("pageerror", (error) => console.log(`${name}: ${error.stack}`));
      try {
        await page.goto(backend.url);
        await page.locator("form.login").waitFor();
        await (situation ? befall(situation, page, backend, other) : stage(name, page, backend));
        await page.mouse.move(0, 0);
        await page.screenshot({ path: `${OUT}${name}-${size}-${theme}.png`, fullPage: width < 400 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) found += 1;
        if (overflow > 0) console.log(`${name} ${size}: ${overflow} px wider than the window`);
        for (const barrier of await barriers(page)) {
          found += 1;
          console.log(`${name} ${size} ${theme}: ${barrier}`);
        }
      } catch (error) {
        found += 1;
        console.log(`${name} ${size} ${theme}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
      }
      await context.close();
      await backend.stop();
      await other?.stop();
    }
  }
}
await browser.close();
console.log(`${names.length} states, ${found} barriers; pictures in artefacts/desktop/`);
process.exit(found > 0 ? 1 : 0);
