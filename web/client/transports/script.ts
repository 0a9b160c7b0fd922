/** One request by a script element: for pages and networks where nothing else is let through. */

import { Timer } from "../timer.js";

/** Longest address; beyond, somebody on the way may cut it, characters. */
export const ADDRESS_LIMIT = 2_000;

/** Every callback begins so, then a number that is never used again on this page. */
const PREFIX = "__ua_";

let count = 0;

/** What may be asked: each once, and what is null left out. */
export type Questions = Readonly<Record<string, string | number | null>>;

/** The address of a request; too long for one when it is longer than `ADDRESS_LIMIT`. */
export function addressOf(url: string, questions: Questions, callback = `${PREFIX}000000`): string {
  const asked = Object.entries({ callback, ...questions }).filter(([, value]) => value !== null);
  return `${url}?${asked.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
}

/**
 * Waits for the page's `load`, for so long at most: a script that is held back holds that up, and one after another would
 * for ever.
 */
export function whenLoaded(limitMs: number): Promise<void> {
  return new Promise((settle) => {
    const over = (): void => {
      limit.stop();
      window.removeEventListener("load", over);
      settle();
    };
    const limit = new Timer(over);
    window.addEventListener("load", over);
    limit.start(limitMs);
    if (document.readyState === "complete") over();
  });
}

/**
 * Has the server call us back. A script element cannot be stopped: when its time is over it is taken away, and what it
 * still calls is not there any more, which the answer looks for before it calls.
 *
 * @returns what the server said; null when it did not, in time. Never rejects.
 */
export function askByScript(url: string, questions: Questions, limitMs: number, signal: AbortSignal): Promise<unknown> {
  return new Promise((settle) => {
    const callbacks = window as unknown as Record<string, unknown>;
    do count += 1;
    while (PREFIX + count in callbacks); // another copy of this file may be on the page
    const name = PREFIX + count;
    const script = document.createElement("script");
    const over = (answer: unknown = null): void => {
      limit.stop();
      signal.removeEventListener("abort", given);
      delete callbacks[name];
      script.remove();
      settle(answer);
    };
    const given = (): void => over();
    const limit = new Timer(given);
    callbacks[name] = over;
    script.async = true;
    script.referrerPolicy = "origin"; // the server must see which page calls, and no more of its address
    script.onerror = given;
    script.src = addressOf(url, questions, name);
    signal.addEventListener("abort", given);
    limit.start(limitMs);
    if (signal.aborted) given();
    else document.head.append(script);
  });
}
