import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { rank } from "../../client/rendezvous.js";
import { Servers } from "../../client/servers.js";
import { aTopology, FakeMemory } from "./fakes.js";

const NOW = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(NOW);
});
afterEach(() => vi.useRealTimers());

/** All servers in the order in which they would be tried. */
function order(servers: Servers, nowMs = NOW): string[] {
  vi.setSystemTime(nowMs);
  const tried = new Set<string>();
  for (;;) {
    const next = servers.next(tried);
    if (next === null) return [...tried];
    tried.add(next);
  }
}

/** Instances in the agent's own order. */
function ranked(agent: string, ...names: string[]): string[] {
  const sorted = names.sort((a, b) => (rank(agent, a) < rank(agent, b) ? 1 : -1));
  return sorted.map((name) => `https://${name}`);
}

describe("the order of tries", () => {
  test("no server is refused at once", () => {
    expect(() => new Servers([])).toThrow(RangeError);
  });

  test("the same origin with and without a slash is one server", () => {
    expect(order(new Servers(["https://a", "https://a/"]))).toEqual(["https://a"]);
  });

  test("given servers are tried as they were given, the one that failed less before the others", () => {
    const servers = new Servers(["https://z", "https://b", "https://c"]);
    expect(order(servers)).toEqual(["https://z", "https://b", "https://c"]);
    servers.failed("https://z");
    expect(order(servers)).toEqual(["https://b", "https://c", "https://z"]);
  });

  test("is: last good, suggested, ready in the agent's order, other ready, draining, given, other datacentre", () => {
    const servers = new Servers(["https://seed"]);
    servers.orderFor("1001");
    servers.learn(
      aTopology([
        { id: "west", datacentre: "west" },
        { id: "down", state: "down" },
        { id: "joining", state: "joining" },
        { id: "draining", state: "draining" },
        { id: "failed" },
        { id: "light", weight: 0 },
        "r1",
        "r2",
        "r3",
        "good",
        "told",
      ]),
    );
    servers.succeeded("https://good");
    servers.suggest("https://told");
    servers.failed("https://failed");
    expect(order(servers)).toEqual([
      "https://good",
      "https://told",
      ...ranked("1001", "r1", "r2", "r3"),
      "https://light",
      "https://failed",
      "https://draining",
      "https://seed",
      "https://west",
      ...ranked("1001", "down", "joining"),
    ]);
  });

  test("differs from agent to agent, and each agent's is always the same", () => {
    const firsts = new Set<string>();
    for (let agent = 1000; agent < 1020; agent += 1) {
      const servers = new Servers(["https://seed"]);
      servers.learn(aTopology(["a", "b", "c"]));
      servers.orderFor(String(agent));
      servers.failed("https://seed");
      expect(order(servers).slice(0, 3)).toEqual(ranked(String(agent), "a", "b", "c"));
      firsts.add(order(servers)[0] ?? "");
    }
    expect(firsts.size).toBe(3);
  });

  test("has all ready instances alike while no datacentre is active", () => {
    const servers = new Servers(["https://seed"]);
    servers.orderFor("1001");
    servers.failed("https://seed");
    servers.learn(aTopology([{ id: "e", datacentre: "east" }, { id: "w", datacentre: "west" }], { active: "" }));
    expect(order(servers).slice(0, 2)).toEqual(ranked("1001", "e", "w"));
  });

  test("the last good one is first again a minute after it failed", () => {
    const servers = new Servers(["https://a", "https://b"]);
    servers.failed("https://a");
    expect(order(servers, NOW + 59_999)[0]).toBe("https://b");
    expect(order(servers, NOW + 60_000)[0]).toBe("https://a");
  });

  test("a suggestion counts until it is tried", () => {
    const servers = new Servers(["https://a"]);
    servers.failed("https://a");
    expect(servers.suggest("https://c/")).toBe("https://c");
    expect(servers.next()).toBe("https://c");
    servers.trying("https://c");
    servers.failed("https://c");
    expect(servers.next()).toBe("https://a");
  });

  test("with one server every try goes to it, however often it failed", () => {
    const servers = new Servers(["https://a"]);
    for (let tries = 0; tries < 50; tries += 1) {
      servers.failed("https://a");
      expect(servers.next()).toBe("https://a");
    }
  });
});

describe("a name that several instances share", () => {
  test("is left for theirs as soon as these are known, however good it was", () => {
    const servers = new Servers(["https://shared"]);
    servers.orderFor("1001");
    servers.succeeded("https://shared");
    servers.learn(aTopology(["a", "b"]));
    expect(order(servers)).toEqual([...ranked("1001", "a", "b"), "https://shared"]);
  });

  test("is kept to when one instance is all there is, which may know its own address no better than we do", () => {
    const servers = new Servers(["https://shared"]);
    servers.learn(aTopology([{ id: "a", url: "http://0.0.0.0:8080" }]));
    expect(order(servers)).toEqual(["https://shared"]);
  });
});

