/** What can be done with calls and the dialler's line, in one order: the buttons, Alt+1 to Alt+9 and the command list. */

import { signal } from "@preact/signals";
import type { CallView, Command, CommandType, View } from "../client/index.js";
import { ask, blockedBy, callBlockedBy, isAsked } from "./store.js";
import { word } from "./text.js";
import type { IconName } from "./views/parts/icon.js";

/** A form that is open within a call's card. */
export interface OpenForm {
  /** The call's id, or `line` for the dialler's. */
  readonly on: string;
  readonly form: "consult-call" | "blind-transfer-call" | "add-to-call" | "deflect-call" | "send-digits";
}

export const openForm = signal<OpenForm | null>(null);

export interface BarAction {
  readonly type: CommandType;
  readonly label: string;
  readonly icon: IconName;
  readonly tip: string;
  /** Id of the reason why not; empty when it is possible. */
  readonly blocked: string;
  readonly asked: boolean;
  readonly run: () => void;
}

const ICONS: Readonly<Partial<Record<CommandType, IconName>>> = {
  "answer-call": "phone",
  "hold-call": "pause",
  "retrieve-call": "play",
  "hang-up-call": "hang-up",
  "consult-call": "ask",
  "blind-transfer-call": "send",
  "deflect-call": "send",
  "add-to-call": "add",
  "send-digits": "keypad",
  "transfer-call": "join",
  "conference-calls": "together",
  "swap-calls": "swap",
  "reconnect-call": "back",
  "dial-item": "phone",
  "hold-line": "pause",
  "unhold-line": "play",
  "release-line": "hang-up",
  "dial-line-digit": "keypad",
};

const UP: ReadonlySet<string> = new Set(["active", "conferenced", "failed", "dialling"]);

/** The call that keys and commands are about: the ringing one, else the one talked on, else the first on hold. */
export function currentCall(calls: readonly CallView[]): CallView | undefined {
  return calls.find((each) => each.state === "alerting") ?? calls.find((each) => UP.has(each.state)) ?? calls[0];
}

/** The held and the active call that can be joined, when there are both. */
export function pairOf(calls: readonly CallView[]): { readonly held: CallView; readonly active: CallView } | null {
  const held = calls.find((each) => each.state === "held");
  const active = calls.find((each) => UP.has(each.state));
  return held && active ? { held, active } : null;
}

type OnOneCall = "answer-call" | "hold-call" | "retrieve-call" | "hang-up-call";
type OnPair = "transfer-call" | "conference-calls" | "swap-calls" | "reconnect-call";
type OnLine = "dial-item" | "hold-line" | "unhold-line" | "release-line";

function simple(call: CallView, type: OnOneCall): BarAction {
  return action(type, callBlockedBy(call, type), isAsked(type, call.id), () => void ask({ type, call: call.id }));
}

function withForm(call: CallView, type: OpenForm["form"]): BarAction {
  return action(type, callBlockedBy(call, type), isAsked(type, call.id), () => {
    const same = openForm.value?.on === call.id && openForm.value.form === type;
    openForm.value = same ? null : { on: call.id, form: type };
  });
}

function action(type: CommandType, blocked: string, asked: boolean, run: () => void): BarAction {
  return {
    type,
    label: word("action", type),
    icon: ICONS[type] ?? "phone",
    tip: word("hint", type, ""),
    blocked,
    asked,
    run,
  };
}

/** The two big buttons of a call: answering, or holding and taking back, in one place; hanging up in the other. */
export function mainActions(call: CallView): readonly BarAction[] {
  const first = call.state === "alerting" ? "answer-call" : call.state === "held" ? "retrieve-call" : "hold-call";
  return [simple(call, first), simple(call, "hang-up-call")];
}

/** The four smaller ones. A ringing call can be sent on where a connected one is transferred. */
export function moreActions(call: CallView): readonly BarAction[] {
  const away = call.state === "alerting" ? "deflect-call" : "blind-transfer-call";
  return (["consult-call", away, "add-to-call", "send-digits"] as const).map((type) => withForm(call, type));
}

/** What can be done with a held and an active call. */
export function pairActions({
  held,
  active,
}: {
  readonly held: CallView;
  readonly active: CallView;
}): readonly BarAction[] {
  return (["transfer-call", "conference-calls", "swap-calls", "reconnect-call"] as const).map((type: OnPair) =>
    action(
      type,
      callBlockedBy(active, type),
      isAsked(type),
      () => void ask({ type, held: held.id, active: active.id }),
    ),
  );
}

/** What can be done with the dialler's line. */
export function lineActions(stage: string): readonly BarAction[] {
  const simpleLine = (type: OnLine): BarAction =>
    action(type, blockedBy(type), isAsked(type), () => void ask({ type } as Command));
  const pad = action("dial-line-digit", blockedBy("dial-line-digit"), false, () => {
    openForm.value = openForm.value?.on === "line" ? null : { on: "line", form: "send-digits" };
  });
  const first =
    stage === "previewing" || stage === "dialling" ? "dial-item" : stage === "on-hold" ? "unhold-line" : "hold-line";
  return [simpleLine(first), simpleLine("release-line"), pad];
}

/** Alt+1 to Alt+9, in this order. Places that have no action now stay empty, so that a key never changes its meaning. */
export function callBar(shown: View): readonly (BarAction | null)[] {
  const call = currentCall(shown.calls);
  if (!call) {
    if (!shown.item) return [];
    const [first, release, pad] = lineActions(shown.item.stage);
    return [first ?? null, release ?? null, null, null, null, null, null, null, pad ?? null];
  }
  const pair = pairOf(shown.calls);
  const [transfer, conference, swap, back] = pair ? pairActions(pair) : [];
  const [consult, away, add, pad] = moreActions(call);
  const [first, end] = mainActions(call);
  return [first, end, consult, pair ? transfer : away, pair ? conference : add, swap, back, null, pad].map(
    (each) => each ?? null,
  );
}

/** What each place of the bar is for, for the help sheet. */
export const BAR_PLACES: readonly (readonly CommandType[])[] = [
  ["answer-call", "hold-call", "retrieve-call"],
  ["hang-up-call"],
  ["consult-call"],
  ["blind-transfer-call", "transfer-call"],
  ["add-to-call", "conference-calls"],
  ["swap-calls"],
  ["reconnect-call"],
  [],
  ["send-digits"],
];
