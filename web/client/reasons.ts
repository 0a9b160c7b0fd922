/** Why the connection is as it is. Numbers are part of the public API: never reused, grouped by who must act. */

export const ConnectionReason = {
  /** 1x: nothing is wrong. */
  Starting: 10,
  Resumed: 11,
  FreshView: 12,
  Stopped: 13,
  /** 2x: passing; the library tries again by itself. */
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
  /** 4x: final for this session; a person must act. */
  SessionUnknown: 40,
  TakenOver: 41,
  HelloRefused: 42,
  /** 5x: the session is over. */
  SessionEnded: 50,
} as const;

export type ConnectionReason = (typeof ConnectionReason)[keyof typeof ConnectionReason];

/** WebSocket close codes of the desktop protocol. */
export const CloseCode = {
  Normal: 1000,
  Restart: 1012,
  BadFrame: 4400,
  Token: 4401,
  TooSlow: 4408,
  TakenOver: 4409,
  SessionOver: 4410,
} as const;
