/** What is asked by plain HTTP: what the site decided, opening a session, going on with it elsewhere, and the like. */

import type {
  Answer,
  Credentials,
  EntryGiven,
  Place,
  Problem,
  SessionOpened,
  SiteConfig,
  Topology,
  Witness,
} from "./frames.js";
import type { Home } from "./home.js";
import type { Command } from "./messages.js";
import { Timer } from "./timer.js";

/** One request, ms, unless its caller is in a hurry. */
const REQUEST_LIMIT_MS = 5_000;

/** What `fetch` is asked with. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request that was refused or not answered. `id` is stable; `correlation` is for reading out to an operator. */
export class RequestError extends Error {
  override readonly name = "RequestError";

  constructor(
    /** HTTP status, 0 when nobody answered. */
    readonly status: number,
    readonly id: string,
    readonly detail: string = "",
    /** Whether trying again makes sense: `never`, `later`, or `elsewhere` (on another server). */
    readonly retry: string = "later",
    readonly correlation: string = "",
    /** Where to ask instead, when the server knows. */
    readonly next: Place | null = null,
    /** The server wants to be left alone for so long, ms; null when it did not say. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${id} (${status})`);
  }
}

/** How one request is made. */
export interface Ask {
  readonly body?: unknown;
  readonly token?: string;
  readonly limitMs?: number;
  /** Gives the request up when it is told to. */
  readonly stopper?: AbortController;
}

export class Rest {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  config(server: string, ask: Ask = {}): Promise<SiteConfig> {
    return this.#ask("GET", `${server}/v1/config`, ask);
  }

  /** Which instances there are; asked also to see whether anybody is there. */
  topology(server: string, ask: Ask = {}): Promise<Topology> {
    return this.#ask("GET", `${server}/v1/topology`, ask);
  }

  /** What a server thinks of another instance. */
  witness(server: string, instance: string, limitMs: number): Promise<Witness> {
    return this.#ask("GET", `${server}/v1/witness?instance=${encodeURIComponent(instance)}`, { limitMs });
  }

  /** Which instance should take an agent who logs in. */
  entry(server: string, agent: string, ask: Ask): Promise<EntryGiven> {
    return this.#ask("GET", `${server}/v1/entry?agent=${encodeURIComponent(agent)}`, ask);
  }

  /** @param entry the ticket with which an instance was named to us; empty for none. */
  open(server: string, credentials: Credentials, entry = ""): Promise<SessionOpened> {
    return this.#ask("POST", `${server}/v1/session`, { body: entry ? { ...credentials, entry } : credentials });
  }

  /** Goes on with a session at another instance than the one that had it. */
  resume(server: string, ticket: string, token: string, limitMs: number): Promise<SessionOpened> {
    return this.#ask("POST", `${server}/v1/session/resume`, { body: { ticket, token }, limitMs });
  }

  /** How a command stands; null when the server does not know it. */
  outcome(home: Home, id: string): Promise<Answer | null> {
    return this.#standing(home, id, "GET", "", {});
  }

  /** Has the server find out how a command of another instance ended; null when it cannot. */
  resolve(home: Home, id: string, command: Command): Promise<Answer | null> {
    return this.#standing(home, id, "POST", "/resolve", { body: { command } });
  }

  async #standing({ server, token }: Home, id: string, method: string, tail: string, ask: Ask): Promise<Answer | null> {
    if (server === "") throw new RequestError(0, "desktop.no-server");
    try {
      const url = `${server}/v1/session/commands/${encodeURIComponent(id)}${tail}`;
      const standing = await this.#ask<Omit<Answer, "type"> & { type: string }>(method, url, { ...ask, token });
      return { ...standing, type: "answer", id, command_type: standing.type };
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) return null;
      throw error;
    }
  }

  async #ask<Body>(method: string, url: string, ask: Ask = {}): Promise<Body> {
    const { body, token, limitMs = REQUEST_LIMIT_MS, stopper = new AbortController() } = ask;
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
    const limit = new Timer(() => stopper.abort());
    limit.start(limitMs);
    const { signal } = stopper;
    const content = body === undefined ? null : JSON.stringify(body);
    try {
      const asked: RequestInit = { method, headers, body: content, signal, cache: "no-store", credentials: "omit" };
      const response = await this.#fetch(url, asked);
      const text = await response.text();
      if (!response.ok) throw refusal(response, text);
      return (text === "" ? null : JSON.parse(text)) as Body;
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError(0, "desktop.no-server", error instanceof Error ? error.message : "");
    } finally {
      limit.stop();
    }
  }
}

/** Reads `application/problem+json`; whatever else came is told by its status. */
function refusal({ status, headers }: Response, text: string): RequestError {
  let told: Partial<Problem> = {};
  try {
    told = (JSON.parse(text) as Partial<Problem> | null) || {};
  } catch {
    // a proxy's own page: the status says enough
  }
  const word = (value: unknown, otherwise: string): string => (typeof value === "string" && value) || otherwise;
  const seconds = Number(headers.get("Retry-After") || NaN);
  return new RequestError(
    status,
    word(told.id, status >= 500 ? "desktop.server-trouble" : "desktop.request-refused"),
    word(told.detail, ""),
    word(told.retry, "later"),
    word(told.correlation, ""),
    told.next && typeof told.next.url === "string" ? told.next : null,
    seconds >= 0 ? seconds * 1_000 : null,
  );
}
