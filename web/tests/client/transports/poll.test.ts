import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openPoll } from "../../../client/transports/poll.js";
import { BEAT, command, HELLO, Opened, Requests, settled } from "./requests.js";

let requests: Requests;

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
});
afterEach(() => vi.useRealTimers());

const POLL = "https://a/v1/events/poll";

/** Opened, the first reply given, and the second poll held. */
async function polling(news: Record<string, unknown> = {}): Promise<Opened> {
  const opened = new Opened(openPoll);
  await settled();
  opened.hello();
  requests.last.answer({ connection: "c-1", reply: 1, hold_s: 8, frames: [{ type: "welcome" }], ...news });
  await settled();
  return opened;
}

async function reply(number: number, ...types: string[]): Promise<void> {
  requests.last.answer({ reply: number, frames: types.map((type) => ({ type })) });
  await settled();
}

test("hello is asked first, and each reply acknowledged by the next poll", async () => {
  const opened = await polling();
  await reply(2, "snapshot", "agent-changed");
  await reply(3, "beat");
  expect(requests.all.map(({ body }) => body)).toEqual([
    { hello: HELLO },
    { connection: "c-1", ack: 1, frames: [] },
    { connection: "c-1", ack: 2, frames: [] },
    { connection: "c-1", ack: 3, frames: [] },
  ]);
  expect(new Set(requests.all.map(({ url }) => url))).toEqual(new Set([POLL]));
  expect(requests.all.map(({ token }) => token)).toEqual([null, ...Array<string>(3).fill("Bearer token-a")]);
  expect(opened.told).toEqual(["opened", "welcome", "snapshot", "agent-changed", "beat"]);
});

test("what we say goes beside the poll that is held; a beat need not be said", async () => {
  const opened = await polling();
  expect([opened.say(command("1")), opened.say(BEAT)]).toEqual([true, true]);
  await settled();
  expect(requests.paths).toEqual(["/v1/events/poll", "/v1/events/poll", "/v1/events/frames"]);
  expect(requests.last.body).toEqual({ connection: "c-1", frames: [command("1")] });
});

test("it may be silent for as long as the server holds a poll", async () => {
  expect((await polling({ hold_s: 20 })).transport.quietMs).toBe(20_000);
  expect((await polling({ hold_s: undefined })).transport.quietMs).toBe(8_000);
});

describe("a reply that does not come", () => {
  test("within the hold and 2 s is asked for again under the old number", async () => {
    const opened = await polling();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(requests.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(requests.at(1).aborted).toBe(true);
    expect(requests.last.body).toEqual({ connection: "c-1", ack: 1, frames: [] });
    await reply(2, "beat");
    expect(opened.told).toEqual(["opened", "welcome", "beat"]);
  });

  test.each([
    ["the line is cut", () => requests.last.fail()],
    ["a proxy has nothing behind it", () => requests.last.text("<html>", 502)],
    ["a page comes instead", () => requests.last.text("<html>")],
  ])("twice in a row is the end: %s", async (_, fail) => {
    const opened = await polling();
    fail();
    await settled();
    expect(opened.told).toEqual(["opened", "welcome"]);
    fail();
    await settled();
    expect(opened.told).toEqual(["opened", "welcome", 1006]);
    expect(requests.all).toHaveLength(3);
  });

  test("now and then is forgiven", async () => {
    const opened = await polling();
    for (let round = 2; round < 6; round += 1) {
      requests.last.fail();
      await settled();
      await reply(round, "beat");
    }
    expect(opened.told).toEqual(["opened", "welcome", "beat", "beat", "beat", "beat"]);
  });

  test("to the first poll is the end at once: the way may not be one at all", async () => {
    const opened = new Opened(openPoll);
    await settled();
    opened.hello();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(opened.told).toEqual(["opened", 1006]);
  });
});

describe("the end", () => {
  test("is told after the last frames, by the server's own code", async () => {
    const opened = await polling();
    requests.last.answer({ reply: 2, frames: [{ type: "session-ended" }], closed: { code: 4410, reason: "agent" } });
    await settled();
    expect(opened.told).toEqual(["opened", "welcome", "session-ended", 4410]);
    expect(requests.all).toHaveLength(2);
  });

  test("may be the first answer", async () => {
    const opened = await polling({ frames: [{ type: "refused" }], closed: { code: 4409, reason: "" } });
    expect(opened.told).toEqual(["opened", "refused", 4409]);
  });

  test("comes when the server does not know the connection, and to our frames too", async () => {
    const opened = await polling();
    requests.last.answer({ id: "connection.unknown" }, 404);
    await settled();
    expect(opened.told).toEqual(["opened", "welcome", 1006]);
    const other = await polling();
    other.say(command("1"));
    await settled();
    requests.last.answer({ id: "connection.unknown" }, 404);
    await settled();
    expect(other.told).toEqual(["opened", "welcome", 1006]);
  });

  test("from our side ends the poll, and nothing is told any more", async () => {
    const opened = await polling();
    opened.transport.close(1000, "");
    await settled();
    expect(requests.last.aborted).toBe(true);
    expect(requests.all).toHaveLength(2);
    expect(opened.told).toEqual(["opened", "welcome"]);
  });

  test("from within a frame stops the rest of the reply", async () => {
    const told: string[] = [];
    const transport = openPoll("https://a", {
      opened: () => undefined,
      received: (text) => {
        told.push(text);
        transport.close(1000, "");
      },
      closed: () => told.push("closed"),
    });
    transport.send(JSON.stringify(HELLO));
    requests.last.answer({ connection: "c-1", reply: 1, frames: [{ type: "welcome" }, { type: "snapshot" }] });
    await settled();
    expect(told).toEqual(['{"type":"welcome"}']);
    expect(requests.all).toHaveLength(1);
  });
});
