import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openStream } from "../../../client/transports/stream.js";
import { BEAT, command, HELLO, Opened, Requests, settled, type Streamed } from "./requests.js";

let requests: Requests;

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
});
afterEach(() => vi.useRealTimers());

/** Opened, and the server has answered hello. */
async function streaming(): Promise<{ opened: Opened; stream: Streamed }> {
  const opened = new Opened(openStream);
  await settled();
  opened.hello();
  const stream = requests.last.stream();
  stream.frame({ type: "opened", connection: "c-1" });
  await settled();
  return { opened, stream };
}

test("it says that it is open, and then hello opens the stream; the token is in no address and no header", async () => {
  const opened = new Opened(openStream);
  expect(opened.told).toEqual([]);
  await settled();
  expect(opened.told).toEqual(["opened"]);
  opened.hello();
  const [asked] = requests.all;
  expect(asked).toMatchObject({ url: "https://a/v1/events", body: HELLO, token: null, accepts: "text/event-stream" });
  expect(asked?.init).toMatchObject({ method: "POST", credentials: "omit", cache: "no-store" });
});

test("frames come in order, however the bytes are cut", async () => {
  const { opened, stream } = await streaming();
  const bytes = new TextEncoder().encode('data: {"type":"welcome","x":"ő"}\n\n: a note\n\ndata: {"type":\ndata: "beat"}\n\n');
  for (const byte of bytes) stream.bytes(new Uint8Array([byte]));
  await settled();
  expect(opened.told).toEqual(["opened", "welcome", "beat"]);
});

test("what we say goes by requests with the session's token, what is said at once in one", async () => {
  const { opened } = await streaming();
  expect([opened.say(command("1")), opened.say(command("2")), opened.say(BEAT)]).toEqual([true, true, true]);
  await settled();
  expect(requests.all).toHaveLength(2);
  expect(requests.last).toMatchObject({
    url: "https://a/v1/events/frames",
    token: "Bearer token-a",
    body: { connection: "c-1", frames: [command("1"), command("2"), BEAT] },
  });
});

test("nothing can be said before the server has named the connection", async () => {
  const opened = new Opened(openStream);
  await settled();
  opened.hello();
  expect(opened.say(command("1"))).toBe(false);
});

describe("the end", () => {
  test("is told by the server's own code", async () => {
    const { opened, stream } = await streaming();
    stream.frame({ type: "refused", id: "taken-over" });
    stream.frame({ type: "closed", code: 4409, reason: "taken-over" });
    stream.end();
    await settled();
    expect(opened.told).toEqual(["opened", "refused", 4409]);
    expect(opened.say(BEAT)).toBe(false);
  });

  test("without a word is that of a cut line", async () => {
    const { opened, stream } = await streaming();
    stream.cut();
    await settled();
    expect(opened.told).toEqual(["opened", 1006]);
  });

  test.each([
    ["nobody is there", () => requests.last.fail()],
    ["the server refuses", () => requests.last.answer({ id: "origin.refused" }, 403)],
    ["a proxy answers with a page", () => void requests.last.stream("text/html")],
  ])("comes when %s", async (_, answer) => {
    const opened = new Opened(openStream);
    await settled();
    opened.hello();
    answer();
    await settled();
    expect(opened.told).toEqual(["opened", 1006]);
  });

  test("comes when our frames are not taken any more", async () => {
    const { opened } = await streaming();
    opened.say(BEAT);
    await settled();
    requests.last.answer({ id: "connection.unknown" }, 404);
    await settled();
    expect(opened.told).toEqual(["opened", 1006]);
    expect(requests.all[0]?.aborted).toBe(true);
  });

  test("from our side ends the request, and nothing is told any more", async () => {
    const { opened, stream } = await streaming();
    stream.frame({ type: "beat" });
    opened.transport.close(1000, "");
    await settled();
    expect(requests.all[0]?.aborted).toBe(true);
    expect(opened.told).toEqual(["opened"]);
  });
});

test("nonsense is handed on: what to do with it is the line's business", async () => {
  const told: string[] = [];
  const transport = openStream("https://a", { opened: () => 0, received: (text) => told.push(text), closed: () => 0 });
  transport.send(JSON.stringify(HELLO));
  const stream = requests.last.stream();
  stream.text("data: nonsense\n\ndata: null\n\n");
  await settled();
  expect(told).toEqual(["nonsense", "null"]);
});
