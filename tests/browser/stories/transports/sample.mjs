/** What the stories of transports share: a sample page, and what it asks for. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { barriers, launch } from "../../chromium.mjs";
import { CENTRE, happen, OUT, truth, until } from "../desk.mjs";

export { CENTRE, happen, truth, until };

/** Waiting for one thing to show, ms; two shared cores may be slow. */
const SHOWN_LIMIT_MS = 20_000;

/** A page that uses the library, and all that it asked of servers. */
export class Sample {
  /** @param {string} story @param {import("playwright-core").Page} page */
  constructor(story, page) {
    this.story = story;
    this.page = page;
    /** Method, kind (`fetch`, `script` …) and address of each request. @type {{method: string, kind: string, url: URL}[]} */
    this.asked = [];
    /** Addresses of WebSockets. @type {string[]} */
    this.sockets = [];
    /** @type {string[]} */
    this.faults = [];
    page.setDefaultTimeout(SHOWN_LIMIT_MS);
    page.on("pageerror", (error) => this.faults.push(String(error.stack)));
    page.on("console", (message) => {
      if (/Content Security Policy|Uncaught/.test(message.text())) this.faults.push(message.text());
    });
    page.on("websocket", (socket) => this.sockets.push(socket.url()));
    page.on("request", (request) => {
      this.asked.push({ method: request.method(), kind: request.resourceType(), url: new URL(request.url()) });
    });
  }

  /**
   * Logs in; a server that is too busy for that, because the machine is, is asked again.
   *
   * @param {string} agent
   * @param {string} station
   */
  async logIn(agent, station) {
    const desk = this.page.locator("[data-at=desk]");
    const error = this.page.locator("[data-at=error]");
    for (let tries = 0; tries < 10; tries += 1) {
      await this.page.fill("[name=agent]", agent);
      await this.page.fill("[name=station]", station);
      await this.page.fill("[name=password]", "1234");
      await this.page.getByRole("button", { name: "Log in" }).click();
      await desk.or(error).filter({ visible: true }).first().waitFor();
      if (await desk.isVisible()) return;
      const text = (await error.textContent()) ?? "";
      assert.match(text, /much to do/, text);
      await this.page.waitForTimeout(1_000);
    }
  }

  /** Waits until the big word is shown. @param {string} word */
  async shows(word) {
    await this.page.locator("[data-at=mode]", { hasText: new RegExp(`${word}$`) }).waitFor();
  }

  /** Presses a button, when it can be pressed. @param {string} name */
  async press(name) {
    await this.page.locator("button:enabled").and(this.page.getByRole("button", { name, exact: true })).first().click();
  }

  /** @param {string | RegExp} text */
  async reads(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /** How often a path was asked for. @param {RegExp} path */
  count(path) {
    return this.asked.filter(({ url }) => path.test(url.pathname)).length;
  }

  /** Keeps a picture, and looks for barriers. @param {string} name */
  async look(name) {
    await mkdir(OUT, { recursive: true });
    await this.page.screenshot({ path: `${OUT}${this.story}-${name}.png`, fullPage: true });
    assert.deepEqual(await barriers(this.page), [], `${name} has barriers`);
  }

  /** A day's work in short: a call rings, is answered, held, taken back and hung up on. @param {string} agent */
  async work(agent) {
    await this.shows("Not ready");
    await this.press("Ready");
    await this.shows("Ready");
    await happen(CENTRE.aes, "/calls", { number: agent, caller: "02079460123", talk_s: 600 });
    await this.shows("A call is ringing");
    await this.reads("02079460123");
    await this.press("Answer");
    await this.shows("On a call");
    await this.press("Hold");
    await this.shows("Call on hold");
    await this.press("Retrieve");
    await this.shows("On a call");
    await this.press("Hang up");
    await this.page.locator("[data-at=none]").waitFor();
    await this.shows("Ready");
  }

  /** Logs out. */
  async leave() {
    await this.press("Log out");
    await this.page.locator("[data-at=login]").waitFor();
  }
}

/**
 * Opens pages in a browser, tells the story, and leaves.
 *
 * @param {string} name
 * @param {(open: (url: string, options?: object) => Promise<Sample>) => Promise<void>} tell
 */
export async function sampleStory(name, tell) {
  const browser = await launch();
  /** @type {Sample[]} */
  const samples = [];
  try {
    await tell(async (url, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, locale: "en-GB", ...options });
      const sample = new Sample(name, await context.newPage());
      samples.push(sample);
      await sample.page.goto(url);
      return sample;
    });
    assert.deepEqual(
      samples.flatMap(({ faults }) => faults),
      [],
    );
  } catch (error) {
    await mkdir(OUT, { recursive: true });
    for (const [number, { page }] of samples.entries())
      await page.screenshot({ path: `${OUT}${name}-failed-${number + 1}.png`, fullPage: true }).catch(() => undefined);
    console.error(error instanceof Error ? error.stack : error);
    for (const { faults, asked, sockets, page } of samples) {
      console.error(await page.innerText("body").catch(() => "the page is gone"));
      console.error(`faults of the page: ${faults.join("\n") || "none"}; sockets: ${sockets.join(" ")}`);
      console.error(asked.map(({ method, kind, url }) => `${method} ${kind} ${url.host}${url.pathname}`).join("\n"));
    }
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
