/** What a search makes of the answers of servers that are asked to take the session. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason } from "../../client/reasons.js";
import { place, refusal } from "./fakes.js";
import {
  begin,
  http,
  keeper,
  know,
  luck,
  RESUME,
  search,
  servers,
  settle,
  taken,
  there,
  TOPOLOGY,
  told,
  wires,
} from "./searching.js";

beforeEach(begin);
afterEach(() => vi.useRealTimers());

describe("a home that does not have the session any more", () => {
  test.each([
    ["refused", (): void => wires.last.say({ type: "refused", id: "session.unknown" })],
    ["closed with 4401", (): void => wires.last.drop(4401)],
    ["closed with 4420", (): void => wires.last.drop(4420)],
  ])("%s, is asked to take it again: if another has it, it knows which", async (_, end) => {
    know("a", "b");
    there("a", refusal(421, "session.moved", place("b")));
    there("b");
    search().start();
    wires.last.open();
    end();
    expect(keeper.home.server).toBe("");
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(keeper.home.server).toBe("https://b");
  });

  test("is not asked twice: one that takes it and does not know it is passed over", async () => {
    know("a", "b");
    there("a");
    there("b");
    search().start();
    wires.last.open();
    wires.last.drop(4401);
    await settle();
    wires.last.open();
    wires.last.drop(4401);
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
  });

  test("ends the search when there is no ticket", () => {
    keeper.settle({ ticket: "" });
    search().start();
    wires.last.open();
    wires.last.drop(4401);
    expect(told.at(-1)).toBe(`refused ${ConnectionReason.SessionUnknown}`);
  });
});

describe("being sent on", () => {
  beforeEach(() => {
    know("a", "b");
    keeper.settle({ server: "" });
  });

  test("is followed three times", async () => {
    there("a", refusal(421, "instance.elsewhere", place("c")));
    there("c", refusal(421, "instance.elsewhere", place("d")));
    there("d", refusal(421, "instance.elsewhere", place("e")));
    there("e", refusal(421, "instance.elsewhere", place("f")));
    there("f");
    there("b");
    search().start();
    await settle();
    expect(taken()).toEqual(["a", "c", "d", "e", "b"].map((name) => `https://${name}`));
  });

  test("to one that has had its turn is not followed", async () => {
    there("a", refusal(421, "instance.elsewhere", place("b")));
    there("b", refusal(421, "instance.elsewhere", place("a")));
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.SessionMoved}`);
  });

  test("by a passive datacentre is an answer: its instance is not held to have failed", async () => {
    there("a", refusal(421, "datacentre.passive"));
    there("b", refusal(421, "datacentre.passive"));
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.PassiveDatacentre}`);
    expect(servers.next()).toBe("https://a");
  });
});

describe("a resume that is refused for good", () => {
  test.each([
    [401, "ticket.invalid", ConnectionReason.TicketRefused],
    [409, "station.in-use", ConnectionReason.TicketRefused],
    [410, "session.ended", ConnectionReason.SessionEnded],
    [423, "taken-over", ConnectionReason.TakenOver],
  ])("with %i %s ends the search", async (status, id, reason) => {
    know("a", "b");
    there("a", refusal(status, id));
    there("b");
    keeper.settle({ server: "" });
    search().start();
    await settle(20_000);
    expect(told.at(-1)).toBe(`refused ${reason}`);
    expect(taken()).toEqual(["https://a"]);
  });

  test.each([
    [401, ""],
    [409, "later"],
  ])("is not one of %i that is not ours, or passes: retry %s", async (status, retry) => {
    know("a", "b");
    there("a", { status, body: { id: "agent.logging-out", retry } });
    there("b");
    keeper.settle({ server: "" });
    search().start();
    await settle();
    expect(taken()).toEqual(["https://a", "https://b"]);
  });

  test.each([TOPOLOGY, RESUME])("is not one that has too much to do at %s: it is left alone", async (what) => {
    know("a", "b");
    there("a");
    http.on("https://a", what, { status: 503, retryAfter: 10, body: { id: "instance.busy" } });
    keeper.settle({ server: "" });
    luck.chance = 0;
    search().start();
    await settle();
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.OpenFailed}`); // b is not there at all
    await settle(7_499);
    expect(servers.next(new Set(["https://b"]))).toBeNull();
    await settle(1);
    expect(servers.next(new Set(["https://b"]))).toBe("https://a");
  });

  test.each([
    [0, 7_500],
    [0.5, 10_000],
    [0.999_999, 12_500],
  ])("with chance %f a wish for 10 s is obeyed for %i ms", async (chance, ms) => {
    know("a");
    there("a", { status: 503, retryAfter: 10 });
    keeper.settle({ server: "" });
    luck.chance = chance;
    search().start();
    await settle();
    expect(told.at(-1)).toBe(`failed ${ConnectionReason.Busy}`);
    expect(Math.round(servers.busyForMs())).toBe(ms);
  });
});
