/**
 * Before there is a session: who tells what the site decided, which instance is to have the agent, and who takes the
 * login.
 *
 *   entry: at any server of the list, two almost at once ── "instance ua-2, ticket" ──▶ login there, with the ticket
 *                    └ nobody can say within 2 s ──▶ login at one server of the list after another
 */

import type { Credentials, EntryGiven, SiteConfig } from "./frames.js";
import type { Home } from "./home.js";
import { Race } from "./race.js";
import type { Ask, RequestError, Rest } from "./rest.js";
import { HOPS_LIMIT } from "./search.js";
import type { Servers } from "./servers.js";

/** To be told which instance is to have the agent, ms: no login waits longer for that. */
const ENTRY_LIMIT_MS = 2_000;

/** To be told what the site decided, ms. */
const CONFIG_LIMIT_MS = 5_000;

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
  async config(): Promise<SiteConfig> {
    const [server, config] = await this.#first((at, ask) => this.#rest.config(at, ask), CONFIG_LIMIT_MS);
    this.#servers.succeeded(server);
    return config;
  }

  /**
   * Opens a session: where the first server that answers says, or where that one sends us.
   *
   * @throws RequestError when it is refused, or nobody answers.
   */
  async logIn(credentials: Credentials): Promise<{ readonly home: Home; readonly now: string }> {
    const { agent } = credentials;
    this.#servers.orderFor(agent);
    const [named, entry] = await this.#enter(agent);
    return this.#ask(named || this.#servers.first(), async (server) => {
      const ask = server === named ? entry : "";
      const { session, token, ticket = "", now } = await this.#rest.open(server, credentials, ask);
      return { home: { session, agent, server, token, ticket, term: 0 }, now };
    });
  }

  /** The instance that is to have an agent, and the ticket for it; empty when nobody can say. */
  async #enter(agent: string): Promise<readonly [server: string, ticket: string]> {
    const ask = (at: string, how: Ask): Promise<EntryGiven> => this.#rest.entry(at, agent, how);
    try {
      const [server, { instance, ticket, topology }] = await this.#first(ask, ENTRY_LIMIT_MS);
      this.#servers.learn(topology);
      // One that is alone is the one that answered, perhaps under an address that is good only where it runs.
      return [topology.instances.length > 1 ? this.#servers.suggest(instance.url) : server, ticket];
    } catch {
      return ["", ""]; // no answer, or none that can be used: the list will do
    }
  }

  /** Asks a harmless thing of several servers almost at once; the first answer counts. @throws RequestError */
  #first<Got>(ask: (server: string, how: Ask) => Promise<Got>, limitMs: number): Promise<readonly [string, Got]> {
    const servers = this.#servers;
    const tried = new Set<string>();
    const untilMs = Date.now() + limitMs;
    let refusal: RequestError;
    return new Promise((settle, reject) => {
      const race = new Race({
        next: () => (tried.size === 0 ? servers.first() : Date.now() < untilMs ? servers.next(tried) : null),
        begin: (server) => {
          const stopper = new AbortController();
          tried.add(server);
          this.#asking(server);
          ask(server, { limitMs: untilMs - Date.now(), stopper }).then(
            (got) => {
              if (race.has(server)) settle([server, got]);
              race.stop();
            },
            (error: RequestError) => {
              if (!race.has(server)) return; // given up by us
              refusal = this.#worse(server, error, refusal);
              race.lost(server);
            },
          );
          return () => stopper.abort();
        },
        exhausted: () => reject(refusal),
      });
      race.go();
    });
  }

  /** Asks one server after another until one answers. */
  async #ask<Got>(first: string, ask: (server: string) => Promise<Got>): Promise<Got> {
    const servers = this.#servers;
    const tried = new Set<string>();
    let server: string | null = first;
    let refusal: RequestError | undefined;
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
        refusal = this.#worse(server, error as RequestError, refusal);
        if (next) server = hops < HOPS_LIMIT ? servers.suggest(next.url) : null;
        // A passive server that knows of nobody who is not: others may.
        else server = status === 0 || status >= 500 || status === 421 ? servers.next(tried) : null;
      }
    }
    throw refusal as RequestError;
  }

  /** Which of two refusals is told: a server's words before silence. */
  #worse(server: string, now: RequestError, before?: RequestError): RequestError {
    if (now.status === 0 || now.status >= 500) this.#servers.failed(server);
    return before && now.status === 0 ? before : now;
  }
}
