import { render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Command, ConnectionStatus } from "../../client/index.js";
import { keepDraft } from "../../desktop/draft.js";
import { connection, desk, view } from "../../desktop/store.js";
import { asText, LeftItem } from "../../desktop/views/left_item.js";
import { aView } from "../client/fakes.js";
import { anItem } from "./fakes.js";

const FIELDS = [
  { name: "ACCOUNT", value: "7004", kind: "text", length: 12, editable: false },
  { name: "PROMISE", value: "25000", kind: "money", length: 10, editable: true },
] as const;
const CLOSED = anItem(6, {
  title: "Zsófia Németh",
  key: "ACCOUNT",
  fields: FIELDS,
  draft: { notes: "Two parts.\nNew address?", code: "3" },
});

let asked: Command[];
let page: HTMLElement;

keepDraft();

beforeEach(() => {
  asked = [];
  vi.spyOn(desk, "submit").mockImplementation((command) => {
    asked.push(command);
    return Promise.resolve({ id: "1", type: command.type, outcome: "done", error: "", detail: "" });
  });
  connection.value = { state: "live" } as ConnectionStatus;
  view.value = aView({ left_item: CLOSED, jobs: { list: [], keys: [{ code: "3", text: "Promised to pay" }] } });
  page = document.createElement("div");
  document.body.append(page);
});
afterEach(() => {
  render(null, page);
  page.remove();
});

function show(): void {
  render(<LeftItem item={CLOSED} />, page);
}

function press(label: string): void {
  [...page.querySelectorAll("button")].find((each) => each.textContent?.trim() === label)?.click();
}

test("what is copied says who it was, how it ended and what was typed", () => {
  expect(asText(CLOSED)).toBe("Zsófia Németh, 7004\nCompletion code: 3 Promised to pay\nTwo parts.\nNew address?");
  expect(asText(anItem(7))).toBe("PAT LEE\nCompletion code: none chosen");
});

test("it says what happened, shows all of it, and lets nothing be changed", () => {
  show();
  expect(page.textContent).toContain("The dialler has closed it");
  expect(page.textContent).toContain("Two parts.");
  expect(page.textContent).toContain("3 Promised to pay");
  expect(page.textContent).toContain("25,000.00");
  expect(page.querySelectorAll("input, textarea")).toHaveLength(0);
});

test("one press copies it, and says so", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal("navigator", { ...navigator, languages: ["en"], clipboard: { writeText } });
  show();
  press("Copy notes and code");
  await vi.waitFor(() => expect(page.textContent).toContain("Copied"));
  expect(writeText).toHaveBeenCalledWith(asText(CLOSED));
});

test("a browser that forbids copying is told of, with another way", async () => {
  vi.stubGlobal("navigator", { ...navigator, languages: ["en"], clipboard: undefined });
  show();
  press("Copy notes and code");
  await vi.waitFor(() => expect(page.textContent).toContain("press Ctrl+C"));
});

test("it is put away when the agent is done with it", () => {
  show();
  press("Put away");
  expect(asked).toEqual([{ type: "dismiss-left-item" }]);
});

test("while nothing can be asked the button says why", () => {
  view.value = aView({ left_item: CLOSED, blocked: { "dismiss-left-item": "claim-awaited" } });
  show();
  press("Put away");
  expect(asked).toEqual([]);
  expect(page.textContent).toContain("Nothing can be asked until this server has taken over.");
});
