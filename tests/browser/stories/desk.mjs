/** What the stories share: a centre to talk to, a desk to sit at, and ways to wait for what is shown. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { barriers, launch } from "../chromium.mjs";

export const OUT = fileURLToPath(new URL("../../../artefacts/browser/", import.meta.url));

/** Waiting for one thing to show, ms. Two shared cores may be slow; nothing here waits for so long in order. */
const SHOWN_LIMIT_MS = 15_000;

/** Where everything is. @type {{desktop: string, aes: string, diallers: string[]}} */
export const CENTRE = JSON.parse(process.env.UA_CENTRE ?? "null");

/**
 * Asks a control port, on a connection of its own: one that is kept open may be closed by the server just when it is
 * used again, and a fault must not be asked for twice.
 *
 * @param {string} url @param {object | null} body
 */
async function control(url, body) {
  const [status, text] = await new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const request = http.request(url, { method: body ? "POST" : "GET", agent: false, headers }, (response) => {
      let said = "";
      response.setEncoding("utf8").on("data", (part) => (said += part));
      response.on("end", () => resolve([response.statusCode, said]));
    });
    request.on("error", reject);
    request.end(body ? JSON.stringify(body) : undefined);
  });
  assert.ok(status < 300, `${url}: ${status} ${text}`);
  return JSON.parse(text);
}

/** Makes something happen at a simulator. @param {string} simulator @param {string} path @param {object} [body] */
export function happen(simulator, path, body = {}) {
  return control(simulator + path, body);
}

/** What a simulator knows to be true. @param {string} simulator */
export function truth(simulator) {
  return control(`${simulator}/truth`, null);
}

/** Asks again until it is so. @param {string} what @param {() => Promise<unknown>} isSo */
export async function until(what, isSo) {
  const limit = Date.now() + SHOWN_LIMIT_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < limit, `not within ${SHOWN_LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A browser at a desk. */
export class Desk {
  /** @param {string} story @param {import("playwright-core").Browser} browser @param {import("playwright-core").Page} page */
  constructor(story, browser, page) {
    this.story = story;
    this.browser = browser;
    this.page = page;
    /** @type {string[]} */
    this.faults = [];
    page.on("pageerror", (error) => this.faults.push(String(error.stack)));
    page.on("console", (message) => {
      // A refused connection is what some stories are about; a refused script or style would be a fault of ours.
      if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text()))
        this.faults.push(message.text());
    });
  }

  /** @param {string} agent @param {string} station @param {{name?: string, job?: string, password?: string}} [more] */
  async logIn(agent, station, { name = "", job = "", password = "1234" } = {}) {
    const field = (id) => this.page.locator(`[name="${id}"]`);
    await field("agent").fill(agent);
    await field("station").fill(station);
    await field("password").fill(password);
    const wants = this.page.getByRole("checkbox", { name: "Log on to the dialler too" });
    await wants.setChecked(name !== "");
    if (name !== "") {
      await field("diallerName").fill(name);
      await field("diallerPassword").fill("secret");
      await field("job").fill(job);
    }
    // A server that is too busy for logins says so, because the machine is: it is asked again.
    const busy = this.page.getByText("instance.busy");
    for (let tries = 0; tries < 10; tries += 1) {
      await this.page.getByRole("button", { name: "Log in" }).click();
      const gone = this.page.locator("form.login").waitFor({ state: "detached", timeout: 3_000 });
      await Promise.any([gone, busy.waitFor({ timeout: 3_000 })]).catch(() => undefined);
      if (!(await busy.isVisible())) return;
      await this.page.waitForTimeout(1_000);
    }
  }

  /** Waits until the big word is shown. @param {string} word */
  async shows(word) {
    await this.page.locator(".state__word", { hasText: new RegExp(`^${word}$`) }).waitFor();
  }

  /** @param {string | RegExp} name */
  button(name) {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** Presses a button, when it can be pressed. @param {string | RegExp} name */
  async press(name) {
    await this.page.locator('button:not([aria-disabled="true"])').and(this.button(name)).first().click();
  }

  /** @param {string} text */
  async reads(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /** Logs out. */
  async leave() {
    await this.press("Log out");
    await this.page.getByRole("dialog").getByRole("button", { name: "Log out" }).click();
    await this.reads("You are logged out.");
  }

  /** Keeps a picture, and looks for barriers. @param {string} name */
  async look(name) {
    await mkdir(OUT, { recursive: true });
    await this.page.screenshot({ path: `${OUT}${this.story}-${name}.png` });
    assert.deepEqual(await barriers(this.page), [], `${name} has barriers`);
  }
}

/**
 * Opens a page of its own, as another person's computer would.
 *
 * @param {string} story
 * @param {import("playwright-core").Browser} browser
 * @param {{url?: string, viewport?: {width: number, height: number}}} [where]
 */
export async function sitDown(story, browser, { url = CENTRE.desktop, viewport = { width: 1440, height: 900 } } = {}) {
  const context = await browser.newContext({ viewport, locale: "en-GB", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(SHOWN_LIMIT_MS);
  const desk = new Desk(story, browser, page);
  await page.goto(url);
  await page.locator("form.login").waitFor();
  return desk;
}

/**
 * Sits down at a desk, tells the story, and leaves.
 *
 * @param {string} name
 * @param {(desk: Desk) => Promise<void>} tell
 * @param {Parameters<typeof sitDown>[2]} [where]
 */
export async function story(name, tell, where) {
  const browser = await launch();
  /** @type {Desk | undefined} */
  let desk;
  try {
    desk = await sitDown(name, browser, where);
    await tell(desk);
    assert.deepEqual(desk.faults, []);
  } catch (error) {
    await mkdir(OUT, { recursive: true });
    const pages = browser.contexts().flatMap((each) => each.pages());
    for (const [number, page] of pages.entries())
      await page.screenshot({ path: `${OUT}${name}-failed-${number + 1}.png`, fullPage: true }).catch(() => undefined);
    console.error(error instanceof Error ? error.stack : error);
    console.error(`faults of the page: ${desk?.faults.join("\n") || "none"}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
