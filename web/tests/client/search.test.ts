import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HomeKeeper } from "../../client/home.js";
import type { Line } from "../../client/line.js";
import { ConnectionReason } from "../../client/reasons.js";
import { Rest } from "../../client/rest.js";
import { Search } from "../../client/search.js";
import { Servers } from "../../client/servers.js";
import { CONNECTION_SETTINGS } from "../../client/settings.js";
import { aHome, aTopology, FakeMemory, Http, opened, place, refusal, Wires, type Reply } from "./fakes.js";

const RESUME = "POST /v1/session/resume";
const TOPOLOGY = "GET /v1/topology";

let wires: Wires;
let http: Http;
let servers: Servers;
let keeper: HomeKeeper;
let told: string[];
let found: Line | null;
let chance: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  wires = new Wires();
  http = new Http();
  servers = new Servers(["https://a"]);
  keeper = new HomeKeeper(new FakeMemory());
  keeper.settle(aHome());
  told = [];
  found = null;
  chance = 0.5;
});
afterEach(() => vi.useRealTimers());

/** Instances in the order in which they are tried: those after the first by failures that are long past. */
function know(...names: string[]): void {
  servers = new Servers(["https://a"]);
  servers.learn(aTopology(names));
  vi.setSystemTime(-100_000);
  names.forEach((name, times) => {
    for (let count = 0; count < times; count += 1) servers.failed(`https://${name}`);
  });
  vi.setSystemTime(0);
}

/** An instance that is there, and answers a resume. */
function there(name: string, resume: Reply = opened(name), topology: Reply = { body: {} }): void {
  http.on(`https://${name}`, TOPOLOGY, topology);
  http.on(`https://${name}`, RESUME, resume);
}

function search(without = ""): Search {
  return new Search(
    {
      servers,
      rest: new Rest(http.fetch),
      keeper,
      openTransport: wires.open,
      chance: () => chance,
      settings: CONNECTION_SETTINGS,
      hello: ({ token }) => ({ type: "hello", token, epoch: null, seq: null, client: "c" }),
    },
    {
      trying: (server, hello) => told.push(`${hello ? "hello" : "trying"} ${server}`),
      frame: () => undefined,
      found: (line) => {
        found = line;
        told.push(`found ${line.home.server}`);
      },
      failed: (reason) => told.push(`failed ${reason}`),
      refused: ({ reason }) => told.push(`refused ${reason}`),
    },
    without,
  );
}

async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Which servers were asked to take the session, in order. */
function taken(): string[] {
  return http.asked.filter(({ what }) => what === RESUME).map(({ server }) => server);
}

