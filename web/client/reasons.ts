/** Why the connection is as it is. Numbers are part of the public API: never reused, grouped by who must act. */

export const ConnectionReason = {
  /** 1x: nothing is wrong. */
  Starting: 10,
  Resumed: 11,
  FreshView: 12,
  Stopped: 13,
  /** Live at another instance than before. */
  Moved: 14,
  /** 2x and 3x: passing; the library tries again by itself. */
  OpenFailed: 20,
  OpenTimeout: 21,
  HelloTimeout: 22,
  Silent: 23,
  Dead: 24,
  Closed: 25,
  Gap: 26,
  BadFrame: 27,
  ServerRestarts: 28,
  ServerDrains: 29,
  TooSlow: 30,
  /** Another instance says that ours is dead, or is being stopped. */
  WitnessSaysDead: 31,
  /** The session is at another instance, and none took us yet. */
  SessionMoved: 32,
  /** Our instance may not serve us any more: it lost its store, or another took our agent. */
  SteppedDown: 33,
  /** Those who answered are of a datacentre that does not serve now. */
  PassiveDatacentre: 34,
  /** Those who answered have too much to do, and said when to ask again. */
  Busy: 35,
  /** An instance spoke under an older term than another had: it is not the owner any more. */
  OldTerm: 36,
  /** 4x: final for this session; a person must act. */
  SessionUnknown: 40,
  TakenOver: 41,
  HelloRefused: 42,
  /** The ticket is not good any more: a login is needed. */
  TicketRefused: 43,
  /** 5x: the session is over. */
  SessionEnded: 50,
} as const;

export type ConnectionReason = (typeof ConnectionReason)[keyof typeof ConnectionReason];

/** Whether the library stops by itself: a person must act, or the session is over. */
export function isFinal(reason: ConnectionReason): boolean {
  return reason >= ConnectionReason.SessionUnknown;
}

/** WebSocket close codes of the desktop protocol. */
export const enum CloseCode {
  Normal = 1000,
  Restart = 1012,
  BadFrame = 4400,
  Token = 4401,
  TooSlow = 4408,
  TakenOver = 4409,
  SessionOver = 4410,
  Moved = 4420,
}
