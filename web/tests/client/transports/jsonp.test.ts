import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openedJsonp, openJsonp } from "../../../client/transports/jsonp.js";
import { BEAT, command, Opened, Requests, Scripts, settled, type Script } from "./requests.js";

let requests: Requests;
let scripts: Scripts;
let all: Opened[];

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
  scripts = new Scripts();
  all = [];
});
afterEach(() => {
  for (const each of all) each.transport.close(1000, "");
  vi.useRealTimers();
});

function open(): Opened {
  const opened = new Opened(openJsonp);
  all.push(opened);
  return opened;
}

/** Opened; the first poll is held. */
async function asked(news: Record<string, unknown> = {}): Promise<Opened> {
  const opened = open();
  await settled();
  opened.hello(news);
  requests.last.answer({ token: "short-1", nonce: "n-1", expires_s: 300 });
  await settled();
  return opened;
}

/** Opened; the first reply has been given, the second poll is held. */
async function polling(): Promise<Opened> {
  const opened = await asked();
  scripts.last.tell({ reply: 1, events: [{ type: "welcome" }] });
  await settled();
  return opened;
}

function last(path: string): Script {
  const found = scripts.all.filter((each) => each.path === `/v1/jsonp/${path}`).at(-1);
  if (!found) throw new Error(`no ${path}`);
  return found;
}

test("the short token is fetched by POST; the session's own is in no address", async () => {
  await polling();
  expect(requests.all).toHaveLength(1);
  expect(requests.last).toMatchObject({
    url: "https://a/v1/session/jsonp",
    token: "Bearer token-a",
    body: { client: "page-1" },
  });
  for (const { url } of scripts.all) expect(url.href).not.toContain("token-a");
});

test("the first poll says where the stream is to go on, the others acknowledge", async () => {
  const opened = await asked();
  expect(scripts.last.asked).toMatchObject({ client: "page-1", token: "short-1", ack: "0", epoch: "3", seq: "17" });
  scripts.last.tell({ reply: 1, events: [{ type: "welcome" }, { type: "snapshot" }] });
  await settled();
  expect(scripts.last.asked).toMatchObject({ ack: "1" });
  expect(scripts.last.asked).not.toHaveProperty("seq");
  scripts.last.tell({ reply: 2, events: [{ type: "agent-changed" }] });
  await settled();
  expect(scripts.last.asked).toMatchObject({ ack: "2" });
  expect(opened.told).toEqual(["opened", "welcome", "snapshot", "agent-changed"]);
});

test("the page's load is not held up: only then is a request made that is held", async () => {
  vi.spyOn(document, "readyState", "get").mockReturnValue("interactive");
  await polling();
  expect(scripts.all).toHaveLength(1);
  window.dispatchEvent(new Event("load"));
  await settled();
  expect(scripts.last.asked["ack"]).toBe("1");
});

test("a page without a position has an empty one", async () => {
  await asked({ epoch: null, seq: null });
  expect(scripts.last.asked).toMatchObject({ epoch: "", seq: "" });
});

test("a fresh token in an answer is used from then on", async () => {
  await polling();
  last("poll").tell({ reply: 2, next_token: "short-2" });
  await settled();
  expect(last("poll").asked).toMatchObject({ token: "short-2" });
});

describe("a command", () => {
  test("goes with the number of the last answer, and its standing is its answer", async () => {
    const opened = await polling();
    expect(opened.say(command("c-1"))).toBe(true);
    expect(last("command").asked).toMatchObject({
      client: "page-1",
      token: "short-1",
      nonce: "n-1",
      id: "c-1",
      command: '{"type":"set-mode","mode":"ready"}',
    });
    const received: string[] = [];
    vi.spyOn(opened.told, "push").mockImplementation((it) => received.push(String(it)));
    last("command").tell({ result: { id: "c-1", type: "set-mode", outcome: "accepted", error: "", detail: "" } });
    await settled();
    expect(received).toEqual(["answer"]);
  });

  test("waits until there is a number for it, and until the one before it is answered", async () => {
    const opened = await polling();
    for (const id of ["1", "2", "3"]) opened.say(command(id));
    const commands = (): Script[] => scripts.all.filter(({ path }) => path.endsWith("command"));
    const sent = (): string[] => commands().map((each) => each.asked["id"] ?? "");
    expect(sent()).toEqual(["1"]);
    last("command").tell({ result: {} });
    await settled();
    expect(sent()).toEqual(["1"]);
    last("poll").tell({ reply: 2, next_nonce: "n-2" });
    await settled();
    expect(sent()).toEqual(["1", "2"]);
    last("command").tell({ result: {}, next_nonce: "n-3" });
    await settled();
    expect(sent()).toEqual(["1", "2", "3"]);
    expect(last("command").asked["nonce"]).toBe("n-3");
  });

  test("whose answer is lost is asked again with the same number, which the server knows", async () => {
    const opened = await polling();
    opened.say(command("1"));
    last("command").fail();
    await settled();
    expect(last("command").asked).toMatchObject({ id: "1", nonce: "n-1" });
    expect(scripts.all.filter(({ path }) => path.endsWith("command"))).toHaveLength(2);
    last("command").tell({ result: { outcome: "done" } });
    await settled();
    expect(opened.told.at(-1)).toBe("answer");
  });

  test("whose number was spent gets another", async () => {
    const opened = await polling();
    opened.say(command("1"));
    last("command").refuse("jsonp.nonce", 409);
    await settled();
    expect(scripts.all.filter(({ path }) => path.endsWith("command"))).toHaveLength(1);
    last("poll").tell({ reply: 2, next_nonce: "n-2" });
    await settled();
    expect(last("command").asked).toMatchObject({ id: "1", nonce: "n-2" });
  });

  test("that nobody answers three times makes way for the next; its standing is asked for elsewhere", async () => {
    const opened = await polling();
    opened.say(command("1"));
    opened.say(command("2"));
    for (let each = 0; each < 3; each += 1) {
      last("command").fail();
      await settled();
    }
    last("poll").tell({ reply: 2, next_nonce: "n-2" });
    await settled();
    expect(last("command").asked).toMatchObject({ id: "2", nonce: "n-2" });
    expect(opened.told).not.toContain("answer");
  });

  test("that makes the address longer than 2,000 characters is refused and not sent", async () => {
    const received: unknown[] = [];
    const transport = openJsonp("https://a", {
      opened: () => undefined,
      received: (text) => received.push(JSON.parse(text)),
      closed: () => undefined,
    });
    transport.send(JSON.stringify({ type: "hello", token: "t", epoch: null, seq: null, client: "c" }));
    requests.last.answer({ token: "short", nonce: "n-1", expires_s: 300 });
    await settled();
    transport.send(JSON.stringify(command("1", { type: "save-draft", notes: "x".repeat(1_900), code: "" })));
    await settled();
    expect(received).toEqual([
      { type: "answer", id: "1", command_type: "save-draft", outcome: "refused", error: "jsonp.too-long", detail: "" },
    ]);
    expect(scripts.paths).not.toContain("/v1/jsonp/command");
    transport.close(1000, "");
  });

  test("that the server refuses is answered so", async () => {
    const opened = await polling();
    opened.say(command("1"));
    last("command").refuse("command.invalid", 422);
    await settled();
    expect(opened.told.at(-1)).toBe("answer");
  });

  test("is not taken when 64 wait, nor after the end; a beat is, and is a poll anyhow", async () => {
    const opened = await polling();
    const taken = Array.from({ length: 70 }, (_, each) => opened.say(command(String(each)))).filter(Boolean);
    expect(taken).toHaveLength(64);
    expect(opened.say(BEAT)).toBe(true);
    opened.transport.close(1000, "");
    expect(opened.say(command("late"))).toBe(false);
  });
});