describe("at home", () => {
  test("the session is gone on with by its token alone", () => {
    search().start();
    wires.last.serve();
    expect(told).toEqual(["trying https://a", "hello https://a", "found https://a"]);
    expect(http.asked).toEqual([]);
  });

  test("a session without a ticket is tried nowhere else", async () => {
    know("a", "b");
    keeper.settle({ ticket: "" });
    search().start();
    wires.last.drop();
    await settle(5_000);
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.OpenFailed}`);
    expect(http.asked).toEqual([]);
  });
});

describe("elsewhere", () => {
  test("the session is taken over with ticket and token, and spoken to under the new token", async () => {
    know("a", "b");
    there("b");
    search().start();
    wires.last.drop();
    await settle();
    expect(http.list).toEqual([`https://b ${TOPOLOGY}`, `https://b ${RESUME}`]);
    expect(http.asked.at(-1)?.body).toEqual({ ticket: "ticket-a", token: "token-a" });
    expect(keeper.home).toMatchObject({ server: "https://b", token: "token-b", ticket: "ticket-b" });
    wires.last.open();
    expect(wires.last.said[0]).toMatchObject({ token: "token-b" });
    wires.last.welcome("snapshot");
    expect(found?.home.server).toBe("https://b");
  });

  test("a server that is refused a connection is followed at once", async () => {
    know("a", "b", "c");
    there("c");
    search().start();
    wires.last.drop();
    await settle();
    expect(taken()).toEqual(["https://c"]);
    expect(Date.now()).toBe(0);
  });

  test("a silent home is overtaken after 300 ms by one that is there", async () => {
    know("a", "b");
    there("b");
    search().start();
    await settle(299);
    expect(http.asked).toEqual([]);
    await settle(1);
    expect(http.asked[0]).toMatchObject({ server: "https://b", atMs: 300 });
  });

  test("never are more than two tried at once", async () => {
    know("a", "b", "c", "d");
    for (const name of ["b", "c", "d"]) http.freeze(`https://${name}`);
    search().start();
    await settle(1_999);
    expect(wires.alive).toHaveLength(1);
    expect(http.list).toEqual([`https://b ${TOPOLOGY}`]);
    await settle(1);
    expect(wires.alive).toHaveLength(0);
    expect(http.list).toHaveLength(2);
    await settle(10_000);
    expect(told.at(-1)).toMatch(/^failed/);
  });

  test("the first to answer wins, and the other is given up", async () => {
    know("a", "b");
    search().start();
    http.freeze("https://b");
    await settle(400);
    wires.last.serve();
    expect(found?.home.server).toBe("https://a");
    await settle(10_000);
    expect(told.filter((each) => each.startsWith("failed"))).toEqual([]);
    expect(taken()).toEqual([]);
  });

  test("only one server is asked to take the session, and the next when that one could not", async () => {
    know("a", "b", "c");
    keeper.settle({ server: "" });
    servers.failed("https://a");
    there("b", "silent");
    there("c", { status: 500 });
    search().start();
    await settle(5_999);
    expect(taken()).toEqual(["https://b"]);
    await settle(1);
    expect(taken().slice(0, 2)).toEqual(["https://b", "https://c"]);
  });

  test("one that was given up while another was asked has its turn again", async () => {
    know("a", "b", "c");
    keeper.settle({ server: "" });
    http.freeze("https://a"); // silent for a moment only
    there("b", { status: 500 });
    const one = search();
    one.start();
    await settle(299);
    there("a");
    await settle(1);
    expect(taken()).toEqual(["https://b", "https://a"]);
    one.stop();
  });

  test("what a server tells of the others is heard on the way", async () => {
    know("a", "b");
    there("b", { status: 500 }, { body: aTopology(["a", "b", "c"], { version: 2 }) });
    there("c");
    search().start();
    wires.last.drop();
    await settle();
    expect(taken()).toEqual(["https://b", "https://c"]);
  });
});

describe("patience with home", () => {
  beforeEach(() => {
    know("a", "b");
  });

  test("while others say that it is ready, it has all its time before the session is taken from it", async () => {
    there("b", opened("b"), { body: aTopology(["a", "b"]) });
    search().start();
    await settle(1_999);
    expect(taken()).toEqual([]);
    await settle(1);
    expect(taken()).toEqual(["https://b"]);
    expect(wires.all[0]?.closedWith).toBe(1000);
  });

  test("and keeps it if it answers in that time", async () => {
    there("b", opened("b"), { body: aTopology(["a", "b"]) });
    search().start();
    await settle(1_000);
    wires.last.serve();
    await settle(10_000);
    expect(found?.home.server).toBe("https://a");
    expect(taken()).toEqual([]);
  });

  test("is over when it fails", async () => {
    there("b", opened("b"), { body: aTopology(["a", "b"]) });
    search().start();
    await settle(1_000);
    wires.last.drop();
    await settle();
    expect(taken()).toEqual(["https://b"]);
  });

  test.each(["down", "draining"] as const)("there is none while others say that it is %s", async (state) => {
    there("b", opened("b"), { body: aTopology([{ id: "a", state }, "b"], { version: 2 }) });
    search().start();
    await settle(300);
    expect(taken()).toEqual(["https://b"]);
  });
});

describe("a home that does not have the session any more", () => {
  test.each([
    ["refused", (): void => wires.last.say({ type: "refused", id: "session.unknown" })],
    ["closed with 4401", (): void => wires.last.drop(4401)],
    ["closed with 4420", (): void => wires.last.drop(4420)],
  ])("%s, is asked to take it again: if another has it, it knows which", async (_, end) => {
    know("a", "b");
    there("a", refusal(421, "session.moved", place("b")));
    there("b");
    search().start();
    wires.last.open();
    end();
    expect(keeper.home.server).toBe("");
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(keeper.home.server).toBe("https://b");
  });

  test("is not asked twice: one that takes it and does not know it is passed over", async () => {
    know("a", "b");
    there("a");
    there("b");
    search().start();
    wires.last.open();
    wires.last.drop(4401);
    await settle();
    wires.last.open();
    wires.last.drop(4401);
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
  });

  test("ends the search when there is no ticket", () => {
    keeper.settle({ ticket: "" });
    search().start();
    wires.last.open();
    wires.last.drop(4401);
    expect(told.at(-1)).toBe(`refused ${ConnectionReason.SessionUnknown}`);
  });
});

