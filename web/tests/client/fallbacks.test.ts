import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fallbacks, RUNGS } from "../../client/fallbacks.js";
import { Requests, Scripts, settled } from "./transports/requests.js";

const CONFIG = "https://a/v1/config";
const GET = { method: "GET" };

let scripts: Scripts;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  scripts = new Scripts();
});
afterEach(() => vi.useRealTimers());

test("it is there for whoever looks for it, with all ways from the best to the last resort", () => {
  expect(window.uaFallbacks).toBe(fallbacks);
  expect(RUNGS.map(({ name }) => name)).toEqual(["websocket", "stream", "poll", "jsonp"]);
});

describe("a plain request", () => {
  test("is one as long as it gets through", async () => {
    const ask = vi.fn(() => Promise.resolve(new Response("{}")));
    await fallbacks.fetch(["websocket", "jsonp"], ask, CONFIG, GET);
    expect([ask.mock.calls.length, scripts.all.length]).toEqual([1, 0]);
  });

  test("that does not get through is asked by a script, where the page wants that", async () => {
    const ask = (): Promise<Response> => Promise.reject(new TypeError("refused"));
    await expect(fallbacks.fetch(["websocket", "poll"], ask, CONFIG, GET)).rejects.toThrow("refused");
    const asked = fallbacks.fetch(["websocket", "jsonp"], ask, CONFIG, GET);
    await settled();
    scripts.last.tell({ result: { instance: "a" } });
    expect(await (await asked).json()).toEqual({ instance: "a" });
  });

  test("with a password is never asked by a script", async () => {
    const ask = (): Promise<Response> => Promise.reject(new TypeError("refused"));
    const login = { method: "POST", body: "{}" };
    await expect(fallbacks.fetch(["jsonp"], ask, "https://a/v1/session", login)).rejects.toThrow("refused");
    expect(scripts.all).toEqual([]);
  });

  test("that was given up is not asked again by a script", async () => {
    const stopper = new AbortController();
    stopper.abort();
    const ask = (): Promise<Response> => Promise.reject(new DOMException("aborted", "AbortError"));
    const init = { ...GET, signal: stopper.signal };
    await expect(fallbacks.fetch(["websocket", "jsonp"], ask, CONFIG, init)).rejects.toThrow("aborted");
    expect(scripts.all).toEqual([]);
  });

  test("is asked by a script at once where that is the only way", async () => {
    const ask = vi.fn();
    void fallbacks.fetch(["jsonp"], ask, CONFIG, GET);
    await settled();
    expect([ask.mock.calls.length, scripts.paths]).toEqual([0, ["/v1/jsonp/config"]]);
    scripts.last.tell({ result: {} });
  });
});

test("a server behind something that lets no WebSocket through is spoken to by an event stream", async () => {
  vi.stubGlobal("WebSocket", class {
    static readonly OPEN = 1;
    onclose: (event: { code: number; reason: string }) => void = () => undefined;
    constructor() {
      queueMicrotask(() => this.onclose({ code: 1006, reason: "" }));
    }
    close(): void {}
  });
  const requests = new Requests();
  const told: string[] = [];
  const transport = fallbacks.open(["websocket", "stream"], "https://a", {
    opened: () => told.push("opened"),
    received: (text) => told.push(text),
    closed: (code) => told.push(String(code)),
  });
  for (let each = 0; each < 2; each += 1) {
    await settled();
    expect(requests.last.url).toBe("https://a/v1/topology");
    requests.last.answer({});
    await settled();
  }
  expect(told).toEqual(["opened"]);
  transport.send(JSON.stringify({ type: "hello", token: "t" }));
  const stream = requests.last.stream();
  stream.frame({ type: "welcome" });
  await settled();
  expect(told).toEqual(["opened", '{"type":"welcome"}']);
  transport.close(1000, "");
});

test("a new network makes it look for better", () => {
  localStorage.setItem("unified-agent.transports", "{}");
  fallbacks.newNetwork();
  expect(localStorage.getItem("unified-agent.transports")).toBeNull();
});
