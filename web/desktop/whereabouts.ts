/**
 * Where this desktop is among the servers, and how sure what it shows is: what an agent is told of both.
 *
 * The client library goes from server to server by itself. Here is only which sentence says so.
 */

import { computed, effect, signal } from "@preact/signals";
import { ConnectionReason, type ConnectionStatus, type View } from "../client/index.js";
import { broughtBack, claimTroubleOf, isBetween } from "./between.js";
import { cameBack, config, connection, desk, held, isLive, view, wasLive } from "./store.js";
import { t } from "./text.js";
import { now } from "./time.js";

/** What is to be said of the server: one thing at a time. */
export type News =
  "checking" | "going" | "lost" | "claim" | "serviced" | "passive" | "restoring" | "moved" | "back" | null;

/** A server by the names that operators use; empty where they are not known. */
export interface Place {
  readonly id: string;
  readonly datacentre: string;
}

/** What was certain when it last was. */
interface Known {
  readonly mode: string;
  /** Number of the closed record that was shown, null for none. */
  readonly left: number | null;
}

/** We came to this server from another one, and have not been here for long. */
export interface Moved {
  /** The datacentre that we are in now, if it is another one; else empty. */
  readonly datacentre: string;
  readonly before: Known | null;
}

/** A loss that lasts this long is told as one, whatever is being done about it, ms. */
export const LONG_MS = 60_000;

export const moved = signal<Moved | null>(null);

/** Since when nothing certain is known of the agent, ms on the server's clock; null while it is. */
export const unsureSince = signal<number | null>(null);

/** Id of what the claim waits for, empty for nothing said; null while this server may act for the agent. */
export const claimTrouble = computed(() => claimTroubleOf(view.value));

/** What is shown is not what is: there is no server, or one that does not know yet. */
export const isOld = computed(() => {
  if (view.value === null || held.value === "planned") return false;
  return !isLive.value || held.value === "lost" || isBetween(view.value);
});

/** What is said now. */
export const news = signal<News>(null);

function newsNow(): News {
  const [status, shown] = [connection.value, view.value];
  if (!status || !shown || !wasLive.value || status.state === "ended" || status.state === "refused") return null;
  // Our own clock against our own: the server's is not heard now.
  const lostForMs = now.value - desk.clock.offsetMs - (status.lostAtMs ?? status.sinceMs);
  const hasOthers = (desk.topology?.instances ?? []).some(
    ({ id, state }) => id !== status.instance && state !== "down",
  );
  return newsOf(status, shown, {
    isElsewherePossible: hasOthers && lostForMs < LONG_MS,
    hasMoved: moved.value !== null,
    cameBack: cameBack.value !== null,
  });
}

interface Surroundings {
  /** There are other servers, and it is too early to say that they do not answer either. */
  readonly isElsewherePossible: boolean;
  readonly hasMoved: boolean;
  readonly cameBack: boolean;
}

/** Chooses what is said: the most pressing thing that holds. */
export function newsOf(status: ConnectionStatus, shown: View, around: Surroundings): News {
  if (status.state === "suspect") return "checking";
  if (status.state !== "live") return around.isElsewherePossible ? "going" : "lost";
  if (claimTroubleOf(shown) !== null) return "claim";
  if (status.leaving === "stepped-down") return null; // it has no more to say, and is gone in a moment
  if (status.leaving === "passive") return "passive";
  if (status.leaving !== null || Object.values(shown.blocked).includes("moving")) return "serviced";
  if (broughtBack(shown) !== null) return "restoring";
  if (around.hasMoved) return "moved";
  return around.cameBack ? "back" : null;
}

/** What a change of servers has cost the agent. */
export function lossesOf({ before }: Moved, { agent, left_item }: View): readonly ("item" | "mode")[] {
  const item = left_item !== null && left_item.number !== before?.left;
  // With a cause it was not the agent's own doing.
  const mode = before?.mode === "ready" && agent.switch_mode === "not-ready" && agent.cause !== "";
  return [...(item ? (["item"] as const) : []), ...(mode ? (["mode"] as const) : [])];
}

/** The server that we are at, or go to. */
export function place(): Place {
  const { instance = "" } = connection.value ?? {};
  const entry = desk.topology?.instances.find((each) => each.id === instance);
  // A server that tells of no others is known by its address only; the site's own answer then has its name.
  return { id: entry?.id ?? config.value?.instance ?? "", datacentre: entry?.datacentre ?? "" };
}

/** The server as an operator wants to hear it. */
export function serverWords(): string {
  const { id, datacentre } = place();
  return t(datacentre === "" ? "banner.server" : "banner.server-in", { server: id, datacentre });
}

/** Follows the connection for the whole life of the page. */
export function keepWhereabouts(): void {
  let known: Known | null = null;
  let server = "";
  // A change of servers that is too short to be told leaves standing what was said before it.
  effect(() => {
    if (held.value === null) news.value = newsNow();
  });
  effect(() => {
    const [shown, status] = [view.value, connection.value];
    if (!shown || !status) {
      [known, server] = [null, ""];
      unsureSince.value = moved.value = null;
      return;
    }
    if (status.state === "live" && status.server !== server) {
      server = status.server;
      const isMove = status.reason === ConnectionReason.Moved && status.movedFrom !== null;
      moved.value = isMove ? { datacentre: changedDatacentre(status), before: known } : null;
    }
    if (held.value !== null) return;
    if (isLive.value && shown.agent.known) {
      known = { mode: shown.agent.switch_mode, left: shown.left_item?.number ?? null };
      unsureSince.value = null;
    } else if (unsureSince.peek() === null) {
      unsureSince.value = lostAt(shown, status, known !== null);
    }
  });
}

function lostAt(shown: View, status: ConnectionStatus, wasKnown: boolean): number {
  if (status.lostAtMs) return status.lostAtMs + desk.clock.offsetMs;
  const { telephony } = shown.links;
  if (telephony.lost !== null) return Date.parse(telephony.lost);
  return wasKnown ? Date.now() + desk.clock.offsetMs : Date.parse(shown.agent.since);
}

function changedDatacentre({ movedFrom, instance }: ConnectionStatus): string {
  const datacentreOf = (id: string | null): string =>
    desk.topology?.instances.find((each) => each.id === id)?.datacentre ?? "";
  const [from, to] = [datacentreOf(movedFrom), datacentreOf(instance)];
  return from === "" || from === to ? "" : to;
}
