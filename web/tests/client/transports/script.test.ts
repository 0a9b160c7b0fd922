import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ADDRESS_LIMIT, addressOf, askByScript, whenLoaded } from "../../../client/transports/script.js";
import { Scripts, settled } from "./requests.js";

let scripts: Scripts;

beforeEach(() => {
  vi.useFakeTimers();
  scripts = new Scripts();
});
afterEach(() => vi.useRealTimers());

const never = new AbortController().signal;

function callbacks(): string[] {
  return Object.keys(window).filter((name) => name.startsWith("__ua_"));
}

test("a script element asks, with what is null left out, and tells no more than the page's origin", async () => {
  const asked = askByScript("https://a/v1/jsonp/poll", { token: "t&t", ack: 0, nonce: null }, 1_000, never);
  const { element, url } = scripts.last;
  expect(url.searchParams.get("callback")).toMatch(/^__ua_\d+$/);
  expect(url.search).toContain("&token=t%26t&ack=0");
  expect(url.search).not.toContain("nonce");
  expect(element.referrerPolicy).toBe("origin");
  scripts.last.answer({ ok: true });
  await expect(asked).resolves.toEqual({ ok: true });
  expect(callbacks()).toEqual([]);
});

test("no two have the same callback, also when another copy of the library is on the page", () => {
  void askByScript("https://a/", {}, 1_000, never);
  const [, number] = /(\d+)$/.exec(scripts.last.asked["callback"] ?? "") ?? [];
  const taken = `__ua_${Number(number) + 1}`;
  Object.assign(window, { [taken]: () => undefined });
  void askByScript("https://a/", {}, 1_000, never);
  expect(scripts.last.asked["callback"]).toBe(`__ua_${Number(number) + 2}`);
  vi.advanceTimersByTime(1_000);
  delete (window as unknown as Record<string, unknown>)[taken];
});

test.each([
  ["its time is over", () => vi.advanceTimersByTime(1_000)],
  ["it does not load", () => scripts.last.fail()],
])("nothing is answered when %s, and a late answer calls nobody", async (_, end) => {
  const asked = askByScript("https://a/", {}, 1_000, never);
  const remove = vi.spyOn(scripts.last.element, "remove");
  end();
  await expect(asked).resolves.toBeNull();
  expect(remove).toHaveBeenCalledTimes(1);
  expect(callbacks()).toEqual([]);
  scripts.last.answer({ ok: true });
  expect(vi.getTimerCount()).toBe(0);
});

test("one that is given up is taken away, and one given up before is never put on the page", async () => {
  const stopper = new AbortController();
  const asked = askByScript("https://a/", {}, 1_000, stopper.signal);
  stopper.abort();
  await expect(asked).resolves.toBeNull();
  await expect(askByScript("https://a/", {}, 1_000, stopper.signal)).resolves.toBeNull();
  await settled();
  expect(scripts.all).toHaveLength(1);
  expect(callbacks()).toEqual([]);
});

test("how long an address would be is known before, within the digits of the callback's number", () => {
  const questions = { id: "é".repeat(10) };
  void askByScript("https://a/v1/jsonp/command", questions, 1_000, never);
  const planned = addressOf("https://a/v1/jsonp/command", questions).length;
  expect(planned).toBeGreaterThanOrEqual(scripts.last.element.src.length);
  expect(planned - scripts.last.element.src.length).toBeLessThan(6);
  expect(ADDRESS_LIMIT).toBe(2_000);
  vi.advanceTimersByTime(1_000);
});

test("a page that is loading is waited for until it has loaded, and not for ever", async () => {
  const told: string[] = [];
  const wait = (name: string, limitMs: number): void => void whenLoaded(limitMs).then(() => told.push(name));
  const state = vi.spyOn(document, "readyState", "get").mockReturnValue("interactive");
  wait("short", 1_000);
  wait("long", 60_000);
  await settled();
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual(["short"]);
  state.mockReturnValue("complete");
  wait("loaded", 60_000);
  await settled();
  expect(told).toEqual(["short", "loaded"]);
  window.dispatchEvent(new Event("load"));
  await settled();
  expect(told).toEqual(["short", "loaded", "long"]);
  expect(vi.getTimerCount()).toBe(0);
});
