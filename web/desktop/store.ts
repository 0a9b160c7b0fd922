/**
 * What the page knows, as signals. Views read them; only the desk's events and the agent's own typing write them.
 *
 * The press of a button never changes what is shown as true: it is asked of the desk, `asked` says so, and the truth
 * comes with the next view.
 */

import { batch, computed, signal } from "@preact/signals";
import {
  ConnectionReason,
  Desk,
  RequestError,
  Timer,
  type CallView,
  type Command,
  type CommandResult,
  type CommandType,
  type ConnectionStatus,
  type Credentials,
  type MessageView,
  type OpenCommand,
  type SiteConfig,
  type View,
} from "../client/index.js";
import { isBetween, withLast } from "./between.js";

/** Asking for the site's decisions again when nobody answered, ms. */
const CONFIG_RETRY_MS = 3_000;

/** One of the last calls at this desktop, for calling back. Forgotten with the page. */
export interface RecentCall {
  readonly id: string;
  readonly number: string;
  readonly direction: CallView["direction"];
  readonly at: string;
  readonly lastedMs: number;
  readonly talked: boolean;
}

/** A command that was refused, or of which nobody knows; or good news in words. */
export type Toast = { readonly key: number } & ({ readonly result: CommandResult } | { readonly text: string });

/** Why the login page is shown again, and what goes with it. */
export interface Ending {
  readonly reason: string;
  readonly detail: string;
  readonly correlation: string;
}

/** So long a change of servers may take before it is told, and its end to be complete, ms. */
const HOLD_MS = 1_000;
const SETTLE_MS = 60;

const RECENT_CALLS = 8;
const TOASTS = 4;

export const view = signal<View | null>(null);
export const connection = signal<ConnectionStatus | null>(null);
export const open = signal<readonly OpenCommand[]>([]);
export const config = signal<SiteConfig | null>(null);
/** The server did not answer when it was asked for the site's decisions. */
export const noServer = signal(false);
export const ending = signal<Ending | null>(null);
export const loggingIn = signal(false);
export const toasts = signal<readonly Toast[]>([]);
export const recentCalls = signal<readonly RecentCall[]>([]);
export const unread = signal(0);
/** Set when this desktop was live once: a loss before that is a login that takes long. */
export const wasLive = signal(false);
/** How the last loss ended, shown for a while: null for no loss. */
export const cameBack = signal<"resumed" | "fresh" | null>(null);

/**
 * A change of servers is too short yet to be told: what was shown before it still is. `planned`: there was a server all
 * the time.
 */
export const held = signal<"planned" | "lost" | null>(null);

/** Commands go out. While they do not, everything is blocked for that reason. */
export const isLive = computed(() => connection.value?.state === "live" || connection.value?.state === "suspect");

/** The session's word to read out; the desk has forgotten it when the session has ended. */
let reference = "";

type Listener = (message: MessageView) => void;
const messageListeners = new Set<Listener>();

/** Calls back with each message that comes while we watch. */
export function onMessage(listener: Listener): () => void {
  messageListeners.add(listener);
  return () => messageListeners.delete(listener);
}

export const desk = new Desk(
  { servers: [location.origin] },
  {
    view: takeView,
    connection: (status) => {
      reference = desk.reference || reference;
      noteReturn(connection.peek(), status);
      connection.value = status;
      if (status.state === "live") wasLive.value = true;
    },
    commands: (commands) => {
      open.value = commands;
    },
    message: (message) => {
      unread.value += 1;
      for (const listener of messageListeners) listener(message);
    },
    ended: (reason, detail) => {
      ending.value = { reason, detail, correlation: reference };
      wasLive.value = false;
      cameBack.value = null;
      toasts.value = [];
      recentCalls.value = [];
      unread.value = 0;
    },
  },
);

let newest: View | null = null;
const hold = new Timer(show);
const settle = new Timer(show);
/** Pressed while a change of servers was not told: meant for the next server, and asked when it is there. */
const pressed: (() => void)[] = [];

/** Takes a view: shows it, unless the change of servers that it is part of may be over in a moment. */
export function takeView(fresh: View | null): void {
  newest = fresh;
  const shown = view.peek();
  const was = held.peek() !== null || (shown !== null && isBetween(shown));
  const is = fresh !== null && isBetween(fresh);
  if (is) settle.stop();
  if (fresh === null || shown === null) {
    show();
  } else if (was && !is) {
    if (!settle.running) settle.start(SETTLE_MS); // what became of it comes in several parts
  } else if (is && !was) {
    held.value = isLive.peek() ? "planned" : "lost";
    hold.start(HOLD_MS);
  } else if (held.peek() === null) {
    show();
  }
}

