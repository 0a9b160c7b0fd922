/**
 * One session's connection to a server: one machine, seven states, and a numbered reason for each move.
 *
 *   connecting ──opened──▶ hello ──welcome──▶ live ◀──any frame── suspect
 *       │                    │                 │ silent 3 s ──────▶ │ silent 6 s
 *       ▼ failed             ▼ failed          ▼ closed             ▼
 *   waiting ◀────────────────┴─────────────────┴────────────────────┘   ──delay over, or "try now"──▶ connecting
 *
 *   refused: the server will not have this session here; a person must act. ended: the session is over.
 *
 * It tries again for ever: an agent's page must heal unattended. A frame or close of an earlier try is refused by its
 * number, so that a late callback cannot disturb the present one.
 */

import type { Answer, ClientFrame, Envelope, ServerFrame, Welcome } from "./frames.js";
import { CloseCode, ConnectionReason } from "./reasons.js";
import type { Servers } from "./servers.js";
import { reconnectDelayMs, Timer, type Chance } from "./timer.js";
import type { OpenTransport, Transport } from "./transports/transport.js";

export type ConnectionState = "connecting" | "hello" | "live" | "suspect" | "waiting" | "refused" | "ended";

/** Every delay of the connection, in ms. */
export interface ConnectionSettings {
  /** One try to open a transport. */
  readonly openLimitMs: number;
  /** From hello to the first frame that makes us live. */
  readonly helloLimitMs: number;
  /** Silence after which the page may say that it is checking: a beat of 2 s and half as much again. */
  readonly suspectAfterMs: number;
  /** Silence after which the transport is given up: three beats. */
  readonly deadAfterMs: number;
  /** We say something at least this often. */
  readonly beatEveryMs: number;
  /** First delay before coming back, evenly from 0 to this. */
  readonly firstDelayMs: number;
  readonly baseDelayMs: number;
  readonly capDelayMs: number;
  /** Live for this long, the count of failures starts from 0; doing so at once would let a flapping server be stormed. */
  readonly steadyAfterMs: number;
}

export const CONNECTION_SETTINGS: ConnectionSettings = {
  openLimitMs: 2_000,
  helloLimitMs: 6_000,
  suspectAfterMs: 3_000,
  deadAfterMs: 6_000,
  beatEveryMs: 5_000,
  firstDelayMs: 2_000,
  baseDelayMs: 500,
  capDelayMs: 10_000,
  steadyAfterMs: 10_000,
};

/** What the page may know of the connection. Times in ms since 1970 on our own clock. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason;
  /** When this state began. */
  readonly sinceMs: number;
  /** When we were last live, while we are not; null while we are, and before the first time. */
  readonly lostAtMs: number | null;
  /** Tries that failed since the last steady connection. */
  readonly failures: number;
  /** When the next try begins by itself, in state `waiting`. */
  readonly nextTryAtMs: number | null;
  /** The server we are on, or tried last; empty before the first try. */
  readonly server: string;
}

/** What a connection needs of its surroundings. */
export interface ConnectionWorld {
  readonly servers: Servers;
  readonly openTransport: OpenTransport;
  readonly chance: Chance;
  readonly settings?: Partial<ConnectionSettings>;
}

/** What a connection tells; in the order in which it happened. */
export interface ConnectionEvents {
  /** What to say hello with. */
  hello(): Extract<ClientFrame, { type: "hello" }>;
  /** A numbered frame came. False when something before it is missing: the stream is then resumed at once. */
  envelope(envelope: Envelope): boolean;
  answer(answer: Answer): void;
  /** The server said what time it is, RFC 3339. */
  time(now: string): void;
  status(status: ConnectionStatus): void;
  /** The session was over before this page connected: a login that the switch refused at once, for instance. */
  ended(reason: string, detail: string): void;
}

