/**
 * One agent's desk: log in, see the view, ask for things, and stay connected. What a page holds in its hand.
 *
 *   const desk = new Desk({ servers: [location.origin] }, { view: show, connection: showBanner });
 *   if (!desk.resume()) await desk.logIn({ agent, station, password, dialler: null });
 *   const result = await desk.submit({ type: "set-mode", mode: "ready" });
 */

import { ServerClock } from "./clock.js";
import { Commands, type CommandResult, type OpenCommand } from "./commands.js";
import { Connection, type ConnectionStatus } from "./connection.js";
import { Door } from "./door.js";
import type { Credentials, Envelope, SiteConfig, Topology } from "./frames.js";
import { HomeKeeper } from "./home.js";
import type { Command, MessageView, View } from "./messages.js";
import { ConnectionReason } from "./reasons.js";
import { hex } from "./rendezvous.js";
import { Replica } from "./replica.js";
import { Rest, type Fetch } from "./rest.js";
import { Servers, type Memory } from "./servers.js";
import type { ConnectionSettings } from "./settings.js";
import { Timer, type Chance } from "./timer.js";
import type { OpenTransport } from "./transports/transport.js";
import { DEFAULT_TRANSPORTS, ways, type TransportName } from "./transports/ways.js";
import { watchWake } from "./wake.js";

export interface DeskOptions {
  /** Origins, in order of preference; at least one. Those of other instances are learned from any of them. */
  readonly servers: readonly string[];
  /** Which ways may be tried; without `ua-fallbacks` there is the WebSocket alone. One name forces that one. */
  readonly transports?: readonly TransportName[];
  /** In the place of all of them. */
  readonly openTransport?: OpenTransport;
  /** Where the session is kept over a refresh; `sessionStorage`, which forgets with the tab. */
  readonly memory?: Memory;
  /** Where it is kept which instances there are; `localStorage`, so that a page whose server is gone knows others. */
  readonly longMemory?: Memory;
  readonly fetch?: Fetch;
  readonly chance?: Chance;
  readonly connection?: Partial<ConnectionSettings>;
}

/** What a page wants to be told. All optional. */
export interface DeskEvents {
  /** The view changed; null when the session is over. */
  view?(view: View | null): void;
  connection?(status: ConnectionStatus): void;
  /** A text for the agent came while we watched; those of a snapshot are in the view only. */
  message?(message: MessageView): void;
  /** The open commands changed. */
  commands?(open: readonly OpenCommand[]): void;
  /** The session is over, and its token forgotten. `reason` is an id: `agent`, `taken-over`, an error's. */
  ended?(reason: string, detail: string): void;
}

/** Reasons after which there is no way back to this session, and the id that says so when nothing better is known. */
const FINAL_REASONS: Readonly<Partial<Record<number, string>>> = {
  [ConnectionReason.SessionUnknown]: "session.unknown",
  [ConnectionReason.HelloRefused]: "protocol.hello",
  [ConnectionReason.SessionEnded]: "session.ended",
};

/** How long the page keeps the view of the instance that it has left as planned, ms. */
const PATIENCE_MS = 2_000;

export class Desk {
  /** The server's clock. */
  readonly clock = new ServerClock();
  readonly #events: DeskEvents;
  readonly #servers: Servers;
  readonly #door: Door;
  readonly #keeper: HomeKeeper;
  readonly #replica = new Replica();
  readonly #commands: Commands;
  readonly #connection: Connection;
  readonly #stopWatching: () => void;
  /** The token under which the view's stream came: under another one it begins anew. */
  #streamToken = "";
  #shown: View | null = null;
  /** Runs while a planned move has brought us to an instance that does not know everything yet. */
  readonly #patience = new Timer(() => this.#show());
  #way = 0;

