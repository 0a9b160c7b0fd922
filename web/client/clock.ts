/** The server's clock, as near as it can be known from here: timers on screen count on it. */

/** Samples kept. At a beat every 2 s this is the last half minute. */
const SAMPLES = 16;

/** A sample this far from what we believed means that a clock was set: what came before is void. */
const STEP_MS = 2_000;

/**
 * Keeps the offset between the server's clock and ours. A frame says what time it was when it left, so each sample
 * is late by its journey; the largest of the recent samples travelled fastest and is nearest to the truth.
 */
export class ServerClock {
  readonly #localNow: () => number;
  #samples: number[] = [];

  constructor(localNow: () => number = Date.now) {
    this.#localNow = localNow;
  }

  /** Server's clock minus ours, ms; 0 before the first sample. */
  get offsetMs(): number {
    return this.#samples.length === 0 ? 0 : Math.max(...this.#samples);
  }

  /** The present on the server's clock, ms since 1970. */
  now(): number {
    return this.#localNow() + this.offsetMs;
  }

  /** Learns from a time the server just sent, RFC 3339; what is no time is ignored. */
  observe(serverNow: string): void {
    const sample = Date.parse(serverNow) - this.#localNow();
    if (Number.isNaN(sample)) return;
    if (Math.abs(sample - this.offsetMs) > STEP_MS) this.#samples = [];
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
  }
}
