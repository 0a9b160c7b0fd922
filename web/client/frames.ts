/**
 * What carries the words of `messages.ts`: the frames of the push connection, and the bodies of REST. As on the server,
 * in `server/desk_messages.py`; see docs/reference/desktop-protocol.md.
 */

import type { Command, MessageView, Outcome, View } from "./messages.js";

/** One numbered frame of the session's stream. */
export type Envelope = {
  readonly epoch: number;
  readonly seq: number;
  readonly at: string;
  /** Number of the claim under which the instance speaks: of two instances the one with the higher is right. */
  readonly term: number;
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
  | "left-item-changed"
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
  readonly term: number;
  readonly now: string;
  /** The server says something at least this often, seconds. */
  readonly beat_s: number;
  /** A desktop silent for this long is called suspect by the server, seconds. */
  readonly silent_s: number;
  /** Name of the instance that welcomes us. */
  readonly instance: string;
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
export type GoodbyeReason = "drain" | "move" | "restart" | "passive" | "stepped-down";

/** This instance will not serve the session for long, or not any more. */
export interface Goodbye {
  readonly type: "goodbye";
  readonly reason: GoodbyeReason;
  /** Where to go; null when it knows no better place. */
  readonly next: Place | null;
  /** It goes on serving for so long. */
  readonly after_ms: number;
}
/** Which instances there are: after the welcome, and at each change. */
export interface TopologyFrame extends Topology {
  readonly type: "topology";
}
/** A fresh ticket in the place of the old one. */
export interface TicketFrame {
  readonly type: "ticket";
  readonly ticket: string;
}

export type ServerFrame = Welcome | Refused | Beat | Answer | Goodbye | TopologyFrame | TicketFrame | Envelope;

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

/** Which instance should take an agent who logs in, and what says there that it was asked for. */
export interface EntryGiven {
  readonly instance: Place;
  readonly ticket: string;
  readonly topology: Topology;
}

/** What a login and a resume are answered with. */
export interface SessionOpened {
  readonly session: string;
  readonly token: string;
  /** Opens the same session at another instance, together with the token; sealed, nothing in it is for us. */
  readonly ticket: string;
  readonly now: string;
}

// --- the cluster

/** An instance, and the origin at which desktops reach it. */
export interface Place {
  readonly id: string;
  readonly url: string;
}

export type InstanceState = "ready" | "draining" | "joining" | "down";

export interface InstanceEntry extends Place {
  readonly datacentre: string;
  readonly state: InstanceState;
  /** Share of new sessions, in proportion to the others'. */
  readonly weight: number;
}

/** Which instances there are. A lower (`epoch`, `version`) never replaces a higher one of the same cluster. */
export interface Topology {
  readonly cluster: string;
  /** Grows with each change of the active datacentre. */
  readonly epoch: number;
  /** Grows with each change known. */
  readonly version: number;
  /** Name of the datacentre where agents are served; empty while there is none. */
  readonly active: string;
  /** Desktops that lose their instance come back spread over this time. */
  readonly reconnect_window_ms: number;
  readonly instances: readonly InstanceEntry[];
}

export type Verdict = "alive" | "suspect" | "dead" | "draining" | "unknown";

/** What one instance thinks of another. */
export interface Witness {
  readonly instance: string;
  readonly verdict: Verdict;
  /** Whether the instance that answers can take us itself. */
  readonly can_take: boolean;
  /** Where it would have us go. */
  readonly next: Place | null;
}

/** Problem details (RFC 9457): what a refused request is answered with. */
export interface Problem {
  readonly status: number;
  readonly id: string;
  readonly detail: string;
  readonly retry: "never" | "later" | "elsewhere";
  readonly correlation: string;
  /** With 421 `instance.elsewhere` and `datacentre.passive`: where to ask instead. */
  readonly next?: Place | null;
  /** With 421 `datacentre.passive`: the datacentres' epoch that the instance knows. */
  readonly epoch?: number;
}