  constructor(options: DeskOptions, events: DeskEvents = {}) {
    const { memory = sessionStorage, longMemory = lastingMemory(), chance = Math.random } = options;
    const { fetch: ask = (url, init) => fetch(url, init), transports = DEFAULT_TRANSPORTS } = options;
    const { openTransport = (server, events) => ways().open(transports, server, events) } = options;
    this.#events = events;
    this.#keeper = new HomeKeeper(memory);
    this.#servers = new Servers(options.servers, longMemory);
    const rest = new Rest((url, init) => ways().fetch(transports, ask, url, init));
    const client = randomId();
    this.#commands = new Commands(client, {
      send: (id, command) => this.#connection.send({ type: "command", id, command }),
      wayNumber: () => this.#connection.wayNumber,
      server: () => this.#connection.home.server,
      askOutcome: (id) => rest.outcome(this.#connection.home, id),
      resolve: (id, command) => rest.resolve(this.#connection.home, id, command),
      changed: () => this.#tell("commands", this.#commands.open),
    });
    this.#connection = new Connection(
      {
        servers: this.#servers,
        rest,
        keeper: this.#keeper,
        openTransport,
        chance,
        settings: options.connection,
        hello: ({ token }) => ({ type: "hello", token, ...this.#positionUnder(token), client }),
      },
      {
        envelope: (envelope) => this.#take(envelope),
        answer: (answer) => this.#commands.answered(answer.id, answer),
        time: (now) => this.clock.observe(now),
        ended: (reason, detail) => this.#end(reason, detail),
        status: (status) => this.#statusChanged(status),
      },
    );
    this.#door = new Door(this.#servers, rest, (server) => this.#connection.asking(server));
    this.#stopWatching = watchWake((event) => {
      if (event && event.type === "online") ways().newNetwork();
      this.#connection.tryNow();
    });
  }

  /** The newest view; null before the first. */
  get view(): View | null {
    return this.#shown;
  }

  get connection(): ConnectionStatus {
    return this.#connection.status;
  }

  /** Which instances there are; null before any has told. */
  get topology(): Topology | null {
    return this.#servers.topology;
  }

  get commands(): readonly OpenCommand[] {
    return this.#commands.open;
  }

  /** A short word for the session that an agent can read out: the first eight characters of its id. */
  get reference(): string {
    const plain = this.#keeper.home.session.replace(/[^A-Za-z0-9]/g, "");
    return plain.slice(0, 8).toUpperCase();
  }

  /** What the site decided. @throws RequestError */
  async config(): Promise<SiteConfig> {
    const config = await this.#door.config();
    this.clock.observe(config.now);
    return config;
  }

  /**
   * Opens a session and connects to it. The switch's verdict on the password comes later: as steps in `view.login`,
   * and as `ended` when it is refused.
   *
   * @throws RequestError when the server refuses, or nobody answers.
   */
  async logIn(credentials: Credentials): Promise<void> {
    const { home, now } = await this.#door.logIn(credentials);
    this.clock.observe(now);
    this.#keeper.settle(home);
    this.#begin();
  }

  /** Goes on with the session of before a refresh. False when there is none. */
  resume(): boolean {
    this.#keeper.recall();
    if (this.#keeper.hasHome) this.#begin();
    return this.#keeper.hasHome;
  }

  /** Comes back after another desktop took the session over, if this one may still. */
  reclaim(): void {
    this.#connection.start();
  }

  /** Tries to connect now instead of waiting. */
  tryNow(): void {
    this.#connection.tryNow();
  }

  /** Asks for something; resolves when it is settled, and never rejects. */
  submit(command: Command): Promise<CommandResult> {
    return this.#commands.submit(command);
  }

  /** Forgets the session here. At the server it goes on until it notices that nobody is at the desktop. */
  forget(): void {
    this.#keeper.forget();
    this.#stop();
    this.#replica.clear();
    this.#show();
  }

  /** Lets go of everything outside: for a page that puts the desk away. */
  dispose(): void {
    this.#stopWatching();
    this.#patience.stop();
    this.#stop();
  }

  #stop(): void {
    this.#connection.stop();
    this.#commands.abandon();
  }

  #begin(): void {
    this.#replica.clear();
    this.#servers.orderFor(this.#keeper.home.agent);
    this.#connection.start();
  }

  /** Another instance counts its own stream, and so does the same one after a start. */
  #positionUnder(token: string): Replica["position"] {
    return token === this.#streamToken ? this.#replica.position : { epoch: null, seq: null };
  }

  #take(envelope: Envelope): boolean {
    const applied = this.#replica.apply(envelope);
    if (envelope.type === "snapshot") this.#streamBegan();
    if (applied !== "applied") return applied !== "gap";
    if (envelope.type === "command-settled") {
      this.#commands.answered(envelope.data.command, envelope.data);
      return true;
    }
    if (envelope.type === "session-ended") {
      this.#end(envelope.data.reason, envelope.data.detail);
      return true;
    }
    const { view } = this.#replica;
    if (!this.#patience.running || (view && view.agent.known)) this.#show();
    if (envelope.type === "message-arrived") this.#tell("message", envelope.data.message);
    return true;
  }

  /** Of a planned move the page sees no gap: what it was shown is true for the moment that the new instance takes. */
  #streamBegan(): void {
    const { status, home } = this.#connection;
    if (status.state === "live" && home.token !== this.#streamToken) this.#patience.start(PATIENCE_MS);
    this.#streamToken = home.token;
  }

  #show(): void {
    this.#patience.stop();
    this.#shown = this.#replica.view;
    this.#tell("view", this.#shown);
  }

  #statusChanged(status: ConnectionStatus): void {
    this.#tell("connection", status);
    const way = this.#connection.wayNumber;
    if (status.state === "live" && way !== this.#way) {
      this.#way = way;
      this.#commands.resumed();
    }
    if (status.reason === ConnectionReason.TakenOver) this.#commands.abandon("taken-over");
    const final = FINAL_REASONS[status.reason];
    if (final !== undefined && this.#keeper.hasHome) this.#end(this.#replica.view?.session.closing || final, "");
  }

  #tell<Name extends keyof DeskEvents>(name: Name, ...what: Parameters<Required<DeskEvents>[Name]>): void {
    const events = this.#events as Partial<Record<Name, (...what: unknown[]) => void>>;
    events[name]?.(...what);
  }

  #end(reason: string, detail: string): void {
    this.forget();
    this.#tell("ended", reason, detail);
  }
}

/** A browser may forbid it; then what is learned lasts as long as the page. */
function lastingMemory(): Memory | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** 96 bits of chance, in letters that need no escaping anywhere. */
function randomId(): string {
  return hex([...crypto.getRandomValues(new Uint32Array(3))]);
}
