/** The whole library at a page, against several servers. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason, Desk, type ConnectionStatus, type View } from "../../client/index.js";
import { aTopology, aView, FakeMemory, Http, opened, place, refusal, Wires, type Reply } from "./fakes.js";

const CREDENTIALS = { agent: "1001", station: "2001", password: "secret", dialler: null };
const LOGIN = "POST /v1/session";
const RESUME = "POST /v1/session/resume";

let wires: Wires;
let http: Http;
let memory: FakeMemory;
let longMemory: FakeMemory;
let views: (View | null)[];
let statuses: ConnectionStatus[];
let ends: string[];
let desks: Desk[];

beforeEach(() => {
  vi.useFakeTimers();
  wires = new Wires();
  http = new Http();
  memory = new FakeMemory();
  longMemory = new FakeMemory();
  views = [];
  statuses = [];
  ends = [];
  desks = [];
  there("a");
});
afterEach(() => {
  for (const desk of desks) desk.dispose();
  vi.useRealTimers();
});

function desk(...servers: string[]): Desk {
  const made = new Desk(
    {
      servers: servers.map((name) => `https://${name}`),
      openTransport: wires.open,
      memory,
      longMemory,
      chance: () => 0,
      fetch: http.fetch,
    },
    {
      view: (view) => views.push(view),
      connection: (status) => statuses.push(status),
      ended: (reason) => ends.push(reason),
    },
  );
  desks.push(made);
  return made;
}

function there(name: string, resume: Reply = opened(name)): void {
  const server = `https://${name}`;
  http.on(server, "GET /v1/topology", { body: aTopology(["a", "b"], { version: 2 }) });
  http.on(server, LOGIN, opened(name));
  http.on(server, RESUME, resume);
}

/** Logged in at `a`, which has told of `b`. */
async function atA(): Promise<Desk> {
  const made = desk("a");
  await made.logIn(CREDENTIALS);
  wires.last.serve();
  wires.last.say({ type: "topology", ...aTopology(["a", "b"], { version: 2 }) });
  there("b");
  return made;
}

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** The server that we are on goes, and cannot be reached again. */
async function loseA(): Promise<void> {
  wires.last.drop();
  await settle();
  wires.last.drop();
  await settle();
}

describe("logging in", () => {
  test("goes where the agent's session is, and connects there", async () => {
    http.on("https://a", LOGIN, refusal(421, "instance.elsewhere", place("b")));
    there("b");
    await desk("a").logIn(CREDENTIALS);
    wires.last.open();
    expect(wires.last.server).toBe("https://b");
    expect(wires.last.said[0]).toMatchObject({ token: "token-b" });
  });

  test("tells which server is being asked while it goes from one to the next", async () => {
    there("b");
    http.on("https://b", "GET /v1/config", { body: { now: new Date().toISOString() } });
    await desk("gone", "b").config();
    expect(statuses.slice(0, 2).map(({ state, server }) => [state, server])).toEqual([
      ["waiting", "https://gone"],
      ["waiting", "https://b"],
    ]);
  });

  test("is not mixed up with what the page asks of a server while it is connected", async () => {
    const made = await atA();
    http.on("https://a", "GET /v1/config", { status: 503 });
    http.on("https://b", "GET /v1/config", { body: { now: new Date().toISOString() } });
    await made.config();
    expect(made.connection).toMatchObject({ state: "live", server: "https://a", instance: "a" });
  });

  test("finds another instance when the page's own server is gone", async () => {
    (await atA()).forget();
    there("b");
    http.on("https://a", LOGIN, { status: 502 });
    await desk("a").logIn(CREDENTIALS);
    expect(wires.last.server).toBe("https://b");
  });
});

describe("when the instance is gone", () => {
  test("the session goes on at another, with a fresh view", async () => {
    const made = await atA();
    await loseA();
    expect(http.asked.at(-1)).toMatchObject({ what: RESUME, body: { ticket: "ticket-a", token: "token-a" } });
    wires.last.open();
    expect(wires.last.said[0]).toMatchObject({ token: "token-b", epoch: null, seq: null });
    wires.last.term = 2;
    wires.last.welcome("snapshot", 1, 1);
    expect(made.connection).toMatchObject({ state: "live", reason: ConnectionReason.Moved });
    expect(made.connection).toMatchObject({ movedFrom: "a", instance: "b" });
    expect(views.at(-1)).toEqual(aView());
    expect(made.topology?.instances).toHaveLength(2);
  });

  test("what the other instance does not know yet is shown as such", async () => {
    await atA();
    const grey = aView({ agent: { ...aView().agent, known: false } });
    await loseA();
    wires.last.open();
    wires.last.term = 2;
    wires.last.snapshot(1, 1, grey);
    expect(views.at(-1)).toEqual(grey);
  });

  test("the last view stays to be shown until there is another", async () => {
    const made = await atA();
    await loseA();
    expect(made.view).toEqual(aView());
    expect(views).not.toContain(null);
  });

  test("the stream of the same server under a new token begins anew as well", async () => {
    await atA();
    wires.last.notice("blocked-changed", { blocked: {} }, 1, 2);
    there("a", { body: { session: "s-1", token: "another", ticket: "t", now: "" } });
    wires.last.drop(4401);
    await settle();
    wires.last.open();
    expect(wires.last.server).toBe("https://a");
    expect(wires.last.said[0]).toMatchObject({ token: "another", epoch: null, seq: null });
  });

  test("what was asked is found out about there", async () => {
    const made = await atA();
    const result = made.submit({ type: "make-call", number: "123" });
    const { id } = wires.last.said.at(-1) as { id: string };
    const resolve = `POST /v1/session/commands/${id}/resolve`;
    http.on("https://b", resolve, { body: { id, type: "make-call", outcome: "unknown", error: "", detail: "" } });
    await loseA();
    wires.last.serve(2);
    await settle();
    expect(http.asked.at(-1)).toMatchObject({
      server: "https://b",
      what: resolve,
      token: "Bearer token-b",
      body: { command: { type: "make-call", number: "123" } },
    });
    const settled = { command: id, command_type: "make-call", outcome: "done", error: "", detail: "" };
    wires.last.notice("command-settled", settled, 1, 2);
    await expect(result).resolves.toMatchObject({ outcome: "done" });
    expect(wires.last.said.filter(({ type }) => type === "command")).toEqual([]);
  });

  test("a refresh of the page meanwhile goes on with ticket and token", async () => {
    await atA();
    wires.last.drop(4420);
    there("a", { status: 503 });
    desks[0]?.dispose();
    expect(desk("a").resume()).toBe(true);
    await settle(1_000);
    wires.last.serve(2);
    expect(wires.last.server).toBe("https://b");
  });

  test("the ticket that came last is the one that is used", async () => {
    await atA();
    wires.last.say({ type: "ticket", ticket: "fresh" });
    await loseA();
    expect(http.asked.at(-1)?.body).toEqual({ ticket: "fresh", token: "token-a" });
  });
});

