/**
 * The original library's plain functions, over this one: a page loads one script and calls `uaserver.…`, with callbacks
 * instead of promises. Which of it is assumed is said in docs/reference/compat-library.md.
 *
 *   <script src="https://desk.example.org/client/uaserver.js"></script>
 *   uaserver.RegisterEventHandler(function (event) { … });
 *   uaserver.Login("5001", "2001", password, function (error) { … });
 */

import "./fallbacks.js";
import type { CommandResult } from "./commands.js";
import type { ConnectionStatus } from "./connection.js";
import { Desk, type DeskEvents, type DeskOptions } from "./desk.js";
import type { DiallerCredentials, SiteConfig } from "./frames.js";
import type { AskedMode, Command, MessageView, View } from "./messages.js";
import type { RequestError } from "./rest.js";
import type { TransportName } from "./transports/ways.js";

/** What a page is told, in the order in which it happened. */
export type UaEvent =
  | { readonly type: "view-changed"; readonly view: View | null }
  | { readonly type: "connection-changed"; readonly status: ConnectionStatus }
  | { readonly type: "message-arrived"; readonly message: MessageView }
  | { readonly type: "command-settled"; readonly result: CommandResult }
  | { readonly type: "session-ended"; readonly reason: string; readonly detail: string };

/** Why something was not done; `id` is stable. */
export interface UaError {
  readonly id: string;
  readonly detail: string;
  readonly correlation: string;
}

export type Callback<Result> = (error: UaError | null, result: Result | null) => void;

/** Told of each event if it takes one; otherwise told that there is one, to be fetched by `GetEvent`. */
export type EventHandler = ((event: UaEvent) => void) | (() => void);

/** Events kept for a page that does not fetch them; the oldest go first. */
const EVENTS_KEPT = 200;

/** All ways, because a page that loads this file wants to be let through. */
const ALL_TRANSPORTS: readonly TransportName[] = ["websocket", "stream", "poll", "jsonp"];

export type MakeDesk = (options: DeskOptions, events: DeskEvents) => Desk;

export class Uaserver {
  readonly #makeDesk: MakeDesk;
  #servers: readonly string[];
  #transports: readonly TransportName[];
  #desk: Desk | null = null;
  #events: UaEvent[] = [];
  #handler: EventHandler | null = null;

