/**
 * ua-fallbacks: what a desk does where WebSockets do not get through. Load it beside `ua-client`, before or after.
 *
 *   transports/ladder.ts   which way gets through · stream.ts, poll.ts, jsonp.ts the ways
 *   transports/upward.ts   our frames where only the server's have a way of their own · post.ts, script.ts one request
 *   jsonp_fetch.ts         plain requests, as scripts
 */

import type { Memory } from "./servers.js";
import { Timer } from "./timer.js";
import { isAskable, jsonpFetch } from "./transports/jsonp_fetch.js";
import { openJsonp } from "./transports/jsonp.js";
import { Ladder, type Rung } from "./transports/ladder.js";
import { openPoll } from "./transports/poll.js";
import { openStream } from "./transports/stream.js";
import type { Fallbacks } from "./transports/ways.js";
import { openWebSocket } from "./transports/websocket.js";

/** A server that is well answers a plain request within this, ms. */
const THERE_LIMIT_MS = 1_500;

/**
 * From the best to the last resort. Doubt about a WebSocket comes before the connection gives the try up, and what is
 * answered last, a hello that a busy server has taken, is doubted last.
 */
export const RUNGS: readonly Rung[] = [
  { name: "websocket", open: openWebSocket, openMs: 1_300, frameMs: 3_000 },
  { name: "stream", open: openStream, openMs: 1_000, frameMs: 3_000 },
  { name: "poll", open: openPoll, openMs: 1_000, frameMs: 4_500 },
  { name: "jsonp", open: openJsonp, openMs: 1_000, frameMs: 5_500 },
];

function isThere(names: Parameters<Fallbacks["open"]>[0], server: string): Promise<boolean> {
  const stopper = new AbortController();
  const limit = new Timer(() => stopper.abort());
  limit.start(THERE_LIMIT_MS);
  const init: RequestInit = { method: "GET", signal: stopper.signal, cache: "no-store", credentials: "omit" };
  const asked = fallbacks.fetch(names, (url, how) => fetch(url, how), `${server}/v1/topology`, init);
  return asked
    .then(
      ({ ok }) => ok,
      () => false,
    )
    .finally(() => limit.stop());
}

function memory(): Memory | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

const ladder = new Ladder(RUNGS, memory(), isThere);

export const fallbacks: Fallbacks = {
  open: (names, server, events) => ladder.open(names, server, events),
  async fetch(names, ask, url, init) {
    if (!names.includes("jsonp") || !isAskable(url, init)) return ask(url, init);
    if (ladder.rungAt(names, new URL(url, location.href).origin)?.name === "jsonp") return jsonpFetch(url, init);
    try {
      return await ask(url, init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      return jsonpFetch(url, init); // plain requests do not get through, or may not
    }
  },
  newNetwork: () => ladder.forget(),
};

window.uaFallbacks = fallbacks;
