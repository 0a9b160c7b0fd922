import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Upward } from "../../../client/transports/upward.js";
import { Requests, settled } from "./requests.js";

let requests: Requests;
let failed: number;
let upward: Upward;

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
  failed = 0;
  upward = new Upward("https://a", "token", "c-1", () => (failed += 1));
});
afterEach(() => vi.useRealTimers());

function framesOf(place: number): unknown[] {
  return (requests.at(place).body as { frames: unknown[] }).frames;
}

test("one request is under way at a time, and the next carries what came meanwhile, in order", async () => {
  upward.send("1");
  await settled();
  for (const text of ["2", "3"]) upward.send(text);
  await settled();
  expect(requests.all).toHaveLength(1);
  requests.last.answer({});
  await settled();
  expect([framesOf(0), framesOf(1)]).toEqual([[1], [2, 3]]);
});

test("a request carries 32 frames at most", async () => {
  for (let each = 0; each < 40; each += 1) upward.send(String(each));
  await settled();
  requests.last.answer({});
  await settled();
  expect([framesOf(0).length, framesOf(1).length]).toEqual([32, 8]);
});

test("a request stays below 64 KiB, also where each letter takes three bytes", async () => {
  const long = JSON.stringify("€".repeat(5_600));
  for (let each = 0; each < 5; each += 1) upward.send(long);
  await settled();
  expect(framesOf(0)).toHaveLength(3);
  expect(new TextEncoder().encode(String(requests.last.init.body)).length).toBeLessThan(65_536);
});

test("no more than 64 frames wait", async () => {
  const taken = Array.from({ length: 70 }, (_, each) => upward.send(String(each))).filter(Boolean);
  expect(taken).toHaveLength(64);
});

test("what nobody answered is sent once more, and then it is over", async () => {
  upward.send("1");
  await settled();
  requests.last.fail();
  await settled();
  expect(framesOf(1)).toEqual([1]);
  requests.last.fail();
  await settled();
  expect([requests.all.length, failed, upward.send("2")]).toEqual([2, 1, false]);
});

test("a request without an answer is given up after 5 s", async () => {
  upward.send("1");
  await vi.advanceTimersByTimeAsync(5_000);
  expect([requests.all.length, requests.at(0).aborted]).toEqual([2, true]);
});

test("what the server does not take is over at once", async () => {
  upward.send("1");
  await settled();
  requests.last.answer({ id: "connection.unknown" }, 404);
  await settled();
  expect([requests.all.length, failed]).toEqual([1, 1]);
});

test("after a stop nothing is sent or told", async () => {
  upward.send("1");
  upward.send("2");
  await settled();
  upward.stop();
  await settled();
  expect([requests.all.length, requests.last.aborted, failed]).toEqual([1, true, 0]);
});
