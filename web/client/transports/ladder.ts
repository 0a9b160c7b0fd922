/**
 * Which way gets through: the best one first, and the next when a way cannot be had though the server is there.
 *
 *   websocket ──▶ stream ──▶ poll ──▶ jsonp
 *
 * A rung is left only for a reason that lies in it: it brought no frame, and the server answers a plain request at the
 * same time. Of a server that is gone nothing is learned. What got through is remembered for an hour for that server, or
 * until there is another network; then the best is tried again.
 */

import type { Memory } from "../servers.js";
import { Timer } from "../timer.js";
import type { OpenTransport, Transport, TransportEvents } from "./transport.js";
import type { TransportName } from "./ways.js";

export interface Rung {
  readonly name: TransportName;
  readonly open: OpenTransport;
  /** Not open for this long, or open without a frame: then the server is asked plainly whether it is there, ms. */
  readonly openMs: number;
  readonly frameMs: number;
}

/** How long what got through is used without looking for better, ms. */
export const REMEMBERED_MS = 3_600_000;

/** A server that did not answer a plain request while a way is silent is asked again after this, ms. */
const ASK_AGAIN_MS = 1_000;

const KEPT_AS = "unified-agent.transports";

/** By server: the rung that got through, and until when that counts, ms since 1970. */
type Kept = Record<string, { readonly name: string; readonly untilMs: number }>;

export class Ladder {
  readonly #rungs: readonly Rung[];
  readonly #memory: Memory | null;
  readonly #isThere: (names: readonly TransportName[], server: string) => Promise<boolean>;

  /** @param isThere says whether a server answers a plain request. */
  constructor(rungs: readonly Rung[], memory: Memory | null, isThere: Ladder["isThere"]) {
    this.#rungs = rungs;
    this.#memory = memory;
    this.#isThere = isThere;
  }

  get isThere(): (names: readonly TransportName[], server: string) => Promise<boolean> {
    return this.#isThere;
  }

  /** Opens the best of the named ways that gets through. */
  open(names: readonly TransportName[], server: string, events: TransportEvents): Transport {
    const rungs = this.#rungs.filter(({ name }) => names.includes(name));
    const first = Math.max(0, rungs.indexOf(this.rungAt(names, server) as Rung));
    return new Descent(rungs, first, server, events, {
      isThere: () => this.#isThere(names, server),
      gotThrough: (name) => this.#keep(server, rungs[0] && name !== rungs[0].name ? name : ""),
    });
  }

  /** The rung to begin with at a server. */
  rungAt(names: readonly TransportName[], server: string): Rung | undefined {
    const rungs = this.#rungs.filter(({ name }) => names.includes(name));
    const kept = this.#kept()[server];
    const isGood = kept !== undefined && kept.untilMs > Date.now();
    return (isGood && rungs.find(({ name }) => name === kept.name)) || rungs[0];
  }

  /** Forgets what got through. */
  forget(): void {
    this.#memory?.removeItem(KEPT_AS);
  }

  #kept(): Kept {
    try {
      return (JSON.parse(this.#memory?.getItem(KEPT_AS) || "{}") as Kept | null) || {};
    } catch {
      return {};
    }
  }

  /** @param name empty when nothing need be remembered. */
  #keep(server: string, name: string): void {
    const kept = this.#kept();
    const old = kept[server];
    if (old === undefined ? name === "" : old.name === name && old.untilMs > Date.now()) return;
    delete kept[server];
    if (name !== "") kept[server] = { name, untilMs: Date.now() + REMEMBERED_MS };
    try {
      this.#memory?.setItem(KEPT_AS, JSON.stringify(kept));
    } catch {
      // storage is full or forbidden: it is found out again
    }
  }
}

interface Descended {
  isThere(): Promise<boolean>;
  gotThrough(name: TransportName): void;
}

/** One transport for the connection, whatever carries it in the end. */
class Descent implements Transport {
  readonly #rungs: readonly Rung[];
  readonly #server: string;
  readonly #events: TransportEvents;
  readonly #world: Descended;
  readonly #doubt = new Timer(() => void this.#ask(0));
  #place: number;
  /** Counts what was opened: what an earlier one still says is not heard. */
  #turn = 0;
  #transport: Transport | null = null;
  #repeated = false;
  /** A frame has come: from now on its end is the connection's. */
  #proven = false;

  constructor(rungs: readonly Rung[], first: number, server: string, events: TransportEvents, world: Descended) {
    this.#rungs = rungs;
    this.#place = first;
    this.#server = server;
    this.#events = events;
    this.#world = world;
    if (rungs.length > 0) this.#begin();
    else queueMicrotask(() => this.#finish(1006, ""));
  }

  get quietMs(): number {
    return this.#transport?.quietMs || 0;
  }

  send(text: string): boolean {
    return this.#transport !== null && this.#transport.send(text);
  }

  close(code: number, reason: string): void {
    this.#leave(code, reason);
  }

  #begin(): void {
    this.#leave(1000, "");
    const turn = this.#turn;
    const { open, name, openMs, frameMs } = this.#rungs[this.#place] as Rung;
    const isHeard = (): boolean => turn === this.#turn;
    this.#doubt.start(openMs);
    this.#transport = open(this.#server, {
      opened: () => {
        if (!isHeard()) return;
        this.#doubt.start(frameMs);
        this.#events.opened();
      },
      received: (text) => {
        if (!isHeard()) return;
        if (!this.#proven) {
          this.#proven = true;
          this.#doubt.stop();
          this.#world.gotThrough(name);
        }
        this.#events.received(text);
      },
      closed: (code, reason) => {
        if (!isHeard()) return;
        // What the server itself says about an end is no fault of the way.
        const isWordless = code > 1_001 && code < 1_012;
        if (this.#proven || !isWordless) this.#finish(code, reason);
        else void this.#ask(code);
      },
    });
  }

  /** Finds out whether it is the way or the server that fails. @param code of the end; 0 while there is only silence. */
  async #ask(code: number): Promise<void> {
    const turn = this.#turn;
    this.#doubt.stop();
    const isThere = await this.#world.isThere();
    if (turn !== this.#turn || (this.#proven && code === 0)) return;
    if (!isThere) {
      if (code !== 0) this.#finish(code, "");
      else this.#doubt.start(ASK_AGAIN_MS); // of silence the connection makes an end itself, if nobody else does
    } else if (code !== 0 && !this.#repeated) {
      this.#repeated = true; // a server that is just starting refuses one request and takes the next
      this.#begin();
    } else if (this.#place + 1 < this.#rungs.length) {
      this.#place += 1;
      this.#repeated = false;
      this.#begin();
    } else if (code !== 0) {
      this.#finish(code, "");
    }
  }

  #finish(code: number, reason: string): void {
    this.#leave(code, reason);
    this.#events.closed(code, reason);
  }

  /** Lets go of what is open now. */
  #leave(code: number, reason: string): void {
    this.#turn += 1;
    this.#doubt.stop();
    this.#transport?.close(code, reason);
    this.#transport = null;
  }
}
