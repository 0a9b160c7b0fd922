/**
 * One agent's desk: log in, see the view, ask for things, and stay connected. What a page holds in its hand.
 *
 *   const desk = new Desk({ servers: [location.origin] }, { view: show, connection: showBanner });
 *   if (!desk.resume()) await desk.logIn({ agent, station, password, dialler: null });
 *   const result = await desk.submit({ type: "set-mode", mode: "ready" });
 */

import { ServerClock } from "./clock.js";
import { Commands, type CommandResult, type OpenCommand } from "./commands.js";
import { Connection, type ConnectionSettings, type ConnectionState, type ConnectionStatus } from "./connection.js";
import type { Credentials, Envelope, SiteConfig } from "./frames.js";
import type { Command, MessageView, View } from "./messages.js";
import { ConnectionReason } from "./reasons.js";
import { Replica } from "./replica.js";
import { RequestError, Rest, type Fetch } from "./rest.js";
import { Servers } from "./servers.js";
import type { Chance } from "./timer.js";
import type { OpenTransport } from "./transports/transport.js";
import { openWebSocket } from "./transports/websocket.js";
import { watchWake } from "./wake.js";

/** Where the session is kept over a refresh; `sessionStorage` has this shape, and forgets with the tab. */
export type Memory = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface DeskOptions {
  /** Origins, in order of preference; at least one. */
  readonly servers: readonly string[];
  readonly openTransport?: OpenTransport;
  readonly memory?: Memory;
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

interface Kept {
  readonly token: string;
  readonly session: string;
  readonly server: string;
}

/** Reasons after which there is no way back to this session, and the id that says so when nothing better is known. */
const FINAL_REASONS: Readonly<Partial<Record<number, string>>> = {
  [ConnectionReason.SessionUnknown]: "session.unknown",
  [ConnectionReason.HelloRefused]: "protocol.hello",
  [ConnectionReason.SessionEnded]: "session.ended",
};

const KEPT_AS = "unified-agent.session";

export class Desk {
  /** The server's clock. */
  readonly clock = new ServerClock();
  readonly #events: DeskEvents;
  readonly #servers: Servers;
  readonly #memory: Memory;
  readonly #rest: Rest;
  readonly #replica = new Replica();
  readonly #commands: Commands;
  readonly #connection: Connection;
  readonly #stopWatching: () => void;
  #kept: Kept | null = null;
  #state: ConnectionState = "waiting";

  constructor(options: DeskOptions, events: DeskEvents = {}) {
    this.#events = events;
    this.#servers = new Servers(options.servers);
    this.#memory = options.memory ?? sessionStorage;
    this.#rest = new Rest(options.fetch ?? ((url, init) => fetch(url, init)));
    const client = randomId();
    this.#commands = new Commands(client, {
      send: (id, command) => this.#connection.send({ type: "command", id, command }),
      wayNumber: () => this.#connection.tryNumber,
      askOutcome: (id) => {
        const kept = this.#kept;
        if (!kept) return Promise.reject(new Error("no session"));
        return this.#rest.outcome(this.#connection.status.server, kept.token, id);
      },
      changed: () => this.#events.commands?.(this.#commands.open),
    });
    this.#connection = new Connection(
      {
        servers: this.#servers,
        openTransport: options.openTransport ?? openWebSocket,
        chance: options.chance ?? Math.random,
        ...(options.connection && { settings: options.connection }),
      },
      {
        hello: () => ({ type: "hello", token: this.#kept?.token ?? "", ...this.#replica.position, client }),
        envelope: (envelope) => this.#take(envelope),
        answer: (answer) => this.#commands.answered(answer),
        time: (now) => this.clock.observe(now),
        ended: (reason, detail) => this.#end(reason, detail),
        status: (status) => this.#statusChanged(status),
      },
    );
    this.#stopWatching = watchWake(() => this.#connection.tryNow());
  }

  /** The newest view; null before the first. */
  get view(): View | null {
    return this.#replica.view;
  }

  get connection(): ConnectionStatus {
    return this.#connection.status;
  }

  get commands(): readonly OpenCommand[] {
    return this.#commands.open;
  }

  /** A short word for the session that an agent can read out: the first eight characters of its id. */
  get reference(): string {
    return (
      this.#kept?.session
        .replace(/[^A-Za-z0-9]/g, "")
        .slice(0, 8)
        .toUpperCase() ?? ""
    );
  }

  /** What the site decided. @throws RequestError */
  async config(): Promise<SiteConfig> {
    const config = await this.#rest.config(this.#servers.next().url);
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
    const { url } = this.#servers.next();
    this.#servers.trying(url, Date.now());
    try {
      const { session, token, now } = await this.#rest.open(url, credentials);
      this.clock.observe(now);
      this.#begin({ session, token, server: url });
    } catch (error) {
      if (error instanceof RequestError && error.retry !== "never") this.#servers.failed(url);
      throw error;
    }
    this.#memory.setItem(KEPT_AS, JSON.stringify(this.#kept));
  }

  /** Goes on with the session of before a refresh. False when there is none. */
  resume(): boolean {
    const kept = readKept(this.#memory);
    if (!kept) return false;
    this.#begin(kept);
    return true;
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
    this.#memory.removeItem(KEPT_AS);
    this.#kept = null;
    this.#connection.stop();
    this.#commands.abandon();
    this.#replica.clear();
    this.#events.view?.(null);
  }

  /** Lets go of everything outside: for a page that puts the desk away. */
  dispose(): void {
    this.#stopWatching();
    this.#connection.stop();
    this.#commands.abandon();
  }

  #begin(kept: Kept): void {
    this.#kept = kept;
    this.#replica.clear();
    this.#servers.suggest(kept.server);
    this.#connection.start();
  }

  #take(envelope: Envelope): boolean {
    const applied = this.#replica.apply(envelope);
    if (applied !== "applied") return applied !== "gap";
    if (envelope.type === "command-settled") {
      this.#commands.settled(envelope.data);
      return true;
    }
    if (envelope.type === "session-ended") {
      this.#end(envelope.data.reason, envelope.data.detail);
      return true;
    }
    this.#events.view?.(this.#replica.view);
    if (envelope.type === "message-arrived") this.#events.message?.(envelope.data.message);
    return true;
  }

  #statusChanged(status: ConnectionStatus): void {
    const before = this.#state;
    this.#state = status.state;
    this.#events.connection?.(status);
    if (status.state === "live" && before === "hello") this.#commands.resumed();
    const final = FINAL_REASONS[status.reason];
    if (final !== undefined && this.#kept) this.#end(this.#replica.view?.session.closing || final, "");
  }

  #end(reason: string, detail: string): void {
    this.forget();
    this.#events.ended?.(reason, detail);
  }
}

function readKept(memory: Memory): Kept | null {
  try {
    const value = JSON.parse(memory.getItem(KEPT_AS) ?? "null") as Partial<Kept> | null;
    if (typeof value?.token !== "string" || typeof value.session !== "string" || typeof value.server !== "string")
      return null;
    return { token: value.token, session: value.session, server: value.server };
  } catch {
    return null;
  }
}

/** 96 bits of chance, in letters that need no escaping anywhere. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
