/**
 * One session's connection, to whichever server has it: one machine, seven states, a numbered reason for each move.
 *
 *   connecting ──opened──▶ hello ──welcome──▶ live ◀──any frame── suspect
 *       │                    │                 │ silent 3 s ──────▶ │ silent 6 s, or known to be dead
 *       ▼ all failed         ▼ failed          ▼ closed             ▼
 *   waiting ◀────────────────┴─────────────────┴────────────────────┘   ──delay over, or "try now"──▶ connecting
 *
 *   refused: nobody will have this session; a person must act. ended: the session is over.
 *
 * It tries again for ever: an agent's page must heal unattended. Which server, and how it comes to have the session, is
 * the business of `search.ts`; when silence is too long, of `silence.ts`. A planned move is a search beside the live
 * line: that one is left when the other is live, and not before.
 */

import type { Answer, ClientFrame, Envelope, Goodbye, GoodbyeReason, ServerFrame, Witness } from "./frames.js";
import type { Home } from "./home.js";
import { lossOf, type Line, type Loss } from "./line.js";
import { CloseCode, ConnectionReason, isFinal } from "./reasons.js";
import { Search, type SearchEvents, type SearchWorld } from "./search.js";
import { CONNECTION_SETTINGS, type ConnectionSettings } from "./settings.js";
import { Silence } from "./silence.js";
import { reconnectDelayMs, Timer } from "./timer.js";

export type ConnectionState = "connecting" | "hello" | "live" | "suspect" | "waiting" | "refused" | "ended";

/** What the page may know of the connection. Times in ms since 1970 on our own clock. */
export interface ConnectionStatus {
  readonly state: ConnectionState;
  readonly reason: ConnectionReason;
  /** When this state began. */
  readonly sinceMs: number;
  /** When we were last live, while we are not; null while we are, and before the first time. */
  readonly lostAtMs: number | null;
  /** Searches that failed since the last steady connection. */
  readonly failures: number;
  /** When the next search begins by itself, in state `waiting`. */
  readonly nextTryAtMs: number | null;
  /** The server we are on, or tried last; empty before the first try. */
  readonly server: string;
  /** Name of the instance there; empty when it is not known. */
  readonly instance: string;
  /** Name of the instance we were at before, or its origin, when we came here by a move; null when we did not. */
  readonly movedFrom: string | null;
  /** Why the server, while it still serves us, said that it will not for long; null when it did not say so. */
  readonly leaving: GoodbyeReason | null;
  /** While live: nothing that happened since we were last live was missed, not even for a moment. */
  readonly nothingLost: boolean;
}

/** What a connection needs of its surroundings. */
export interface ConnectionWorld extends Omit<SearchWorld, "settings"> {
  readonly settings: Partial<ConnectionSettings> | undefined;
}

/** What a connection tells; in the order in which it happened. */
export interface ConnectionEvents {
  /** A numbered frame came. False when something before it is missing: the stream is then resumed at once. */
  envelope(envelope: Envelope): boolean;
  answer(answer: Answer): void;
  /** The server said what time it is, RFC 3339. */
  time(now: string): void;
  status(status: ConnectionStatus): void;
  /** The session is over, and the server said why: a login that the switch refused at once, for instance. */
  ended(reason: string, detail: string): void;
}

/** After so many changes of server within a minute the next waits. */
const SWITCHES_LIMIT = 3;
const MINUTE_MS = 60_000;
const HOLD_MS = 10_000;

/** First delay at most, when it is known that ours is dead: desktops learn that one by one, and are spread already. */
const FIRST_DELAY_WHEN_DEAD_MS = 500;

/** What a loss is called that was announced; of the other reasons, `SteppedDown`. */
const ANNOUNCED: Readonly<Record<string, ConnectionReason>> = {
  drain: ConnectionReason.ServerDrains,
  move: ConnectionReason.ServerDrains,
  restart: ConnectionReason.ServerRestarts,
};

