/**
 * The words on the wire: the view and the commands; `frames.ts` has what carries them.
 *
 * Written by hand after the server's `domain/view.py`, `commands.py` and `states.py`; field names and words are the
 * same there and here. Times are RFC 3339 in UTC with milliseconds, on the server's clock.
 */

export type Presence = "connected" | "suspect" | "absent";
export type SwitchMode = "logged-out" | "not-ready" | "ready" | "wrap-up" | "unknown";
export type WorkMode =
  "logged-out" | "not-ready" | "ready" | "reserved" | "previewing" | "talking" | "holding" | "wrap-up" | "unknown";
export type LegState = "alerting" | "dialling" | "active" | "held" | "conferenced" | "failed";
export type Direction = "in" | "out";
export type DiallerStage =
  | "off"
  | "waiting"
  | "logging-on"
  | "logged-on"
  | "joining"
  | "joined"
  | "ready"
  | "working"
  | "leaving"
  | "logging-off"
  | "refused";
export type HeadsetState = "none" | "connecting" | "connected" | "broken";
export type ItemKind = "outbound" | "inbound" | "managed";
export type ItemStage = "previewing" | "dialling" | "on-call" | "on-hold" | "line-gone";
export type LinkState = "up" | "checking" | "down" | "unused";
export type Phase = "logging-in" | "active" | "resetting" | "closing" | "closed";
export type StepState = "to-do" | "under-way" | "done" | "failed";
export type FieldKind = "text" | "number" | "money" | "date" | "time";

/** Maps an action that is not possible now to the id of the reason. */
export type Blocked = Readonly<Record<string, string>>;

export interface SessionView {
  readonly agent: string;
  readonly station: string;
  readonly phase: Phase;
  readonly presence: Presence;
  readonly opened: string;
  readonly uses_dialler: boolean;
  /** Why the session ends; empty while it does not. */
  readonly closing: string;
}

/** A change that waits for the end of a call or item: a mode, `log-out` or `leave-job`. */
export interface PendingView {
  readonly what: string;
  readonly reason: number | null;
}

export interface AgentView {
  readonly mode: WorkMode;
  readonly switch_mode: SwitchMode;
  readonly reason: number | null;
  /** Id of the system's reason when the change was not the agent's doing, or empty. */
  readonly cause: string;
  readonly since: string;
  /** False while the switch cannot be asked: the rest is then the last known, to be shown greyed with its age. */
  readonly known: boolean;
  readonly asked: string | null;
  readonly pending: readonly PendingView[];
}

export interface PartyView {
  readonly number: string;
  readonly state: LegState;
}

export interface CallView {
  readonly id: string;
  readonly state: LegState;
  readonly direction: Direction | null;
  readonly parties: readonly PartyView[];
  readonly called: string;
  readonly queue: string;
  readonly data: string;
  readonly ucid: string;
  readonly since: string;
  readonly state_since: string;
  readonly cause: string;
  readonly blocked: Blocked;
}

export interface DiallerView {
  readonly stage: DiallerStage;
  readonly step: string;
  readonly dialler: string | null;
  readonly headset: HeadsetState;
  readonly job: string | null;
  readonly wanted_job: string | null;
  readonly take_items: boolean;
  readonly since: string;
  readonly known: boolean;
  readonly trouble: string;
  readonly detail: string;
}

export interface Job {
  readonly name: string;
  /** `outbound`, `inbound`, `blend`, `managed`, or the dialler's own letter. */
  readonly kind: string;
  readonly active: boolean;
}

export interface CompletionKey {
  readonly code: string;
  readonly text: string;
}

export interface JobsView {
  readonly list: readonly Job[];
  readonly keys: readonly CompletionKey[];
}

export interface RecordField {
  readonly name: string;
  readonly value: string;
  readonly kind: FieldKind;
  /** Longest value that the dialler takes, in characters; 0 when unknown. */
  readonly length: number;
  readonly editable: boolean;
}

export interface Draft {
  readonly notes: string;
  readonly code: string;
}

export interface ItemView {
  readonly number: number;
  readonly kind: ItemKind;
  readonly stage: ItemStage;
  readonly title: string;
  readonly waited: string;
  readonly key: string;
  readonly fields: readonly RecordField[];
  readonly since: string;
  readonly stage_since: string;
  readonly preview_until: string | null;
  readonly suggested_code: string;
  readonly draft: Draft;
}

export interface LinkView {
  readonly state: LinkState;
  readonly name: string | null;
  readonly lost: string | null;
  readonly trouble: string;
  readonly detail: string;
}

