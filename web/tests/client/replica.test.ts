import { expect, test } from "vitest";
import type { Envelope, View } from "../../client/index.js";
import { Replica } from "../../client/replica.js";
import { aView } from "./fakes.js";

const AT = "2026-01-01T00:00:00.000Z";
const snapshot = (epoch: number, seq: number, view = aView()): Envelope => ({
  epoch,
  term: 1,
  seq,
  at: AT,
  type: "snapshot",
  data: { view, reason: "hello" },
});
const changed = (epoch: number, seq: number, data: Partial<View>): Envelope => ({
  epoch,
  term: 1,
  seq,
  at: AT,
  type: "blocked-changed",
  data,
});

test("nothing can be applied before a snapshot", () => {
  expect(new Replica().apply(changed(1, 1, {}))).toBe("gap");
});

test("notices in order are put in the place of the old slices", () => {
  const replica = new Replica();
  replica.apply(snapshot(1, 4));
  expect(replica.apply(changed(1, 5, { blocked: { "make-call": "call-active" } }))).toBe("applied");
  expect(replica.view).toEqual(aView({ blocked: { "make-call": "call-active" } }));
  expect(replica.position).toEqual({ epoch: 1, seq: 5 });
});

test("a notice that came before is dropped", () => {
  const replica = new Replica();
  replica.apply(snapshot(1, 4));
  replica.apply(changed(1, 5, { blocked: { a: "b" } }));
  expect(replica.apply(changed(1, 5, { blocked: {} }))).toBe("duplicate");
  expect(replica.apply(changed(1, 3, { blocked: {} }))).toBe("duplicate");
  expect(replica.view?.blocked).toEqual({ a: "b" });
});

test("a notice with one missing before it changes nothing and is a gap", () => {
  const replica = new Replica();
  replica.apply(snapshot(1, 4));
  expect(replica.apply(changed(1, 6, { blocked: { a: "b" } }))).toBe("gap");
  expect(replica.position).toEqual({ epoch: 1, seq: 4 });
  expect(replica.view?.blocked).toEqual({});
});

test("nothing of an old epoch is shown, and a new epoch needs its snapshot", () => {
  const replica = new Replica();
  replica.apply(snapshot(2, 1));
  expect(replica.apply(changed(1, 2, { blocked: { a: "b" } }))).toBe("duplicate");
  expect(replica.apply(changed(3, 1, { blocked: { a: "b" } }))).toBe("gap");
  expect(replica.apply(snapshot(3, 1))).toBe("applied");
  expect(replica.position).toEqual({ epoch: 3, seq: 1 });
});

test("a snapshot of a lower epoch is taken: another server counts from lower", () => {
  const replica = new Replica();
  replica.apply(snapshot(7, 30));
  expect(replica.apply(snapshot(1, 2))).toBe("applied");
  expect(replica.position).toEqual({ epoch: 1, seq: 2 });
});

test("messages join the end, and the oldest go beyond twenty", () => {
  const replica = new Replica();
  replica.apply(snapshot(1, 0));
  for (let seq = 1; seq <= 25; seq += 1) {
    const message = { text: `${seq}`, sender: "supervisor", at: AT };
    replica.apply({ epoch: 1, term: 1, seq, at: AT, type: "message-arrived", data: { message } });
  }
  expect(replica.view?.messages).toHaveLength(20);
  expect(replica.view?.messages.at(0)?.text).toBe("6");
  expect(replica.view?.messages.at(-1)?.text).toBe("25");
});

test("a notice that is not about the view counts and leaves it as it is", () => {
  const replica = new Replica();
  replica.apply(snapshot(1, 1));
  const before = replica.view;
  const data = { command: "c-1", command_type: "set-mode", outcome: "done", error: "", detail: "" } as const;
  expect(replica.apply({ epoch: 1, term: 1, seq: 2, at: AT, type: "command-settled", data })).toBe("applied");
  expect(replica.view).toBe(before);
  expect(replica.position.seq).toBe(2);
});

test("any history of notices gives the same view as a fresh snapshot", () => {
  const steps: Partial<View>[] = [
    { blocked: { "make-call": "call-active" } },
    { agent: { ...aView().agent, mode: "ready" } },
    { blocked: {} },
    { agent: { ...aView().agent, mode: "talking" }, blocked: { "log-out": "already-asked" } },
  ];
  const replica = new Replica();
  replica.apply(snapshot(1, 1));
  let truth = aView();
  steps.forEach((step, index) => {
    truth = { ...truth, ...step };
    replica.apply(changed(1, index + 2, step));
    replica.apply(changed(1, index + 2, { blocked: { stale: "stale" } }));
  });
  expect(replica.view).toEqual(truth);
});
