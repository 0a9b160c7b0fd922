/**
 * One search for a server that serves the session: through all of them once, and a line is live or none is to be had.
 *
 * The server that knows our token is spoken to at once. Every other must first take the session over, which costs the
 * agent a login at the switch: so only one is asked for that at a time, and only when it has just shown that it is
 * there. Seeing who is there is the race, `race.ts`; it does no harm, so two are asked together.
 *
 *   race: hello at home ── live ─────────────────────────────────────────────▶ found
 *         "are you there?" elsewhere ── yes ──▶ resume there ──▶ hello ── live ──▶ found
 *                 ▲                               │ 421: at the next, 3 times at most
 *                 └──────── another fault ◀───────┤
 *                                                 └ 401, 409, 410, 423 ──▶ refused
 */

import type { Envelope, ServerFrame } from "./frames.js";
import type { Home, HomeKeeper } from "./home.js";
import { Line, type LineEvents, type LineWorld, type Loss } from "./line.js";
import { Race } from "./race.js";
import { CloseCode, ConnectionReason, isFinal } from "./reasons.js";
import type { RequestError, Rest } from "./rest.js";
import type { Servers } from "./servers.js";
import type { Chance } from "./timer.js";

/** How often in a row one server may send us on to another. */
export const HOPS_LIMIT = 3;

/** What a search needs of its surroundings. */
export interface SearchWorld extends LineWorld {
  readonly servers: Servers;
  readonly rest: Rest;
  readonly keeper: HomeKeeper;
  readonly chance: Chance;
}

export interface SearchEvents {
  /** A server is being tried; with `hello` it has been spoken to. */
  trying(server: string, hello: boolean): void;
  /** A frame came before a line was live. */
  frame(line: Line, frame: ServerFrame): void;
  /** A line is live; the search is over. */
  found(line: Line, snapshot: Envelope | null): void;
  /** All have been tried; the search is over. The reason is that of the last. */
  failed(reason: ConnectionReason): void;
  /** Nobody will have this session; the search is over. */
  refused(loss: Loss): void;
}

/** Refusals of a resume after which there is no way to this session. */
const FINAL: Readonly<Partial<Record<number, ConnectionReason>>> = {
  401: ConnectionReason.TicketRefused,
  409: ConnectionReason.TicketRefused,
  410: ConnectionReason.SessionEnded,
  423: ConnectionReason.TakenOver,
};

