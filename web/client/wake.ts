/** Notices the moments at which waiting any longer is foolish. */

import { Timer } from "./timer.js";

/** How often the clock is looked at, ms. Hidden pages look once a minute, which does no harm. */
const LOOK_EVERY_MS = 2_000;

/** A clock this far ahead of where the last look left it means that the machine slept, ms. */
const SLEPT_MS = 10_000;

/**
 * Calls back when the network is back, the page is looked at again, or the machine woke.
 *
 * @param woke given the event, if there was one: after `online` it may be another network than before.
 * @returns a function that stops watching.
 */
export function watchWake(woke: (event?: Event) => void): () => void {
  const seen = (): void => {
    if (document.visibilityState === "visible") woke();
  };
  let lookedAtMs = Date.now();
  const look = new Timer(() => {
    const now = Date.now();
    if (now - lookedAtMs > LOOK_EVERY_MS + SLEPT_MS) woke();
    lookedAtMs = now;
    look.start(LOOK_EVERY_MS);
  });
  look.start(LOOK_EVERY_MS);
  const watched = [
    [window, "online", woke],
    [window, "pageshow", seen],
    [document, "visibilitychange", seen],
    [document, "resume", woke],
  ] as const;
  for (const [where, name, call] of watched) where.addEventListener(name, call);
  return () => {
    look.stop();
    for (const [where, name, call] of watched) where.removeEventListener(name, call);
  };
}
