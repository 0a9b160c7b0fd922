/** Every delay of the connection, in ms. */
export interface ConnectionSettings {
  /** One try to open a transport, or to see whether a server answers at all. */
  readonly openLimitMs: number;
  /** From hello to the first frame that makes us live; also for the answer to a resume. */
  readonly helloLimitMs: number;
  /** Silence after which other instances are asked about ours: a beat and a half. */
  readonly witnessAfterMs: number;
  /** Silence after which the page may say that it is checking: three beats. */
  readonly suspectAfterMs: number;
  /** Silence after which the transport is given up: six beats. */
  readonly deadAfterMs: number;
  /** We say something at least this often. */
  readonly beatEveryMs: number;
  /** First delay before coming back, evenly from 0 to this; a server's topology may say otherwise. */
  readonly firstDelayMs: number;
  readonly baseDelayMs: number;
  readonly capDelayMs: number;
  /** Live for this long, the count of failures starts from 0; doing so at once would let a flapping server be stormed. */
  readonly steadyAfterMs: number;
}

export const CONNECTION_SETTINGS: ConnectionSettings = {
  openLimitMs: 2_000,
  helloLimitMs: 6_000,
  witnessAfterMs: 1_500,
  suspectAfterMs: 3_000,
  deadAfterMs: 6_000,
  beatEveryMs: 5_000,
  firstDelayMs: 2_000,
  baseDelayMs: 500,
  capDelayMs: 10_000,
  steadyAfterMs: 10_000,
};
