import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Line, type Loss } from "../../client/line.js";
import { ConnectionReason } from "../../client/reasons.js";
import { CONNECTION_SETTINGS } from "../../client/settings.js";
import { aHome, Wires } from "./fakes.js";

let wires: Wires;
let told: string[];
let losses: Loss[];

beforeEach(() => {
  vi.useFakeTimers();
  wires = new Wires();
  told = [];
  losses = [];
});
afterEach(() => vi.useRealTimers());

function line(home = aHome()): Line {
  const hello = { type: "hello", token: home.token, epoch: null, seq: null, client: "c" } as const;
  const world = { openTransport: wires.open, settings: CONNECTION_SETTINGS, hello: () => hello };
  return new Line(home, world, {
    opened: () => told.push("opened"),
    live: (snapshot) => told.push(snapshot ? "live with a snapshot" : "live"),
    frame: ({ type }) => told.push(type),
    heard: () => undefined,
    lost: (loss) => losses.push(loss),
  });
}

function liveLine(home = aHome()): Line {
  const made = line(home);
  wires.last.serve();
  told = [];
  return made;
}

describe("coming up", () => {
  test("says hello first, and is live with the snapshot", () => {
    const made = line();
    wires.last.open();
    expect(wires.last.said).toEqual([{ type: "hello", token: "token-a", epoch: null, seq: null, client: "c" }]);
    expect(made.saidHello).toBe(true);
    wires.last.welcome("snapshot");
    expect(made.saidHello).toBe(false);
    expect(told).toEqual(["opened", "welcome", "live with a snapshot"]);
  });

  test("is live with the welcome when the stream goes on", () => {
    line();
    wires.last.open();
    wires.last.welcome("resumed");
    expect(told).toEqual(["opened", "welcome", "live"]);
  });

  test("says hello anew when another way takes the place of the one before, with its whole time for an answer", () => {
    line();
    wires.last.open();
    vi.advanceTimersByTime(5_000);
    wires.last.open();
    expect(wires.last.said.map(({ type }) => type)).toEqual(["hello", "hello"]);
    vi.advanceTimersByTime(5_999);
    expect(losses).toEqual([]);
    wires.last.welcome("snapshot");
    wires.last.open();
    expect(wires.last.said).toHaveLength(2);
  });

  test("sends nothing before it is live", () => {
    const made = line();
    expect(made.send({ type: "beat" })).toBe(false);
    wires.last.open();
    expect(made.send({ type: "beat" })).toBe(false);
    wires.last.welcome("snapshot");
    expect(made.send({ type: "beat" })).toBe(true);
  });

  test("a transport that does not open within 2 s is given up", () => {
    line();
    vi.advanceTimersByTime(1_999);
    expect(losses).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(losses).toMatchObject([{ reason: ConnectionReason.OpenTimeout }]);
    expect(wires.last.closedWith).toBe(1000);
  });

  test("a server that opens and says nothing is given up 6 s later", () => {
    line();
    vi.advanceTimersByTime(1_000);
    wires.last.open();
    vi.advanceTimersByTime(5_999);
    expect(losses).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(losses).toMatchObject([{ reason: ConnectionReason.HelloTimeout }]);
  });
});

describe("terms", () => {
  test("the highest that was said is known", () => {
    const made = liveLine();
    wires.last.term = 4;
    wires.last.notice("agent-changed", {}, 1, 2);
    expect(made.term).toBe(4);
  });

  test("who speaks under a lower one than the session has seen is not listened to", () => {
    line(aHome({ term: 5 }));
    wires.last.open();
    wires.last.term = 4;
    wires.last.welcome("snapshot");
    expect(told).toEqual(["opened"]);
    expect(losses).toMatchObject([{ reason: ConnectionReason.OldTerm }]);
    expect(wires.last.closedWith).toBe(1000);
  });

  test("a notice under a lower one than the line has heard is dropped, and the line with it", () => {
    liveLine();
    wires.last.term = 0;
    wires.last.notice("agent-changed", {}, 1, 2);
    expect(told).toEqual([]);
    expect(losses).toMatchObject([{ reason: ConnectionReason.OldTerm }]);
  });

  test("a server that knows of none is believed", () => {
    liveLine();
    wires.last.say({ epoch: 1, seq: 2, at: "", type: "agent-changed", data: {} });
    expect(told).toEqual(["agent-changed"]);
  });
});

