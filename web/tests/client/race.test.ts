import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Race } from "../../client/race.js";

let waiting: string[];
let begun: [string, number][];
let givenUp: string[];
let exhausted: number;
let race: Race;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  waiting = ["a", "b", "c", "d"];
  begun = [];
  givenUp = [];
  exhausted = 0;
  race = new Race({
    next: () => waiting.shift() ?? null,
    begin: (server) => {
      begun.push([server, Date.now()]);
      return () => givenUp.push(server);
    },
    exhausted: () => (exhausted += 1),
  });
});
afterEach(() => vi.useRealTimers());

test("a second begins when the first was silent for 300 ms, and a third only when one of them is over", () => {
  race.go();
  vi.advanceTimersByTime(5_000);
  expect(begun).toEqual([
    ["a", 0],
    ["b", 300],
  ]);
  race.lost("a");
  vi.advanceTimersByTime(5_000);
  expect(begun.slice(2)).toEqual([["c", 5_000]]);
});

test("one that fails is followed at once, and the pace counts from the last that began", () => {
  race.go();
  vi.advanceTimersByTime(200);
  race.lost("a");
  vi.advanceTimersByTime(299);
  expect(begun).toEqual([
    ["a", 0],
    ["b", 200],
  ]);
  vi.advanceTimersByTime(1);
  expect(begun[2]).toEqual(["c", 500]);
});

test("it is over when all have failed, and not while one is under way", () => {
  waiting = ["a", "b"];
  race.go();
  vi.advanceTimersByTime(300);
  race.lost("b");
  expect(exhausted).toBe(0);
  race.lost("a");
  expect(exhausted).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("stopping gives up all but one, and says which", () => {
  race.go();
  vi.advanceTimersByTime(300);
  expect(race.stop("a")).toEqual(["b"]);
  expect(givenUp).toEqual(["b"]);
  expect(race.has("a")).toBe(true);
  vi.advanceTimersByTime(5_000);
  expect(begun).toHaveLength(2);
  race.go();
  expect(begun.at(-1)).toEqual(["c", 5_300]);
});

test("what a try that was given up says later changes nothing", () => {
  race.go();
  race.stop();
  race.lost("a");
  expect(begun).toHaveLength(1);
  expect(exhausted).toBe(0);
});
