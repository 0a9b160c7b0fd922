import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { reconnectDelayMs, Timer } from "../../client/timer.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const BACKOFF = { firstMs: 2_000, baseMs: 500, capMs: 10_000 };

test("a timer rings once, after its delay", () => {
  const ring = vi.fn();
  const timer = new Timer(ring);
  timer.start(100);
  vi.advanceTimersByTime(99);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(ring).toHaveBeenCalledOnce();
  expect(timer.running).toBe(false);
});

test("starting a timer again replaces the delay before", () => {
  const ring = vi.fn();
  const timer = new Timer(ring);
  timer.start(100);
  timer.start(300);
  vi.advanceTimersByTime(200);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(100);
  expect(ring).toHaveBeenCalledOnce();
});

test("a stopped timer never rings", () => {
  const ring = vi.fn();
  const timer = new Timer(ring);
  timer.start(100);
  timer.stop();
  vi.advanceTimersByTime(1_000);
  expect(ring).not.toHaveBeenCalled();
});

test.each([
  [0, 2_000],
  [1, 1_000],
  [2, 2_000],
  [4, 8_000],
  [5, 10_000],
  [5_000, 10_000],
])("after %i failures the wait is spread evenly up to %i ms", (failures, boundMs) => {
  expect(reconnectDelayMs(failures, BACKOFF, () => 0)).toBe(0);
  expect(reconnectDelayMs(failures, BACKOFF, () => 0.5)).toBe(boundMs / 2);
  expect(reconnectDelayMs(failures, BACKOFF, () => 0.999_999)).toBeLessThan(boundMs);
});
