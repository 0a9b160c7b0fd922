import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CommandResult, Desk, DeskEvents, DeskOptions, View } from "../../client/index.js";
import { RequestError } from "../../client/rest.js";
import { Uaserver, type UaEvent } from "../../client/uaserver.js";
import { aView } from "./fakes.js";

const CALL = { id: "7", state: "alerting", direction: "in", parties: [], called: "", queue: "", data: "", ucid: "" };

/** A desk of which the test holds the other end. */
class FakeDesk {
  view: View | null = null;
  connection = { state: "waiting" };
  readonly asked: unknown[] = [];
  answer: Promise<unknown> = Promise.resolve(null);

  constructor(
    readonly options: DeskOptions,
    readonly events: DeskEvents,
  ) {}

  logIn = (credentials: unknown): Promise<unknown> => this.#ask("logIn", credentials);
  config = (): Promise<unknown> => this.#ask("config");
  submit = (command: unknown): Promise<unknown> => this.#ask("submit", command);
  resume = (): boolean => true;
  forget = (): void => void this.asked.push("forget");
  dispose = (): void => void this.asked.push("dispose");

  #ask(what: string, ...more: unknown[]): Promise<unknown> {
    this.asked.push([what, ...more]);
    return this.answer;
  }
}

let desks: FakeDesk[];
let told: unknown[][];
const callback = (...what: unknown[]): void => void told.push(what);

function library(attributes: Record<string, string> = {}): Uaserver {
  const script = document.createElement("script");
  script.setAttribute("src", "https://a/client/uaserver.js");
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
  return new Uaserver(script, (options, events) => {
    const desk = new FakeDesk(options, events);
    desks.push(desk);
    return desk as unknown as Desk;
  });
}

function desk(): FakeDesk {
  const made = desks.at(-1);
  if (!made) throw new Error("no desk");
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
  [desks, told] = [[], []];
});
afterEach(() => vi.useRealTimers());

const soon = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test("a page finds it under the name that it knows", () => {
  expect(window.uaserver).toBeInstanceOf(Uaserver);
});

describe("servers", () => {
  test("are the one that the script came from, with every way that gets through", () => {
    library().GetState();
    expect(desk().options).toEqual({
      servers: ["https://a"],
      transports: ["websocket", "stream", "poll", "jsonp"],
    });
  });

  test("may be named by the script's own element", () => {
    library({ "data-servers": "https://b, https://c", "data-transports": "jsonp" }).GetState();
    expect(desk().options).toEqual({ servers: ["https://b", "https://c"], transports: ["jsonp"] });
  });

  test("and by calls; what was connected before is let go", () => {
    const it = library();
    it.Resume();
    const before = desk();
    it.SetServers(["https://d"]);
    it.SetTransports("poll jsonp");
    it.GetState();
    expect(before.asked).toEqual(["forget", "dispose"]);
    expect(desk().options).toEqual({ servers: ["https://d"], transports: ["poll", "jsonp"] });
  });
});

describe("a login", () => {
  test("is told by a callback", async () => {
    library().Login("5001", "2001", "1234", callback);
    await soon();
    expect(desk().asked).toEqual([["logIn", { agent: "5001", station: "2001", password: "1234", dialler: null }]]);
    expect(told).toEqual([[null, null]]);
  });

  test("to a dialler too needs no more than what is not so anyhow", async () => {
    library().Login("5001", "2001", "1234", { name: "agent1", password: "p" }, callback);
    const dialler = { name: "agent1", password: "p", headset: "2001", job: "" };
    expect(desk().asked).toMatchObject([["logIn", { dialler }]]);
  });

  test("that is refused is told by its id and the words to read out, and needs nobody to listen", async () => {
    const it = library();
    it.GetState();
    desk().answer = Promise.reject(new RequestError(401, "agent.wrong-password", "d", "never", "c-17"));
    it.Login("5001", "2001", "1234");
    it.Login("5001", "2001", "1234", null, callback);
    await soon();
    expect(told).toEqual([[{ id: "agent.wrong-password", detail: "d", correlation: "c-17" }, null]]);
  });
});