export class Search {
  readonly #world: SearchWorld;
  readonly #events: SearchEvents;
  /** Had their turn in this search. */
  readonly #tried: Set<string>;
  /** Were asked to take the session over. */
  readonly #asked = new Set<string>();
  readonly #race = new Race({
    next: () => this.#next(),
    begin: (server) => this.#begin(server),
    exhausted: () => this.#finish(() => this.#events.failed(this.#reason)),
  });
  /** Is there, and waits for the end of the try at home: home costs no login, and is well as others say. */
  #reserve = "";
  #hops = 0;
  #line: Line | null = null;
  #reason: ConnectionReason = ConnectionReason.OpenFailed;
  #over = false;

  /** @param without a server that is not to be tried: the one that we are to leave. */
  constructor(world: SearchWorld, events: SearchEvents, without = "") {
    this.#world = world;
    this.#events = events;
    this.#tried = new Set([without]);
  }

  /** @param at a server that has been named to us, and is to be asked before all others. */
  start(at = ""): void {
    if (at === "" || this.#home.server === at) this.#race.go();
    else this.#take(at);
  }

  stop(): void {
    this.#finish(() => undefined);
  }

  get #home(): Home {
    return this.#world.keeper.home;
  }

  #next(): string | null {
    const { server, ticket } = this.#home;
    if (server !== "" && !this.#tried.has(server)) return server;
    return ticket === "" ? null : this.#world.servers.next(this.#tried);
  }

  /** Begins a try of the race; returns what gives it up. */
  #begin(server: string): () => void {
    this.#try(server);
    if (server === this.#home.server) {
      const line = this.#open();
      return () => line.close(CloseCode.Normal);
    }
    const stopper = new AbortController();
    this.#world.rest.topology(server, { limitMs: this.#world.settings.openLimitMs, stopper }).then(
      (topology) => {
        this.#world.servers.learn(topology);
        if (this.#race.has(server)) this.#isThere(server);
      },
      (error: RequestError) => {
        if (this.#race.has(server)) this.#failedAt(server, error);
      },
    );
    return () => stopper.abort();
  }

  #try(server: string): void {
    this.#tried.add(server);
    this.#world.servers.trying(server);
    this.#events.trying(server, this.#line !== null && this.#line.saidHello);
  }

  /** Another server than our own is there. */
  #isThere(server: string): void {
    const { server: home } = this.#home;
    if (this.#race.has(home) && this.#world.servers.instanceAt(home).state === "ready") {
      this.#reserve = server;
      this.#race.stop(home);
    } else {
      this.#take(server);
    }
  }

  /** Has a server take the session over, and nobody else meanwhile. */
  #take(server: string): void {
    for (const givenUp of [...this.#race.stop(), this.#reserve]) this.#tried.delete(givenUp);
    this.#reserve = "";
    this.#asked.add(server);
    this.#try(server);
    const { ticket, token } = this.#home;
    this.#world.rest.resume(server, ticket, token, this.#world.settings.helloLimitMs).then(
      ({ session, token, ticket }) => {
        if (this.#over) return;
        this.#world.keeper.settle({ server, session, token, ticket });
        this.#open();
      },
      (error: RequestError) => {
        if (!this.#over) this.#notTaken(server, error);
      },
    );
  }

  #notTaken(server: string, error: RequestError): void {
    const { status, id, detail, retry, next } = error;
    const final = FINAL[status];
    if (final !== undefined && retry === "never") {
      // Of a session that has ended the detail is the reason; one that was taken over has not ended.
      const cause = final === ConnectionReason.SessionEnded ? detail : final === ConnectionReason.TakenOver ? "" : id;
      this.#finish(() => this.#events.refused({ reason: final, cause, detail }));
    } else if (status === 421) {
      this.#reason = id === "datacentre.passive" ? ConnectionReason.PassiveDatacentre : ConnectionReason.SessionMoved;
      this.#hops += 1;
      const elsewhere = next && this.#hops <= HOPS_LIMIT ? this.#world.servers.suggest(next.url) : server;
      if (this.#tried.has(elsewhere)) this.#race.go();
      else this.#take(elsewhere);
    } else {
      this.#failedAt(server, error);
    }
  }

  /** Opens a line to where the session is. */
  #open(): Line {
    const home = this.#home;
    const { server } = home;
    const events: LineEvents = {
      opened: () => this.#events.trying(server, true),
      heard: () => undefined,
      frame: (frame) => this.#events.frame(line, frame),
      live: (snapshot) => this.#finish(() => this.#events.found(line, snapshot), line),
      lost: (loss) => this.#lineLost(loss, home),
    };
    const line = new Line(home, this.#world, events);
    this.#line = line;
    return line;
  }

  #lineLost(loss: Loss, home: Home): void {
    this.#line = null;
    const { reason } = loss;
    if (reason === ConnectionReason.SessionMoved) {
      this.#world.keeper.settle({ server: "" });
      // It has just answered, and if the session is elsewhere it knows where.
      if (!this.#asked.has(home.server)) {
        this.#take(home.server);
        return;
      }
    } else if (isFinal(reason)) {
      this.#finish(() => this.#events.refused(loss));
      return;
    }
    this.#world.servers.failed(home.server);
    this.#goOn(home.server, reason);
  }

  #failedAt(server: string, { retryAfterMs }: RequestError): void {
    const { servers, chance } = this.#world;
    if (retryAfterMs === null) {
      servers.failed(server);
    } else {
      // A quarter more or less: all who were sent away together must not come back together.
      servers.busy(server, retryAfterMs * (0.75 + chance() / 2));
    }
    this.#goOn(server, retryAfterMs === null ? ConnectionReason.OpenFailed : ConnectionReason.Busy);
  }

  #goOn(server: string, reason: ConnectionReason): void {
    this.#reason = reason;
    if (this.#reserve !== "") this.#take(this.#reserve);
    else if (this.#race.has(server)) this.#race.lost(server);
    else this.#race.go();
  }

  /** Gives up all but one line, and tells. */
  #finish(tell: () => void, except: Line | null = null): void {
    if (this.#over) return;
    this.#over = true;
    this.#race.stop(except ? except.home.server : "");
    if (this.#line !== except) this.#line?.close(CloseCode.Normal);
    this.#line = null;
    tell();
  }
}
