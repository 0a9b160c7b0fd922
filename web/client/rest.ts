/** The few things asked by plain HTTP: what the site decided, opening a session, how a command stands. */

import type { Answer, Credentials, SessionOpened, SiteConfig } from "./frames.js";
import { Timer } from "./timer.js";

/** One request, ms. */
const REQUEST_LIMIT_MS = 10_000;

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
  ) {
    super(`${id} (${status})`);
  }
}

export class Rest {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  config(server: string): Promise<SiteConfig> {
    return this.#ask<SiteConfig>("GET", `${server}/v1/config`);
  }

  open(server: string, credentials: Credentials): Promise<SessionOpened> {
    return this.#ask<SessionOpened>("POST", `${server}/v1/session`, { body: credentials });
  }

  /** Asks for the log-out. Harmless when there is no session any more. */
  async close(server: string, token: string): Promise<void> {
    await this.#ask<unknown>("DELETE", `${server}/v1/session`, { token });
  }

  /** Null when the server does not know the command. */
  async outcome(server: string, token: string, id: string): Promise<Answer | null> {
    try {
      const url = `${server}/v1/session/commands/${encodeURIComponent(id)}`;
      const { type, outcome, error, detail } = await this.#ask<{
        type: string;
        outcome: Answer["outcome"];
        error: string;
        detail: string;
      }>("GET", url, { token });
      return { type: "answer", id, command_type: type, outcome, error, detail };
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) return null;
      throw error;
    }
  }

  async #ask<Body>(
    method: string,
    url: string,
    { body, token }: { body?: unknown; token?: string } = {},
  ): Promise<Body> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
    const stopper = new AbortController();
    const limit = new Timer(() => stopper.abort());
    limit.start(REQUEST_LIMIT_MS);
    const init: RequestInit = { method, headers, signal: stopper.signal, cache: "no-store", credentials: "omit" };
    if (body !== undefined) init.body = JSON.stringify(body);
    try {
      const response = await this.#fetch(url, init);
      const text = await response.text();
      if (!response.ok) throw problem(response.status, text);
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
function problem(status: number, text: string): RequestError {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    // a proxy's own page: the status says enough
  }
  const word = (name: string, otherwise: string): string => {
    const value = body[name];
    return typeof value === "string" && value !== "" ? value : otherwise;
  };
  const id = word("id", status >= 500 ? "desktop.server-trouble" : "desktop.request-refused");
  return new RequestError(status, id, word("detail", ""), word("retry", "later"), word("correlation", ""));
}