describe("a busy server", () => {
  test("is left alone until it said that it may be asked again", () => {
    const servers = new Servers(["https://a", "https://b"]);
    servers.busy("https://a", 5_000);
    expect(order(servers)).toEqual(["https://b"]);
    expect(order(servers, NOW + 5_000)).toEqual(["https://a", "https://b"]);
    expect(servers.first()).toBe("https://a");
  });

  test("is waited for only when all are busy, and then for the one that is free first", () => {
    const servers = new Servers(["https://a", "https://b"]);
    servers.busy("https://a", 5_000);
    expect(servers.busyForMs()).toBe(0);
    servers.busy("https://b", 3_000);
    expect(servers.busyForMs()).toBe(3_000);
    servers.succeeded("https://a");
    expect(servers.busyForMs()).toBe(0);
  });
});

describe("witnesses", () => {
  test("are the first two others, those that serve before those that do not", () => {
    const servers = new Servers(["https://seed"]);
    servers.orderFor("1001");
    servers.learn(aTopology(["a", "b", "c", { id: "d", state: "down" }, { id: "j", state: "joining" }]));
    servers.succeeded("https://a");
    expect(servers.witnessesOf("a")).toEqual(ranked("1001", "b", "c"));
  });

  test("are none for one that is alone", () => {
    const servers = new Servers(["https://a", "https://seed"]);
    servers.learn(aTopology(["a"]));
    expect(servers.witnessesOf("a")).toEqual([]);
  });
});

describe("the topology", () => {
  test("takes the place of what was learned, and leaves what was given", () => {
    const servers = new Servers(["https://seed"]);
    servers.orderFor("1001");
    servers.learn(aTopology(["b", "c", "d"]));
    servers.learn(aTopology(["c", "d"], { version: 2 }));
    expect(order(servers)).toEqual([...ranked("1001", "c", "d"), "https://seed"]);
  });

  test.each([
    ["a lower epoch", { epoch: 1, version: 99 }],
    ["a lower version of the same epoch", { epoch: 2, version: 4 }],
    ["the same version", { epoch: 2, version: 5 }],
  ])("%s never replaces what is known", (_, older) => {
    const servers = new Servers(["https://seed"]);
    servers.learn(aTopology(["new"], { epoch: 2, version: 5 }));
    servers.learn(aTopology(["old"], older));
    expect(servers.instanceAt("https://new").id).toBe("new");
    expect(servers.instanceAt("https://old").id).toBe("");
  });

  test.each([
    ["a higher epoch with a lower version", { epoch: 3, version: 1 }],
    ["another cluster", { cluster: "other", epoch: 0, version: 0 }],
  ])("%s does", (_, newer) => {
    const servers = new Servers(["https://seed"]);
    servers.learn(aTopology(["old"], { epoch: 2, version: 5 }));
    servers.learn(aTopology(["new"], newer));
    expect(servers.instanceAt("https://new").id).toBe("new");
    expect(servers.instanceAt("https://old").id).toBe("");
  });

  test("is kept over the page's life", () => {
    const memory = new FakeMemory();
    new Servers(["https://seed"], memory).learn(aTopology(["a", "b"]));
    expect(order(new Servers(["https://seed"], memory))).toHaveLength(3);
  });

  test("that another page has kept meanwhile is not overwritten with an older one", () => {
    const memory = new FakeMemory();
    const here = new Servers(["https://seed"], memory);
    const there = new Servers(["https://seed"], memory);
    there.learn(aTopology(["new"], { version: 9 }));
    here.learn(aTopology(["old"], { version: 8 }));
    expect(here.instanceAt("https://new").id).toBe("new");
    expect([...memory.kept.values()].join()).not.toContain("old");
  });

  test.each([[null], ["{"], ["[]"], ['"x"'], ["null"], ['{"instances":1}']])("that was kept as %s is none", (kept) => {
    const memory = new FakeMemory();
    memory.getItem = () => kept;
    expect(order(new Servers(["https://seed"], memory))).toEqual(["https://seed"]);
  });

  test("works without a memory, and with one that refuses", () => {
    const refusing = new FakeMemory();
    refusing.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    for (const memory of [null, refusing]) {
      const servers = new Servers(["https://seed"], memory);
      servers.learn(aTopology(["a", "b"]));
      expect(order(servers)).toHaveLength(3);
    }
  });

  test("names instances by origin, with or without a slash, and passes over those without an address", () => {
    const servers = new Servers(["https://seed"]);
    servers.learn(
      aTopology([
        { id: "a", url: "https://a/" },
        { id: "b", weight: 0 },
        { id: "none", url: "" },
        { id: "odd", url: "javascript:alert(1)" },
      ]),
    );
    expect(servers.instanceAt("https://a").id).toBe("a");
    expect(servers.instanceAt("https://else").id).toBe("");
    expect(order(servers)).toEqual(["https://a", "https://b", "https://seed"]);
  });

  test.each([
    [undefined, 700],
    [5_000, 5_000],
    [0, 0],
    [-1, 0],
    [90_000, 30_000],
  ])("asks desktops to come back within %s ms, taken as %i", (told, taken) => {
    const servers = new Servers(["https://seed"]);
    if (told !== undefined) servers.learn(aTopology(["a"], { reconnect_window_ms: told }));
    expect(servers.windowMs(700)).toBe(taken);
  });
});