describe("asking", () => {
  const result = (news: Partial<CommandResult> = {}): CommandResult => ({
    id: "me-1",
    type: "set-mode",
    outcome: "done",
    error: "",
    detail: "",
    ...news,
  });

  test.each<[string, (it: Uaserver) => void, unknown]>([
    ["a mode", (it) => it.SetState("ready"), { type: "set-mode", mode: "ready" }],
    ["a mode for a reason", (it) => it.SetState("not-ready", 0), { type: "set-mode", mode: "not-ready", reason: 0 }],
    ["the end", (it) => it.Logout(), { type: "log-out", reason: null }],
    ["a call", (it) => it.MakeCall("5550100"), { type: "make-call", number: "5550100" }],
    ["to answer what rings", (it) => it.AnswerCall(), { type: "answer-call", call: "7" }],
    ["to answer one call", (it) => it.AnswerCall("9"), { type: "answer-call", call: "9" }],
    ["to hold what is not there", (it) => it.HoldCall(), { type: "hold-call", call: "" }],
    ["to take back what is not there", (it) => it.RetrieveCall(), { type: "retrieve-call", call: "" }],
    ["to hang up the only call", (it) => it.HangUpCall(), { type: "hang-up-call", call: "7" }],
    ["anything else", (it) => it.Command({ type: "leave-job" }), { type: "leave-job" }],
  ])("%s is a command of the library", async (_, ask, command) => {
    const it = library();
    it.GetState();
    desk().view = aView({ calls: [CALL as never] });
    desk().answer = Promise.resolve(result());
    ask(it);
    await soon();
    expect(desk().asked).toEqual([["submit", command]]);
    expect(it.GetEvent()).toEqual({ type: "command-settled", result: result() });
  });

  test("is told how it ended, by a callback and as an event", async () => {
    const it = library();
    it.GetState();
    for (const news of [{}, { outcome: "refused", error: "agent.busy" }, { outcome: "unknown" }] as const) {
      desk().answer = Promise.resolve(result(news));
      it.SetState("ready", null, callback);
      await soon();
    }
    expect(told).toEqual([
      [null, result()],
      [{ id: "agent.busy", detail: "", correlation: "me-1" }, null],
      [{ id: "command.unknown", detail: "", correlation: "me-1" }, null],
    ]);
    expect([it.GetEvent()?.type, it.GetEvent()?.type, it.GetEvent()?.type]).toEqual(Array(3).fill("command-settled"));
  });
});

describe("events", () => {
  function happening(it: Uaserver): DeskEvents {
    it.GetState();
    return desk().events;
  }

  test("wait, in order, until they are fetched", () => {
    const it = library();
    const { view, connection, message, ended } = happening(it);
    expect(it.GetEvent()).toBeNull();
    view?.(null);
    connection?.({ state: "live" } as never);
    message?.({ text: "hi", sender: "s", at: "" });
    ended?.("agent", "d");
    expect([1, 2, 3, 4, 5].map(() => it.GetEvent())).toEqual([
      { type: "view-changed", view: null },
      { type: "connection-changed", status: { state: "live" } },
      { type: "message-arrived", message: { text: "hi", sender: "s", at: "" } },
      { type: "session-ended", reason: "agent", detail: "d" },
      null,
    ]);
  });

  test("are given to a handler that takes one, and are then gone; what waited before comes first", () => {
    const it = library();
    const { view, ended } = happening(it);
    const seen: string[] = [];
    view?.(null);
    it.RegisterEventHandler((event: UaEvent) => seen.push(event.type));
    ended?.("agent", "");
    expect([seen, it.GetEvent()]).toEqual([["view-changed", "session-ended"], null]);
  });

  test("ring a handler that takes none, which fetches them", () => {
    const it = library();
    const { view } = happening(it);
    const seen: unknown[] = [];
    it.RegisterEventHandler(() => {
      for (let event = it.GetEvent(); event; event = it.GetEvent()) seen.push(event.type);
    });
    view?.(null);
    view?.(null);
    it.RegisterEventHandler(null);
    view?.(null);
    expect([seen, it.GetEvent()?.type]).toEqual([["view-changed", "view-changed"], "view-changed"]);
  });

  test("of a page that never fetches them do not fill it: 200 are kept", () => {
    const it = library();
    const { ended } = happening(it);
    for (let each = 0; each < 250; each += 1) ended?.(String(each), "");
    expect(it.GetEvent()).toMatchObject({ reason: "50" });
  });

  test("that a handler fails at are reported as the page's fault, and the next still come", () => {
    const it = library();
    const { view } = happening(it);
    let rung = 0;
    it.RegisterEventHandler(() => {
      rung += 1;
      throw new Error("the page's own");
    });
    view?.(null);
    expect(() => vi.runAllTimers()).toThrow("the page's own");
    view?.(null);
    expect(rung).toBe(2);
    expect(() => vi.runAllTimers()).toThrow("the page's own");
  });
});

test("after it was closed a call begins anew", () => {
  const it = library();
  it.Resume();
  it.Close();
  it.Close();
  expect(desk().asked).toEqual(["forget", "dispose"]);
  it.GetConnection();
  expect(desks).toHaveLength(2);
});
