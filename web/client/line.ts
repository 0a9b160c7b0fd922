/**
 * One connection to one server, from the opening of its transport to its loss.
 *
 *   opening ──opened──▶ hello ──"resumed", or a snapshot──▶ live
 *      │ 2 s              │ 6 s                              │ closed, refused, an old term, an unreadable frame
 *      └──────────────────┴──────────────▶ lost ◀────────────┘
 *
 * It knows nothing of other servers. What its transport still says after the loss is not heard.
 */

import type { ClientFrame, Envelope, ServerFrame } from "./frames.js";
import type { Home } from "./home.js";
import { CloseCode, ConnectionReason } from "./reasons.js";
import type { ConnectionSettings } from "./settings.js";
import { Timer } from "./timer.js";
import type { OpenTransport, Transport } from "./transports/transport.js";

/** Why a line is no more. `cause` and `detail` are the server's words, empty when it said none. */
export interface Loss {
  readonly reason: ConnectionReason;
  readonly cause: string;
  readonly detail: string;
}

/** A loss of which the server said nothing more. */
export function lossOf(reason: ConnectionReason): Loss {
  return { reason, cause: "", detail: "" };
}

/** What a line needs of its surroundings. */
export interface LineWorld {
  readonly openTransport: OpenTransport;
  readonly settings: ConnectionSettings;
  /** What to say hello with. */
  hello(home: Home): ClientFrame;
}

export interface LineEvents {
  /** The transport is open, and hello was said. */
  opened(): void;
  /** The server serves us. `snapshot` is what the stream begins with; null when it goes on where it was. */
  live(snapshot: Envelope | null): void;
  /** Any other frame, also before it is live. */
  frame(frame: ServerFrame): void;
  /** Any frame came, before it is looked at. */
  heard(): void;
  /** Once, and the last. Not called after `close`. */
  lost(loss: Loss): void;
}

/** What a close code means, or the id of a refusal, which is followed by a close that says the same. */
const MEANINGS: Readonly<Record<string, ConnectionReason>> = {
  [CloseCode.Restart]: ConnectionReason.ServerRestarts,
  [CloseCode.TooSlow]: ConnectionReason.TooSlow,
  [CloseCode.TakenOver]: ConnectionReason.TakenOver,
  "taken-over": ConnectionReason.TakenOver,
  [CloseCode.SessionOver]: ConnectionReason.SessionEnded,
  "session.ended": ConnectionReason.SessionEnded,
  [CloseCode.Token]: ConnectionReason.SessionMoved,
  "session.unknown": ConnectionReason.SessionMoved,
  [CloseCode.Moved]: ConnectionReason.SessionMoved,
  "session.moved": ConnectionReason.SessionMoved,
};

export class Line {
  /** Where it goes, and with which token. */
  readonly home: Home;
  readonly #world: LineWorld;
  readonly #limit = new Timer(() => this.#limitPassed());
  readonly #beat = new Timer(() => this.#sayBeat());
  readonly #transport: Transport;
  #events: LineEvents;
  #phase: "opening" | "hello" | "live" | "lost" = "opening";
  #term: number;
  #instance = "";
  #saidAtMs = 0;