describe("a poll that is not answered", () => {
  test("within the hold and 2 s is taken from the page, and asked again under the old number", async () => {
    const opened = await polling();
    const late = scripts.last;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scripts.all).toHaveLength(3);
    expect(scripts.last.asked["ack"]).toBe("1");
    late.tell({ reply: 2, events: [{ type: "late" }] });
    scripts.last.tell({ reply: 3, events: [{ type: "beat" }] });
    await settled();
    expect(opened.told).toEqual(["opened", "welcome", "beat"]);
  });

  test("twice in a row is the end", async () => {
    const opened = await polling();
    for (let each = 0; each < 2; each += 1) {
      scripts.last.fail();
      await settled();
    }
    expect(opened.told).toEqual(["opened", "welcome", 1006]);
    expect(scripts.all).toHaveLength(3);
  });
});

test("how long the server holds a poll may be said with the token", async () => {
  const opened = open();
  await settled();
  opened.hello();
  requests.last.answer({ token: "short", nonce: "n", expires_s: 300, hold_s: 20 });
  await settled();
  expect(opened.transport.quietMs).toBe(20_000);
});

describe("a token", () => {
  test("that is no longer good is fetched anew, and the poll asked again", async () => {
    const opened = await polling();
    scripts.last.refuse("jsonp.token", 401);
    await settled();
    expect(requests.all).toHaveLength(2);
    requests.last.answer({ token: "short-2", nonce: "n-9", expires_s: 300 });
    await settled();
    expect(scripts.last.asked).toMatchObject({ ack: "1", token: "short-2" });
    expect(opened.told).toEqual(["opened", "welcome"]);
  });

  test("that is refused twice in a row is the end", async () => {
    const opened = await polling();
    for (let each = 0; each < 2; each += 1) {
      scripts.last.refuse("jsonp.token", 401);
      await settled();
      if (each === 0) requests.last.answer({ token: "short-2", nonce: "n-9", expires_s: 300 });
      await settled();
    }
    expect(opened.told).toEqual(["opened", "welcome", 1006]);
  });

  test.each([
    ["session.unknown", 401, 4401],
    ["taken-over", 423, 4409],
    ["session.ended", 410, 4410],
    ["session.moved", 421, 4420],
    ["jsonp.off", 404, 1006],
    ["jsonp.caller", 403, 1006],
  ])("that is refused with %s is an end with the code that a WebSocket would have", async (id, status, code) => {
    const opened = open();
    await settled();
    opened.hello();
    requests.last.answer({ id, status }, status);
    await settled();
    expect(opened.told).toEqual(["opened", code]);
    const other = await polling();
    scripts.last.refuse(id, status);
    await settled();
    expect(other.told).toEqual(["opened", "welcome", code]);
  });
});

test("the server's own end is told after the last events", async () => {
  const opened = await polling();
  scripts.last.tell({ reply: 2, events: [{ type: "session-ended" }], closed: { code: 4410, reason: "agent" } });
  await settled();
  expect(opened.told).toEqual(["opened", "welcome", "session-ended", 4410]);
  expect(openedJsonp("https://a")).toBeUndefined();
});

test("from our side it ends without a word, and the script is taken from the page", async () => {
  const opened = await polling();
  expect(openedJsonp("https://a")).toBe(opened.transport);
  const remove = vi.spyOn(scripts.last.element, "remove");
  opened.transport.close(1000, "");
  await settled();
  expect(remove).toHaveBeenCalled();
  expect(opened.told).toEqual(["opened", "welcome"]);
  expect(openedJsonp("https://a")).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});
