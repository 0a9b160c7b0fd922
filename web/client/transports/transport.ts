/**
 * What the connection asks of a transport: open, send, close. Whole frames of text, in order, both ways.
 *
 * `open` returns at once. Exactly one of `opened` or `closed` is called first, later; `closed` is called at most
 * once and is the last. After `close()` nothing is called any more.
 */

export interface TransportEvents {
  /**
   * The other end can be spoken to. Called again when, before any frame came, another way has taken this one's place:
   * whatever was said is then to be said anew.
   */
  opened(): void;
  /** One frame came. */
  received(text: string): void;
  /** It is gone, or was never there. `code` as in WebSocket; 1006 when nobody said anything. */
  closed(code: number, reason: string): void;
}

export interface Transport {
  /** For how long the server may say nothing though all is well, ms: a poll is held so long, without beats. None: 0. */
  readonly quietMs?: number;
  /** Sends one frame. False when it cannot be taken now (not open, or too much waits to leave). */
  send(text: string): boolean;
  /** Ends it; harmless when it has ended. */
  close(code: number, reason: string): void;
}

/** Opens a transport to the server at an origin such as `https://desk.example.org`. */
export type OpenTransport = (server: string, events: TransportEvents) => Transport;
