import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Door } from "../../client/door.js";
import { Rest } from "../../client/rest.js";
import { Servers } from "../../client/servers.js";
import { aTopology, Http, opened, place, refusal, type Reply } from "./fakes.js";

const CREDENTIALS = { agent: "1001", station: "2001", password: "secret", dialler: null };
const LOGIN = "POST /v1/session";
const ENTRY = "GET /v1/entry";

let http: Http;
let servers: Servers;
let asking: string[];

beforeEach(() => {
  vi.useFakeTimers();
  http = new Http();
  asking = [];
});
afterEach(() => vi.useRealTimers());

/** The servers that were asked for the login, in order. */
function logins(): string[] {
  return http.asked.filter(({ what }) => what === LOGIN).map(({ server }) => server);
}

/** Instances are known from before. */
function knowing(made: Door, ...names: string[]): Door {
  servers.learn(aTopology(names));
  return made;
}

function door(...given: string[]): Door {
  servers = new Servers(given.map((name) => `https://${name}`));
  return new Door(servers, new Rest(http.fetch), (server) => asking.push(server));
}

/** The way in: a server names an instance, and tells of all. */
function enter(named: string, ...all: string[]): Reply {
  return { body: { instance: place(named), ticket: `entry-${named}`, ticket_s: 60, topology: aTopology(all) } };
}

/** What was said with the logins: server and entry ticket. */
function tickets(): [string, unknown][] {
  const made = http.asked.filter(({ what }) => what === LOGIN);
  return made.map(({ server, body }) => [server, (body as { entry?: string }).entry]);
}

