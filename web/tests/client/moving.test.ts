/** How a connection goes from one instance to another: because it must, or because it is told to. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Verdict } from "../../client/index.js";
import { ConnectionReason } from "../../client/reasons.js";
import { opened, place, refusal, type Reply } from "./fakes.js";
import { busiest, Rig, seeded } from "./rig.js";

const RESUME = "POST /v1/session/resume";
const WITNESS = "GET /v1/witness";

let rig: Rig;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  rig = new Rig();
});
afterEach(() => vi.useRealTimers());

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

function there(name: string, resume: Reply = opened(name), of = rig): void {
  of.http.on(`https://${name}`, "GET /v1/topology", { body: {} });
  of.http.on(`https://${name}`, RESUME, resume);
}

function witnessed(name: string, verdict: Verdict, canTake = true, of = rig): void {
  const body = { instance: "a", verdict, can_take: canTake, next: null };
  of.http.on(`https://${name}`, WITNESS, { body });
}

/** Live at `a`, of `a`, `b` and `c`, which can both take us. */
function liveOfThree(of = rig): void {
  of.live();
  of.topology(["a", "b", "c"]);
  there("b", opened("b"), of);
  there("c", opened("c"), of);
}

function asked(what: string): { server: string; atMs: number }[] {
  return rig.http.asked.filter((each) => each.what === what).map(({ server, atMs }) => ({ server, atMs }));
}

describe("a server that falls silent", () => {
  test("is asked about at two others after 1.5 s, while the page is told nothing", async () => {
    liveOfThree();
    await settle(1_500);
    expect(asked(WITNESS).map(({ atMs }) => atMs)).toEqual([1_500, 1_500]);
    expect(new Set(asked(WITNESS).map(({ server }) => server))).toEqual(new Set(["https://b", "https://c"]));
    expect(rig.http.asked[0]?.search).toBe("?instance=a");
    expect(rig.status.state).toBe("live");
  });

  test("and is dead, as they know, is left at once, with a first delay of at most 500 ms", async () => {
    liveOfThree();
    witnessed("b", "dead");
    rig.chance = 0.999_999;
    await settle(1_500);
    expect(rig.status).toMatchObject({ state: "waiting", reason: ConnectionReason.WitnessSaysDead, lostAtMs: 1_500 });
    expect(Math.round(rig.status.nextTryAtMs ?? 0)).toBe(2_000);
    expect(rig.wires.last.closedWith).toBe(4408);
    await settle(500);
    rig.wires.last.serve(2);
    expect(rig.wires.all.slice(1).map(({ server }) => server)).not.toContain("https://a");
    expect(rig.status).toMatchObject({ state: "live", reason: ConnectionReason.Moved, movedFrom: "a", failures: 1 });
  });

  test("and is dead after hours of service is not the first to be tried because it was good for so long", async () => {
    liveOfThree();
    for (let passed = 0; passed < 120; passed += 1) {
      await settle(1_000);
      rig.wires.last.beat();
    }
    witnessed("b", "dead");
    witnessed("c", "dead");
    await settle(2_500);
    expect(rig.http.list.filter((each) => each.startsWith("https://a"))).toEqual([]);
    expect(asked(RESUME)).toHaveLength(1);
  });

  test("and is dead is left within the server's window when that is shorter", async () => {
    liveOfThree();
    rig.topology(["a", "b", "c"], { version: 2, reconnect_window_ms: 100 });
    witnessed("b", "dead");
    rig.chance = 0.999_999;
    await settle(1_500);
    expect(Math.round(rig.status.nextTryAtMs ?? 0)).toBe(1_600);
  });

  test("and goes is left for one that can take us", async () => {
    liveOfThree();
    witnessed("c", "draining");
    await settle(1_500);
    expect(rig.status.reason).toBe(ConnectionReason.WitnessSaysDead);
  });

  test("and is well, as they say, is waited for to 10 s", async () => {
    liveOfThree();
    witnessed("b", "alive");
    witnessed("c", "suspect");
    await settle(9_999);
    expect(rig.status.state).toBe("suspect");
    await settle(1);
    expect(rig.status).toMatchObject({ state: "waiting", reason: ConnectionReason.Dead });
  });

  test("and can be asked about nowhere is given up after 6 s", async () => {
    rig.live();
    rig.topology(["a"]);
    await settle(6_000);
    expect(rig.http.asked).toEqual([]);
    expect(rig.status.reason).toBe(ConnectionReason.Dead);
  });

  test("goes where another instance would have us go", async () => {
    liveOfThree();
    there("d");
    const body = { instance: "a", verdict: "dead", can_take: false, next: place("d") };
    rig.http.on("https://b", WITNESS, { body });
    await settle(3_000);
    expect(asked(RESUME)[0]?.server).toBe("https://d");
  });

  test("a crowd whose server is dead comes back over 500 ms, each from its own moment", async () => {
    const crowd = Array.from({ length: 150 }, (_, each) => new Rig(seeded(each)));
    for (const each of crowd) {
      liveOfThree(each);
      witnessed("b", "dead", true, each);
    }
    await settle(3_000);
    const atMs = crowd.map((each) => each.http.asked.find(({ what }) => what === "GET /v1/topology")?.atMs ?? 0);
    expect(Math.min(...atMs)).toBeGreaterThanOrEqual(1_500);
    expect(Math.max(...atMs)).toBeLessThanOrEqual(2_000);
    expect(busiest(atMs, 100)).toBeLessThan(50); // 30 if they were spread with a ruler
  });
});