describe("being sent on", () => {
  beforeEach(() => {
    know("a", "b");
    keeper.settle({ server: "" });
  });

  test("is followed three times", async () => {
    there("a", refusal(421, "instance.elsewhere", place("c")));
    there("c", refusal(421, "instance.elsewhere", place("d")));
    there("d", refusal(421, "instance.elsewhere", place("e")));
    there("e", refusal(421, "instance.elsewhere", place("f")));
    there("f");
    there("b");
    search().start();
    await settle();
    expect(taken()).toEqual(["a", "c", "d", "e", "b"].map((name) => `https://${name}`));
  });

  test("to one that has had its turn is not followed", async () => {
    there("a", refusal(421, "instance.elsewhere", place("b")));
    there("b", refusal(421, "instance.elsewhere", place("a")));
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.SessionMoved}`);
  });

  test("by a passive datacentre is an answer: its instance is not held to have failed", async () => {
    there("a", refusal(421, "datacentre.passive"));
    there("b", refusal(421, "datacentre.passive"));
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.PassiveDatacentre}`);
    expect(servers.next()).toBe("https://a");
  });
});

describe("a resume that is refused for good", () => {
  test.each([
    [401, "ticket.invalid", ConnectionReason.TicketRefused],
    [409, "station.in-use", ConnectionReason.TicketRefused],
    [410, "session.ended", ConnectionReason.SessionEnded],
    [423, "taken-over", ConnectionReason.TakenOver],
  ])("with %i %s ends the search", async (status, id, reason) => {
    know("a", "b");
    there("a", refusal(status, id));
    there("b");
    keeper.settle({ server: "" });
    search().start();
    await settle(20_000);
    expect(told.at(-1)).toBe(`refused ${reason}`);
    expect(taken()).toEqual(["https://a"]);
  });

  test.each([
    [401, ""],
    [409, "later"],
  ])("is not one of %i that is not ours, or passes: retry %s", async (status, retry) => {
    know("a", "b");
    there("a", { status, body: { id: "agent.logging-out", retry } });
    there("b");
    keeper.settle({ server: "" });
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
  });

  test.each([TOPOLOGY, RESUME])("is not one that has too much to do at %s: it is left alone as long as it says", async (what) => {
    know("a", "b");
    there("a");
    http.on("https://a", what, { status: 503, retryAfter: 10, body: { id: "instance.busy" } });
    keeper.settle({ server: "" });
    chance = 0;
    search().start();
    await settle();
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.OpenFailed}`); // b is not there at all
    await settle(7_499);
    expect(servers.next(new Set(["https://b"]))).toBeNull();
    await settle(1);
    expect(servers.next(new Set(["https://b"]))).toBe("https://a");
  });

  test.each([
    [0, 7_500],
    [0.5, 10_000],
    [0.999_999, 12_500],
  ])("with chance %f a wish for 10 s is obeyed for %i ms", async (luck, ms) => {
    know("a");
    there("a", { status: 503, retryAfter: 10 });
    keeper.settle({ server: "" });
    chance = luck;
    search().start();
    await settle();
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.Busy}`);
    expect(Math.round(servers.busyForMs())).toBe(ms);
  });
});

describe("a search that is told where to begin", () => {
  test("asks that server to take the session without looking whether it is there", async () => {
    know("a", "b", "c");
    there("c");
    search("https://a").start("https://c");
    await settle();
    expect(http.list).toEqual([`https://c ${RESUME}`]);
  });

  test("goes on with others, but not with the one that is to be left", async () => {
    know("a", "b", "c");
    there("b");
    search("https://a").start("https://c");
    await settle(10_000);
    expect(taken()).toEqual(["https://c", "https://b"]);
    expect(wires.all.map(({ server }) => server)).not.toContain("https://a");
  });
});

test("a search that was stopped opens nothing any more, and leaves no timer", async () => {
  know("a", "b");
  there("b");
  const one = search();
  one.start();
  await settle(100);
  one.stop();
  expect(wires.last.closedWith).toBe(1000);
  expect(vi.getTimerCount()).toBe(0);
  await settle(10_000);
  expect(told).toEqual(["trying https://a"]);
});

test("a server under an older term is passed over", async () => {
  know("a", "b");
  there("b");
  keeper.settle({ term: 5 });
  search().start();
  wires.last.serve(4);
  await settle();
  expect(found).toBeNull();
  expect(taken()).toEqual(["https://b"]);
  wires.last.serve(6);
  expect(found?.term).toBe(6);
});