export class Connection {
  readonly #world: ConnectionWorld;
  readonly #events: ConnectionEvents;
  readonly #settings: ConnectionSettings;
  readonly #retry = new Timer(() => this.#connect());
  readonly #limit = new Timer(() => this.#limitPassed());
  readonly #silence = new Timer(() => this.#checkSilence());
  readonly #beat = new Timer(() => this.#sayBeat());
  readonly #steady = new Timer(() => this.#becomeSteady());
  #transport: Transport | null = null;
  #try = 0;
  #heardAtMs = 0;
  #saidAtMs = 0;
  #planned: ConnectionReason | null = null;
  #status: ConnectionStatus = {
    state: "waiting",
    reason: ConnectionReason.Starting,
    sinceMs: Date.now(),
    lostAtMs: null,
    failures: 0,
    nextTryAtMs: null,
    server: "",
  };

  constructor(world: ConnectionWorld, events: ConnectionEvents) {
    this.#world = world;
    this.#events = events;
    this.#settings = { ...CONNECTION_SETTINGS, ...world.settings };
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** Whether frames can be sent now. */
  get isLive(): boolean {
    return this.#status.state === "live" || this.#status.state === "suspect";
  }

  /** Counts the tries to connect: two sends with the same number went the same way. */
  get tryNumber(): number {
    return this.#try;
  }

  /** Begins; also after `refused` or `ended`, when a person decided to try again. */
  start(): void {
    this.#move("waiting", ConnectionReason.Starting, { failures: 0, lostAtMs: null });
    this.#connect();
  }

  /** Tries now instead of waiting: the page became visible, the network is back, or somebody pressed "try now". */
  tryNow(): void {
    if (this.#retry.running)
      this.#connect(); // not before `start`: a page shows itself, too, when nobody has logged in
    else if (this.isLive) this.#checkSilence();
  }

  /** Sends one frame. False while not live: nothing is kept for later, because later it could do harm. */
  send(frame: ClientFrame): boolean {
    return this.isLive && this.#send(frame);
  }

  /** Ends it from our side. */
  stop(reason: ConnectionReason = ConnectionReason.Stopped): void {
    this.#drop(CloseCode.Normal, "");
    this.#move("ended", reason);
  }

  #connect(): void {
    const { url } = this.#world.servers.next();
    const number = this.#letGo();
    this.#planned = null;
    this.#world.servers.trying(url, Date.now());
    this.#move("connecting", this.#status.reason, { server: url });
    this.#limit.start(this.#settings.openLimitMs);
    this.#transport = this.#world.openTransport(url, {
      opened: () => {
        if (number === this.#try) this.#sayHello();
      },
      received: (text) => {
        if (number === this.#try) this.#receive(text);
      },
      closed: (code) => {
        if (number === this.#try) this.#closed(code);
      },
    });
  }

  #sayHello(): void {
    this.#heardAtMs = Date.now();
    this.#move("hello", this.#status.reason);
    this.#limit.start(this.#settings.helloLimitMs);
    this.#send(this.#events.hello());
  }

  #receive(text: string): void {
    const frame = parseFrame(text);
    if (frame === null) {
      this.#fail(ConnectionReason.BadFrame, CloseCode.BadFrame);
      return;
    }
    this.#heardAtMs = Date.now();
    if (this.#status.state === "suspect") this.#move("live", this.#status.reason);
    // Said here too, because timers of a hidden page ring once a minute while frames still come on time.
    if (this.isLive && Date.now() - this.#saidAtMs >= this.#settings.beatEveryMs) this.#sayBeat();
    if ("epoch" in frame && "data" in frame) {
      this.#takeEnvelope(frame);
    } else if (frame.type === "welcome") {
      this.#welcomed(frame);
    } else if (frame.type === "refused") {
      // A login may be refused by the switch before this page has connected.
      if (frame.id === "session.ended" && frame.reason) this.#events.ended(frame.reason, frame.detail ?? "");
      this.#refuse(frame.id);
    } else if (frame.type === "beat") {
      this.#events.time(frame.now);
    } else if (frame.type === "answer") {
      this.#events.answer(frame);
    } else if (frame.type === "goodbye") {
      const restarts = frame.reason === "restart";
      this.#planned = restarts ? ConnectionReason.ServerRestarts : ConnectionReason.ServerDrains;
    }
  }

  #welcomed(welcome: Welcome): void {
    this.#events.time(welcome.now);
    if (welcome.outcome === "resumed") this.#becomeLive(ConnectionReason.Resumed);
  }

  #takeEnvelope(envelope: Envelope): void {
    const number = this.#try;
    const complete = this.#events.envelope(envelope);
    if (number !== this.#try) return; // the page stopped us from within
    if (!complete) {
      this.#fail(ConnectionReason.Gap, CloseCode.Normal);
    } else if (envelope.type === "session-ended") {
      this.stop(ConnectionReason.SessionEnded);
    } else if (this.#status.state === "hello" && envelope.type === "snapshot") {
      this.#becomeLive(ConnectionReason.FreshView);
    }
  }

  #becomeLive(reason: ConnectionReason): void {
    this.#limit.stop();
    this.#world.servers.succeeded(this.#status.server);
    this.#silence.start(this.#settings.suspectAfterMs);
    this.#beat.start(this.#settings.beatEveryMs);
    this.#steady.start(this.#settings.steadyAfterMs);
    this.#move("live", reason, { lostAtMs: null });
  }

  #becomeSteady(): void {
    if (this.#status.failures > 0) this.#move(this.#status.state, this.#status.reason, { failures: 0 });
  }

  #checkSilence(): void {
    if (!this.isLive) return;
    const silentMs = Date.now() - this.#heardAtMs;
    const { suspectAfterMs, deadAfterMs } = this.#settings;
    if (silentMs >= deadAfterMs) {
      this.#fail(ConnectionReason.Dead, CloseCode.TooSlow);
    } else if (silentMs >= suspectAfterMs) {
      if (this.#status.state === "live") this.#move("suspect", ConnectionReason.Silent);
      this.#silence.start(deadAfterMs - silentMs);
    } else {
      this.#silence.start(suspectAfterMs - silentMs);
    }
  }

  #limitPassed(): void {
    const opening = this.#status.state === "connecting";
    this.#fail(opening ? ConnectionReason.OpenTimeout : ConnectionReason.HelloTimeout, CloseCode.Normal);
  }

  #closed(code: number): void {
    if (code === CloseCode.Token) this.#refuse("session.unknown");
    else if (code === CloseCode.TakenOver) this.#refuse("taken-over");
    else if (code === CloseCode.BadFrame && this.#status.state === "hello") this.#refuse("protocol.hello");
    else if (code === CloseCode.SessionOver) this.stop(ConnectionReason.SessionEnded);
    else if (code === CloseCode.Restart) this.#fail(ConnectionReason.ServerRestarts, null);
    else if (code === CloseCode.TooSlow) this.#fail(ConnectionReason.TooSlow, null);
    else {
      const opening = this.#status.state === "connecting";
      this.#fail(this.#planned ?? (opening ? ConnectionReason.OpenFailed : ConnectionReason.Closed), null);
    }
  }

  /** The present try is over; wait, and try again. */
  #fail(reason: ConnectionReason, closeCode: number | null): void {
    const settings = this.#settings;
    const wasLive = this.isLive;
    const { failures, lostAtMs, server } = this.#status;
    if (!wasLive) this.#world.servers.failed(server);
    this.#drop(closeCode, "");
    // A first gap loses nothing by resuming at once; one that comes back is a fault, and waits like any other.
    const atOnce = reason === ConnectionReason.Gap && failures === 0;
    const backoff = { firstMs: settings.firstDelayMs, baseMs: settings.baseDelayMs, capMs: settings.capDelayMs };
    const delayMs = atOnce ? 0 : reconnectDelayMs(failures, backoff, this.#world.chance);
    const now = Date.now();
    this.#retry.start(delayMs);
    this.#move("waiting", reason, {
      failures: failures + 1,
      lostAtMs: wasLive ? now : lostAtMs,
      nextTryAtMs: now + delayMs,
    });
  }

  #refuse(id: string): void {
    const reason =
      {
        "session.unknown": ConnectionReason.SessionUnknown,
        "taken-over": ConnectionReason.TakenOver,
        "session.ended": ConnectionReason.SessionEnded,
      }[id] ?? ConnectionReason.HelloRefused;
    this.#drop(CloseCode.Normal, "");
    this.#move(reason === ConnectionReason.SessionEnded ? "ended" : "refused", reason);
  }

  #sayBeat(): void {
    if (!this.isLive) return;
    const restMs = this.#settings.beatEveryMs - (Date.now() - this.#saidAtMs);
    if (restMs <= 0) this.#send({ type: "beat" });
    this.#beat.start(restMs > 0 ? restMs : this.#settings.beatEveryMs);
  }

  #send(frame: ClientFrame): boolean {
    const taken = this.#transport?.send(JSON.stringify(frame)) ?? false;
    if (taken) this.#saidAtMs = Date.now();
    return taken;
  }

  /** Closes the transport and forgets it. */
  #drop(closeCode: number | null, reason: string): void {
    const transport = this.#transport;
    this.#letGo();
    if (closeCode !== null) transport?.close(closeCode, reason);
  }

  /** Stops every delay and refuses what may still come from the present try. Returns the number of the next. */
  #letGo(): number {
    for (const timer of [this.#retry, this.#limit, this.#silence, this.#beat, this.#steady]) timer.stop();
    this.#transport = null;
    this.#try += 1;
    return this.#try;
  }

  #move(state: ConnectionState, reason: ConnectionReason, news: Partial<ConnectionStatus> = {}): void {
    const sinceMs = state === this.#status.state ? this.#status.sinceMs : Date.now();
    this.#status = { ...this.#status, nextTryAtMs: null, ...news, state, reason, sinceMs };
    this.#events.status(this.#status);
  }
}

/** Reads one frame; null when it is not a JSON object with a `type`. Unknown types are read, and ignored later. */
function parseFrame(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const isFrame = typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
  return isFrame ? (value as ServerFrame) : null;
}