function show(): void {
  hold.stop();
  settle.stop();
  const last = view.peek();
  const shown = newest && last && isBetween(newest) ? withLast(last, newest) : newest;
  noteCalls(last, shown);
  batch(() => {
    held.value = null;
    view.value = shown;
  });
  for (const go of pressed.splice(0)) go();
}

const askAgain = new Timer(() => void loadConfig());

/** Learns what the site decided; asks again until somebody answers. */
export async function loadConfig(): Promise<void> {
  try {
    config.value = await desk.config();
    noServer.value = false;
  } catch {
    noServer.value = true;
    askAgain.start(CONFIG_RETRY_MS);
  }
}

/** Logs in; what is wrong with it is in `ending`. */
export async function logIn(credentials: Credentials): Promise<void> {
  loggingIn.value = true;
  ending.value = null;
  try {
    await desk.logIn(credentials);
  } catch (error) {
    const known = error instanceof RequestError ? error : new RequestError(0, "internal");
    const told = known.detail === "" || known.status === 0 ? "" : known.detail;
    ending.value = { reason: known.id, detail: told, correlation: known.correlation };
  } finally {
    loggingIn.value = false;
  }
}

let toastKey = 0;

/** Asks for something; a refusal is shown as a toast unless the caller shows it better. */
export async function ask(command: Command, { quietly = false } = {}): Promise<CommandResult> {
  if (held.peek() !== null) await new Promise<void>((go) => pressed.push(go));
  const result = await desk.submit(command);
  if (result.outcome !== "done" && !quietly && result.error !== "desktop.session-over") {
    toastKey += 1;
    toasts.value = [...toasts.value, { key: toastKey, result }].slice(-TOASTS);
  }
  return result;
}

/** Says that something went well, where it cannot be seen otherwise. */
export function note(text: string): void {
  toastKey += 1;
  toasts.value = [...toasts.value, { key: toastKey, text }].slice(-TOASTS);
}

export function dismissToast(key: number): void {
  toasts.value = toasts.value.filter((each) => each.key !== key);
}

/** Whether a command of that type (about that call or field) waits for its answer. */
export function isAsked(type: CommandType, about = ""): boolean {
  return open.value.some(({ command }) => {
    if (command.type !== type) return false;
    if (about === "") return true;
    return Object.values(command).includes(about);
  });
}

/** Why an action on no particular call is not possible now, as an id; empty when it is. */
export function blockedBy(action: string): string {
  return notLive() || (view.value?.blocked[action] ?? "");
}

/** The same for an action on a call. */
export function callBlockedBy(call: CallView, action: string): string {
  const unsure = view.value !== null && isBetween(view.value);
  return notLive() || (unsure ? "claim-awaited" : (call.blocked[action] ?? ""));
}

function notLive(): string {
  if (isLive.value && held.value !== "lost") return "";
  return connection.value?.state === "refused" ? "taken-over" : "not-connected";
}

/** Remembers calls that ended, newest first. One that became part of another has not ended. */
function noteCalls(before: View | null, after: View | null): void {
  // While the switch cannot be asked its calls are not shown, and have not ended.
  if (!before || !after || !after.agent.known) return;
  const talking = new Set(["active", "held", "conferenced"]);
  for (const call of before.calls) if (talking.has(call.state)) talked.add(call.id);
  const gone = before.calls.filter((call) => !after.calls.some((each) => each.id === call.id));
  for (const call of gone) {
    const number =
      call.direction === "out" ? call.called || (call.parties[0]?.number ?? "") : (call.parties[0]?.number ?? "");
    const goesOn = after.calls.some((each) => each.parties.some((party) => party.number === number));
    if (number === "" || goesOn) continue;
    const entry: RecentCall = {
      id: call.id,
      number,
      direction: call.direction,
      at: call.since,
      lastedMs: desk.clock.now() - Date.parse(call.since),
      talked: talked.delete(call.id),
    };
    recentCalls.value = [entry, ...recentCalls.value.filter((each) => each.id !== call.id)].slice(0, RECENT_CALLS);
  }
}
const talked = new Set<string>();

/** Says for a while how a loss ended. */
function noteReturn(before: ConnectionStatus | null, after: ConnectionStatus): void {
  const isBack = after.state === "live" && before !== null && before.lostAtMs !== null;
  if (isBack && after.reason !== ConnectionReason.Moved) {
    cameBack.value = after.nothingLost ? "resumed" : "fresh";
  } else if (after.state === "waiting") {
    cameBack.value = null;
  }
}
