/** Servers at the other end of wires and requests that the test holds in its hand, and a view to begin with. */

import type { Home } from "../../client/home.js";
import type {
  Fetch,
  InstanceEntry,
  Memory,
  OpenTransport,
  Place,
  Topology,
  TransportEvents,
  View,
} from "../../client/index.js";

/** One opened transport, seen from the server. */
export class Wire {
  /** What the desktop said, parsed. */
  readonly said: Record<string, unknown>[] = [];
  closedWith: number | null = null;
  readonly openedAtMs = Date.now();
  /** Under which the server speaks. */
  term = 1;

  constructor(
    readonly server: string,
    readonly events: TransportEvents,
  ) {}

  open(): void {
    this.events.opened();
  }

  say(frame: unknown): void {
    this.events.received(JSON.stringify(frame));
  }

  drop(code = 1006): void {
    this.events.closed(code, "");
  }

  welcome(outcome: "resumed" | "snapshot", epoch = 1, seq = 1): void {
    const now = new Date().toISOString();
    const instance = this.server.slice("https://".length);
    this.say({ type: "welcome", outcome, epoch, seq, term: this.term, now, beat_s: 1, silent_s: 15, instance });
    if (outcome === "snapshot") this.snapshot(epoch, seq);
  }

  /** The whole way from an opened transport to a live connection. */
  serve(term = this.term): void {
    this.term = term;
    this.open();
    this.welcome("snapshot");
  }

  snapshot(epoch: number, seq: number, view: View = aView()): void {
    this.notice("snapshot", { view, reason: "hello" }, epoch, seq);
  }

  notice(type: string, data: unknown, epoch: number, seq: number): void {
    this.say({ epoch, seq, term: this.term, at: new Date().toISOString(), type, data });
  }

  goodbye(reason: string, next: Place | null, afterMs: number): void {
    this.say({ type: "goodbye", reason, next, after_ms: afterMs });
  }

  beat(): void {
    this.say({ type: "beat", now: new Date().toISOString() });
  }
}

/** Opens wires, and keeps them all. */
export class Wires {
  readonly all: Wire[] = [];

  readonly open: OpenTransport = (server, events) => {
    const wire = new Wire(server, events);
    this.all.push(wire);
    return {
      send: (text) => {
        wire.said.push(JSON.parse(text) as Record<string, unknown>);
        return true;
      },
      close: (code) => {
        wire.closedWith = code;
      },
    };
  };

  /** Those that were not closed from our side. */
  get alive(): readonly Wire[] {
    return this.all.filter((each) => each.closedWith === null);
  }

  get last(): Wire {
    const wire = this.all.at(-1);
    if (!wire) throw new Error("nothing was opened");
    return wire;
  }
}

/** A request that somebody made. */
export interface Asked {
  readonly atMs: number;
  readonly server: string;
  /** `POST /v1/session`, without what comes after a question mark. */
  readonly what: string;
  readonly search: string;
  readonly body: unknown;
  readonly token: string | null;
}

/** An answer by its status, body and headers; `silent` for a server that takes the request and says nothing. */
export type Reply = { status?: number; body?: unknown; retryAfter?: number } | "silent";

/** Servers that answer requests. One that was told nothing refuses the connection. */
export class Http {
  readonly asked: Asked[] = [];
  readonly #replies = new Map<string, Reply | ((asked: Asked) => Reply)>();

  /** How a server answers a request such as `POST /v1/session` from now on. */
  on(server: string, what: string, reply: Reply | ((asked: Asked) => Reply)): void {
    this.#replies.set(`${server} ${what}`, reply);
  }

  /** Takes the connection and says nothing, whatever is asked. */
  freeze(server: string): void {
    this.on(server, "*", "silent");
  }

  /** What was asked, as `server METHOD path`. */
  get list(): readonly string[] {
    return this.asked.map(({ server, what }) => `${server} ${what}`);
  }

  readonly fetch: Fetch = (address, init) => {
    const { origin, pathname, search } = new URL(address, "https://page");
    const headers = new Headers(init.headers);
    const asked: Asked = {
      atMs: Date.now(),
      server: origin,
      what: `${init.method} ${pathname}`,
      search,
      body: init.body === undefined ? null : (JSON.parse(String(init.body)) as unknown),
      token: headers.get("Authorization"),
    };
    this.asked.push(asked);
    const reply = this.#replies.get(`${origin} ${asked.what}`) ?? this.#replies.get(`${origin} *`);
    if (!reply) return Promise.reject(new TypeError("refused"));
    const told = typeof reply === "function" ? reply(asked) : reply;
    if (told !== "silent") return Promise.resolve(responseOf(told));
    return new Promise((_, reject) => {
      init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  };
}

function responseOf({ status = 200, body = null, retryAfter }: Exclude<Reply, "silent">): Response {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Problem details, as a server refuses a request with. */
export function refusal(status: number, id: string, next: Place | null = null): Reply {
  const retry = status === 421 || status === 503 ? "elsewhere" : "never";
  return { status, body: { status, id, detail: "", retry, correlation: "", next } };
}

/** What a login or a resume is answered with. */
export function opened(name: string): Reply {
  return { body: { session: "s-1", token: `token-${name}`, ticket: `ticket-${name}`, now: new Date().toISOString() } };
}

export function place(name: string): Place {
  return { id: name, url: `https://${name}` };
}

/** Ready instances `a`, `b`, … of datacentre `east`, unless said otherwise. */
export function aTopology(
  instances: readonly (string | Partial<InstanceEntry>)[],
  news: Partial<Topology> = {},
): Topology {
  const entries = instances.map((each): InstanceEntry => {
    const told = typeof each === "string" ? { id: each } : each;
    const { id = "" } = told;
    return { url: `https://${id}`, id, datacentre: "east", state: "ready", weight: 1, ...told };
  });
  return {
    cluster: "c",
    epoch: 1,
    version: 1,
    active: "east",
    reconnect_window_ms: 2_000,
    instances: entries,
    ...news,
  };
}

export function aHome(news: Partial<Home> = {}): Home {
  const home = { session: "s-1", agent: "1001", server: "https://a", token: "token-a", ticket: "ticket-a", term: 0 };
  return { ...home, ...news };
}

export class FakeMemory implements Memory {
  readonly kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }
  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

/** An agent who is not ready, with no call and no dialler. */
export function aView(news: Partial<View> = {}): View {
  const link = { state: "up", name: "aes-1", lost: null, trouble: "", detail: "" } as const;
  return {
    session: {
      agent: "1001",
      station: "2001",
      phase: "active",
      presence: "connected",
      opened: "2026-01-01T00:00:00.000Z",
      uses_dialler: false,
      closing: "",
    },
    agent: {
      mode: "not-ready",
      switch_mode: "not-ready",
      reason: null,
      cause: "",
      since: "2026-01-01T00:00:00.000Z",
      known: true,
      asked: null,
      pending: [],
    },
    calls: [],
    dialler: {
      stage: "off",
      step: "",
      dialler: null,
      headset: "none",
      job: null,
      wanted_job: null,
      take_items: false,
      since: "2026-01-01T00:00:00.000Z",
      known: false,
      trouble: "",
      detail: "",
    },
    jobs: { list: [], keys: [] },
    item: null,
    left_item: null,
    links: { telephony: link, dialler: { ...link, state: "unused", name: null } },
    login: { steps: [], turn_at: null },
    messages: [],
    blocked: {},
    ...news,
  };
}
