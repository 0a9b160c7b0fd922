import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  Desk,
  RequestError,
  type DeskEvents,
  type Fallbacks,
  type Memory,
  type TransportEvents,
  type TransportName,
  type View,
} from "../../client/index.js";
import { aView, FakeMemory, Wires } from "./fakes.js";

const CREDENTIALS = { agent: "1001", station: "2001", password: "secret", dialler: null };

let wires: Wires;
let memory: FakeMemory;
let longMemory: FakeMemory;
let requests: { url: string; init: RequestInit }[];
let responses: Response[];
let desks: Desk[];

beforeEach(() => {
  vi.useFakeTimers();
  wires = new Wires();
  memory = new FakeMemory();
  longMemory = new FakeMemory();
  requests = [];
  responses = [];
  desks = [];
});
afterEach(() => {
  for (const desk of desks) desk.dispose();
  vi.useRealTimers();
});

function desk(events: DeskEvents = {}, kept: Memory = memory): Desk {
  const made = new Desk(
    {
      servers: ["https://a"],
      openTransport: wires.open,
      memory: kept,
      longMemory,
      chance: () => 0,
      fetch: (url, init) => {
        if (/\/v1\/(topology|entry)/.test(url)) return Promise.reject(new TypeError("refused"));
        requests.push({ url, init });
        const response = responses.shift();
        return response ? Promise.resolve(response) : Promise.reject(new TypeError("refused"));
      },
    },
    events,
  );
  desks.push(made);
  return made;
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

const opened = (): Response =>
  json({ session: "3f9a71c2-ab", token: "secret-token", now: new Date().toISOString() }, 201);

async function loggedIn(events: DeskEvents = {}): Promise<Desk> {
  const made = desk(events);
  responses = [opened()];
  await made.logIn(CREDENTIALS);
  wires.last.open();
  wires.last.welcome("snapshot", 1, 5);
  return made;
}

describe("logging in", () => {
  test("opens a session, keeps its token over a refresh, and connects", async () => {
    const made = await loggedIn();
    expect(requests[0]?.url).toBe("https://a/v1/session");
    expect(JSON.parse(String(requests[0]?.init.body))).toEqual(CREDENTIALS);
    expect(wires.last.said[0]).toMatchObject({ type: "hello", token: "secret-token", epoch: null });
    expect(made.view).toEqual(aView());
    expect(made.reference).toBe("3F9A71C2");
    expect([...memory.kept.values()].join()).not.toContain(`"${CREDENTIALS.password}"`);
  });

  test("a refusal is told by its id, with the words to read out", async () => {
    const made = desk();
    responses = [
      json({ id: "station.in-use", detail: "1002 is there", retry: "never", correlation: "c-17", status: 409 }, 409),
    ];
    const refusal = await made.logIn(CREDENTIALS).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RequestError);
    expect(refusal).toMatchObject({ status: 409, id: "station.in-use", detail: "1002 is there", correlation: "c-17" });
    expect(wires.all).toHaveLength(0);
    expect(memory.kept.size).toBe(0);
  });

  test.each([
    [502, "<html>bad gateway</html>", "desktop.server-trouble"],
    [400, "", "desktop.request-refused"],
  ])("an answer of %i without a problem in it has an id all the same", async (status, body, id) => {
    const made = desk();
    responses = [new Response(body, { status })];
    await expect(made.logIn(CREDENTIALS)).rejects.toMatchObject({ status, id });
  });

  test("no answer is told as such", async () => {
    await expect(desk().logIn(CREDENTIALS)).rejects.toMatchObject({ status: 0, id: "desktop.no-server" });
  });

  test("a refresh goes on with the same session", async () => {
    await loggedIn();
    const fresh = desk();
    expect(fresh.resume()).toBe(true);
    wires.last.open();
    expect(wires.last.said[0]).toMatchObject({ token: "secret-token", epoch: null, seq: null });
  });

  test.each([[null], ["{"], ['"x"'], ['{"token":1}'], ["{}"]])(
    "with %s in memory there is nothing to resume",
    (kept) => {
      const odd: Memory = { getItem: () => kept, setItem: () => undefined, removeItem: () => undefined };
      expect(desk({}, odd).resume()).toBe(false);
    },
  );
});

