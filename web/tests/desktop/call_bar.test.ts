import { beforeEach, expect, test, vi } from "vitest";
import type { CallView, Command, ConnectionStatus, LegState } from "../../client/index.js";
import { callBar, currentCall, mainActions, moreActions, openForm, pairOf } from "../../desktop/call_bar.js";
import { ask, connection, desk, toasts, view } from "../../desktop/store.js";
import { aView } from "../client/fakes.js";

let asked: Command[];

beforeEach(() => {
  asked = [];
  vi.spyOn(desk, "submit").mockImplementation((command) => {
    asked.push(command);
    return Promise.resolve({ id: "1", type: command.type, outcome: "done", error: "", detail: "" });
  });
  connection.value = { state: "live" } as ConnectionStatus;
  view.value = aView();
  openForm.value = null;
});

function aCall(id: string, state: LegState, blocked: CallView["blocked"] = {}): CallView {
  return {
    id,
    state,
    direction: "in",
    parties: [{ number: "555", state: "active" }],
    called: "8000",
    queue: "",
    data: "",
    ucid: "",
    since: "2026-01-01T00:00:00.000Z",
    state_since: "2026-01-01T00:00:00.000Z",
    cause: "",
    blocked,
  };
}

const types = (calls: readonly CallView[]): readonly (string | null)[] =>
  callBar(aView({ calls })).map((each) => each?.type ?? null);

test("keys are about the ringing call, else the one talked on, else the one on hold", () => {
  const [held, active, ringing] = [aCall("1", "held"), aCall("2", "active"), aCall("3", "alerting")];
  expect(currentCall([held, active, ringing])).toBe(ringing);
  expect(currentCall([held, active])).toBe(active);
  expect(currentCall([held])).toBe(held);
  expect(currentCall([])).toBeUndefined();
});

test("a key never changes its place: what has no action stays empty", () => {
  expect(types([aCall("1", "active")])).toEqual([
    "hold-call",
    "hang-up-call",
    "consult-call",
    "blind-transfer-call",
    "add-to-call",
    null,
    null,
    null,
    "send-digits",
  ]);
  expect(types([aCall("1", "held"), aCall("2", "active")])).toEqual([
    "hold-call",
    "hang-up-call",
    "consult-call",
    "transfer-call",
    "conference-calls",
    "swap-calls",
    "reconnect-call",
    null,
    "send-digits",
  ]);
  expect(types([])).toEqual([]);
});

test.each([
  ["alerting", "answer-call", "deflect-call"],
  ["active", "hold-call", "blind-transfer-call"],
  ["held", "retrieve-call", "blind-transfer-call"],
] as const)("a call that is %s has %s and %s in the same places", (state, main, away) => {
  expect(mainActions(aCall("1", state))[0]?.type).toBe(main);
  expect(moreActions(aCall("1", state))[1]?.type).toBe(away);
});

test("two calls can be joined only when one is held and one is up", () => {
  const [held, active] = [aCall("1", "held"), aCall("2", "dialling")];
  expect(pairOf([held, active])).toEqual({ held, active });
  expect(pairOf([held, aCall("3", "held")])).toBeNull();
  expect(pairOf([active, aCall("3", "alerting")])).toBeNull();
});

test("a pair is joined by its ids, whichever came first", () => {
  callBar(aView({ calls: [aCall("7", "active"), aCall("8", "held")] }))[3]?.run();
  expect(asked).toEqual([{ type: "transfer-call", held: "8", active: "7" }]);
});

test("an action says why it is not possible, and that nothing is possible without a connection", () => {
  const call = aCall("1", "alerting", { "hang-up-call": "call-alerting" });
  expect(mainActions(call)[1]?.blocked).toBe("call-alerting");
  connection.value = { state: "waiting" } as ConnectionStatus;
  expect(mainActions(call)[0]?.blocked).toBe("not-connected");
  connection.value = { state: "refused" } as ConnectionStatus;
  expect(mainActions(call)[0]?.blocked).toBe("taken-over");
});

test("an action that needs a number opens its form, and closes it when pressed again", () => {
  const [consult] = moreActions(aCall("1", "active"));
  consult?.run();
  expect(openForm.value).toEqual({ on: "1", form: "consult-call" });
  consult?.run();
  expect(openForm.value).toBeNull();
  expect(asked).toEqual([]);
});

test("a refused command is shown, unless whoever asked shows it better", async () => {
  toasts.value = [];
  vi.spyOn(desk, "submit").mockImplementation((command) =>
    Promise.resolve({ id: "1", type: command.type, outcome: "refused", error: "switch.busy", detail: "" }),
  );
  await ask({ type: "refresh-jobs" }, { quietly: true });
  expect(toasts.value).toHaveLength(0);
  for (let times = 0; times < 9; times += 1) await ask({ type: "refresh-jobs" });
  expect(toasts.value).toHaveLength(4);
});
