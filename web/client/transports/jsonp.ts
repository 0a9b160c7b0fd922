/**
 * The desktop protocol by script elements, the last resort: a long poll whose answers are scripts that call us back.
 *
 * An address is seen by many, so none carries the session's token: a short one is fetched by POST, is good for minutes and
 * for nothing else, and is renewed by the answers. Each command has a number that the server gave for one use, so that
 * whoever finds an address cannot do a thing with it.
 */

import { openAtOnce, post, type ClosedWords, type HelloWords } from "./post.js";
import { GRACE_MS, HOLD_S, MISSES_LIMIT } from "./poll.js";
import { ADDRESS_LIMIT, addressOf, askByScript, whenLoaded, type Questions } from "./script.js";
import type { OpenTransport, Transport, TransportEvents } from "./transport.js";

/** Any request that is not held, ms. */
const REQUEST_LIMIT_MS = 5_000;

/** The page may take so long to load before the first request that is held, ms: notices matter more than its `load`. */
const LOAD_LIMIT_MS = 8_000;

/** Commands that may wait for their turn. */
const WAITING_LIMIT = 64;

/** How often one command is sent, at most: its answer is lost, or its number was. */
const TRIES_LIMIT = 3;

/** What every answer is. */
export interface Told {
  readonly ok: boolean;
  readonly error?: { readonly id: string; readonly status: number; readonly detail: string };
  readonly events?: readonly unknown[];
  readonly reply?: number;
  readonly hold_s?: number;
  readonly next_token?: string;
  readonly next_nonce?: string;
  readonly result?: unknown;
  readonly closed?: ClosedWords | null;
}

/** What a refusal means for the whole connection, as the close code that a WebSocket would have had. */
const ENDINGS: Readonly<Record<string, number>> = {
  "session.unknown": 4401,
  "taken-over": 4409,
  "session.ended": 4410,
  "session.moved": 4420,
};

interface Asked {
  readonly id: string;
  readonly command: { readonly type: string };
  tries: number;
  nonce: string;
}

/** Connections that are open, by server: what is asked beside the stream goes with their tokens. */
const open = new Map<string, JsonpTransport>();

export const openJsonp: OpenTransport = (server, events) => new JsonpTransport(server, events);

/** The connection to a server; none when there is none open. */
export function openedJsonp(server: string): JsonpTransport | undefined {
  return open.get(server);
}

export class JsonpTransport implements Transport {
  readonly #server: string;
  readonly #told: ReturnType<typeof openAtOnce>;
  readonly #stopper = new AbortController();
  readonly #waiting: Asked[] = [];
  #hello: HelloWords | null = null;
  /** The short token. */
  #token = "";
  /** For the next command; empty while the last has been used and no answer has brought another. */
  #nonce = "";
  #holdMs = HOLD_S * 1_000;
  #busy = false;

  constructor(server: string, events: TransportEvents) {
    this.#server = server;
    this.#told = openAtOnce(events);
  }

  get quietMs(): number {
    return this.#holdMs;
  }

