import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason } from "../../client/reasons.js";
import { busiest, Rig, seeded } from "./rig.js";

let rig: Rig;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  rig = new Rig();
});
afterEach(() => vi.useRealTimers());

/** Keeps the server talking for so long. */
function beatFor(ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    vi.advanceTimersByTime(1_000);
    rig.wires.last.beat();
  }
}

describe("coming up", () => {
  test("opens, says hello, and is live with the snapshot", () => {
    const it = rig.start();
    expect(it.status).toMatchObject({ state: "connecting", server: "https://a" });
    rig.wires.last.open();
    expect(it.status.state).toBe("hello");
    expect(it.isLive).toBe(false);
    rig.wires.last.welcome("snapshot");
    expect(it.status).toMatchObject({ state: "live", reason: ConnectionReason.FreshView, nothingLost: true });
  });

  test("is live at once when the stream is resumed", () => {
    const it = rig.start();
    rig.wires.last.open();
    rig.wires.last.welcome("resumed");
    expect(it.status).toMatchObject({ state: "live", reason: ConnectionReason.Resumed, nothingLost: true });
  });

  test("nothing can be sent before it is live", () => {
    const it = rig.start();
    rig.wires.last.open();
    expect(it.send({ type: "beat" })).toBe(false);
  });

  test("each state is told once per change, with a reason", () => {
    rig.live();
    expect(rig.told.map((each) => each.state)).toEqual(["waiting", "connecting", "hello", "live"]);
  });

  test("the snapshot is shown before the page is told that it is live", () => {
    rig.live();
    expect(rig.log).toEqual(["waiting", "connecting", "hello", "snapshot", "live"]);
  });

  test("without a session nothing begins", () => {
    rig.keeper.forget();
    rig.connection.start();
    expect(rig.wires.all).toHaveLength(0);
  });
});

describe("silence", () => {
  test("is suspect after 3 s and given up after 6 s", () => {
    const it = rig.live();
    vi.advanceTimersByTime(2_999);
    expect(it.status.state).toBe("live");
    vi.advanceTimersByTime(1);
    expect(it.status).toMatchObject({ state: "suspect", reason: ConnectionReason.Silent });
    expect(it.isLive).toBe(true);
    vi.advanceTimersByTime(3_000);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.Dead, lostAtMs: 6_000 });
    expect(rig.wires.last.closedWith).toBe(4408);
  });

  test("ends with any frame", () => {
    const it = rig.live();
    vi.advanceTimersByTime(4_000);
    rig.wires.last.beat();
    expect(it.status.state).toBe("live");
    vi.advanceTimersByTime(2_900);
    expect(it.status.state).toBe("live");
  });

  test("after the machine slept is seen as soon as the page asks, and the next try begins at once", () => {
    const it = rig.live();
    vi.setSystemTime(3_600_000);
    it.tryNow();
    expect(it.status).toMatchObject({ state: "connecting", reason: ConnectionReason.Dead, lostAtMs: 3_600_000 });
  });
});

describe("coming back", () => {
  test("waits between 0 and 2 s the first time, then up to a doubling bound, at most 10 s", () => {
    const it = rig.live();
    rig.chance = 0.999_999;
    rig.wires.last.drop();
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries += 1) {
      const { nextTryAtMs } = it.status;
      waits.push(Math.round(((nextTryAtMs ?? 0) - Date.now()) / 100) / 10);
      vi.advanceTimersByTime((nextTryAtMs ?? 0) - Date.now() + 1);
      expect(it.status.state).toBe("connecting");
      rig.wires.last.drop();
    }
    expect(waits).toEqual([2, 1, 2, 4, 8, 10, 10, 10]);
  });

  test.each([
    [0, 0],
    [500, 500],
    [30_000, 30_000],
    [99_999, 30_000],
  ])("waits the first time within the window of %i ms that a server asked for, at most 30 s", (window, widest) => {
    const it = rig.live();
    rig.topology(["a"], { reconnect_window_ms: window });
    rig.chance = 0.999_999;
    rig.wires.last.drop();
    expect(Math.round(it.status.nextTryAtMs ?? -1)).toBe(widest);
  });

  test("never gives up", () => {
    const it = rig.start();
    for (let tries = 0; tries < 500; tries += 1) {
      rig.wires.last.drop();
      vi.advanceTimersByTime((it.status.nextTryAtMs ?? 0) - Date.now());
    }
    expect(it.status.state).toBe("connecting");
    expect(rig.wires.all).toHaveLength(501);
  });

  test("counts failures until it was live for 10 s", () => {
    const it = rig.live();
    rig.wires.last.drop();
    vi.advanceTimersByTime(2_000);
    rig.wires.last.open();
    rig.wires.last.welcome("resumed");
    expect(it.status.failures).toBe(1);
    beatFor(9_000);
    expect(it.status.failures).toBe(1);
    beatFor(1_000);
    expect(it.status).toMatchObject({ state: "live", failures: 0, lostAtMs: null });
  });

  test("tries at once when told to, and only when it waits", () => {
    const it = rig.live();
    it.tryNow();
    expect(rig.wires.all).toHaveLength(1);
    rig.wires.last.drop();
    it.tryNow();
    expect(rig.wires.all).toHaveLength(2);
    it.tryNow();
    expect(rig.wires.all).toHaveLength(2);
  });

  test("keeps since when it is without a connection over all tries", () => {
    const it = rig.live();
    rig.wires.last.drop();
    for (let tries = 0; tries < 5; tries += 1) {
      vi.advanceTimersByTime(10_000);
      rig.wires.last.drop();
    }
    expect(it.status.lostAtMs).toBe(0);
  });

  test("says that something may have been missed when the view had to begin anew", () => {
    const it = rig.live();
    rig.wires.last.drop();
    vi.advanceTimersByTime(2_000);
    rig.wires.last.serve();
    expect(it.status).toMatchObject({ reason: ConnectionReason.FreshView, nothingLost: false, movedFrom: null });
  });

  test("waits as long as all servers are busy", async () => {
    const it = rig.live();
    rig.topology(["a", "b"]);
    rig.wires.last.drop(4420);
    rig.keeper.settle({ server: "" });
    for (const name of ["a", "b"]) rig.http.on(`https://${name}`, "*", { status: 503, retryAfter: 20 });
    rig.chance = 0.5;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.Busy, nextTryAtMs: 21_000 });
  });

  test("a crowd cut off at once comes back spread over the window", () => {
    const crowd = Array.from({ length: 1_000 }, (_, each) => new Rig(seeded(each)));
    for (const each of crowd) each.live();
    for (const each of crowd) each.wires.last.drop();
    const atMs = crowd.map((each) => each.status.nextTryAtMs ?? 0);
    expect(Math.max(...atMs)).toBeLessThanOrEqual(2_000);
    expect(busiest(atMs, 100)).toBeLessThan(80); // 50 if they were spread with a ruler, 1,000 if all came at once
    expect(busiest(atMs, 100)).toBeGreaterThanOrEqual(50);
  });
});

