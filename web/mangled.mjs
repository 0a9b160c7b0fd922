/**
 * Names of properties that only the client library's own parts use among each other, for the build to shorten.
 *
 * A name stands here only if it is nobody else's: not of what pages hold in their hands, not on the wire, not in storage,
 * and none that a browser or the language knows. `tests/mangled.test.ts` holds the list to that.
 */
export const INTERNAL_NAMES = [
  // of requests, races and searches
  "begin",
  "exhausted",
  "found",
  "baseMs",
  "capMs",
  "firstMs",
  "limitMs",
  "place",
  "rest",
  "stopper",
  "witness",
  // of `Servers`
  "busyForMs",
  "busyUntilMs",
  "failedAtMs",
  "given",
  "instanceAt",
  "learn",
  "orderFor",
  "succeeded",
  "suggest",
  "trying",
  "windowMs",
  "witnessesOf",
  // of `HomeKeeper`, and who holds it
  "hasHome",
  "home",
  "keeper",
  "recall",
  "settle",
  // of lines, the connection and its silence
  "asking",
  "attend",
  "envelope",
  "gone",
  "heard",
  "isLive",
  "saidHello",
  "wayNumber",
  // of `Commands`
  "abandon",
  "answered",
  "askings",
  "askOutcome",
  "repeated",
  "timer",
  "way",
];

/** What esbuild is to shorten: these, and what were private members before they were made plain ones. */
export const MANGLED = new RegExp(`^(_[a-z]\\w*|${INTERNAL_NAMES.join("|")})$`);
