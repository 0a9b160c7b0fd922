/**
 * The words on the wire: the view, the commands, the notices, and the frames that carry them.
 *
 * Written by hand after the server's `domain/view.py`, `commands.py`, `notices.py` and `states.py`; field names and
 * words are the same there and here. Times are RFC 3339 in UTC with milliseconds, on the server's clock.
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
  | UpdateField
  | SetCallback
  | SaveDraft
  | SendMessage;

export type CommandType = Command["type"];

/** How a command stands. `accepted`: asked of switch or dialler. `unknown`: it may or may not have happened. */
export type Outcome = "accepted" | "done" | "refused" | "unknown";

// --- frames

/** One numbered frame of the session's stream. */
export type Envelope = {
  readonly epoch: number;
  readonly seq: number;
  readonly at: string;
} & (
  | { readonly type: "snapshot"; readonly data: { readonly view: View; readonly reason: string } }
  | { readonly type: "message-arrived"; readonly data: { readonly message: MessageView } }
  | { readonly type: "command-settled"; readonly data: SettledNotice }
  | { readonly type: "session-ended"; readonly data: { readonly reason: string; readonly detail: string } }
  | { readonly type: SliceNotice; readonly data: Partial<View> }
);

/** Notices whose data are slices of the view, to be put in the place of the old ones. */
export type SliceNotice =
  | "session-changed"
  | "agent-changed"
  | "calls-changed"
  | "dialler-changed"
  | "jobs-changed"
  | "item-changed"
  | "links-changed"
  | "login-changed"
  | "blocked-changed";

export interface SettledNotice {
  readonly command: string;
  readonly command_type: string;
  readonly outcome: Outcome;
  readonly error: string;
  readonly detail: string;
}

export interface Welcome {
  readonly type: "welcome";
  readonly outcome: "resumed" | "snapshot";
  readonly epoch: number;
  readonly seq: number;
  readonly now: string;
  /** The server says something at least this often, seconds. */
  readonly beat_s: number;
  /** A desktop silent for this long is called suspect by the server, seconds. */
  readonly silent_s: number;
}
export interface Refused {
  readonly type: "refused";
  readonly id: string;
  /** With `session.ended`: why it ended, as in `session-ended`. */
  readonly reason?: string;
  readonly detail?: string;
}
export interface Beat {
  readonly type: "beat";
  readonly now: string;
}
export interface Answer {
  readonly type: "answer";
  readonly id: string;
  readonly command_type: string;
  readonly outcome: Outcome;
  readonly error: string;
  readonly detail: string;
}
export interface Goodbye {
  readonly type: "goodbye";
  readonly reason: string;
  readonly after_ms: number;
}

export type ServerFrame = Welcome | Refused | Beat | Answer | Goodbye | Envelope;

export type ClientFrame =
  | {
      readonly type: "hello";
      readonly token: string;
      readonly epoch: number | null;
      readonly seq: number | null;
      readonly client: string;
    }
  | { readonly type: "command"; readonly id: string; readonly command: Command }
  | { readonly type: "beat" };

// --- REST

export interface Reason {
  readonly code: number;
  /** By language, `en` always. */
  readonly label: Readonly<Record<string, string>>;
  /** After so many minutes the desktop warns; null for never. */
  readonly maximum_min: number | null;
}

/** What the site decided, public. */
export interface SiteConfig {
  readonly instance: string;
  readonly version: string;
  readonly now: string;
  readonly not_ready_reasons: readonly Reason[];
  readonly log_out_reasons: readonly Reason[];
  readonly reason_required: boolean;
  readonly uses_dialler: boolean;
  readonly languages: readonly string[];
}

export interface DiallerCredentials {
  readonly name: string;
  readonly password: string;
  readonly headset: string;
  /** Empty to choose later. */
  readonly job: string;
}

export interface Credentials {
  readonly agent: string;
  readonly station: string;
  readonly password: string;
  readonly dialler: DiallerCredentials | null;
}

export interface SessionOpened {
  readonly session: string;
  readonly token: string;
  readonly now: string;
}
