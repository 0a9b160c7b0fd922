import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Connection, type ConnectionStatus } from "../../client/connection.js";
import { ConnectionReason } from "../../client/reasons.js";
import { Servers } from "../../client/servers.js";
import { Wires } from "./fakes.js";

let wires: Wires;
let told: ConnectionStatus[];
let chance: number;
let complete: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  wires = new Wires();
  told = [];
  chance = 0.5;
  complete = true;
});
afterEach(() => vi.useRealTimers());

function connection(servers = ["https://a"]): Connection {
  const made = new Connection(
    { servers: new Servers(servers), openTransport: wires.open, chance: () => chance },
    {
      hello: () => ({ type: "hello", token: "t", epoch: null, seq: null, client: "c" }),
      envelope: () => complete,
      answer: () => undefined,
      time: () => undefined,
      ended: () => undefined,
      status: (status) => told.push(status),
    },
  );
  made.start();
  return made;
}

function liveConnection(): Connection {
  const made = connection();
  wires.last.open();
  wires.last.welcome("snapshot");
  return made;
}

/** Keeps the server talking for so long. */
function beatFor(ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    vi.advanceTimersByTime(1_000);
    wires.last.beat();
  }
}

describe("coming up", () => {
  test("opens, says hello with the token in the first frame, and is live with the snapshot", () => {
    const it = connection();
    expect(it.status).toMatchObject({ state: "connecting", server: "https://a" });
    wires.last.open();
    expect(it.status.state).toBe("hello");
    expect(wires.last.said).toEqual([{ type: "hello", token: "t", epoch: null, seq: null, client: "c" }]);
    expect(it.isLive).toBe(false);
    wires.last.welcome("snapshot");
    expect(it.status).toMatchObject({ state: "live", reason: ConnectionReason.FreshView });
  });

  test("is live at once when the stream is resumed", () => {
    const it = connection();
    wires.last.open();
    wires.last.welcome("resumed");
    expect(it.status).toMatchObject({ state: "live", reason: ConnectionReason.Resumed });
  });

  test("a server that does not open within 2 s is given up", () => {
    const it = connection();
    vi.advanceTimersByTime(1_999);
    expect(it.status.state).toBe("connecting");
    vi.advanceTimersByTime(1);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.OpenTimeout, failures: 1 });
    expect(wires.last.closedWith).toBe(1000);
  });

  test("a server that opens and says nothing is given up after 6 s", () => {
    const it = connection();
    wires.last.open();
    vi.advanceTimersByTime(6_000);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.HelloTimeout });
  });

  test("nothing can be sent before it is live", () => {
    const it = connection();
    wires.last.open();
    expect(it.send({ type: "beat" })).toBe(false);
  });
});

describe("silence", () => {
  test("is suspect after 3 s and given up after 6 s", () => {
    const it = liveConnection();
    vi.advanceTimersByTime(2_999);
    expect(it.status.state).toBe("live");
    vi.advanceTimersByTime(1);
    expect(it.status).toMatchObject({ state: "suspect", reason: ConnectionReason.Silent });
    expect(it.isLive).toBe(true);
    vi.advanceTimersByTime(3_000);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.Dead });
    expect(it.status.lostAtMs).toBe(Date.now());
  });

  test("ends with any frame", () => {
    const it = liveConnection();
    vi.advanceTimersByTime(4_000);
    wires.last.beat();
    expect(it.status.state).toBe("live");
    vi.advanceTimersByTime(2_900);
    expect(it.status.state).toBe("live");
  });

  test("of ours is broken every 5 s", () => {
    liveConnection();
    beatFor(11_000);
    expect(wires.last.said.filter((each) => each["type"] === "beat")).toHaveLength(2);
  });

  test("of ours is broken in answer to a frame when the page's own timers do not ring", () => {
    liveConnection();
    vi.setSystemTime(Date.now() + 5_500); // time passes, no timer rings: a hidden page
    wires.last.beat();
    expect(wires.last.said.at(-1)).toEqual({ type: "beat" });
  });

  test("after the machine slept is seen as soon as the page asks", () => {
    const it = liveConnection();
    vi.setSystemTime(Date.now() + 3_600_000);
    it.tryNow();
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.Dead });
  });
});