describe("the way in", () => {
  beforeEach(() => {
    for (const name of ["a", "b", "c"]) http.on(`https://${name}`, LOGIN, opened(name));
  });

  test("is told by any server, and the login is made where it says, with its ticket", async () => {
    const made = door("shared");
    http.on("https://shared", ENTRY, enter("b", "a", "b", "c"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://b");
    expect(http.asked[0]).toMatchObject({ what: ENTRY, search: "?agent=1001" });
    expect(tickets()).toEqual([["https://b", "entry-b"]]);
    expect(servers.topology?.instances).toHaveLength(3);
  });

  test("is asked of a second server when the first is silent for 0.3 s, and the first answer counts", async () => {
    const made = door("a", "b", "c");
    http.freeze("https://a");
    http.on("https://b", ENTRY, enter("c", "a", "b", "c"));
    const login = made.logIn(CREDENTIALS);
    await vi.advanceTimersByTimeAsync(299);
    expect(http.list).toEqual([`https://a ${ENTRY}`]);
    await vi.advanceTimersByTimeAsync(1);
    expect((await login).home.server).toBe("https://c");
  });

  test("is not waited for longer than 2 s: then the list will do, the silent last", async () => {
    const made = door("a", "b", "c");
    http.on("https://a", ENTRY, "silent");
    http.on("https://b", ENTRY, "silent");
    const login = made.logIn(CREDENTIALS);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await login).home.server).toBe("https://c");
    expect(tickets()).toEqual([["https://c", undefined]]);
  });

  test("that leads to an instance which has died meanwhile leads on, without the ticket", async () => {
    const made = door("a");
    http.on("https://a", ENTRY, enter("d", "a", "d"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://a");
    expect(tickets()).toEqual([
      ["https://d", "entry-d"],
      ["https://a", undefined],
    ]);
  });

  test("through an instance that is alone is that instance, by whatever address it was reached", async () => {
    const made = door("a");
    http.on("https://a", ENTRY, enter("inside", "inside"));
    await made.logIn(CREDENTIALS);
    expect(tickets()).toEqual([["https://a", "entry-inside"]]);
  });

  test.each([
    ["nothing of ours", { body: [] }],
    ["no instance", { body: { instance: null, ticket: "", topology: null } }],
    ["that it is full", refusal(503, "cluster.full")],
    ["that it knows no such request", refusal(404, "request.path")],
    ["that the origin may not ask", refusal(403, "origin.refused")],
  ])("that says %s is left for the list", async (_, reply) => {
    const made = door("a");
    http.on("https://a", ENTRY, reply);
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://a");
    expect(tickets()).toEqual([["https://a", undefined]]);
  });

  test("survives the death of whoever told it: all instances are known by then", async () => {
    const made = door("a");
    http.on("https://a", ENTRY, () => {
      http.on("https://a", LOGIN, refusal(502, ""));
      return enter("d", "a", "c", "d");
    });
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://c");
  });
});

describe("what the site decided", () => {
  test("is told by the first server that answers, and that one is asked for the login", async () => {
    const made = door("a", "b");
    http.on("https://b", "GET /v1/config", { body: { instance: "b" } });
    http.on("https://b", LOGIN, opened("b"));
    await expect(made.config()).resolves.toEqual({ instance: "b" });
    expect(asking).toEqual(["https://a", "https://b"]);
    await made.logIn(CREDENTIALS);
    expect(http.list.at(-1)).toBe(`https://b ${LOGIN}`);
  });

  test("is asked of the first also when all have asked to be left alone", async () => {
    const made = door("a");
    servers.busy("https://a", 10_000);
    await expect(made.config()).rejects.toMatchObject({ id: "desktop.no-server" });
  });

  test("is not told when nobody answers", async () => {
    await expect(door("a", "b").config()).rejects.toMatchObject({ id: "desktop.no-server" });
    expect(http.list).toHaveLength(2);
  });
});

describe("a login", () => {
  test("opens the session where it was asked, and keeps what proves it", async () => {
    const made = door("a");
    http.on("https://a", LOGIN, opened("a"));
    const { home } = await made.logIn(CREDENTIALS);
    expect(home).toEqual({
      session: "s-1",
      agent: "1001",
      server: "https://a",
      token: "token-a",
      ticket: "ticket-a",
      term: 0,
    });
    expect(http.asked.at(-1)).toMatchObject({ what: LOGIN, body: CREDENTIALS });
  });

  test("goes to the instance that has the agent's session", async () => {
    const made = door("a");
    http.on("https://a", LOGIN, refusal(421, "instance.elsewhere", place("b")));
    http.on("https://b", LOGIN, opened("b"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://b");
    expect(asking).toEqual(["https://a", "https://a", "https://b"]); // the way in, then both logins
  });

  test("is sent on three times at most", async () => {
    const made = door("a");
    for (const [here, there] of ["ab", "bc", "cd", "de"]) {
      http.on(`https://${here}`, LOGIN, refusal(421, "instance.elsewhere", place(there ?? "")));
    }
    await expect(made.logIn(CREDENTIALS)).rejects.toMatchObject({ id: "instance.elsewhere" });
    expect(logins()).toEqual(["a", "b", "c", "d"].map((name) => `https://${name}`));
  });

  test("passes over a passive datacentre that knows of nowhere to go, which is no failure", async () => {
    const made = door("a", "b");
    http.on("https://a", "GET /v1/topology", { body: {} });
    http.on("https://a", LOGIN, refusal(421, "datacentre.passive"));
    http.on("https://b", LOGIN, opened("b"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://b");
    expect(servers.next(new Set(["https://b"]))).toBe("https://a");
  });

  test("that is sent to and fro ends", async () => {
    const made = door("a");
    http.on("https://a", LOGIN, refusal(421, "instance.elsewhere", place("b")));
    http.on("https://b", LOGIN, refusal(421, "instance.elsewhere", place("a")));
    await expect(made.logIn(CREDENTIALS)).rejects.toMatchObject({ id: "instance.elsewhere" });
    expect(logins()).toHaveLength(4);
  });

  test.each([
    ["that cannot be reached", null],
    ["that is full", refusal(503, "instance.full")],
    ["with a proxy before it and nothing behind", { status: 502 }],
  ])("passes over a server %s", async (_, reply) => {
    const made = door("a", "b");
    if (reply) http.on("https://a", LOGIN, reply);
    http.on("https://b", LOGIN, opened("b"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://b");
  });

  test("passes over a server that was named and is frozen after 5 s", async () => {
    const made = door("a", "b");
    http.on("https://a", ENTRY, enter("a", "a", "b"));
    http.on("https://a", LOGIN, "silent");
    http.on("https://b", LOGIN, opened("b"));
    const began = Date.now();
    const login = made.logIn(CREDENTIALS);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await login).home.server).toBe("https://b");
    expect(http.asked.at(-1)?.atMs).toBe(began + 5_000);
  });

  test.each([
    [401, "agent.wrong-password"],
    [409, "station.in-use"],
    [429, "login.too-many"],
  ])("that is refused with %i is not tried elsewhere", async (status, id) => {
    const made = door("a", "b");
    http.on("https://a", ENTRY, enter("a", "a", "b"));
    http.on("https://a", LOGIN, refusal(status, id));
    await expect(made.logIn(CREDENTIALS)).rejects.toMatchObject({ id });
    expect(logins()).toHaveLength(1);
  });

  test.each([
    ["a", "b"],
    ["b", "a"],
  ])("that nobody takes is refused in the words of %s, not as by a server that is not there", async (...names) => {
    const made = door("a", "b");
    http.on(`https://${names[0]}`, LOGIN, refusal(503, "instance.full"));
    await expect(made.logIn(CREDENTIALS)).rejects.toMatchObject({ id: "instance.full" });
    expect(new Set(logins())).toEqual(new Set(["https://a", "https://b"]));
  });

  test("finds the instances that are known from before when the page's own server is gone", async () => {
    const made = knowing(door("gone"), "b", "c");
    http.on("https://b", LOGIN, opened("b"));
    expect((await made.logIn(CREDENTIALS)).home.server).toBe("https://b");
  });

  test("at a server that gives no ticket has none", async () => {
    const made = door("a");
    http.on("https://a", LOGIN, { body: { session: "s", token: "t", now: new Date().toISOString() } });
    expect((await made.logIn(CREDENTIALS)).home.ticket).toBe("");
  });
});
