/** One request of a transport, by `fetch`. */

import { Timer } from "../timer.js";
import type { TransportEvents } from "./transport.js";

/** What was answered. `status` is 0 when nobody answered in time. */
export interface Posted {
  readonly status: number;
  readonly body: unknown;
}

/** Sends JSON and reads the JSON answer; never rejects. */
export async function post(
  url: string,
  body: string,
  { token = "", limitMs, stopper }: { token?: string; limitMs: number; stopper: AbortController },
): Promise<Posted> {
  const mine = new AbortController();
  const stop = (): void => mine.abort();
  const limit = new Timer(stop);
  limit.start(limitMs);
  stopper.signal.addEventListener("abort", stop);
  try {
    const response = await fetch(url, postOf(body, token, mine));
    return { status: response.status, body: JSON.parse((await response.text()) || "null") as unknown };
  } catch {
    return { status: 0, body: null }; // nobody there, too late, or a proxy's own page
  } finally {
    limit.stop();
    stopper.signal.removeEventListener("abort", stop);
  }
}

/** What `fetch` is given. No cookie goes along: who we are is in the body or the header, and nowhere else. */
export function postOf(body: string, token: string, { signal }: AbortController): RequestInit {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (token !== "") headers["Authorization"] = `Bearer ${token}`;
  return { method: "POST", headers, body, signal, cache: "no-store", credentials: "omit" };
}

/** What the first frame of a desktop says; it opens whatever is not opened by a handshake of its own. */
export interface HelloWords {
  readonly token: string;
  readonly epoch: number | null;
  readonly seq: number | null;
  readonly client: string;
}

/** How the server's own end of a connection is told inside an answer. */
export interface ClosedWords {
  readonly code: number;
  readonly reason: string;
}

/**
 * A transport for which nothing has to be opened before hello: it tells so at once, and then at most one end.
 *
 * @returns what tells the end; after it, and after `silence`, nothing is told.
 */
export function openAtOnce(events: TransportEvents): {
  readonly isOver: () => boolean;
  readonly received: (text: string) => void;
  readonly closed: (code?: number, reason?: string) => void;
  readonly silence: () => void;
} {
  let over = false;
  queueMicrotask(() => {
    if (!over) events.opened();
  });
  return {
    isOver: () => over,
    received: (text) => {
      if (!over) events.received(text);
    },
    closed: (code = 1006, reason = "") => {
      if (over) return;
      over = true;
      events.closed(code, reason);
    },
    silence: () => void (over = true),
  };
}
