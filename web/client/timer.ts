/** Delays: one class owns every one of them, and here is how long to wait. */

/** One delay at a time; starting it again replaces the one before. */
export class Timer {
  readonly #ring: () => void;
  #handle: ReturnType<typeof setTimeout> | undefined;

  /** @param ring called when the delay has passed. */
  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Whether a delay is running. */
  get running(): boolean {
    return this.#handle !== undefined;
  }

  start(delayMs: number): void {
    this.stop();
    this.#handle = setTimeout(() => {
      this.#handle = undefined;
      this.#ring();
    }, delayMs);
  }

  stop(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}

/** Returns a number from 0 up to, not including, 1; `Math.random` has this shape. */
export type Chance = () => number;

/** How long to wait before trying again, in ms. */
export interface BackoffSettings {
  /** Width of the first delay: 1,000 desktops cut off at once come back spread over it. */
  readonly firstMs: number;
  /** Bound of the second delay before it doubles. */
  readonly baseMs: number;
  /** Bound of every later delay. */
  readonly capMs: number;
}

/**
 * Full jitter: evenly between 0 and a bound that doubles with each failed try.
 *
 * @param failures tries that failed since the last steady connection, from 0.
 */
export function reconnectDelayMs(failures: number, settings: BackoffSettings, chance: Chance): number {
  if (failures === 0) return chance() * settings.firstMs;
  // 2^20 × any base is beyond any cap; the limit keeps the power finite however long the outage lasts.
  return chance() * Math.min(settings.capMs, settings.baseMs * 2 ** Math.min(failures, 20));
}
