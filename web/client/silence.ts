/**
 * Silence on a line that is live: when others are asked about the server, when the page is told, when it is given up.
 *
 *   0 ─────── 1.5 s ─────────── 3 s ─────────────── 6 s ─────────── 10 s
 *   a frame   two others are    the page            given up,       … here, if another instance
 *             asked, then one   is told             or …            says that ours is well
 *             each second
 *
 * "Dead", or "it goes, and I can take you", ends the waiting at once. The others need 2 to 3 s to be sure of a death,
 * so that the first answer is seldom the last.
 */

import type { Witness } from "./frames.js";
import type { ConnectionSettings } from "./settings.js";
import { Timer } from "./timer.js";

/** Others are asked again this long after they were, ms. */
const ASK_EVERY_MS = 1_000;

/** When another says that ours is well it is given up only after this: moving costs more than waiting. */
const DEAD_THOUGH_WELL_AFTER_MS = 10_000;

export interface SilenceEvents {
  /** Asks another instance, `which` counting on from 0 with each question; null when there is none to ask. */
  ask(which: number): Promise<Witness> | null;
  suspect(): void;
  /** Silent for too long. */
  dead(): void;
  /** Another instance says that ours is dead or goes. */
  gone(witness: Witness): void;
}

export class Silence {
  readonly #settings: ConnectionSettings;
  readonly #events: SilenceEvents;
  readonly #timer = new Timer(() => this.check());
  #heardAtMs = 0;
  /** Silence at which others are asked the next time, ms. */
  #askAtMs = 0;
  #asked = 0;
  #isWell = false;

  constructor(settings: ConnectionSettings, events: SilenceEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** Begins to watch a line that has just spoken, and may be silent for so long though all is well. */
  begin(quietMs = 0): void {
    this.heard(quietMs);
    this.check();
  }

  /** A frame came: whatever others say of the time before it is void. Silence counts from when it means something. */
  heard(quietMs = 0): void {
    this.#heardAtMs = Date.now() + quietMs;
    this.#askAtMs = this.#settings.witnessAfterMs;
    this.#asked = 0;
    this.#isWell = false;
  }

  stop(): void {
    this.#timer.stop();
  }

  /** Does what is due, also when the timers of a page that slept did not ring. */
  check(): void {
    const { suspectAfterMs, deadAfterMs } = this.#settings;
    const silentMs = Date.now() - this.#heardAtMs;
    const limitMs = this.#isWell ? DEAD_THOUGH_WELL_AFTER_MS : deadAfterMs;
    if (silentMs >= limitMs) {
      this.stop();
      this.#events.dead();
      return;
    }
    if (silentMs >= this.#askAtMs) {
      if (this.#asked === 0) this.#ask();
      this.#ask();
      this.#askAtMs = silentMs + ASK_EVERY_MS;
    }
    const marks = [this.#askAtMs, suspectAfterMs, limitMs].filter((mark) => mark > silentMs);
    this.#timer.start(Math.min(...marks) - silentMs);
    if (silentMs >= suspectAfterMs) this.#events.suspect();
  }

  #ask(): void {
    const heardAtMs = this.#heardAtMs;
    const answer = this.#events.ask(this.#asked);
    this.#asked += 1;
    if (!answer) return;
    answer.then(
      (witness) => {
        if (heardAtMs === this.#heardAtMs && this.#timer.running) this.#answered(witness);
      },
      () => undefined, // nobody there, or too many ask: the silence decides
    );
  }

  #answered(witness: Witness): void {
    const { verdict, can_take } = witness;
    if (verdict === "alive") this.#isWell = true;
    if (verdict === "dead" || (verdict === "draining" && can_take)) {
      this.stop();
      this.#events.gone(witness);
    }
  }
}