describe("our own silence", () => {
  test("is broken every 5 s", () => {
    liveLine();
    vi.advanceTimersByTime(11_000);
    expect(wires.last.said.filter((each) => each["type"] === "beat")).toHaveLength(2);
  });

  test("is broken in answer to a frame when the page's own timers do not ring", () => {
    liveLine();
    vi.setSystemTime(Date.now() + 5_500); // time passes, no timer rings: a hidden page
    wires.last.beat();
    expect(wires.last.said.at(-1)).toEqual({ type: "beat" });
  });
});

describe("its loss", () => {
  test.each([
    [1012, ConnectionReason.ServerRestarts],
    [4408, ConnectionReason.TooSlow],
    [4409, ConnectionReason.TakenOver],
    [4410, ConnectionReason.SessionEnded],
    [4401, ConnectionReason.SessionMoved],
    [4420, ConnectionReason.SessionMoved],
    [4400, ConnectionReason.Closed],
    [1006, ConnectionReason.Closed],
    [1001, ConnectionReason.Closed],
  ] as const)("by a close with %i has the reason %i", (code, reason) => {
    liveLine();
    wires.last.drop(code);
    expect(losses).toEqual([{ reason, cause: "", detail: "" }]);
  });

  test.each([
    [4401, ConnectionReason.SessionUnknown],
    [4420, ConnectionReason.SessionUnknown],
  ] as const)("by a close with %i is final without a ticket", (code, reason) => {
    liveLine(aHome({ ticket: "" }));
    wires.last.drop(code);
    expect(losses).toMatchObject([{ reason }]);
  });

  test.each([
    ["session.unknown", ConnectionReason.SessionMoved],
    ["session.moved", ConnectionReason.SessionMoved],
    ["taken-over", ConnectionReason.TakenOver],
    ["session.ended", ConnectionReason.SessionEnded],
    ["protocol.hello", ConnectionReason.HelloRefused],
    ["something.new", ConnectionReason.HelloRefused],
  ] as const)("by a hello refused as %s has the reason %i", (id, reason) => {
    line();
    wires.last.open();
    wires.last.say({ type: "refused", id });
    expect(losses).toMatchObject([{ reason }]);
  });

  test("by a server that heard no hello in time is no refusal", () => {
    line();
    wires.last.open();
    wires.last.drop(4408);
    expect(losses).toMatchObject([{ reason: ConnectionReason.TooSlow }]);
  });

  test("has the server's words, when it said some", () => {
    line();
    wires.last.open();
    wires.last.say({ type: "refused", id: "session.ended", reason: "switch.wrong-password", detail: "27" });
    expect(losses).toEqual([
      { reason: ConnectionReason.SessionEnded, cause: "switch.wrong-password", detail: "27" },
    ]);
  });

  test("before the transport opened is told apart from one after", () => {
    line();
    wires.last.drop();
    expect(losses).toMatchObject([{ reason: ConnectionReason.OpenFailed }]);
  });

  test.each(["<html>", "null", "7", '{"no":"type"}'])("by a frame like %s is told to the server", (text) => {
    liveLine();
    wires.last.events.received(text);
    expect(losses).toMatchObject([{ reason: ConnectionReason.BadFrame }]);
    expect(wires.last.closedWith).toBe(4400);
  });

  test("is told once, and nothing is heard after it", () => {
    liveLine();
    wires.last.drop();
    wires.last.beat();
    wires.last.drop(4409);
    expect(losses).toHaveLength(1);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not told when we close it ourselves", () => {
    const made = liveLine();
    made.close(1000);
    wires.last.drop(1000);
    expect(losses).toEqual([]);
    expect(made.send({ type: "beat" })).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("whoever attends a line that is live is told from then on", () => {
  const made = liveLine();
  const theirs: string[] = [];
  made.attend({
    frame: ({ type }) => theirs.push(type),
    heard: () => theirs.push("heard"),
    lost: ({ reason }) => theirs.push(String(reason)),
  });
  wires.last.beat();
  wires.last.drop();
  expect(theirs).toEqual(["heard", "beat", String(ConnectionReason.Closed)]);
  expect(told).toEqual([]);
});
