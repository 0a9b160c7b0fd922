/** The desktop protocol over a WebSocket. */

import type { OpenTransport, Transport, TransportEvents } from "./transport.js";

/** Bytes that may wait in the browser to leave; beyond, the server is not taking them and we stop adding. */
const BUFFERED_LIMIT_BYTES = 262_144;

/** Turns an origin into the address of the event stream: http to ws, https to wss. */
export function eventsAddress(server: string): string {
  return `${server.replace(/^http/, "ws")}/v1/events`;
}

/** Opens a WebSocket. The token is not in the address: the first frame carries it. */
export const openWebSocket: OpenTransport = (server: string, events: TransportEvents): Transport => {
  let over = false;
  let socket: WebSocket;
  try {
    socket = new WebSocket(eventsAddress(server));
  } catch {
    // Not an address, or one that a page which came over TLS may not open: a server's mistake, not the page's end.
    queueMicrotask(() => {
      if (!over) events.closed(1006, "");
    });
    return { send: () => false, close: () => void (over = true) };
  }
  socket.onopen = () => {
    if (!over) events.opened();
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (!over && typeof data === "string") events.received(data);
  };
  socket.onclose = ({ code, reason }) => {
    if (over) return;
    over = true;
    events.closed(code, reason);
  };
  return {
    send(text) {
      if (over || socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > BUFFERED_LIMIT_BYTES) return false;
      socket.send(text);
      return true;
    },
    close(code, reason) {
      if (over) return;
      over = true;
      socket.close(code, reason);
    },
  };
};
