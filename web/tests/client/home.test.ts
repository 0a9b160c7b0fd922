import { expect, test } from "vitest";
import { HomeKeeper, NO_HOME } from "../../client/home.js";
import { aHome, FakeMemory } from "./fakes.js";

test("a session is found again after a refresh, with all that proves it", () => {
  const memory = new FakeMemory();
  new HomeKeeper(memory).settle(aHome({ term: 7 }));
  const keeper = new HomeKeeper(memory);
  expect(keeper.hasHome).toBe(false);
  keeper.recall();
  expect(keeper.hasHome).toBe(true);
  expect(keeper.home).toEqual(aHome({ term: 7 }));
});

test("what is new about it is kept too", () => {
  const memory = new FakeMemory();
  const keeper = new HomeKeeper(memory);
  keeper.settle(aHome());
  keeper.settle({ ticket: "newer", server: "https://b" });
  const fresh = new HomeKeeper(memory);
  fresh.recall();
  expect(fresh.home).toEqual(aHome({ ticket: "newer", server: "https://b" }));
});

test("a session kept by an earlier version has no ticket", () => {
  const memory = new FakeMemory();
  memory.setItem("unified-agent.session", '{"session":"s","server":"https://a","token":"t"}');
  const keeper = new HomeKeeper(memory);
  keeper.recall();
  expect(keeper.home).toEqual({ session: "s", server: "https://a", token: "t", ticket: "", agent: "", term: 0 });
});

const BROKEN = [null, "{", '"x"', "null", '{"token":1}', "{}", "7"];

test.each(BROKEN)("what was kept as %s is no session", (kept) => {
  const memory = new FakeMemory();
  memory.getItem = () => kept;
  const keeper = new HomeKeeper(memory);
  keeper.recall();
  expect(keeper.hasHome).toBe(false);
  expect(keeper.home).toBe(NO_HOME);
});

test("forgetting leaves nothing behind", () => {
  const memory = new FakeMemory();
  const keeper = new HomeKeeper(memory);
  keeper.settle(aHome());
  keeper.forget();
  expect(memory.kept.size).toBe(0);
  expect(keeper.hasHome).toBe(false);
});
