/** Before there is a session: which server tells what the site decided, and which one takes the login. */

import type { Credentials, SiteConfig } from "./frames.js";
import type { Home } from "./home.js";
import type { RequestError, Rest } from "./rest.js";
import { HOPS_LIMIT } from "./search.js";
import type { Servers } from "./servers.js";

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
  logIn(credentials: Credentials): Promise<{ readonly home: Home; readonly now: string }> {
    const { agent } = credentials;
    this.#servers.orderFor(agent);
    return this.#ask(async (server) => {
      const { session, token, ticket = "", now } = await this.#rest.open(server, credentials);
      return { home: { session, agent, server, token, ticket, term: 0 }, now };
    });
  }

  /** Asks one server after another until one answers. */
  async #ask<Got>(ask: (server: string) => Promise<Got>): Promise<Got> {
    const servers = this.#servers;
    const tried = new Set<string>();
    let hops = 0;
    let server: string | null = servers.first();
    let refusal: unknown;
    while (server !== null) {
      tried.add(server);
      servers.trying(server);
      this.#asking(server);
      try {
        const got = await ask(server);
        servers.succeeded(server);
        return got;
      } catch (error) {
        if (!refusal || (error as RequestError).status !== 0) refusal = error; // a server's words before silence
        hops += 1;
        server = this.#after(error as RequestError, server, tried, hops);
      }
    }
    throw refusal;
  }

  /** Whom to ask after one has refused; null when the refusal is everybody's. */
  #after({ status, next }: RequestError, server: string, tried: ReadonlySet<string>, hops: number): string | null {
    if (next) return hops > HOPS_LIMIT ? null : this.#servers.suggest(next.url);
    const isPassive = status === 421; // and knows of nobody who is not: others may
    if (status !== 0 && status < 500 && !isPassive) return null;
    if (!isPassive) this.#servers.failed(server, Date.now());
    return this.#servers.next(Date.now(), tried);
  }
}
