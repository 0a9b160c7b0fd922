/**
 * Names of properties that only the client library's own parts use among each other, for the build to shorten: they are
 * a sixth of the script. A name stands here only if it is nobody else's: not of what pages hold in their hands, not on the
 * wire, not kept in storage, not a browser's. `tests/mangled.test.ts` holds the list to that.
 */
export const INTERNAL_NAMES = [
  // servers.ts
  "busyForMs",
  "busyUntilMs",
  "failedAtMs",
  "instanceAt",
  "lastGood",
  "learn",
  "orderFor",
  "suggest",
  "trying",
  "succeeded",
  "windowMs",
  "witnessesOf",
  // home.ts
  "hasHome",
  "recall",
  "settle",
  "keeper",
  // line.ts, connection.ts, search.ts, silence.ts, race.ts
  "isLive",
  "heard",
  "lost",
  "attend",
  "saidHello",
  "wayNumber",
  "exhausted",
  "found",
  "gone",
  "askings",
  "asking",
  "repeated",
  "resumed",
  "abandon",
  "answered",
  "askOutcome",
  "resolves",
  "limitMs",
  "stopper",
  "capMs",
  "baseMs",
  "firstMs",
  "outage",
];
