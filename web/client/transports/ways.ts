/**
 * How a desk gets across to a server: by WebSocket, and, when the file `ua-fallbacks` is loaded beside this one, by
 * whatever gets through. The two find each other by one name on `window`, in whichever order they came.
 */

import type { Fetch } from "../rest.js";
import type { Transport, TransportEvents } from "./transport.js";
import { openWebSocket } from "./websocket.js";

/** From the best to the last resort. */
export type TransportName = "websocket" | "stream" | "poll" | "jsonp";

/** What a page has if it says nothing. JSONP runs a server's answer as a script of the page, so a page must ask for it. */
export const DEFAULT_TRANSPORTS: readonly TransportName[] = ["websocket", "stream", "poll"];

/** What `ua-fallbacks` brings. */
export interface Fallbacks {
  /** Opens the best of the named ways that gets through. */
  open(names: readonly TransportName[], server: string, events: TransportEvents): Transport;
  /** Asks as `ask` does, or by JSONP where that is named and nothing else gets through. */
  fetch(names: readonly TransportName[], ask: Fetch, url: string, init: RequestInit): Promise<Response>;
  /** There is another network: what did not get through may do so now. */
  newNetwork(): void;
}

declare global {
  interface Window {
    /** Set by `ua-fallbacks`. */
    uaFallbacks?: Fallbacks;
  }
}

/** Without the other file the WebSocket is the only way, also when it is not wanted: then there is none. */
const PLAIN: Fallbacks = {
  open: (names, server, events) => openWebSocket(names.includes("websocket") ? server : "none:", events),
  fetch: (_, ask, url, init) => ask(url, init),
  newNetwork: () => undefined,
};

/** What there is now: the other file may come later. */
export function ways(): Fallbacks {
  return window.uaFallbacks || PLAIN;
}
