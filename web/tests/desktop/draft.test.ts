import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Command, CommandResult, ConnectionStatus, ItemView, View } from "../../client/index.js";
import {
  chooseCode,
  code,
  finish,
  finishing,
  keepDraft,
  lostNotes,
  notes,
  saving,
  typeNotes,
} from "../../desktop/draft.js";
import { connection, desk, view } from "../../desktop/store.js";
import { aView } from "../client/fakes.js";

const LIVE = { state: "live" } as ConnectionStatus;
const WAITING = { state: "waiting" } as ConnectionStatus;

let asked: Command[];
let outcome: CommandResult["outcome"];

keepDraft();

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  outcome = "done";
  vi.spyOn(desk, "submit").mockImplementation((command) => {
    asked.push(command);
    return Promise.resolve({ id: "1", type: command.type, outcome, error: "", detail: "" });
  });
  connection.value = LIVE;
  view.value = null;
  lostNotes.value = null;
  sessionStorage.clear();
});
afterEach(() => vi.useRealTimers());

let number = 0;

function anItem(news: Partial<ItemView> = {}): ItemView {
  return {
    number,
    kind: "outbound",
    stage: "on-call",
    title: "PAT LEE",
    waited: "",
    key: "",
    fields: [],
    since: "2026-01-01T00:00:00.000Z",
    stage_since: "2026-01-01T00:00:00.000Z",
    preview_until: null,
    suggested_code: "",
    draft: { notes: "", code: "" },
    ...news,
  };
}

function show(item: ItemView | null): View {
  return (view.value = aView({ item }));
}

function open(news: Partial<ItemView> = {}): void {
  number += 1;
  show(anItem(news));
}

test("what is typed is sent a second after the last key, not with each", async () => {
  open();
  typeNotes("a");
  await vi.advanceTimersByTimeAsync(900);
  typeNotes("ab");
  expect(saving.value).toBe("typing");
  await vi.advanceTimersByTimeAsync(999);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([{ type: "save-draft", notes: "ab", code: "" }]);
  expect(saving.value).toBe("saved");
});

test("a draft that the server refuses is told as not saved", async () => {
  open();
  outcome = "refused";
  typeNotes("a");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(saving.value).toBe("not-saved");
});

test("what was typed without a connection goes out when it is back", async () => {
  open();
  connection.value = WAITING;
  typeNotes("kept");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([]);
  connection.value = LIVE;
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual([{ type: "save-draft", notes: "kept", code: "" }]);
});

test("a record brings its draft and the code that the dialler suggests", () => {
  open({ draft: { notes: "before", code: "" }, suggested_code: "13" });
  expect([notes.value, code.value]).toEqual(["before", "13"]);
  open({ draft: { notes: "", code: "4" }, suggested_code: "13" });
  expect(code.value).toBe("4");
});

test("a view of the same record leaves alone what is being typed", () => {
  open();
  typeNotes("half a sen");
  show(anItem({ stage: "line-gone", draft: { notes: "half", code: "" } }));
  expect(notes.value).toBe("half a sen");
});

test("what was typed in the second before a refresh is found again", () => {
  open();
  typeNotes("nearly lost");
  const kept = sessionStorage.getItem("unified-agent.draft") ?? "";
  show(null);
  sessionStorage.setItem("unified-agent.draft", kept);
  show(anItem());
  expect(notes.value).toBe("nearly lost");
});

test("what was typed for one record is never put into another", () => {
  open();
  typeNotes("for the first");
  open();
  expect(notes.value).toBe("");
});

test("finishing saves what is typed first, and asks once", async () => {
  open();
  typeNotes("done");
  chooseCode("21");
  const first = finish();
  const second = finish();
  expect(finishing.value).toBe(true);
  await first;
  await second;
  expect(asked).toEqual([
    { type: "save-draft", notes: "done", code: "21" },
    { type: "finish-item", code: "21" },
  ]);
});

test("nothing is finished without a code", async () => {
  open();
  expect(await finish()).toBeNull();
  expect(asked).toEqual([]);
});

test("notes of a record that is taken away are kept for the agent", () => {
  open();
  typeNotes("half a sentence");
  show(null);
  expect(lostNotes.value).toBe("half a sentence");
});

test("notes of a record that the agent finished are not called lost", async () => {
  open();
  typeNotes("done");
  chooseCode("21");
  await finish();
  show(null);
  expect(lostNotes.value).toBeNull();
});
