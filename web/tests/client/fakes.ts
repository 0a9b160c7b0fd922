/** A server at the other end of a wire that the test holds in its hand, and a view to begin with. */

import type { Memory, OpenTransport, TransportEvents, View } from "../../client/index.js";

/** One opened transport, seen from the server. */
export class Wire {
  /** What the desktop said, parsed. */
  readonly said: Record<string, unknown>[] = [];
  closedWith: number | null = null;

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
    this.say({ type: "welcome", outcome, epoch, seq, now: new Date().toISOString(), beat_s: 2, silent_s: 15 });
    if (outcome === "snapshot") this.snapshot(epoch, seq);
  }

  snapshot(epoch: number, seq: number, view: View = aView()): void {
    this.notice("snapshot", { view, reason: "hello" }, epoch, seq);
  }

  notice(type: string, data: unknown, epoch: number, seq: number): void {
    this.say({ epoch, seq, at: new Date().toISOString(), type, data });
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

  get last(): Wire {
    const wire = this.all.at(-1);
    if (!wire) throw new Error("nothing was opened");
    return wire;
  }
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
