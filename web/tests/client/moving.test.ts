/** How a connection goes to another instance when it is told to. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason } from "../../client/reasons.js";
import { place, refusal } from "./fakes.js";
import { RESUME, Rig } from "./rig.js";

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

describe("three changes of server within a minute", () => {
  async function change(name: string): Promise<void> {
    rig.there(name);
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
    rig.there("e");
    rig.wires.last.goodbye("move", place("e"), 30_000);
    const beat = rig.wires.last;
    for (let passed = 0; passed < 9; passed += 1) {
      await settle(1_000);
      beat.beat();
    }
    expect(rig.asked(RESUME)).toHaveLength(3);
    await settle(1_000);
    expect(rig.asked(RESUME).at(-1)).toEqual({ server: "https://e", atMs: 10_000 });
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
    rig.there("b");
    rig.there("c");
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
    expect(rig.asked(RESUME)).toHaveLength(1);
  });

  test.each(["restart", "passive", "stepped-down"])("for %s, which all are told at once, is spread", async (reason) => {
    rig.wires.last.goodbye(reason, place("b"), 1_000);
    await settle(499);
    expect(rig.asked(RESUME)).toHaveLength(0);
    await settle(1);
    expect(rig.asked(RESUME)).toEqual([{ server: "https://b", atMs: 500 }]);
  });

  test("that fails stays, and tries another", async () => {
    rig.there("b", { status: 503 });
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    expect(rig.asked(RESUME).map(({ server }) => server)).toEqual(["https://b", "https://c"]);
    expect(old.closedWith).toBeNull();
    rig.wires.last.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "c" });
  });

  test("that nobody takes stays, and tries again when it is told again", async () => {
    const old = rig.wires.last;
    for (const name of ["b", "c"]) rig.there(name, { status: 503 });
    for (let passed = 0; passed < 3; passed += 1) {
      old.goodbye("drain", place("b"), 5_000);
      await settle(1_000);
    }
    expect(rig.status.state).toBe("live");
    expect(old.closedWith).toBeNull();
    expect(rig.asked(RESUME).map((each) => each.atMs)).toEqual([0, 0, 1_000, 1_000, 2_000, 2_000]);
    old.drop(1001);
    expect(rig.status).toMatchObject({ state: "waiting", reason: ConnectionReason.ServerDrains });
  });

  test("whose new server takes the session and cannot be spoken to goes on from there", async () => {
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    rig.wires.last.drop();
    await settle();
    expect(rig.asked(RESUME).map(({ server }) => server)).toEqual(["https://b", "https://c"]);
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
    expect(rig.keeper.home.server).toBe("https://b");
    expect(fresh.closedWith).toBeNull();
    fresh.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "b", movedFrom: "a", nothingLost: false });
    expect(rig.wires.all).toHaveLength(2);
  });

  test("that nobody takes after the old server went ends in the usual waiting", async () => {
    rig.there("b", "silent");
    rig.there("c", { status: 503 });
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    old.drop(1001);
    expect(rig.status.state).toBe("connecting");
    await settle(6_000);
    expect(rig.status.state).toBe("waiting");
    rig.there("b");
    rig.there("c");
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
    rig.there("b", refusal(401, "ticket.invalid"));
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
    expect(rig.asked(RESUME)[0]?.atMs).toBeLessThanOrEqual(2_000);
  });

  test("does not begin a second time with a second goodbye", async () => {
    rig.wires.last.goodbye("drain", place("b"), 4_000);
    await settle();
    rig.wires.all[0]?.goodbye("drain", place("b"), 3_000);
    await settle(1_000);
    expect(rig.asked(RESUME)).toHaveLength(1);
    expect(rig.wires.all).toHaveLength(2);
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
    rig.there("b");
    const old = rig.wires.last;
    old.goodbye("drain", place("b"), 4_000);
    await settle();
    old.say({ type: "ticket", ticket: "late" });
    expect(rig.keeper.home.ticket).toBe("ticket-b");
  });
});