  constructor(home: Home, world: LineWorld, events: LineEvents) {
    this.home = home;
    this.#world = world;
    this.#events = events;
    this.#term = home.term;
    this.#limit.start(world.settings.openLimitMs);
    this.#transport = world.openTransport(home.server, {
      opened: () => {
        if (this.#phase !== "opening" && this.#phase !== "hello") return;
        this.#phase = "hello";
        this.#limit.start(world.settings.helloLimitMs);
        this.#say(world.hello(home));
        this.#events.opened();
      },
      received: (text) => this.#receive(text),
      closed: (code) => this.#closed(code),
    });
  }

  /** Name of the instance at the other end; empty before it has said it. */
  get instance(): string {
    return this.#instance;
  }

  /** Highest term that was said on it. */
  get term(): number {
    return this.#term;
  }

  /** Whether it waits for the server's answer to hello. */
  get saidHello(): boolean {
    return this.#phase === "hello";
  }

  /** For how long it may be silent though all is well, ms. */
  get quietMs(): number {
    return this.#transport.quietMs || 0;
  }

  /** Tells somebody else from now on, when it is live. */
  attend(events: Omit<LineEvents, "opened" | "live">): void {
    this.#events = { ...this.#events, ...events };
  }

  /** Sends one frame. False while not live: nothing is kept for later, because later it could do harm. */
  send(frame: ClientFrame): boolean {
    return this.#phase === "live" && this.#say(frame);
  }

  close(code: number): void {
    if (this.#phase === "lost") return;
    this.#phase = "lost";
    this.#limit.stop();
    this.#beat.stop();
    this.#transport.close(code, "");
  }

  #receive(text: string): void {
    if (this.#phase === "lost") return;
    const frame = parseFrame(text);
    if (frame === null) {
      this.#lose(ConnectionReason.BadFrame, CloseCode.BadFrame);
      return;
    }
    this.#events.heard();
    // Said here too, because timers of a hidden page ring once a minute while frames still come on time.
    if (this.#phase === "live" && Date.now() - this.#saidAtMs >= this.#world.settings.beatEveryMs) this.#sayBeat();
    if ("term" in frame) {
      if (frame.term < this.#term) {
        this.#lose(ConnectionReason.OldTerm, CloseCode.Normal);
        return;
      }
      this.#term = frame.term;
    }
    if (frame.type === "welcome") this.#instance = frame.instance;
    if (frame.type === "refused") {
      const reason = this.#meant(frame.id, ConnectionReason.HelloRefused);
      this.#lose(reason, CloseCode.Normal, frame.reason, frame.detail);
    } else if (this.#phase !== "hello") {
      this.#events.frame(frame);
    } else if (frame.type === "snapshot") {
      this.#becomeLive(frame);
    } else {
      this.#events.frame(frame);
      if (frame.type === "welcome" && frame.outcome === "resumed") this.#becomeLive(null);
    }
  }

  #becomeLive(snapshot: Envelope | null): void {
    this.#phase = "live";
    this.#limit.stop();
    this.#beat.start(this.#world.settings.beatEveryMs);
    this.#events.live(snapshot);
  }

  /** What the server meant by an id or a code. */
  #meant(told: string | number, otherwise: ConnectionReason): ConnectionReason {
    const reason = MEANINGS[told] || otherwise;
    // Without a ticket there is no other way to a session.
    const isLost = reason === ConnectionReason.SessionMoved && this.home.ticket === "";
    return isLost ? ConnectionReason.SessionUnknown : reason;
  }

  #closed(code: number): void {
    if (this.#phase === "opening") this.#lose(this.#meant(code, ConnectionReason.OpenFailed));
    else if (code === CloseCode.BadFrame && this.#phase === "hello") this.#lose(ConnectionReason.HelloRefused);
    else this.#lose(this.#meant(code, ConnectionReason.Closed));
  }

  #limitPassed(): void {
    const opening = this.#phase === "opening";
    this.#lose(opening ? ConnectionReason.OpenTimeout : ConnectionReason.HelloTimeout);
  }

  #lose(reason: ConnectionReason, code: number = CloseCode.Normal, cause = "", detail = ""): void {
    if (this.#phase === "lost") return;
    this.close(code);
    this.#events.lost({ reason, cause, detail });
  }

  #sayBeat(): void {
    const restMs = this.#world.settings.beatEveryMs - (Date.now() - this.#saidAtMs);
    if (restMs <= 0) this.#say({ type: "beat" });
    this.#beat.start(restMs > 0 ? restMs : this.#world.settings.beatEveryMs);
  }

  #say(frame: ClientFrame): boolean {
    const taken = this.#transport.send(JSON.stringify(frame));
    if (taken) this.#saidAtMs = Date.now();
    return taken;
  }
}

/** Reads one frame; null when it is not a JSON object with a `type`. Unknown types are read, and ignored later. */
function parseFrame(text: string): ServerFrame | null {
  try {
    const frame = JSON.parse(text) as ServerFrame;
    return typeof frame.type === "string" ? frame : null;
  } catch {
    return null; // no JSON, or `null`
  }
}
