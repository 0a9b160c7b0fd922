import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Verdict, Witness } from "../../client/index.js";
import { CONNECTION_SETTINGS } from "../../client/settings.js";
import { Silence } from "../../client/silence.js";

let asked: number[];
let told: string[];
let answer: (which: number) => Promise<Witness> | null;
let silence: Silence;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  asked = [];
  told = [];
  answer = () => null;
  silence = new Silence(CONNECTION_SETTINGS, {
    ask: (which) => {
      asked.push(Date.now());
      return answer(which);
    },
    suspect: () => told.push(`suspect ${Date.now()}`),
    dead: () => told.push(`dead ${Date.now()}`),
    gone: ({ verdict }) => told.push(`${verdict} ${Date.now()}`),
  });
  silence.begin();
});
afterEach(() => vi.useRealTimers());

function says(verdict: Verdict, canTake = true): () => Promise<Witness> {
  return () => Promise.resolve({ instance: "a", verdict, can_take: canTake, next: null });
}

test("two others are asked after 1.5 s, and one each second after that, until it is given up at 6 s", async () => {
  await vi.advanceTimersByTimeAsync(1_499);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toEqual([1_500, 1_500, 2_500, 3_500, 4_500, 5_500]);
  expect(told.at(-1)).toBe("dead 6000");
});

test("the page is told at 3 s, and not that others are being asked", async () => {
  await vi.advanceTimersByTimeAsync(2_999);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(["suspect 3000"]);
});

test("a frame ends it, and what others say of the time before is void", async () => {
  let settle: (witness: Witness) => void = () => undefined;
  answer = () => new Promise((resolve) => (settle = resolve));
  await vi.advanceTimersByTimeAsync(1_600);
  silence.heard();
  settle({ instance: "a", verdict: "dead", can_take: true, next: null });
  await vi.advanceTimersByTimeAsync(1_499);
  expect(told).toEqual([]);
  expect(asked).toEqual([1_500, 1_500]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked.slice(2)).toEqual([3_100, 3_100]);
});

test.each([
  ["dead", true],
  ["dead", false],
  ["draining", true],
] as const)("%s, with a place to go: %s, ends the waiting at once", async (verdict, canTake) => {
  answer = says(verdict, canTake);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(told).toEqual([`${verdict} 1500`]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveLength(1);
});

test.each([
  ["suspect", true],
  ["unknown", true],
  ["draining", false],
] as const)("%s, with a place to go: %s, changes nothing", async (verdict, canTake) => {
  answer = says(verdict, canTake);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.filter((each) => !each.startsWith("suspect"))).toEqual(["dead 6000"]);
});

test("a death that others notice later is learned with the next question", async () => {
  answer = (which) => says(which < 3 ? "alive" : "dead")();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.at(-1)).toBe("dead 3500");
});

test("alive, by one of them, lets it wait to 10 s", async () => {
  answer = (which) => says(which === 0 ? "alive" : "suspect")();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(told.filter((each) => !each.startsWith("suspect"))).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told.at(-1)).toBe("dead 10000");
});

test("alive said before a frame does not count in the next silence", async () => {
  answer = says("alive");
  await vi.advanceTimersByTimeAsync(2_000);
  silence.heard();
  answer = () => null;
  await vi.advanceTimersByTimeAsync(6_000);
  expect(told.at(-1)).toBe("dead 8000");
});

test("others that cannot be reached leave the silence to decide", async () => {
  answer = () => Promise.reject(new Error("nobody there"));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.at(-1)).toBe("dead 6000");
});

test("after the machine slept it is over as soon as somebody looks, without asking anybody", () => {
  vi.setSystemTime(3_600_000);
  silence.check();
  expect(told).toEqual(["dead 3600000"]);
  expect(asked).toEqual([]);
});

test("after the timers of a hidden page were late, two are asked and not one for each second missed", () => {
  vi.setSystemTime(5_000);
  silence.check();
  expect(asked).toEqual([5_000, 5_000]);
});

test("stopping leaves no timer, and an answer on its way is not heard", async () => {
  answer = says("dead");
  vi.advanceTimersByTime(1_500);
  silence.stop();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("where a poll is held silence counts from the end of the hold, with each frame anew", async () => {
  silence.begin(8_000);
  await vi.advanceTimersByTimeAsync(9_499);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([9_500, 9_500]);
  silence.heard(8_000);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([told[0], told.at(-1)]).toEqual(["suspect 20500", "dead 23500"]);
});
