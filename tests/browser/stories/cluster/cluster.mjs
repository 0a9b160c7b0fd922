/** What the stories of a cluster share: servers to strike and to order about, and a watch over what a page shows. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { CENTRE, OUT, story, until } from "../desk.mjs";

export { happen, sitDown, truth } from "../desk.mjs";
export { until };
export { CENTRE };

const run = promisify(execFile);

/** A laptop's window; pictures are taken in it, and in a telephone's. */
export const WINDOW = { width: 1280, height: 800 };
const TELEPHONE = { width: 360, height: 740 };

/** @typedef {{url: string, guardian: number}} Instance */
/** @type {Record<string, Instance>} */
const INSTANCES = CENTRE.instances;

/** Tells a story at a laptop. @param {string} name @param {(desk: import("../desk.mjs").Desk) => Promise<void>} tell */
export function clusterStory(name, tell) {
  return story(`cluster-${name}`, tell, { viewport: WINDOW });
}

/** Where the pages of an instance are. @param {string} name */
export function urlOf(name) {
  return INSTANCES[name].url;
}

/**
 * Strikes the process of an instance that serves; its guardian lives on.
 *
 * @param {string} name
 * @param {NodeJS.Signals} how
 */
export function strike(name, how) {
  const { guardian } = INSTANCES[name];
  const [serving] = readFileSync(`/proc/${guardian}/task/${guardian}/children`, "utf8").split(" ");
  process.kill(Number(serving), how);
}

/** Stops the store, or lets it go on. @param {"SIGSTOP" | "SIGCONT"} how */
export function strikeStore(how) {
  process.kill(CENTRE.store, how);
}

/**
 * Gives an order as an operator does.
 *
 * @param {string} at the instance that is asked
 * @param {...string} words
 * @returns {Promise<string>} what was said
 */
export async function order(at, ...words) {
  const [program, ...before] = CENTRE.program;
  const { stdout } = await run(program, [...before, "cluster", ...words, "--url", urlOf(at)], { timeout: 60_000 });
  return stdout;
}

/** The instance that serves a desk, by the tip of its sign. @param {import("../desk.mjs").Desk} desk */
export async function serverOf(desk) {
  const tip = await desk.page.locator(".link").first().getAttribute("data-tip");
  return Object.keys(INSTANCES).find((name) => tip?.split(" · ").includes(name)) ?? "";
}

/**
 * Has the agent of a desk served by one instance: at a login the cluster chooses.
 *
 * @param {import("../desk.mjs").Desk} desk
 * @param {string} agent
 * @param {string} name
 */
export async function seat(desk, agent, name) {
  if ((await serverOf(desk)) === name) return;
  await order(name, "move", agent, "--to", name);
  await until(`${agent} is at ${name}`, async () => (await serverOf(desk)) === name);
}

/**
 * One look at a page.
 *
 * @typedef {object} Look
 * @property {number} atMs when it began
 * @property {"desk" | "login" | "entry" | "nothing"} page `entry`: steps of a login, or that another desktop took over
 * @property {string} banner in bold; more than one joined by a bar
 * @property {string} word the big one
 * @property {boolean} isOld greyed
 */

/** Writes down every look of a page that differs from the one before. */
export class Watch {
  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Begins. @param {import("playwright-core").Page} page */
  static async over(page) {
    await page.evaluate(() => {
      /** @type {any[]} */
      const looks = [];
      const look = () => {
        const has = (/** @type {string} */ selector) => document.querySelector(selector) !== null;
        const now = {
          page: has("form.login") ? "login" : has(".entry") ? "entry" : has(".desk") ? "desk" : "nothing",
          banner: [...document.querySelectorAll(".banner strong")].map((each) => each.textContent).join(" | "),
          word: document.querySelector(".state__word")?.textContent ?? "",
          isOld: has(".desk--old"),
        };
        const { atMs, ...before } = looks.at(-1) ?? {};
        if (JSON.stringify(now) !== JSON.stringify(before)) looks.push({ ...now, atMs: Date.now() });
      };
      new MutationObserver(look).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
      look();
      Object.assign(globalThis, { looks });
    });
    return new Watch(page);
  }

