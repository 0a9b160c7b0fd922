/**
 * The desktop protocol by long polling: a request is held until the server has something to say, and its answer is
 * acknowledged by the next one. A reply that was lost is asked for again; nothing is lost or doubled.
 */

import { openAtOnce, post, type ClosedWords, type HelloWords } from "./post.js";
import type { OpenTransport } from "./transport.js";
import { Upward } from "./upward.js";

/** The first request is answered at once, ms. */
const OPEN_LIMIT_MS = 4_000;

/** An answer may take so much longer than the server holds a request, ms. */
export const GRACE_MS = 2_000;

/** How long a server holds a request if it does not say, s. */
export const HOLD_S = 8;

/** Requests in a row without an answer, after which the server is gone. */
export const MISSES_LIMIT = 2;

/** The only thing that a poll says by itself. */
const BEAT = '{"type":"beat"}';

interface Reply {
  readonly connection?: string;
  readonly reply: number;
  readonly hold_s?: number;
  readonly frames: readonly unknown[];
  readonly closed?: ClosedWords | null;
}

export const openPoll: OpenTransport = (server, events) => {
  const url = `${server}/v1/events/poll`;
  const told = openAtOnce(events);
  const stopper = new AbortController();
  let token = "";
  let upward: Upward | null = null;
  let holdMs = HOLD_S * 1_000;

  const end = (code?: number, reason?: string): void => {
    stopper.abort();
    upward?.stop();
    told.closed(code, reason);
  };

  /** Hands a reply over; false when it was none. */
  const take = (reply: Reply | null): boolean => {
    if (!reply || !Array.isArray(reply.frames)) return false;
    for (const frame of reply.frames) told.received(JSON.stringify(frame));
    if (reply.closed) end(reply.closed.code, reply.closed.reason);
    return true;
  };

  const run = async (hello: string): Promise<void> => {
    ({ token } = JSON.parse(hello) as HelloWords);
    const first = await post(url, `{"hello":${hello}}`, { limitMs: OPEN_LIMIT_MS, stopper });
    const opened = first.body as Reply | null;
    if (first.status !== 200 || !opened || told.isOver()) return end();
    const connection = String(opened.connection);
    holdMs = (opened.hold_s || HOLD_S) * 1_000;
    upward = new Upward(server, token, connection, end);
    let ack = opened.reply;
    if (!take(opened)) return end();
    for (let misses = 0; misses < MISSES_LIMIT && !told.isOver(); ) {
      const body = JSON.stringify({ connection, ack, frames: [] });
      const next = await post(url, body, { token, limitMs: holdMs + GRACE_MS, stopper });
      const reply = next.body as Reply | null;
      if (next.status === 200 && take(reply)) [ack, misses] = [(reply as Reply).reply, 0];
      else if (next.status === 0 || next.status >= 500) misses += 1;
      else break; // it does not know us
    }
    end();
  };

  return {
    get quietMs() {
      return holdMs;
    },
    send(text) {
      if (token === "") void run(text);
      else if (text !== BEAT) return upward !== null && upward.send(text);
      return true;
    },
    close() {
      told.silence();
      end();
    },
  };
};