export class Connection {
  readonly #world: SearchWorld;
  readonly #events: ConnectionEvents;
  readonly #silence: Silence;
  readonly #retry = new Timer(() => this.#connect());
  readonly #steady = new Timer(() => this.#becomeSteady());
  readonly #depart = new Timer(() => this.#moveAway());
  #line: Line | null = null;
  /** Counts the changes of line. */
  #ways = 0;
  #search: Search | null = null;
  /** Looks for another server while the line is live. */
  #mover: Search | null = null;
  #moveTo = "";
  /** The instance where we were live last, or its origin, and when we changed that. */
  #lastName = "";
  #switchedAtMs: readonly number[] = [];
  #status: ConnectionStatus = {
    state: "waiting",
    reason: ConnectionReason.Starting,
    sinceMs: Date.now(),
    lostAtMs: null,
    failures: 0,
    nextTryAtMs: null,
    server: "",
    instance: "",
    movedFrom: null,
    leaving: null,
    nothingLost: true,
  };

  constructor(world: ConnectionWorld, events: ConnectionEvents) {
    const settings = { ...CONNECTION_SETTINGS, ...world.settings };
    this.#world = { ...world, settings };
    this.#events = events;
    this.#silence = new Silence(settings, {
      ask: (which) => this.#askWitness(which),
      suspect: () => {
        if (this.#status.state === "live") this.#tell("suspect", ConnectionReason.Silent);
      },
      dead: () => this.#lost(lossOf(ConnectionReason.Dead), CloseCode.TooSlow),
      gone: (witness) => this.#isGone(witness),
    });
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** Whether frames can be sent now. */
  get isLive(): boolean {
    return this.#line !== null;
  }

  /** Counts the ways to a server: two sends with the same number went the same way. */
  get wayNumber(): number {
    return this.#ways;
  }

  /** Where the session can be asked about now, and with what. */
  get home(): Home {
    return this.#line ? this.#line.home : this.#world.keeper.home;
  }

  /** Begins; also after `refused` or `ended`, when a person decided to try again. */
  start(): void {
    if (!this.#world.keeper.hasHome) return;
    this.#letGo();
    this.#lastName = "";
    this.#tell("waiting", ConnectionReason.Starting, { failures: 0, lostAtMs: null, movedFrom: null });
    this.#connect();
  }

  /** Tries now instead of waiting: the page became visible, the network is back, or somebody pressed "try now". */
  tryNow(): void {
    if (this.isLive) this.#silence.check();
    if (this.#retry.running) this.#connect(); // not before `start`: a page shows itself when nobody has logged in, too
  }

  /** Says which server is being asked while there is no session to connect. */
  asking(server: string): void {
    if (!this.#world.keeper.hasHome) this.#retell({ server });
  }

  /** Sends one frame. False while not live. */
  send(frame: ClientFrame): boolean {
    return this.#line !== null && this.#line.send(frame);
  }

  /** Ends it from our side. */
  stop(reason: ConnectionReason = ConnectionReason.Stopped): void {
    this.#letGo();
    this.#tell("ended", reason);
  }

  #connect(): void {
    this.#retry.stop();
    this.#search = this.#newSearch();
    this.#search.start();
  }

  /** @param without the server that is being left. */
  #newSearch(without = ""): Search {
    const events: SearchEvents = {
      trying: (server, hello) => {
        // A search beside a live line is no news for the page.
        if (this.#search === search) this.#tell(hello ? "hello" : "connecting", this.#status.reason, { server });
      },
      frame: (line, frame) => this.#take(line, frame),
      found: (line, snapshot) => this.#adopt(line, snapshot),
      failed: (reason) => {
        // Whom we are to leave serves us yet, and will say it again.
        if (this.#search === search) this.#fail(reason);
        else this.#mover = null;
      },
      refused: (loss) => {
        if (this.#search === search) this.#refuse(loss);
        else this.#mover = null;
      },
    };
    const search: Search = new Search(this.#world, events, without);
    return search;
  }

  /** A line is live: from now on it is ours, and the one before is not. */
  #adopt(line: Line, snapshot: Envelope | null): void {
    const { server } = line.home;
    const name = line.instance || server;
    const from = this.#lastName;
    const withoutGap = snapshot === null || this.isLive || from === "";
    this.#letGo();
    this.#line = line;
    line.attend({
      heard: () => this.#heard(line),
      frame: (frame) => this.#take(line, frame),
      lost: (loss) => this.#lost(loss),
    });
    this.#world.servers.succeeded(server);
    if (snapshot) this.#take(line, snapshot);
    if (this.#line !== line) return; // the page stopped us from within
    const moved = from !== "" && from !== name;
    if (moved) this.#switchedAtMs = [...this.#switchedAtMs, Date.now()].slice(-SWITCHES_LIMIT);
    this.#lastName = name;
    this.#silence.begin(line.quietMs);
    this.#steady.start(this.#world.settings.steadyAfterMs);
    const reason = snapshot ? ConnectionReason.FreshView : ConnectionReason.Resumed;
    this.#tell("live", moved ? ConnectionReason.Moved : reason, {
      lostAtMs: null,
      server,
      movedFrom: moved ? from : null,
      leaving: null,
      nothingLost: withoutGap,
    });
  }

  #becomeSteady(): void {
    if (this.#status.failures > 0) this.#retell({ failures: 0 });
  }

  #heard({ quietMs }: Line): void {
    this.#silence.heard(quietMs);
    if (this.#status.state === "suspect") this.#tell("live", this.#status.reason);
  }

  /** Takes a frame; of a line that is not ours yet, only what concerns all. */
  #take(line: Line, frame: ServerFrame): void {
    const { keeper, servers } = this.#world;
    const isOurs = line === this.#line;
    if (frame.type === "welcome" || frame.type === "beat") {
      this.#events.time(frame.now);
    } else if (frame.type === "topology") {
      servers.learn(frame);
      if (isOurs) this.#retell();
    } else if (frame.type === "ticket") {
      if (keeper.home.token === line.home.token) keeper.settle({ ticket: frame.ticket });
    } else if (!isOurs) {
      return;
    } else if (frame.type === "answer") {
      this.#events.answer(frame);
    } else if (frame.type === "goodbye") {
      this.#announced(line, frame);
    } else if ("seq" in frame) {
      this.#takeEnvelope(line, frame);
    }
  }

  #takeEnvelope(line: Line, envelope: Envelope): void {
    const { keeper } = this.#world;
    if (line.term > keeper.home.term) keeper.settle({ term: line.term });
    const complete = this.#events.envelope(envelope);
    if (line !== this.#line) return; // the page stopped us from within
    if (!complete) this.#lost(lossOf(ConnectionReason.Gap));
    else if (envelope.type === "session-ended") this.stop(ConnectionReason.SessionEnded);
  }

  /** The server goes, or we are to go. What it is called when it closes is known now. */
  #announced(line: Line, goodbye: Goodbye): void {
    const { next, reason, after_ms } = goodbye;
    const { servers, chance } = this.#world;
    const { server, ticket } = line.home;
    this.#retell({ leaving: reason });
    if (!next || this.#mover || ticket === "") return;
    servers.failed(server);
    this.#moveTo = servers.suggest(next.url);
    if (this.#depart.running) return;
    // Goodbyes of a drain come paced; all others reach everybody at once, and are spread here.
    const windowMs = Math.min(after_ms, servers.windowMs(this.#world.settings.firstDelayMs));
    const isPaced = ANNOUNCED[reason] === ConnectionReason.ServerDrains;
    const spreadMs = isPaced ? 0 : chance() * windowMs;
    this.#depart.start(Math.max(spreadMs, this.#holdMs()));
  }

  /** Looks for another server, to leave this one when that one is live. */
  #moveAway(): void {
    this.#mover = this.#newSearch(this.home.server);
    this.#mover.start(this.#moveTo);
  }

  #askWitness(which: number): Promise<Witness> | null {
    const { servers, rest } = this.#world;
    const { instance } = this.#status;
    const witnesses = servers.witnessesOf(instance);
    const witness = witnesses[which < 2 ? which : which % witnesses.length];
    if (witness === undefined || instance === "" || this.home.ticket === "") return null;
    return rest.witness(witness, instance, this.#world.settings.openLimitMs);
  }

  /** Our instance is silent, and another one knows why. */
  #isGone({ next }: Witness): void {
    const { servers } = this.#world;
    servers.failed(this.home.server);
    if (next) servers.suggest(next.url);
    this.#lost(lossOf(ConnectionReason.WitnessSaysDead), CloseCode.TooSlow);
  }

  /** The line is lost. */
  #lost(loss: Loss, code: number = CloseCode.Normal): void {
    const { keeper } = this.#world;
    const { reason } = loss;
    const { leaving } = this.#status;
    const announced = leaving && (ANNOUNCED[leaving] || ConnectionReason.SteppedDown);
    const isMoved = reason === ConnectionReason.SessionMoved;
    const isAway = isMoved || reason === ConnectionReason.WitnessSaysDead;
    if (isAway && keeper.home.token === this.home.token) keeper.settle({ server: "" });
    if (this.#mover && reason !== ConnectionReason.SessionEnded) this.#goOnMoving(reason, code);
    else if (isFinal(reason)) this.#refuse(loss);
    else this.#fail((isMoved || reason === ConnectionReason.Closed) && announced ? announced : reason, code);
  }

  /** The line was lost while another server was being looked for: that search is now the only one. */
  #goOnMoving(reason: ConnectionReason, code: number): void {
    const mover = this.#mover;
    this.#mover = null;
    this.#letGo(code);
    this.#search = mover;
    this.#tell("connecting", reason, { lostAtMs: Date.now() });
  }

  /** No line; wait, and search again. */
  #fail(reason: ConnectionReason, code: number = CloseCode.Normal): void {
    const wasLive = this.isLive;
    const { failures, lostAtMs } = this.#status;
    this.#letGo(code);
    // A first gap loses nothing by resuming at once; one that comes back is a fault, and waits like any other.
    const atOnce = reason === ConnectionReason.Gap && failures === 0;
    const now = Date.now();
    const isDead = reason === ConnectionReason.WitnessSaysDead;
    const busyMs = this.#world.servers.busyForMs();
    const delayMs = atOnce ? 0 : Math.max(this.#delayMs(failures, isDead), this.#holdMs(), busyMs);
    this.#retry.start(delayMs);
    this.#tell("waiting", reason, {
      failures: failures + 1,
      lostAtMs: wasLive ? now : lostAtMs,
      nextTryAtMs: now + delayMs,
    });
  }

  #delayMs(failures: number, isDead = false): number {
    const { firstDelayMs, baseDelayMs, capDelayMs } = this.#world.settings;
    const windowMs = this.#world.servers.windowMs(firstDelayMs);
    const firstMs = isDead ? Math.min(windowMs, FIRST_DELAY_WHEN_DEAD_MS) : windowMs;
    return reconnectDelayMs(failures, { firstMs, baseMs: baseDelayMs, capMs: capDelayMs }, this.#world.chance);
  }

  /** Too many changes of server lately mean that changing does not help. */
  #holdMs(): number {
    const lately = this.#switchedAtMs.filter((at) => Date.now() - at < MINUTE_MS);
    return lately.length < SWITCHES_LIMIT ? 0 : HOLD_MS;
  }

  #refuse({ reason, cause, detail }: Loss): void {
    this.#letGo();
    if (cause !== "") this.#events.ended(cause, detail);
    this.#tell(reason === ConnectionReason.SessionEnded ? "ended" : "refused", reason);
  }

  /** Gives up line, searches and delays. */
  #letGo(code: number = CloseCode.Normal): void {
    for (const timer of [this.#retry, this.#steady, this.#depart, this.#silence]) timer.stop();
    this.#search?.stop();
    this.#mover?.stop();
    this.#line?.close(code);
    this.#search = this.#mover = this.#line = null;
    this.#ways += 1;
  }

  /** Tells what is new and no change of state. */
  #retell(news: Partial<ConnectionStatus> = {}): void {
    this.#tell(this.#status.state, this.#status.reason, news);
  }

  #tell(state: ConnectionState, reason: ConnectionReason, news: Partial<ConnectionStatus> = {}): void {
    const { servers } = this.#world;
    const now = { ...this.#status, nextTryAtMs: null, ...news, state, reason };
    this.#status = {
      ...now,
      sinceMs: state === this.#status.state ? now.sinceMs : Date.now(),
      instance: (this.#line && this.#line.instance) || servers.instanceAt(now.server).id,
      leaving: this.isLive ? now.leaving : null,
    };
    this.#events.status(this.#status);
  }
}
