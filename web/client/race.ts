/** Several servers asked almost at once, so that a silent one costs a third of a second and not its whole limit. */

import { Timer } from "./timer.js";

/** The next begins when the one before was silent for this long, ms: as browsers do with addresses of one name. */
export const PACE_MS = 300;

/** Tries under way at once. */
const WIDTH = 2;

export interface Runners {
  /** The server to try next; null when none is left. */
  next(): string | null;
  /** Begins a try, which is over with `lost` or `stop`; returns what gives it up. */
  begin(server: string): () => void;
  /** All have failed. */
  exhausted(): void;
}

export class Race {
  readonly #runners: Runners;
  readonly #underWay = new Map<string, () => void>();
  readonly #pace = new Timer(() => this.#beginNext());

  constructor(runners: Runners) {
    this.#runners = runners;
  }

  /** Begins, or goes on after a stop. */
  go(): void {
    this.#beginNext();
    if (this.#underWay.size === 0) this.#runners.exhausted();
  }

  has(server: string): boolean {
    return this.#underWay.has(server);
  }

  /** That try has failed by itself. */
  lost(server: string): void {
    if (this.#underWay.delete(server)) this.go();
  }

  /** Gives up all tries but one; no other begins before `go`. Returns the servers that were given up. */
  stop(except = ""): readonly string[] {
    this.#pace.stop();
    const givenUp = [...this.#underWay].filter(([server]) => server !== except);
    for (const [server, giveUp] of givenUp) {
      this.#underWay.delete(server);
      giveUp();
    }
    return givenUp.map(([server]) => server);
  }

  #beginNext(): void {
    this.#pace.stop();
    if (this.#underWay.size >= WIDTH) return;
    const server = this.#runners.next();
    if (server === null) return;
    this.#underWay.set(server, () => undefined);
    const giveUp = this.#runners.begin(server);
    if (this.#underWay.has(server)) this.#underWay.set(server, giveUp);
    this.#pace.start(PACE_MS);
  }
}
