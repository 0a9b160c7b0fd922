import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { duration, elapsedMs, keepTime, now } from "../../desktop/time.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test.each([
  [0, "0:00"],
  [7_999, "0:07"],
  [754_000, "12:34"],
  [3_723_000, "1:02:03"],
  [-5_000, "0:00"],
])("%i ms is written %s", (ms, written) => {
  expect(duration(ms)).toBe(written);
});

test("time moves each second on the server's clock, at full seconds", () => {
  vi.setSystemTime(1_700_000_000_250);
  const stop = keepTime(() => Date.now() + 90_000);
  vi.advanceTimersByTime(0);
  expect(now.value).toBe(1_700_000_090_250);
  vi.advanceTimersByTime(750);
  expect(now.value).toBe(1_700_000_091_000);
  vi.advanceTimersByTime(1_000);
  expect(now.value).toBe(1_700_000_092_000);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});

test("a time that lies ahead has not begun", () => {
  now.value = 1_000;
  expect(elapsedMs(new Date(5_000).toISOString())).toBe(0);
});
