/**
 * Between two servers: the next one has us, and knows nothing for certain yet. What was certain last stays on the page,
 * greyed, until it does.
 */

import type { LinkView, View } from "../client/index.js";

/** Trouble of a link that is not its own: the server is another one, and asks anew. */
const SERVER_CHANGED = "instance-lost";

/** Id of what the claim waits for, empty for nothing said; null while this server may act for the agent. */
export function claimTroubleOf(shown: View | null): string | null {
  return shown?.login.steps.find(({ name, state }) => name === "claim" && state === "under-way")?.doing ?? null;
}

/** A link is not there yet because the server is another one, and for no trouble of its own. */
export function isOfMove({ lost, trouble }: LinkView): boolean {
  return lost !== null && trouble === SERVER_CHANGED;
}

/** Which side is being brought back because the server is another one: the telephone's, then the dialler's. */
export function broughtBack({ links: { telephony, dialler } }: View): "telephony" | "dialler" | null {
  // Without a name there is no telephone link here at all, and that is trouble of its own.
  if (telephony.lost !== null) return isOfMove(telephony) && telephony.name !== null ? "telephony" : null;
  return isOfMove(dialler) ? "dialler" : null;
}

/** Nothing is known of the agent, for no other reason than that the server is another one. */
export function isBetween(view: View): boolean {
  return !view.agent.known && (claimTroubleOf(view) !== null || broughtBack(view) === "telephony");
}

/** What is shown of a view that knows nothing yet: how far the server is, and all else as it was. */
export function withLast(last: View, fresh: View): View {
  const { agent, calls, dialler, jobs, item, left_item } = last;
  return { ...fresh, agent: { ...agent, known: false }, calls, dialler, jobs, item, left_item };
}
