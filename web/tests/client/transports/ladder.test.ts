import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Ladder, REMEMBERED_MS, type Rung } from "../../../client/transports/ladder.js";
import type { Transport, TransportEvents } from "../../../client/transports/transport.js";
import type { TransportName } from "../../../client/transports/ways.js";
import { FakeMemory } from "../fakes.js";

const NAMES = ["websocket", "stream", "poll", "jsonp"] as const;
const A = "https://a";

/** One way that was opened, of which the test holds the other end. */
interface Tried {
  readonly name: TransportName;
  readonly events: TransportEvents;
  closed: boolean;
  readonly said: string[];
}

let tried: Tried[];
let told: (string | number)[];
let memory: FakeMemory;
let ladder: Ladder;
/** What is asked plainly whether it is there, and how that is answered: at once, or when the test says. */
let probes: number;
let isThere: boolean | "silent";

function rung(name: TransportName): Rung {
  return {
    name,
    openMs: 1_000,
    frameMs: 3_000,
    open: (_, events) => {
      const it: Tried = { name, events, closed: false, said: [] };
      tried.push(it);
      return {
        quietMs: name === "poll" ? 8_000 : 0,
        send: (text) => it.said.push(text) > 0,
        close: () => void (it.closed = true),
      };
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  [tried, told, probes, isThere] = [[], [], 0, true];
  memory = new FakeMemory();
  ladder = aLadder();
});
afterEach(() => vi.useRealTimers());

function aLadder(kept: FakeMemory | null = memory): Ladder {
  return new Ladder(NAMES.map(rung), kept, () => {
    probes += 1;
    return isThere === "silent" ? new Promise(() => undefined) : Promise.resolve(isThere);
  });
}

function open(names: readonly TransportName[] = NAMES, server = A): Transport {
  return ladder.open(names, server, {
    opened: () => told.push("opened"),
    received: (text) => told.push(text),
    closed: (code) => told.push(code),
  });
}

function last(): Tried {
  const it = tried.at(-1);
  if (!it) throw new Error("nothing was tried");
  return it;
}

const names = (): string[] => tried.map(({ name }) => name);
const soon = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** The way now tried fails without a word, as often as makes it be left. */
async function fails(): Promise<void> {
  const { name } = last();
  for (let each = 0; each < 2 && last().name === name; each += 1) {
    last().events.closed(1006, "");
    await soon();
  }
}

function works(): void {
  last().events.opened();
  last().events.received("welcome");
}

test("the best way is tried first, and what gets through at once is not remembered", async () => {
  const transport = open();
  works();
  expect(transport.send("text")).toBe(true);
  expect([names(), told, last().said, probes]).toEqual([["websocket"], ["opened", "welcome"], ["text"], 0]);
  expect(memory.kept.size).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(names()).toEqual(["websocket"]);
});

describe("a way is left", () => {
  test("when it closes twice without a word and the server is there; the connection sees one transport", async () => {
    open();
    last().events.closed(1006, "");
    await soon();
    expect(names()).toEqual(["websocket", "websocket"]); // a server that is just starting refuses one and takes the next
    last().events.closed(1006, "");
    await soon();
    expect(names()).toEqual(["websocket", "websocket", "stream"]);
    works();
    expect(told).toEqual(["opened", "welcome"]);
  });

  test("when it does not open in its time and the server is there", async () => {
    open();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([names(), probes]).toEqual([["websocket", "stream"], 1]);
    expect(tried[0]?.closed).toBe(true);
  });

  test("when it opens and brings no frame in its time; hello is then said anew", async () => {
    open();
    last().events.opened();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(names()).toEqual(["websocket"]);
    await vi.advanceTimersByTimeAsync(1);
    works();
    expect([names(), told]).toEqual([
      ["websocket", "stream"],
      ["opened", "opened", "welcome"],
    ]);
  });

  test("one after another, down to the last", async () => {
    open();
    for (let each = 0; each < 3; each += 1) await fails();
    expect(last().name).toBe("jsonp");
    works();
    expect(told).toEqual(["opened", "welcome"]);
  });
});

describe("a way is not left", () => {
  test.each([
    ["when the server is gone", 1006, false],
    ["when the server says why: taken over", 4409, true],
    ["when the server says why: it restarts", 1012, true],
    ["when the server says why: it was replaced", 1000, true],
  ])("%s", async (_, code, there) => {
    isThere = there;
    open();
    last().events.closed(code, "");
    await soon();
    expect([names(), told]).toEqual([["websocket"], [code]]);
  });

  test("when nobody answers a plain request either: the connection makes the end", async () => {
    isThere = "silent";
    const transport = open();
    await vi.advanceTimersByTimeAsync(30_000);
    expect([names(), told]).toEqual([["websocket"], []]);
    transport.close(1000, "");
    expect([last().closed, vi.getTimerCount()]).toEqual([true, 0]);
  });

  test("until the server is there again, for which it is asked each second", async () => {
    isThere = false;
    open();
    await vi.advanceTimersByTimeAsync(2_999);
    expect([names(), probes]).toEqual([["websocket"], 2]);
    isThere = true;
    await vi.advanceTimersByTimeAsync(1);
    expect([names(), probes]).toEqual([["websocket", "stream"], 3]);
  });

  test("after its first frame, whatever happens to it then", async () => {
    open();
    works();
    last().events.closed(1006, "");
    await soon();
    expect([names(), told, probes]).toEqual([["websocket"], ["opened", "welcome", 1006], 0]);
  });

  test("when its first frame comes while the server is being asked", async () => {
    open();
    last().events.opened();
    isThere = true;
    vi.advanceTimersByTime(3_000);
    last().events.received("late");
    await soon();
    expect([names(), told]).toEqual([["websocket"], ["opened", "late"]]);
  });

  test("when there is no other", async () => {
    open(["poll"]);
    await fails();
    expect([names(), told]).toEqual([["poll", "poll"], [1006]]);
  });
});

test("only what is named is tried, and nothing where nothing of that is here", async () => {
  open(["jsonp", "stream"]);
  await fails();
  expect(names()).toEqual(["stream", "stream", "jsonp"]);
  ladder = new Ladder([rung("stream")], null, () => Promise.resolve(true));
  told = [];
  open(["poll"]);
  expect(told).toEqual([]);
  await soon();
  expect(told).toEqual([1006]);
});

test("what an earlier way still says is not heard", async () => {
  open();
  await fails();
  tried[0]?.events.opened();
  tried[1]?.events.received("late");
  tried[1]?.events.closed(1000, "");
  await soon();
  expect(told).toEqual([]);
});

test("after it was closed nothing is tried or told, also while the server is being asked", async () => {
  const transport = open();
  last().events.closed(1006, "");
  transport.close(1000, "");
  await soon();
  expect([names(), told]).toEqual([["websocket"], []]);
});

test("it may be silent as long as the way that it uses", async () => {
  const transport = open(["websocket", "poll"]);
  expect(transport.quietMs).toBe(0);
  await fails();
  expect(transport.quietMs).toBe(8_000);
});

describe("what got through", () => {
  async function throughPoll(server = A): Promise<void> {
    open(["websocket", "poll"], server);
    await fails();
    works();
    tried = [];
  }

  test("is remembered for that server, also by another page, for an hour", async () => {
    await throughPoll();
    for (const [after, name] of [
      [0, "poll"],
      [REMEMBERED_MS - 1, "poll"],
      [1, "websocket"],
    ] as const) {
      vi.advanceTimersByTime(after);
      ladder = aLadder();
      open(["websocket", "poll"]);
      expect(last().name).toBe(name);
    }
    open(["websocket", "poll"], "https://b");
    expect(last().name).toBe("websocket");
  });

  test("is forgotten on a new network", async () => {
    await throughPoll();
    ladder.forget();
    open(["websocket", "poll"]);
    expect(last().name).toBe("websocket");
  });

  test("is tried first, and others below it when it does not get through any more", async () => {
    await throughPoll();
    open();
    expect(last().name).toBe("poll");
    await fails();
    expect(last().name).toBe("jsonp");
    works();
    expect(ladder.rungAt(NAMES, A)?.name).toBe("jsonp");
  });

  test("is forgotten when the best does so again", async () => {
    await throughPoll();
    vi.advanceTimersByTime(REMEMBERED_MS);
    open();
    works();
    expect([...memory.kept.values()]).toEqual(["{}"]);
  });

  test("does not matter to a page that does not want it", async () => {
    await throughPoll();
    open(["stream"]);
    expect(last().name).toBe("stream");
  });

  test.each([["nonsense"], ["null"], ['{"https://a":{"name":"carrier-pigeon","untilMs":9e15}}']])(
    "that is kept as %s is nothing",
    (text) => {
      memory.setItem("unified-agent.transports", text);
      open();
      expect(last().name).toBe("websocket");
    },
  );

  test("is found out again where nothing can be kept", async () => {
    ladder = aLadder(null);
    await throughPoll();
    open(["websocket", "poll"]);
    expect(last().name).toBe("websocket");
    memory.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    ladder = aLadder();
    await throughPoll();
  });
});