  /** All looks until now. @returns {Promise<Look[]>} */
  looks() {
    return this.page.evaluate(() => Object(globalThis).looks);
  }

  /** Asserts that the desk was there all the time. */
  async sawNoOtherPage() {
    const looks = await this.looks();
    assert.deepEqual([...new Set(looks.map(({ page }) => page))], ["desk"], write(looks));
  }

  /** Asserts that no banner but these was shown. @param {...RegExp} allowed */
  async sawOnly(...allowed) {
    const looks = await this.looks();
    const others = looks.filter(({ banner }) => banner !== "" && !allowed.some((each) => each.test(banner)));
    assert.deepEqual(others, [], write(looks));
  }

  /** When the page was true again: not greyed, and the state known. @param {number} sinceMs */
  async trueAgainMs(sinceMs) {
    const looks = await this.looks();
    const isTrue = (/** @type {Look} */ { page, word, isOld }) => page === "desk" && !isOld && word !== "Not known";
    const untrue = looks.findLastIndex((each) => each.atMs >= sinceMs && !isTrue(each));
    assert.ok(untrue >= 0 && looks[untrue + 1], `it was never untrue, or is not true again: ${write(looks)}`);
    return looks[untrue + 1].atMs;
  }

  /** When it first showed something, in its banner or as its state. @param {RegExp} what @param {number} sinceMs */
  async firstShownMs(what, sinceMs) {
    const looks = await this.looks();
    const look = looks.find(({ atMs, banner, word }) => atMs >= sinceMs && (what.test(banner) || what.test(word)));
    assert.ok(look, `${what} was not shown: ${write(looks)}`);
    return look.atMs;
  }
}

/** @param {Look[]} looks */
function write(looks) {
  const [first] = looks;
  return looks
    .map(
      (each) =>
        `${((each.atMs - first.atMs) / 1000).toFixed(2)} ${each.page} ${each.word} ${each.isOld ? "grey " : ""}${each.banner}`,
    )
    .join("\n");
}

/**
 * Has a page that loses its server come back as late as it may, and not by chance.
 *
 * @param {import("../desk.mjs").Desk} desk
 */
export async function comeBackLate({ page }) {
  await page.addInitScript(() => {
    Math.random = () => 0.99;
  });
  await page.reload();
}

/** What a running time says, in seconds. @param {string} clock `M:SS` */
export function secondsOf(clock) {
  const [minutes, seconds] = clock.split(":").map(Number);
  return minutes * 60 + seconds;
}

/**
 * Notes how long something took, and asserts its limit.
 *
 * @param {string} what
 * @param {number} fromMs
 * @param {number} toMs
 * @param {number} limitS
 */
export async function took(what, fromMs, toMs, limitS) {
  const seconds = (toMs - fromMs) / 1000;
  await mkdir(OUT, { recursive: true });
  await appendFile(`${OUT}cluster-seconds.txt`, `${what}: ${seconds.toFixed(2)} s\n`);
  assert.ok(seconds <= limitS, `${what} took ${seconds.toFixed(1)} s, more than ${limitS}`);
}

/**
 * Keeps two pictures of a moment: a laptop in the light, a telephone in the dark.
 *
 * @param {import("../desk.mjs").Desk} desk
 * @param {string} name
 */
export async function keep(desk, name) {
  await mkdir(OUT, { recursive: true });
  const path = `${OUT}${desk.story}-${name}`;
  await desk.page.screenshot({ path: `${path}.png` });
  await desk.page.emulateMedia({ colorScheme: "dark" });
  await desk.page.setViewportSize(TELEPHONE);
  await desk.page.screenshot({ path: `${path}-telephone.png` });
  await desk.page.setViewportSize(WINDOW);
  await desk.page.emulateMedia({ colorScheme: "light" });
}
