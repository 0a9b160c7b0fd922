import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Command, CommandResult, ConnectionStatus, ItemView, View } from "../../client/index.js";
import {
  chooseCode,
  code,
  codeWords,
  draftOf,
  finish,
  finishing,
  keepDraft,
  lost,
  notes,
  saving,
  typeNotes,
} from "../../desktop/draft.js";
import { connection, desk, view } from "../../desktop/store.js";
import { aView } from "../client/fakes.js";
import { anItem } from "./fakes.js";

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
  lost.value = null;
  sessionStorage.clear();
});
afterEach(() => vi.useRealTimers());

let number = 0;

function show(item: ItemView | null): View {
  return (view.value = aView({ item }));
}

function open(news: Partial<ItemView> = {}): void {
  number += 1;
  show(anItem(number, news));
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
  show(anItem(number, { stage: "line-gone", draft: { notes: "half", code: "" } }));
  expect(notes.value).toBe("half a sen");
});

test("what was typed in the second before a refresh is found again", () => {
  open();
  typeNotes("nearly lost");
  const kept = sessionStorage.getItem("unified-agent.draft") ?? "";
  show(null);
  sessionStorage.setItem("unified-agent.draft", kept);
  show(anItem(number));
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
  expect(lost.value?.draft.notes).toBe("half a sentence");
});

test("notes of a record that the agent finished are not called lost", async () => {
  open();
  typeNotes("done");
  chooseCode("21");
  await finish();
  show(null);
  expect(lost.value).toBeNull();
});

test("nothing is saved while nothing may be asked, and what was typed goes out when it may", async () => {
  number += 1;
  view.value = aView({ item: anItem(number), blocked: { "save-draft": "claim-awaited" } });
  typeNotes("kept");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([]);
  show(anItem(number));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual([{ type: "save-draft", notes: "kept", code: "" }]);
});

describe("a record that a lost dialler has closed", () => {
  const ACCOUNT = {
    key: "ACCOUNT",
    fields: [{ name: "ACCOUNT", value: "7004", kind: "text", length: 12, editable: false }],
  } as const;

  /** It was open, and something was typed that the server had not got yet. */
  function typedAndLost(): ItemView {
    open({ ...ACCOUNT, draft: { notes: "half", code: "" } });
    typeNotes("half a sentence");
    chooseCode("21");
    const closed = anItem(number, { ...ACCOUNT, draft: { notes: "half", code: "" } });
    view.value = aView({ left_item: closed });
    return closed;
  }

  test("has what was typed last, also what the server does not have", () => {
    expect(draftOf(typedAndLost())).toEqual({ notes: "half a sentence", code: "21" });
  });

  test("has what the server has, when this page knows nothing of it", () => {
    number += 1;
    const closed = anItem(number, { draft: { notes: "typed at another desktop", code: "4" } });
    view.value = aView({ left_item: closed });
    expect(draftOf(closed)).toEqual({ notes: "typed at another desktop", code: "4" });
  });

  test("keeps it over a refresh of the page", () => {
    const closed = typedAndLost();
    const kept = sessionStorage.getItem("unified-agent.draft") ?? "";
    expect(kept).toContain("half a sentence");
    view.value = null;
    lost.value = null;
    sessionStorage.setItem("unified-agent.draft", kept);
    view.value = aView({ left_item: closed });
    expect(draftOf(closed).notes).toBe("half a sentence");
  });

  test("gives it back when the dialler gives the same record again", async () => {
    typedAndLost();
    open({ ...ACCOUNT, draft: { notes: "half", code: "" } });
    expect([notes.value, code.value]).toEqual(["half a sentence", "21"]);
    expect(lost.value).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.at(-1)).toEqual({ type: "save-draft", notes: "half a sentence", code: "21" });
  });

  test("gives nothing to another customer's record", () => {
    typedAndLost();
    const other = { ...ACCOUNT, fields: [{ ...ACCOUNT.fields[0], value: "8100" }] };
    number += 1;
    const closed = view.value?.left_item ?? null;
    view.value = aView({ item: anItem(number, other), left_item: closed });
    expect(notes.value).toBe("");
    expect(closed && draftOf(closed).notes).toBe("half a sentence");
  });

  test("takes what was typed with it when it is put away", () => {
    typedAndLost();
    view.value = aView();
    expect(lost.value).toBeNull();
  });
});

test("a code is told with its text as long as the page has seen it once", () => {
  view.value = aView({ jobs: { list: [], keys: [{ code: "21", text: "Promised to pay" }] } });
  view.value = aView();
  expect(codeWords("21")).toBe("21 Promised to pay");
  expect(codeWords("77")).toBe("77");
});