describe("a server that is gone", () => {
  test("is tried first, and the session then taken elsewhere", async () => {
    liveOfThree();
    rig.wires.last.drop();
    await settle(1_000);
    expect(rig.wires.last.server).toBe("https://a");
    rig.wires.last.drop();
    await settle();
    rig.wires.last.serve(2);
    expect(rig.status).toMatchObject({
      state: "live",
      reason: ConnectionReason.Moved,
      movedFrom: "a",
      nothingLost: false,
      lostAtMs: null,
    });
    expect(["b", "c"]).toContain(rig.status.instance);
  });

  test("is called what it was when it said why it goes", () => {
    rig.live();
    rig.wires.last.goodbye("restart", null, 500);
    expect(rig.status).toMatchObject({ state: "live", leaving: "restart" });
    rig.wires.last.drop(1001);
    expect(rig.status).toMatchObject({ state: "waiting", reason: ConnectionReason.ServerRestarts, leaving: null });
  });

  test.each([
    ["drain", ConnectionReason.ServerDrains],
    ["move", ConnectionReason.ServerDrains],
    ["restart", ConnectionReason.ServerRestarts],
    ["passive", ConnectionReason.SteppedDown],
    ["stepped-down", ConnectionReason.SteppedDown],
  ] as const)("after a goodbye for %s has the reason %i", (reason, expected) => {
    rig.live();
    rig.wires.last.goodbye(reason, null, 500);
    rig.wires.last.drop(4420);
    expect(rig.status.reason).toBe(expected);
  });

  test("a takeover is a takeover, whatever was announced", () => {
    rig.live();
    rig.wires.last.goodbye("drain", null, 500);
    rig.wires.last.drop(4409);
    expect(rig.status).toMatchObject({ state: "refused", reason: ConnectionReason.TakenOver });
  });

  test("a close with 4420 asks the same server first, which knows where the session is", async () => {
    liveOfThree();
    there("a", refusal(421, "session.moved", place("c")));
    rig.wires.last.drop(4420);
    await settle(1_000);
    expect(asked(RESUME).map(({ server }) => server)).toContain("https://c");
    rig.wires.last.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "c", movedFrom: "a" });
  });

  test("a resume that a later login has overtaken stops everything", async () => {
    liveOfThree();
    there("a", refusal(423, "taken-over"));
    there("b", refusal(423, "taken-over"));
    there("c", refusal(423, "taken-over"));
    rig.wires.last.drop(4420);
    await settle(20_000);
    expect(rig.status).toMatchObject({ state: "refused", reason: ConnectionReason.TakenOver });
    expect(asked(RESUME)).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("three changes of server within a minute", () => {
  async function change(name: string): Promise<void> {
    there(name);
    rig.wires.last.goodbye("move", place(name), 30_000);
    await settle();
    rig.wires.last.serve();
  }

  test("are made at once, and the fourth waits for 10 s", async () => {
    rig.live();
    for (const name of ["b", "c", "d"]) {
      await change(name);
      expect(rig.status.server).toBe(`https://${name}`);
    }
    there("e");
    rig.wires.last.goodbye("move", place("e"), 30_000);
    const beat = rig.wires.last;
    for (let passed = 0; passed < 9; passed += 1) {
      await settle(1_000);
      beat.beat();
    }
    expect(asked(RESUME)).toHaveLength(3);
    await settle(1_000);
    expect(asked(RESUME).at(-1)).toEqual({ server: "https://e", atMs: 10_000 });
  });

  test("make a loss wait for 10 s, but not for a person", async () => {
    rig.live();
    for (const name of ["b", "c", "d"]) await change(name);
    rig.chance = 0;
    rig.wires.last.drop();
    expect(rig.status.nextTryAtMs).toBe(10_000);
    rig.connection.tryNow();
    expect(rig.status.state).toBe("connecting");
  });

  test("are forgotten after the minute", async () => {
    rig.live();
    for (const name of ["b", "c", "d"]) await change(name);
    vi.setSystemTime(60_000);
    rig.chance = 0;
    rig.wires.last.drop();
    expect(rig.status.nextTryAtMs).toBe(60_000);
  });
});

describe("a planned move", () => {
  beforeEach(() => {
    rig.live();
    rig.topology(["a", "b", "c"]);
    there("b");
    there("c");
  });

  test("opens the new connection before it closes the old, and the page sees no gap", async () => {
    const old = rig.wires.last;
    rig.log.length = 0;
    old.goodbye("drain", place("b"), 4_000);
    expect(rig.status).toMatchObject({ state: "live", leaving: "drain" });
    await settle();
    const fresh = rig.wires.last;
    expect(fresh.server).toBe("https://b");
    fresh.open();
    old.notice("agent-changed", {}, 1, 2);
    expect(old.closedWith).toBeNull();
    expect(rig.connection.isLive).toBe(true);
    fresh.term = 2;
    fresh.welcome("snapshot");
    expect(old.closedWith).toBe(1000);
    expect(rig.log).toEqual(["live", "agent-changed", "snapshot", "live"]);
    expect(rig.status).toMatchObject({
      state: "live",
      reason: ConnectionReason.Moved,
      instance: "b",
      movedFrom: "a",
      leaving: null,
      nothingLost: true,
      lostAtMs: null,
    });
  });

  test("sends what is asked meanwhile over the old connection, and then over the new", async () => {
    const old = rig.wires.last;
    const way = rig.connection.wayNumber;
    old.goodbye("move", place("b"), 4_000);
    await settle();
    expect(rig.connection.send({ type: "beat" })).toBe(true);
    expect(rig.connection.home.token).toBe("token-a");
    expect(old.said).toHaveLength(2);
    rig.wires.last.serve(2);
    expect(rig.connection.send({ type: "beat" })).toBe(true);
    expect(rig.connection.home.token).toBe("token-b");
    expect(rig.connection.wayNumber).not.toBe(way);
  });

  test.each(["drain", "move"])("for %s begins at once, because the server paces its goodbyes", async (reason) => {
    rig.chance = 0.999_999;
    rig.wires.last.goodbye(reason, place("b"), 4_000);
    await settle();
    expect(asked(RESUME)).toHaveLength(1);
  });

  test.each(["restart", "passive", "stepped-down"])("for %s, which all are told at once, is spread", async (reason) => {
    rig.wires.last.goodbye(reason, place("b"), 1_000);
    await settle(499);
    expect(asked(RESUME)).toHaveLength(0);
    await settle(1);
    expect(asked(RESUME)).toEqual([{ server: "https://b", atMs: 500 }]);
  });

  test("that fails stays, and tries another", async () => {
    there("b", { status: 503 });
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    expect(asked(RESUME).map(({ server }) => server)).toEqual(["https://b", "https://c"]);
    expect(old.closedWith).toBeNull();
    rig.wires.last.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "c" });
  });

  test("that nobody takes stays, and tries again when it is told again", async () => {
    const old = rig.wires.last;
    for (const name of ["b", "c"]) there(name, { status: 503 });
    for (let passed = 0; passed < 3; passed += 1) {
      old.goodbye("drain", place("b"), 5_000);
      await settle(1_000);
    }
    expect(rig.status.state).toBe("live");
    expect(old.closedWith).toBeNull();
    expect(asked(RESUME).map((each) => each.atMs)).toEqual([0, 0, 1_000, 1_000, 2_000, 2_000]);
    old.drop(1001);
    expect(rig.status).toMatchObject({ state: "waiting", reason: ConnectionReason.ServerDrains });
  });

  test("whose new server takes the session and cannot be spoken to goes on from there", async () => {
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    rig.wires.last.drop();
    await settle();
    expect(asked(RESUME).map(({ server }) => server)).toEqual(["https://b", "https://c"]);
    expect(rig.http.asked.at(-1)?.body).toEqual({ ticket: "ticket-b", token: "token-b" });
    expect(old.closedWith).toBeNull();
  });

  test("that the old server does not wait for becomes the only search, without a delay", async () => {
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    const fresh = rig.wires.last;
    old.drop(4420);
    expect(rig.status).toMatchObject({ state: "connecting", reason: ConnectionReason.SessionMoved });
    expect(fresh.closedWith).toBeNull();
    fresh.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "b", movedFrom: "a", nothingLost: false });
    expect(rig.wires.all).toHaveLength(2);
  });

  test("that nobody takes after the old server went ends in the usual waiting", async () => {
    there("b", "silent");
    there("c", { status: 503 });
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    old.drop(1001);
    expect(rig.status.state).toBe("connecting");
    await settle(6_000);
    expect(rig.status.state).toBe("waiting");
    there("b");
    there("c");
    await settle(2_000);
    rig.wires.last.serve(2);
    expect(rig.status.state).toBe("live");
  });

  test("is not made when the server knows no other place", async () => {
    rig.wires.last.goodbye("drain", null, 4_000);
    await settle(2_000);
    rig.wires.last.beat();
    expect(rig.http.asked.filter(({ what }) => what === RESUME)).toEqual([]);
    expect(rig.status.state).toBe("live");
  });

  test("that is refused for good leaves us where we are", async () => {
    there("b", refusal(401, "ticket.invalid"));
    rig.wires.last.goodbye("drain", place("b"), 4_000);
    await settle(1_000);
    rig.wires.last.beat();
    expect(rig.status.state).toBe("live");
  });

  test("that has to wait is not put off by a server that says it again", async () => {
    rig.chance = 0.999_999;
    const old = rig.wires.last;
    for (let passed = 0; passed < 3; passed += 1) {
      old.goodbye("passive", place("b"), 2_000);
      await settle(900);
    }
    expect(asked(RESUME)[0]?.atMs).toBeLessThanOrEqual(2_000);
  });

  test("does not begin a second time with a second goodbye", async () => {
    rig.wires.last.goodbye("drain", place("b"), 4_000);
    await settle();
    rig.wires.all[0]?.goodbye("drain", place("b"), 3_000);
    await settle(1_000);
    expect(asked(RESUME)).toHaveLength(1);
  });

  test("is given up when the page ends the session", async () => {
    rig.wires.last.goodbye("drain", place("b"), 4_000);
    await settle();
    rig.connection.stop();
    expect(rig.wires.alive).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what a server tells beside the stream", () => {
  test("the welcome names the instance, whatever the address leads to", () => {
    rig.start();
    rig.wires.last.open();
    const welcome = { type: "welcome", outcome: "resumed", epoch: 1, seq: 1, term: 1, now: "", instance: "ua-7" };
    rig.wires.last.say(welcome);
    expect(rig.status).toMatchObject({ state: "live", server: "https://a", instance: "ua-7" });
  });

  test("a topology names the instance that is being tried", async () => {
    rig.live();
    rig.topology([{ id: "ua-1", url: "https://a" }, "b"]);
    rig.wires.last.drop();
    await settle(1_000);
    expect(rig.status).toMatchObject({ state: "connecting", server: "https://a", instance: "ua-1" });
  });

  test("a fresh ticket takes the place of the old", () => {
    rig.live();
    rig.wires.last.say({ type: "ticket", ticket: "newer" });
    expect(rig.keeper.home.ticket).toBe("newer");
  });

  test("a ticket of the old server does not replace that of the new one", async () => {
    rig.live();
    there("b");
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    old.say({ type: "ticket", ticket: "late" });
    expect(rig.keeper.home.ticket).toBe("ticket-b");
  });
});