  /** @param script the element that loaded us: it may name servers and transports, and its own server is the default. */
  constructor(script: HTMLScriptElement | null, makeDesk: MakeDesk = (options, events) => new Desk(options, events)) {
    const { servers = "", transports = "" } = script ? script.dataset : {};
    this.#makeDesk = makeDesk;
    this.#servers = listOf(servers);
    if (this.#servers.length === 0) this.#servers = [new URL(script?.src || location.href, location.href).origin];
    this.#transports = listOf(transports) as TransportName[];
    if (this.#transports.length === 0) this.#transports = ALL_TRANSPORTS;
  }

  // --- events

  /** Has a function called at each event; a second one takes the first one's place. Null for none. */
  RegisterEventHandler(handler: EventHandler | null): void {
    this.#handler = handler;
    if (handler) for (const _ of [...this.#events]) this.#ring();
  }

  /** The next event that waits, which is then gone; null when none does. */
  GetEvent(): UaEvent | null {
    return this.#events.shift() || null;
  }

  // --- servers

  /** Origins, in order of preference, as a list or in one text; for the next `Login`. */
  SetServers(servers: readonly string[] | string): void {
    this.#servers = listOf(servers);
    this.Close();
  }

  /** Which transports may be used, from `websocket`, `stream`, `poll`, `jsonp`; for the next `Login`. */
  SetTransports(names: readonly TransportName[] | string): void {
    this.#transports = listOf(names) as TransportName[];
    this.Close();
  }

  /** What the site decided: reason codes, whether diallers are used. */
  GetConfig(callback: Callback<SiteConfig>): void {
    tell(this.#theDesk.config(), callback);
  }

  /** How the connection is. */
  GetConnection(): ConnectionStatus {
    return this.#theDesk.connection;
  }

  // --- the session

  /** Logs an agent in: `Login(agent, station, password, [dialler,] [callback])`. */
  Login(
    agent: string,
    station: string,
    password: string,
    dialler?: Partial<DiallerCredentials> | Callback<null> | null,
    callback?: Callback<null>,
  ): void {
    const told = typeof dialler === "function" ? dialler : callback;
    const given = typeof dialler === "object" && dialler;
    const whole = given ? { name: "", password: "", headset: station, job: "", ...given } : null;
    const opened = this.#theDesk.logIn({ agent, station, password, dialler: whole });
    tell(
      opened.then(() => null),
      told,
    );
  }

  /** Goes on with the session of before a refresh of the page; false when there is none. */
  Resume(): boolean {
    return this.#theDesk.resume();
  }

  /** Logs the agent out; on a call, when that is over. */
  Logout(reason?: number | null, callback?: Callback<CommandResult>): void {
    this.Command({ type: "log-out", reason: reason ?? null }, callback);
  }

  /** Everything that may be seen of the agent; null when there is no session, or nothing is known yet. */
  GetState(): View | null {
    return this.#theDesk.view;
  }

  /** Asks for a mode: `ready`, `not-ready` (with a reason's code), `wrap-up`. */
  SetState(mode: AskedMode, reason?: number | null, callback?: Callback<CommandResult>): void {
    this.Command({ type: "set-mode", mode, ...(reason != null && { reason }) }, callback);
  }

  /** Asks for anything that an agent may. The callback is told when it is settled; so are the events. */
  Command(command: Command, callback?: Callback<CommandResult>): void {
    const settled = this.#theDesk.submit(command).then((result) => {
      this.#add({ type: "command-settled", result });
      if (result.outcome === "done") return result;
      throw { id: result.error || `command.${result.outcome}`, detail: result.detail, correlation: result.id };
    });
    tell(settled, callback);
  }

  // --- calls

  MakeCall(number: string, callback?: Callback<CommandResult>): void {
    this.Command({ type: "make-call", number }, callback);
  }

  /** @param call its id; without one the call that rings. */
  AnswerCall(call?: string | null, callback?: Callback<CommandResult>): void {
    this.Command({ type: "answer-call", call: call || this.#callThatIs("alerting") }, callback);
  }

  /** @param call its id; without one the call that is held by nobody. */
  HoldCall(call?: string | null, callback?: Callback<CommandResult>): void {
    this.Command({ type: "hold-call", call: call || this.#callThatIs("active") }, callback);
  }

  /** @param call its id; without one the call on hold. */
  RetrieveCall(call?: string | null, callback?: Callback<CommandResult>): void {
    this.Command({ type: "retrieve-call", call: call || this.#callThatIs("held") }, callback);
  }

  /** @param call its id; without one the call that is spoken on, or else the first. */
  HangUpCall(call?: string | null, callback?: Callback<CommandResult>): void {
    const [first] = this.GetState()?.calls || [];
    const active = this.#callThatIs("active") || (first ? first.id : "");
    this.Command({ type: "hang-up-call", call: call || active }, callback);
  }

  /** Forgets the session here, and lets go of everything; at the server it goes on until nobody comes back to it. */
  Close(): void {
    this.#desk?.forget();
    this.#desk?.dispose();
    this.#desk = null;
  }

  get #theDesk(): Desk {
    this.#desk ||= this.#makeDesk(
      { servers: this.#servers, transports: this.#transports },
      {
        view: (view) => this.#add({ type: "view-changed", view }),
        connection: (status) => this.#add({ type: "connection-changed", status }),
        message: (message) => this.#add({ type: "message-arrived", message }),
        ended: (reason, detail) => this.#add({ type: "session-ended", reason, detail }),
      },
    );
    return this.#desk;
  }

  #callThatIs(state: string): string {
    const found = this.GetState()?.calls.find((each) => each.state === state);
    return found ? found.id : "";
  }

  #add(event: UaEvent): void {
    this.#events = [...this.#events, event].slice(-EVENTS_KEPT);
    this.#ring();
  }

  /** Tells the page of the oldest event. What it does wrong is its own, and must not end our connection. */
  #ring(): void {
    const handler = this.#handler;
    if (!handler) return;
    try {
      if (handler.length === 0) (handler as () => void)();
      else handler(this.GetEvent() as UaEvent);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }
}

/** A list, or the words of a text between commas and blanks. */
function listOf(given: readonly string[] | string): string[] {
  return typeof given === "string" ? given.split(/[\s,]+/).filter((each) => each !== "") : [...given];
}

function tell<Result>(promise: Promise<Result>, callback?: Callback<Result>): void {
  promise.then(
    (result) => callback?.(null, result),
    ({ id, detail, correlation }: RequestError) => callback?.({ id, detail, correlation }, null),
  );
}

declare global {
  interface Window {
    uaserver?: Uaserver;
  }
}

window.uaserver = new Uaserver(document.currentScript as HTMLScriptElement | null);
