import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason } from "../../client/reasons.js";
import { aTopology, opened } from "./fakes.js";
import {
  begin,
  found,
  http,
  keeper,
  know,
  RESUME,
  search,
  servers,
  settle,
  taken,
  there,
  TOPOLOGY,
  told,
  wires,
} from "./searching.js";

beforeEach(begin);
afterEach(() => vi.useRealTimers());

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