  send(text: string): boolean {
    const said = JSON.parse(text) as { type: string } & HelloWords & Asked;
    if (said.type === "hello") {
      this.#hello = said;
      void this.#run(said);
    } else if (said.type === "command") {
      if (this.#told.isOver() || this.#waiting.length >= WAITING_LIMIT) return false;
      this.#waiting.push({ id: said.id, command: said.command, tries: 0, nonce: "" });
      void this.#work();
    }
    return true; // a beat need not be said: a poll is one
  }

  close(): void {
    this.#told.silence();
    this.#end();
  }

  /** How a command stands, or by `resolve` what became of one that another instance was asked. */
  async standing(what: "outcome" | "resolve", id: string, command: unknown, signal: AbortSignal): Promise<Told | null> {
    const asked = { id, ...(what === "resolve" && { command: JSON.stringify(command), nonce: this.#takeNonce() }) };
    return this.#ask(what, asked, REQUEST_LIMIT_MS, signal);
  }

  #end(code?: number, reason?: string): void {
    this.#stopper.abort();
    if (open.get(this.#server) === this) open.delete(this.#server);
    this.#told.closed(code, reason);
  }

  async #run({ epoch, seq }: HelloWords): Promise<void> {
    if (!(await this.#renew())) return;
    open.set(this.#server, this);
    let ack = 0;
    for (let misses = 0, renewals = 0; misses < MISSES_LIMIT && !this.#told.isOver(); ) {
      if (ack !== 0) await whenLoaded(LOAD_LIMIT_MS);
      const position = ack === 0 ? { epoch: epoch ?? "", seq: seq ?? "" } : {};
      const told = await this.#ask("poll", { ack, ...position }, this.#holdMs + GRACE_MS);
      if (told === null) {
        misses += 1;
      } else if (told.ok) {
        [ack, misses, renewals] = [told.reply ?? ack, 0, 0];
        for (const event of told.events || []) this.#told.received(JSON.stringify(event));
        if (told.closed) this.#end(told.closed.code, told.closed.reason);
      } else if (told.error?.id === "jsonp.token" && renewals === 0) {
        renewals += 1;
        if (!(await this.#renew())) return;
      } else {
        this.#end(ENDINGS[told.error?.id || ""], told.error?.id);
      }
    }
    this.#end();
  }

  /** Gets a short token for the session's. False when that is the end. */
  async #renew(): Promise<boolean> {
    const { token, client } = this.#hello as HelloWords;
    const ask = { token, limitMs: REQUEST_LIMIT_MS, stopper: this.#stopper };
    const { status, body } = await post(`${this.#server}/v1/session/jsonp`, JSON.stringify({ client }), ask);
    const told = (body || {}) as { token?: string; nonce?: string; hold_s?: number; id?: string };
    if (status === 200 && told.token) {
      this.#learn({ next_token: told.token, next_nonce: told.nonce ?? "", ...told, ok: true });
      return !this.#told.isOver();
    }
    this.#end(ENDINGS[told.id || ""], told.id);
    return false;
  }

  async #ask(what: string, asked: Questions, limitMs: number, signal = this.#stopper.signal): Promise<Told | null> {
    const told = (await askByScript(`${this.#server}/v1/jsonp/${what}`, this.#signed(asked), limitMs, signal)) as Told;
    if (told === null || typeof told !== "object") return null;
    this.#learn(told);
    return told;
  }

  #signed(asked: Questions): Questions {
    return { client: this.#hello?.client ?? "", token: this.#token, ...asked };
  }

  #learn({ next_token, next_nonce, hold_s }: Told): void {
    if (next_token) this.#token = next_token;
    if (hold_s) this.#holdMs = hold_s * 1_000;
    if (!next_nonce) return;
    this.#nonce = next_nonce;
    void this.#work();
  }

  #takeNonce(): string {
    const nonce = this.#nonce;
    this.#nonce = "";
    return nonce;
  }

  /** Sends what waits, one after another. */
  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let asked = this.#ready(); asked; asked = this.#ready()) {
      asked.tries += 1;
      const { id, nonce } = asked;
      const questions = { nonce, id, command: JSON.stringify(asked.command) };
      const url = `${this.#server}/v1/jsonp/command`;
      const isTooLong = addressOf(url, this.#signed(questions)).length > ADDRESS_LIMIT;
      const told = isTooLong ? TOO_LONG : await this.#ask("command", questions, REQUEST_LIMIT_MS);
      const isUnheard = told === null || told.error?.id === "jsonp.nonce" || told.error?.id === "jsonp.token";
      if (told?.error && isUnheard) asked.nonce = ""; // nothing was done: with another number it may be
      if (isUnheard && asked.tries < TRIES_LIMIT) continue;
      this.#waiting.shift();
      if (told) this.#answered(asked, told);
    }
    this.#busy = false;
  }

  /** The next command, with its number; undefined when there is none. */
  #ready(): Asked | undefined {
    const [asked] = this.#told.isOver() ? [] : this.#waiting;
    if (asked && asked.nonce === "") asked.nonce = this.#takeNonce();
    return asked && asked.nonce !== "" ? asked : undefined;
  }

  #answered({ id, command }: Asked, { ok, result, error }: Told): void {
    const refused = { outcome: "refused", error: error?.id, detail: error?.detail ?? "" };
    const answer = { ...(ok ? (result as object) : refused), type: "answer", id, command_type: command.type };
    this.#told.received(JSON.stringify(answer));
  }
}

/** What the server would say of an address that does not reach it whole. */
const TOO_LONG: Told = { ok: false, error: { id: "jsonp.too-long", status: 414, detail: "" } };