describe("coming back", () => {
  test("waits between 0 and 2 s the first time, then up to a doubling bound, at most 10 s", () => {
    const it = liveConnection();
    chance = 0.999_999;
    wires.last.drop();
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries += 1) {
      const { nextTryAtMs } = it.status;
      waits.push(Math.round(((nextTryAtMs ?? 0) - Date.now()) / 100) / 10);
      vi.advanceTimersByTime((nextTryAtMs ?? 0) - Date.now() + 1);
      expect(it.status.state).toBe("connecting");
      wires.last.drop();
    }
    expect(waits).toEqual([2, 1, 2, 4, 8, 10, 10, 10]);
  });

  test("never gives up", () => {
    const it = connection();
    for (let tries = 0; tries < 2_000; tries += 1) {
      wires.last.drop();
      vi.advanceTimersByTime((it.status.nextTryAtMs ?? 0) - Date.now());
    }
    expect(it.status.state).toBe("connecting");
    expect(wires.all).toHaveLength(2_001);
  });

  test("counts failures until it was live for 10 s", () => {
    const it = liveConnection();
    wires.last.drop();
    vi.advanceTimersByTime(2_000);
    wires.last.open();
    wires.last.welcome("resumed");
    expect(it.status.failures).toBe(1);
    beatFor(9_000);
    expect(it.status.failures).toBe(1);
    beatFor(1_000);
    expect(it.status).toMatchObject({ state: "live", failures: 0, lostAtMs: null });
  });

  test("tries at once when told to, and only when it waits", () => {
    const it = liveConnection();
    it.tryNow();
    expect(wires.all).toHaveLength(1);
    wires.last.drop();
    it.tryNow();
    expect(wires.all).toHaveLength(2);
    it.tryNow();
    expect(wires.all).toHaveLength(2);
  });

  test("keeps since when it is without a connection over all tries", () => {
    const it = liveConnection();
    const lostAt = Date.now();
    wires.last.drop();
    for (let tries = 0; tries < 5; tries += 1) {
      vi.advanceTimersByTime(10_000);
      wires.last.drop();
    }
    expect(it.status.lostAtMs).toBe(lostAt);
  });

  test("goes to the next server when one does not answer", () => {
    connection(["https://a", "https://b"]);
    wires.last.drop();
    vi.advanceTimersByTime(10_000);
    expect(wires.last.server).toBe("https://b");
  });

  test("says that the server restarts when it said goodbye before it closed", () => {
    const it = liveConnection();
    wires.last.say({ type: "goodbye", reason: "restart", after_ms: 500 });
    expect(it.status.state).toBe("live");
    wires.last.drop(1001);
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.ServerRestarts });
  });
});

describe("what comes late or wrong", () => {
  test("an earlier transport cannot disturb the present one", () => {
    const it = liveConnection();
    const old = wires.last;
    old.drop();
    vi.advanceTimersByTime(2_000);
    wires.last.open();
    wires.last.welcome("resumed");
    old.open();
    old.beat();
    old.say({ type: "refused", id: "taken-over" });
    old.drop(4409);
    expect(it.status.state).toBe("live");
  });

  test("a frame that is not JSON ends the transport", () => {
    const it = liveConnection();
    wires.last.events.received("<html>");
    expect(it.status).toMatchObject({ state: "waiting", reason: ConnectionReason.BadFrame });
    expect(wires.last.closedWith).toBe(4400);
  });

  test("a frame of an unknown type is ignored", () => {
    const it = liveConnection();
    wires.last.say({ type: "confetti" });
    expect(it.status.state).toBe("live");
  });

  test("a gap is resumed at once, and one that comes back waits", () => {
    const it = liveConnection();
    complete = false;
    wires.last.notice("agent-changed", {}, 1, 9);
    expect(it.status.reason).toBe(ConnectionReason.Gap);
    vi.advanceTimersByTime(0);
    expect(it.status.state).toBe("connecting");
    wires.last.open();
    wires.last.welcome("resumed");
    wires.last.notice("agent-changed", {}, 1, 9);
    vi.advanceTimersByTime(0);
    expect(it.status.state).toBe("waiting");
  });
});

describe("the end", () => {
  test.each([
    ["session.unknown", "refused", ConnectionReason.SessionUnknown],
    ["taken-over", "refused", ConnectionReason.TakenOver],
    ["protocol.hello", "refused", ConnectionReason.HelloRefused],
    ["session.ended", "ended", ConnectionReason.SessionEnded],
  ] as const)("hello refused as %s: %s, and no further try", (id, state, reason) => {
    const it = connection();
    wires.last.open();
    wires.last.say({ type: "refused", id });
    wires.last.drop(4401);
    vi.advanceTimersByTime(60_000);
    expect(it.status).toMatchObject({ state, reason });
    expect(wires.all).toHaveLength(1);
  });

  test.each([
    [4401, "refused", ConnectionReason.SessionUnknown],
    [4409, "refused", ConnectionReason.TakenOver],
    [4410, "ended", ConnectionReason.SessionEnded],
    [4408, "waiting", ConnectionReason.TooSlow],
    [1012, "waiting", ConnectionReason.ServerRestarts],
    [1006, "waiting", ConnectionReason.Closed],
    [4400, "waiting", ConnectionReason.Closed],
  ] as const)("closed with %i while live: %s", (code, state, reason) => {
    const it = liveConnection();
    wires.last.drop(code);
    expect(it.status).toMatchObject({ state, reason });
  });

  test("the session's end ends the connection", () => {
    const it = liveConnection();
    wires.last.notice("session-ended", { reason: "agent", detail: "" }, 1, 2);
    expect(it.status).toMatchObject({ state: "ended", reason: ConnectionReason.SessionEnded });
    expect(wires.last.closedWith).toBe(1000);
  });

  test("a connection that was taken over can be asked back by a person", () => {
    const it = liveConnection();
    wires.last.drop(4409);
    it.start();
    wires.last.open();
    wires.last.welcome("snapshot");
    expect(it.status.state).toBe("live");
  });

  test("stopping says nothing more and leaves no timer behind", () => {
    const it = liveConnection();
    it.stop();
    expect(it.status.state).toBe("ended");
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("each state is told once per change, with a reason", () => {
  liveConnection();
  expect(told.map((each) => each.state)).toEqual(["waiting", "connecting", "hello", "live"]);
});
