import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Door } from "../../client/door.js";
import { Rest } from "../../client/rest.js";
import { Servers } from "../../client/servers.js";
import { aTopology, Http, opened, place, refusal } from "./fakes.js";

const CREDENTIALS = { agent: "1001", station: "2001", password: "secret", dialler: null };
const LOGIN = "POST /v1/session";

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
    expect(asking).toEqual(["https://a", "https://b"]);
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

  test("passes over a frozen server after 5 s, and after 2 s when it was to tell of others", async () => {
    http.freeze("https://a");
    http.on("https://b", LOGIN, opened("b"));
    const first = door("a", "b").logIn(CREDENTIALS);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await first).home.server).toBe("https://b");
    const began = Date.now();
    const second = knowing(door("a", "b"), "a", "b").logIn(CREDENTIALS);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await second).home.server).toBe("https://b");
    expect(http.asked.at(-1)?.atMs).toBe(began + 5_000);
  });

  test("learns first which instances there are, and is made by one's own name", async () => {
    const made = door("shared");
    http.on("https://shared", "GET /v1/topology", { body: aTopology(["a", "b"]) });
    http.on("https://shared", LOGIN, opened("either"));
    for (const name of ["a", "b"]) http.on(`https://${name}`, LOGIN, opened(name));
    expect(["https://a", "https://b"]).toContain((await made.logIn(CREDENTIALS)).home.server);
  });

  test.each([
    [401, "agent.wrong-password"],
    [409, "station.in-use"],
    [429, "login.too-many"],
  ])("that is refused with %i is not tried elsewhere", async (status, id) => {
    const made = knowing(door("a", "b"), "a", "b");
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
