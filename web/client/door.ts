/** Before there is a session: which server tells what the site decided, and which one takes the login. */

import type { Credentials, SiteConfig } from "./frames.js";
import type { Home } from "./home.js";
import type { RequestError, Rest } from "./rest.js";
import { HOPS_LIMIT } from "./search.js";
import type { Servers } from "./servers.js";

/** To learn which instances there are, when none is known yet, ms: no login waits longer for that. */
const LEARN_LIMIT_MS = 2_000;

export class Door {
  readonly #servers: Servers;
  readonly #rest: Rest;
  readonly #asking: (server: string) => void;

  /** @param asking told of each server that is asked. */
  constructor(servers: Servers, rest: Rest, asking: (server: string) => void) {
    this.#servers = servers;
    this.#rest = rest;
    this.#asking = asking;
  }

  /** What the site decided. @throws RequestError when nobody answers. */
  config(): Promise<SiteConfig> {
    return this.#ask((server) => this.#rest.config(server));
  }

  /**
   * Opens a session: at the first server that answers, or where that one sends us.
   *
   * @throws RequestError when it is refused, or nobody answers.
   */
  async logIn(credentials: Credentials): Promise<{ readonly home: Home; readonly now: string }> {
    const { agent } = credentials;
    this.#servers.orderFor(agent);
    // A session is best opened by an instance's own name: behind one that is shared, the next request meets another.
    if (!this.#servers.topology) await this.#learn();
    return this.#ask(async (server) => {
      const { session, token, ticket = "", now } = await this.#rest.open(server, credentials);
      return { home: { session, agent, server, token, ticket, term: 0 }, now };
    });
  }

  async #learn(): Promise<void> {
    const server = this.#servers.first();
    try {
      this.#servers.learn(await this.#rest.topology(server, { limitMs: LEARN_LIMIT_MS }));
    } catch {
      this.#servers.failed(server); // the login begins with another, if there is one
    }
  }

  /** Asks one server after another until one answers. */
  async #ask<Got>(ask: (server: string) => Promise<Got>): Promise<Got> {
    const servers = this.#servers;
    const tried = new Set<string>();
    let server: string | null = servers.first();
    let refusal: RequestError | null = null;
    for (let hops = 0; server !== null; hops += 1) {
      tried.add(server);
      servers.trying(server);
      this.#asking(server);
      try {
        const got = await ask(server);
        servers.succeeded(server);
        return got;
      } catch (error) {
        const { status, next } = error as RequestError;
        if (!refusal || status !== 0) refusal = error as RequestError; // a server's words before silence
        const isOfServer = status === 0 || status >= 500;
        if (isOfServer) servers.failed(server);
        if (next) server = hops < HOPS_LIMIT ? servers.suggest(next.url) : null;
        // A passive server that knows of nobody who is not: others may.
        else server = isOfServer || status === 421 ? servers.next(tried) : null;
      }
    }
    throw refusal;
  }
}