describe("a planned move", () => {
  test("shows the page the new view and never that there was none", async () => {
    const made = await atA();
    const before = statuses.length;
    wires.last.goodbye("move", place("b"), 4_000);
    await settle();
    wires.last.open();
    wires.last.term = 2;
    wires.last.welcome("snapshot", 1, 1);
    expect(new Set(statuses.slice(before).map(({ state }) => state))).toEqual(new Set(["live"]));
    expect(made.connection).toMatchObject({ nothingLost: true, movedFrom: "a" });
    expect(views).not.toContain(null);
  });

  test("keeps the view while the new instance does not know better, 2 s at most", async () => {
    const made = await atA();
    const grey = aView({ agent: { ...aView().agent, known: false } });
    const known = aView({ blocked: { "make-call": "call-active" } });
    wires.last.goodbye("move", place("b"), 4_000);
    await settle();
    const fresh = wires.last;
    const seen = (): (View | null)[] => views.splice(0);
    seen();
    fresh.open();
    fresh.term = 2;
    fresh.say({ type: "welcome", outcome: "snapshot", epoch: 1, seq: 1, term: 2, now: "", instance: "b" });
    fresh.snapshot(1, 1, grey);
    expect(made.connection).toMatchObject({ state: "live", instance: "b" });
    expect(made.view).toEqual(aView());
    fresh.notice("message-arrived", { message: { text: "hello", sender: "s", at: "" } }, 1, 2);
    expect(seen()).toEqual([]);
    fresh.snapshot(2, 1, known);
    expect(seen()).toEqual([known]);
    expect(made.view).toEqual(known);
    fresh.snapshot(3, 1, grey);
    expect(seen()).toEqual([grey]); // what comes later is what it is
  });

  test("shows what the new instance has when that takes longer", async () => {
    await atA();
    const grey = aView({ agent: { ...aView().agent, known: false } });
    wires.last.goodbye("move", place("b"), 4_000);
    await settle();
    wires.last.open();
    wires.last.term = 2;
    wires.last.snapshot(1, 1, grey);
    await settle(1_999);
    wires.last.beat();
    expect(views.at(-1)).toEqual(aView());
    await settle(1);
    expect(views.at(-1)).toEqual(grey);
  });

  test("has what is open found out about at the new instance", async () => {
    const made = await atA();
    void made.submit({ type: "make-call", number: "123" });
    wires.last.goodbye("move", place("b"), 4_000);
    await settle();
    wires.last.serve(2);
    await settle();
    expect(http.list.at(-1)).toMatch(/^https:\/\/b POST .*\/resolve$/);
  });
});

describe("the end", () => {
  test.each([
    [401, "ticket.invalid", "The ticket is not good here", "ticket.invalid"],
    [410, "session.ended", "switch.wrong-password", "switch.wrong-password"],
    [410, "session.ended", "", "session.ended"],
    [409, "station.in-use", "1002 is there", "station.in-use"],
  ])("a resume refused with %i %s (%s) is told as %s, and the session forgotten", async (status, id, detail, told) => {
    await atA();
    there("b", { status, body: { id, detail, retry: "never" } });
    await loseA();
    expect(ends).toEqual([told]);
    expect(memory.kept.size).toBe(0);
    expect(vi.getTimerCount()).toBe(1); // the look at the clock
  });

  test("a takeover stops all commands, and keeps the view", async () => {
    const made = await atA();
    const result = made.submit({ type: "make-call", number: "123" });
    wires.last.drop(4409);
    await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "taken-over" });
    await expect(made.submit({ type: "take-items" })).resolves.toMatchObject({ outcome: "refused" });
    await settle(60_000);
    expect(http.list.filter((each) => each.includes("commands"))).toEqual([]);
    expect(made.view).not.toBeNull();
    expect(ends).toEqual([]);
  });

  test("a session that was taken over at another instance cannot be asked back with the old ticket", async () => {
    const made = await atA();
    wires.last.drop(4409);
    there("a", refusal(423, "taken-over"));
    made.reclaim();
    wires.last.open();
    wires.last.say({ type: "refused", id: "session.unknown" });
    await settle(10_000);
    expect(made.connection).toMatchObject({ state: "refused", reason: ConnectionReason.TakenOver });
    expect(ends).toEqual([]);
  });
});
