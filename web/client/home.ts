/** Where the session is, what proves it ours, and how a refresh of the page finds both again. */

import type { Memory } from "./servers.js";

export interface Home {
  readonly session: string;
  /** Whose session it is. */
  readonly agent: string;
  /** Origin of the server that knows the token; empty when none is known to, and the ticket must open it anew. */
  readonly server: string;
  readonly token: string;
  /** Opens the session at any instance, with the token; empty from a server that gives none. */
  readonly ticket: string;
  /** Highest term seen: who speaks under a lower one is not the owner any more. */
  readonly term: number;
}

/** No session. */
export const NO_HOME: Home = { session: "", agent: "", server: "", token: "", ticket: "", term: 0 };

const KEPT_AS = "unified-agent.session";

/** The session of this page. `sessionStorage` forgets with the tab, so each tab has its own. */
export class HomeKeeper {
  readonly #memory: Memory;
  #home = NO_HOME;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get home(): Home {
    return this.#home;
  }

  /** Whether there is a session. */
  get hasHome(): boolean {
    return this.#home !== NO_HOME;
  }

  /** Finds what was kept before a refresh. */
  recall(): void {
    this.#home = readHome(this.#memory.getItem(KEPT_AS));
  }

  /** Keeps what is new about it. */
  settle(news: Partial<Home>): void {
    this.#home = { ...this.#home, ...news };
    this.#memory.setItem(KEPT_AS, JSON.stringify(this.#home));
  }

  forget(): void {
    this.#home = NO_HOME;
    this.#memory.removeItem(KEPT_AS);
  }
}

function readHome(text: string | null): Home {
  try {
    const kept = JSON.parse(text as string) as Partial<Home>;
    const isWhole = [kept.session, kept.server, kept.token].every((each) => typeof each === "string");
    return isWhole ? { ...NO_HOME, ...kept } : NO_HOME;
  } catch {
    return NO_HOME;
  }
}
