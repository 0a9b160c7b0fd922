/**
 * The desktop protocol over an event stream: the server's frames come in one answer that does not end, ours go by
 * requests. Read by `fetch`, because `EventSource` can neither post nor tell why it ended.
 */

import { openAtOnce, postOf, type ClosedWords, type HelloWords } from "./post.js";
import type { OpenTransport } from "./transport.js";
import { Upward } from "./upward.js";

/** Longest event; beyond, it is none of ours, characters. */
const EVENT_LIMIT = 4_194_304;

export const openStream: OpenTransport = (server, events) => {
  const told = openAtOnce(events);
  const stopper = new AbortController();
  let token = "";
  let upward: Upward | null = null;

  const end = (code?: number, reason?: string): void => {
    stopper.abort();
    upward?.stop();
    told.closed(code, reason);
  };

  const take = (text: string): void => {
    const frame = readFrame(text);
    if (frame.type === "opened") upward = new Upward(server, token, String(frame.connection), end);
    else if (frame.type === "closed") end(frame.code, frame.reason);
    else told.received(text);
  };

  const begin = async (hello: string): Promise<void> => {
    ({ token } = JSON.parse(hello) as HelloWords);
    try {
      const init = postOf(hello, "", stopper);
      init.headers = { ...init.headers, Accept: "text/event-stream" };
      const response = await fetch(`${server}/v1/events`, init);
      const type = response.headers.get("Content-Type") || "";
      if (response.ok && response.body && type.startsWith("text/event-stream")) await readEvents(response.body, take);
    } catch {
      // nobody there, cut off, or given up by us
    }
    end();
  };

  return {
    send(text) {
      if (token === "") void begin(text);
      else return upward !== null && upward.send(text);
      return true;
    },
    close() {
      told.silence();
      end();
    },
  };
};

/** Calls `take` with the data of each event until the answer ends. Rejects when it is cut off. */
async function readEvents(body: ReadableStream<Uint8Array>, take: (data: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop() as string;
    if (rest.length > EVENT_LIMIT) throw new RangeError("an event without an end");
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length > 0) take(data.map((line) => line.slice(5).trimStart()).join("\n"));
    }
  }
}

/** Reads what is the transport's own; all else is for the line, which knows what to do with nonsense. */
function readFrame(text: string): { type?: string; connection?: unknown } & Partial<ClosedWords> {
  try {
    return (JSON.parse(text) as Record<string, never> | null) || {};
  } catch {
    return {};
  }
}
