/** Every delay of the connection, in ms. */
export interface ConnectionSettings {
  /** One try to open a transport, or to see whether a server answers at all. */
  readonly openLimitMs: number;
  /** From hello to the first frame that makes us live; also for the answer to a resume. */
  readonly helloLimitMs: number;
  /** Silence after which other instances are asked about ours, and again each `witnessEveryMs`: a beat and a half. */
  readonly witnessAfterMs: number;
  readonly witnessEveryMs: number;
  /** Silence after which the page may say that it is checking: three beats. */
  readonly suspectAfterMs: number;
  /** Silence after which the transport is given up: six beats. */
  readonly deadAfterMs: number;
  /** The same when another instance says that ours is well: moving costs more than waiting. */
  readonly deadThoughWellAfterMs: number;
  /** We say something at least this often. */
  readonly beatEveryMs: number;
  /** First delay before coming back, evenly from 0 to this; a server's topology may say otherwise. */
  readonly firstDelayMs: number;
  /** The same when it is known that ours is dead: its desktops have noticed one by one, so they are spread already. */
  readonly firstDelayWhenDeadMs: number;
  readonly baseDelayMs: number;
  readonly capDelayMs: number;
  /** Live for this long, the count of failures starts from 0; doing so at once would let a flapping server be stormed. */
  readonly steadyAfterMs: number;
  /** After three changes of server within a minute the next waits for so long. */
  readonly holdMs: number;
}

export const CONNECTION_SETTINGS: ConnectionSettings = {
  openLimitMs: 2_000,
  helloLimitMs: 6_000,
  witnessAfterMs: 1_500,
  witnessEveryMs: 1_000,
  suspectAfterMs: 3_000,
  deadAfterMs: 6_000,
  deadThoughWellAfterMs: 10_000,
  beatEveryMs: 5_000,
  firstDelayMs: 2_000,
  firstDelayWhenDeadMs: 500,
  baseDelayMs: 500,
  capDelayMs: 10_000,
  steadyAfterMs: 10_000,
  holdMs: 10_000,
};