describe("what comes late or wrong", () => {
  test("an earlier transport cannot disturb the present one", () => {
    const it = rig.live();
    const old = rig.wires.last;
    old.drop();
    vi.advanceTimersByTime(2_000);
    rig.wires.last.open();
    rig.wires.last.welcome("resumed");
    old.open();
    old.beat();
    old.say({ type: "refused", id: "taken-over" });
    old.drop(4409);
    expect(it.status.state).toBe("live");
  });

  test("a frame that is not JSON ends the transport", () => {
    const it = rig.live();
    rig.wires.last.events.received("<html>");
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.BadFrame });
  });

  test("a frame of an unknown type is ignored", () => {
    const it = rig.live();
    rig.wires.last.say({ type: "confetti" });
    expect(it.status.state).toBe("live");
  });

  test("a gap is resumed at once, and one that comes back waits", () => {
    const it = rig.live();
    rig.complete = false;
    rig.wires.last.notice("agent-changed", {}, 1, 9);
    expect(it.status.reason).toBe(ConnectionReason.Gap);
    vi.advanceTimersByTime(0);
    expect(it.status.state).toBe("connecting");
    rig.wires.last.open();
    rig.wires.last.welcome("resumed");
    rig.wires.last.notice("agent-changed", {}, 1, 9);
    vi.advanceTimersByTime(0);
    expect(it.status.state).toBe("waiting");
  });

  test("a notice under an old term is not shown, and its server left", () => {
    const it = rig.live(5);
    rig.wires.last.term = 4;
    rig.wires.last.notice("agent-changed", {}, 1, 2);
    expect(rig.log.at(-1)).toBe("waiting");
    expect(it.status.reason).toBe(ConnectionReason.OldTerm);
  });

  test("the term is remembered for the next connection, and over a refresh", () => {
    rig.live(5);
    expect(rig.keeper.home.term).toBe(5);
    rig.wires.last.drop();
    vi.advanceTimersByTime(2_000);
    rig.wires.last.serve(4);
    expect(rig.connection.isLive).toBe(false);
  });
});

describe("the end", () => {
  test.each([
    ["session.unknown", "refused", ConnectionReason.SessionUnknown],
    ["taken-over", "refused", ConnectionReason.TakenOver],
    ["protocol.hello", "refused", ConnectionReason.HelloRefused],
    ["session.ended", "ended", ConnectionReason.SessionEnded],
  ] as const)("hello refused as %s: %s, and no further try", (id, state, reason) => {
    rig.keeper.settle({ ticket: "" });
    const it = rig.start();
    rig.wires.last.open();
    rig.wires.last.say({ type: "refused", id });
    rig.wires.last.drop(4401);
    vi.advanceTimersByTime(60_000);
    expect(it.status).toMatchObject({ state, reason });
    expect(rig.wires.all).toHaveLength(1);
  });

  test.each([
    [4409, "refused", ConnectionReason.TakenOver],
    [4410, "ended", ConnectionReason.SessionEnded],
    [4408, "waiting", ConnectionReason.TooSlow],
    [1012, "waiting", ConnectionReason.ServerRestarts],
    [1006, "waiting", ConnectionReason.Closed],
    [4400, "waiting", ConnectionReason.Closed],
    [4401, "waiting", ConnectionReason.SessionMoved],
    [4420, "waiting", ConnectionReason.SessionMoved],
  ] as const)("closed with %i while live: %s", (code, state, reason) => {
    const it = rig.live();
    rig.wires.last.drop(code);
    expect(it.status).toMatchObject({ state, reason });
  });

  test("the session's end ends the connection", () => {
    const it = rig.live();
    rig.wires.last.notice("session-ended", { reason: "agent", detail: "" }, 1, 2);
    expect(it.status).toMatchObject({ state: "ended", reason: ConnectionReason.SessionEnded });
    expect(rig.wires.last.closedWith).toBe(1000);
  });

  test("a connection that was taken over can be asked back by a person", () => {
    const it = rig.live();
    rig.wires.last.drop(4409);
    it.start();
    rig.wires.last.serve();
    expect(it.status.state).toBe("live");
  });

  test("stopping says nothing more and leaves no timer behind", () => {
    const it = rig.live();
    it.stop();
    expect(it.status.state).toBe("ended");
    expect(vi.getTimerCount()).toBe(0);
  });
});
