/** How a connection notices that its instance is lost, and finds another. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason } from "../../client/reasons.js";
import { place, refusal } from "./fakes.js";
import { busiest, RESUME, Rig, seeded, WITNESS } from "./rig.js";

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

describe("a server that falls silent", () => {
  test("is asked about at two others after 1.5 s, while the page is told nothing", async () => {
    rig.liveOfThree();
    await settle(1_500);
    expect(rig.asked(WITNESS).map(({ atMs }) => atMs)).toEqual([1_500, 1_500]);
    expect(new Set(rig.asked(WITNESS).map(({ server }) => server))).toEqual(new Set(["https://b", "https://c"]));
    expect(rig.http.asked[0]?.search).toBe("?instance=a");
    expect(rig.status.state).toBe("live");
  });

  test("and is dead, as they know, is left at once, with a first delay of at most 500 ms", async () => {
    rig.liveOfThree();
    rig.witnessed("b", "dead");
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
    rig.liveOfThree();
    for (let passed = 0; passed < 120; passed += 1) {
      await settle(1_000);
      rig.wires.last.beat();
    }
    rig.witnessed("b", "dead");
    rig.witnessed("c", "dead");
    await settle(2_500);
    expect(rig.http.list.filter((each) => each.startsWith("https://a"))).toEqual([]);
    expect(rig.asked(RESUME)).toHaveLength(1);
  });

  test("and is dead is left within the server's window when that is shorter", async () => {
    rig.liveOfThree();
    rig.topology(["a", "b", "c"], { version: 2, reconnect_window_ms: 100 });
    rig.witnessed("b", "dead");
    rig.chance = 0.999_999;
    await settle(1_500);
    expect(Math.round(rig.status.nextTryAtMs ?? 0)).toBe(1_600);
  });

  test("and goes is left for one that can take us", async () => {
    rig.liveOfThree();
    rig.witnessed("c", "draining");
    await settle(1_500);
    expect(rig.status.reason).toBe(ConnectionReason.WitnessSaysDead);
  });

  test("and is well, as they say, is waited for to 10 s", async () => {
    rig.liveOfThree();
    rig.witnessed("b", "alive");
    rig.witnessed("c", "suspect");
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
    rig.liveOfThree();
    rig.there("d");
    const body = { instance: "a", verdict: "dead", can_take: false, next: place("d") };
    rig.http.on("https://b", WITNESS, { body });
    await settle(3_000);
    expect(rig.asked(RESUME)[0]?.server).toBe("https://d");
  });

  test("a crowd whose server is dead comes back over 500 ms, each from its own moment", async () => {
    const crowd = Array.from({ length: 150 }, (_, each) => new Rig(seeded(each)));
    for (const each of crowd) {
      each.liveOfThree();
      each.witnessed("b", "dead");
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
    rig.liveOfThree();
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
    rig.liveOfThree();
    rig.there("a", refusal(421, "session.moved", place("c")));
    rig.wires.last.drop(4420);
    await settle(1_000);
    expect(rig.asked(RESUME).map(({ server }) => server)).toContain("https://c");
    rig.wires.last.serve(2);
    expect(rig.status).toMatchObject({ state: "live", instance: "c", movedFrom: "a" });
  });

  test("a resume that a later login has overtaken stops everything", async () => {
    rig.liveOfThree();
    rig.there("a", refusal(423, "taken-over"));
    rig.there("b", refusal(423, "taken-over"));
    rig.there("c", refusal(423, "taken-over"));
    rig.wires.last.drop(4420);
    await settle(20_000);
    expect(rig.status).toMatchObject({ state: "refused", reason: ConnectionReason.TakenOver });
    expect(rig.asked(RESUME)).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