describe("staying in step", () => {
  test("after a loss the stream is resumed from the last notice", async () => {
    const views: (View | null)[] = [];
    const made = await loggedIn({ view: (view) => views.push(view) });
    wires.last.notice("blocked-changed", { blocked: { a: "b" } }, 1, 6);
    wires.last.drop();
    vi.advanceTimersByTime(1);
    wires.last.open();
    expect(wires.last.said[0]).toMatchObject({ epoch: 1, seq: 6 });
    wires.last.welcome("resumed", 1, 7);
    wires.last.notice("blocked-changed", { blocked: { c: "d" } }, 1, 7);
    expect(made.view?.blocked).toEqual({ c: "d" });
    expect(views.at(-1)).toBe(made.view);
  });

  test("the page sees neither a gap nor a duplicate", async () => {
    const views: (View | null)[] = [];
    await loggedIn({ view: (view) => views.push(view) });
    const before = views.length;
    wires.last.notice("blocked-changed", { blocked: { a: "b" } }, 1, 5);
    wires.last.notice("blocked-changed", { blocked: { a: "b" } }, 1, 9);
    expect(views).toHaveLength(before);
    vi.advanceTimersByTime(0);
    wires.last.open();
    expect(wires.last.said[0]).toMatchObject({ epoch: 1, seq: 5 });
  });

  test("a message is told when it comes, not when it is in a snapshot", async () => {
    const texts: string[] = [];
    await loggedIn({ message: ({ text }) => texts.push(text) });
    const message = { text: "team meeting", sender: "supervisor", at: "2026-01-01T00:00:00.000Z" };
    wires.last.notice("message-arrived", { message }, 1, 6);
    wires.last.snapshot(2, 1, aView({ messages: [message] }));
    expect(texts).toEqual(["team meeting"]);
  });

  test("a lost answer is asked for when the connection is back", async () => {
    const made = await loggedIn();
    const result = made.submit({ type: "make-call", number: "123" });
    const { id } = wires.last.said.at(-1) as { id: string };
    wires.last.drop();
    vi.advanceTimersByTime(1);
    wires.last.open();
    responses = [json({ id, type: "make-call", outcome: "done", error: "", detail: "" })];
    wires.last.welcome("resumed", 1, 5);
    await expect(result).resolves.toMatchObject({ outcome: "done" });
    expect(requests.at(-1)?.url).toBe(`https://a/v1/session/commands/${id}`);
    expect(wires.last.said.filter((each) => each["type"] === "command")).toHaveLength(0);
  });

  test("the network coming back ends the waiting", async () => {
    await loggedIn();
    wires.last.drop();
    vi.advanceTimersByTime(0);
    wires.last.drop();
    const tries = wires.all.length;
    window.dispatchEvent(new Event("online"));
    expect(wires.all).toHaveLength(tries + 1);
  });

  test("a page that shows itself before anybody logged in connects to nothing", () => {
    desk();
    window.dispatchEvent(new Event("pageshow"));
    window.dispatchEvent(new Event("online"));
    vi.advanceTimersByTime(60_000);
    expect(wires.all).toHaveLength(0);
  });

  test("timers count on the server's clock", async () => {
    const made = desk();
    responses = [json({ session: "s", token: "t", now: new Date(Date.now() + 90_000).toISOString() }, 201)];
    await made.logIn(CREDENTIALS);
    expect(made.clock.now() - Date.now()).toBe(90_000);
  });
});

describe("the end", () => {
  test("of the session is told once, and its token forgotten", async () => {
    const ends: string[] = [];
    const made = await loggedIn({ ended: (reason) => ends.push(reason) });
    wires.last.notice("session-ended", { reason: "switch.wrong-password", detail: "" }, 1, 6);
    wires.last.drop(4410);
    expect(ends).toEqual(["switch.wrong-password"]);
    expect(memory.kept.size).toBe(0);
    expect(made.view).toBeNull();
  });

  test("of a login that was refused before the page had connected is told once, with its reason", async () => {
    const ends: string[] = [];
    const made = desk({ ended: (reason, detail) => ends.push(reason, detail) });
    responses = [opened()];
    await made.logIn(CREDENTIALS);
    wires.last.open();
    wires.last.say({ type: "refused", id: "session.ended", reason: "switch.wrong-password", detail: "27" });
    wires.last.drop(4410);
    expect(ends).toEqual(["switch.wrong-password", "27"]);
  });

  test("a session that the server does not know any more is over", async () => {
    const ends: string[] = [];
    await loggedIn({ ended: (reason) => ends.push(reason) });
    wires.last.drop(1012);
    vi.advanceTimersByTime(1);
    wires.last.open();
    wires.last.say({ type: "refused", id: "session.unknown" });
    expect(ends).toEqual(["session.unknown"]);
    expect(memory.kept.size).toBe(0);
  });

  test("a desktop that was taken over keeps its last view, and can ask the session back", async () => {
    const ends: string[] = [];
    const made = await loggedIn({ ended: (reason) => ends.push(reason) });
    wires.last.drop(4409);
    expect(made.connection.state).toBe("refused");
    expect(made.view).not.toBeNull();
    expect(ends).toEqual([]);
    made.reclaim();
    wires.last.open();
    wires.last.welcome("snapshot", 2, 1);
    expect(made.connection.state).toBe("live");
  });

  test("what was asked when the session ended is settled as unknown", async () => {
    const made = await loggedIn();
    const result = made.submit({ type: "log-out" });
    wires.last.notice("session-ended", { reason: "agent", detail: "" }, 1, 6);
    await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "desktop.session-over" });
  });
});

describe("ways to the server", () => {
  afterEach(() => delete window.uaFallbacks);

  function other(transports?: readonly TransportName[]): Fallbacks & { asked: unknown[] } {
    const asked: unknown[] = [];
    const fallbacks = {
      asked,
      open: (names: readonly TransportName[], server: string, events: TransportEvents) => {
        asked.push(["open", names, server]);
        return wires.open(server, events);
      },
      fetch: (names: readonly TransportName[], _: unknown, url: string) => {
        asked.push(["fetch", names, new URL(url).pathname]);
        return Promise.resolve(url.endsWith("/v1/session") ? opened() : json({}, 404));
      },
      newNetwork: () => asked.push("new network"),
    };
    window.uaFallbacks = fallbacks as unknown as Fallbacks;
    desks.push(new Desk({ servers: ["https://a"], memory, longMemory, ...(transports && { transports }) }));
    return fallbacks as unknown as Fallbacks & { asked: unknown[] };
  }

  test.each([
    [undefined, ["websocket", "stream", "poll"]],
    [["poll", "jsonp"] as const, ["poll", "jsonp"]],
  ])("are those of the page: %j", async (transports, names) => {
    const { asked } = other(transports);
    await desks.at(-1)?.logIn(CREDENTIALS);
    expect(asked).toEqual([
      ["fetch", names, "/v1/entry"],
      ["fetch", names, "/v1/session"],
      ["open", names, "https://a"],
    ]);
  });

  test("are tried anew on another network, and not because the page is looked at", () => {
    const { asked } = other();
    window.dispatchEvent(new Event("pageshow"));
    expect(asked).toEqual([]);
    window.dispatchEvent(new Event("online"));
    expect(asked).toEqual(["new network"]);
  });
});