export interface LinksView {
  readonly telephony: LinkView;
  readonly dialler: LinkView;
}

export interface LoginStep {
  /** `claim` first in a cluster: the agent is not yet this instance's; then those of switch and dialler. */
  readonly name: string;
  readonly state: StepState;
  readonly doing: string;
}

export interface LoginView {
  readonly steps: readonly LoginStep[];
  /** When the agent's turn comes while many log in at once, or null. */
  readonly turn_at: string | null;
}

export interface MessageView {
  readonly text: string;
  readonly sender: string;
  readonly at: string;
}

/** Everything a desktop may see. */
export interface View {
  readonly session: SessionView;
  readonly agent: AgentView;
  readonly calls: readonly CallView[];
  readonly dialler: DiallerView;
  readonly jobs: JobsView;
  readonly item: ItemView | null;
  /** The record that was open at a dialler whose connection was lost, for the agent's notes; until it is dismissed. */
  readonly left_item: ItemView | null;
  readonly links: LinksView;
  readonly login: LoginView;
  readonly messages: readonly MessageView[];
  readonly blocked: Blocked;
}

// --- what a desktop may ask

interface OnCall<Type extends string> {
  readonly type: Type;
  readonly call: string;
}
interface OnCallWithNumber<Type extends string> extends OnCall<Type> {
  readonly number: string;
}
interface OnPair<Type extends string> {
  readonly type: Type;
  readonly held: string;
  readonly active: string;
}
interface Plain<Type extends string> {
  readonly type: Type;
}

export type AskedMode = "ready" | "not-ready" | "wrap-up";

export interface SetMode {
  readonly type: "set-mode";
  readonly mode: AskedMode;
  /** The administrator's reason code, 0 to 99; only with not-ready. */
  readonly reason?: number | null;
}
export interface LogOut {
  readonly type: "log-out";
  readonly reason?: number | null;
}
/** `number`: 1 to 43 of digits, `*`, `#`, `+` and the usual separators. */
export interface MakeCall {
  readonly type: "make-call";
  readonly number: string;
}
export interface SendDigits extends OnCall<"send-digits"> {
  readonly digits: string;
}
export interface JoinJob {
  readonly type: "join-job";
  readonly job: string;
}
export interface DialLineDigit {
  readonly type: "dial-line-digit";
  readonly digit: string;
}
export interface FinishItem {
  readonly type: "finish-item";
  readonly code: string;
}
export interface UpdateField {
  readonly type: "update-field";
  readonly field: string;
  readonly value: string;
}
/** `date` YYYY-MM-DD and `time` HH:MM in the dialler's own calendar; `phone` counts the record's phones from 1. */
export interface SetCallback {
  readonly type: "set-callback";
  readonly date: string;
  readonly time: string;
  readonly phone: number;
  readonly name?: string;
  readonly number?: string;
}
export interface SaveDraft {
  readonly type: "save-draft";
  readonly notes: string;
  readonly code: string;
}
/** `text`: 1 to 79 characters. */
export interface SendMessage {
  readonly type: "send-message";
  readonly text: string;
}

export type Command =
  | SetMode
  | Plain<"cancel-pending">
  | LogOut
  | MakeCall
  | OnCall<"answer-call">
  | OnCall<"hold-call">
  | OnCall<"retrieve-call">
  | OnCall<"hang-up-call">
  | OnCallWithNumber<"consult-call">
  | OnPair<"swap-calls">
  | OnPair<"reconnect-call">
  | OnPair<"transfer-call">
  | OnPair<"conference-calls">
  | OnCallWithNumber<"blind-transfer-call">
  | OnCallWithNumber<"add-to-call">
  | OnCallWithNumber<"deflect-call">
  | SendDigits
  | JoinJob
  | Plain<"leave-job">
  | Plain<"take-items">
  | Plain<"pause-items">
  | Plain<"refresh-jobs">
  | Plain<"reconnect-headset">
  | Plain<"dial-item">
  | Plain<"release-line">
  | Plain<"hold-line">
  | Plain<"unhold-line">
  | DialLineDigit
  | FinishItem
  | Plain<"dismiss-left-item">
  | UpdateField
  | SetCallback
  | SaveDraft
  | SendMessage;

export type CommandType = Command["type"];

/** How a command stands. `accepted`: asked of switch or dialler. `unknown`: it may or may not have happened. */
export type Outcome = "accepted" | "done" | "refused" | "unknown";
