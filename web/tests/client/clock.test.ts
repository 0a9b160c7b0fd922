import { expect, test } from "vitest";
import { ServerClock } from "../../client/clock.js";

const AT = Date.parse("2026-03-01T12:00:00.000Z");
const iso = (ms: number): string => new Date(ms).toISOString();

test("before the first sample the server's time is taken to be ours", () => {
  expect(new ServerClock(() => AT).now()).toBe(AT);
});

test("the sample that travelled fastest decides", () => {
  let local = AT;
  const clock = new ServerClock(() => local);
  clock.observe(iso(AT + 5_000 - 300)); // 300 ms under way
  local += 1_000;
  clock.observe(iso(local + 5_000 - 20));
  local += 1_000;
  clock.observe(iso(local + 5_000 - 900));
  expect(clock.offsetMs).toBe(4_980);
});

test("a clock that was set is believed at once", () => {
  let local = AT;
  const clock = new ServerClock(() => local);
  clock.observe(iso(AT));
  local += 3_600_000;
  clock.observe(iso(AT + 2_000));
  expect(clock.now()).toBe(AT + 2_000);
});

test("what is no time is ignored", () => {
  const clock = new ServerClock(() => AT);
  clock.observe("soon");
  expect(clock.offsetMs).toBe(0);
});
