/** Notices the moments at which waiting any longer is foolish. */

import { Timer } from "./timer.js";

/** How often the clock is looked at, ms. Hidden pages look once a minute, which does no harm. */
const LOOK_EVERY_MS = 2_000;

/** A clock this far ahead of where the last look left it means that the machine slept, ms. */
const SLEPT_MS = 10_000;

/**
 * Calls back when the network is back, the page is looked at again, or the machine woke.
 *
 * @param woke told whether it may be another network than before.
 * @returns a function that stops watching.
 */
export function watchWake(woke: (isNewNetwork?: boolean) => void): () => void {
  const seen = (): void => {
    if (document.visibilityState === "visible") woke();
  };
  const online = (): void => woke(true);
  const resumed = (): void => woke();
  let lookedAtMs = Date.now();
  const look = new Timer(() => {
    const now = Date.now();
    if (now - lookedAtMs > LOOK_EVERY_MS + SLEPT_MS) woke();
    lookedAtMs = now;
    look.start(LOOK_EVERY_MS);
  });
  look.start(LOOK_EVERY_MS);
  window.addEventListener("online", online);
  window.addEventListener("pageshow", seen);
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("resume", resumed);
  return () => {
    look.stop();
    window.removeEventListener("online", online);
    window.removeEventListener("pageshow", seen);
    document.removeEventListener("visibilitychange", seen);
    document.removeEventListener("resume", resumed);
  };
}
