import { afterEach, expect, test, vi } from "vitest";
import { ways, type Fallbacks } from "../../../client/transports/ways.js";

const NONE = { opened: () => undefined, received: () => undefined, closed: () => undefined };

afterEach(() => {
  delete window.uaFallbacks;
  vi.unstubAllGlobals();
});

test("without the other file the WebSocket is the only way", () => {
  const addresses: string[] = [];
  vi.stubGlobal("WebSocket", class { constructor(address: string) { addresses.push(address); } });
  ways().open(["websocket", "stream"], "https://a", NONE);
  expect(addresses).toEqual(["wss://a/v1/events"]);
});

test("without the other file there is no way for a page that wants another one", async () => {
  const ends: number[] = [];
  ways().open(["poll"], "https://a", { ...NONE, closed: (code) => ends.push(code) });
  await Promise.resolve();
  expect(ends).toEqual([1006]);
});

test("without the other file plain requests are plain requests", async () => {
  const response = new Response("{}");
  const ask = vi.fn(() => Promise.resolve(response));
  await expect(ways().fetch(["jsonp"], ask, "https://a/v1/config", { method: "GET" })).resolves.toBe(response);
  expect(ask).toHaveBeenCalledWith("https://a/v1/config", { method: "GET" });
});

test("the other file is used from when it is there, also when it came later", () => {
  const fallbacks = { open: vi.fn(), fetch: vi.fn(), newNetwork: vi.fn() } as unknown as Fallbacks;
  ways().newNetwork();
  window.uaFallbacks = fallbacks;
  ways().newNetwork();
  expect(ways()).toBe(fallbacks);
  expect(fallbacks.newNetwork).toHaveBeenCalledTimes(1);
});
