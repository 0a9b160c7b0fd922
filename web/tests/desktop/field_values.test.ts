import { expect, test } from "vitest";
import type { FieldKind, RecordField } from "../../client/index.js";
import { pairsOf } from "../../desktop/call_data.js";
import { controlFor, faultOf, shownName, shownValue, toControl, toDialler } from "../../desktop/field_values.js";

const field = (kind: FieldKind, value: string): RecordField => ({ name: "F", value, kind, length: 0, editable: true });

test.each([
  ["date", "2026/12/15", "date", "2026-12-15", "2026/12/15"],
  ["date", "2026-12-15", "date", "2026-12-15", "2026-12-15"],
  ["date", "", "date", "", ""],
  ["date", "15.12.2026", "text", "15.12.2026", "15.12.2026"],
  ["time", "17:30", "time", "17:30", "17:30"],
  ["time", "0530p", "text", "0530p", "0530p"],
  ["money", "25000.00", "decimal", "25000.00", "25000.00"],
  ["text", " x ", "text", " x ", "x"],
] as const)("a %s of %j is edited as %s and goes back unharmed", (kind, value, control, shown, back) => {
  const it = field(kind, value);
  expect(controlFor(it)).toBe(control);
  expect(toControl(it)).toBe(shown);
  expect(toDialler(it, toControl(it))).toBe(back);
});

test("a date goes back with the mark that the dialler uses itself", () => {
  expect(toDialler(field("date", "2026/12/15"), "2027-01-02")).toBe("2027/01/02");
  expect(toDialler(field("date", "2026-12-15"), "2027-01-02")).toBe("2027-01-02");
  expect(toDialler(field("date", ""), "2027-01-02")).toBe("2027/01/02");
});

test.each([
  ["number", "3", ""],
  ["number", "three", "number"],
  ["money", "12,50", ""],
  ["date", "2026/12/15", ""],
  ["date", "2026/12-15", "date"],
  ["time", "24:00", "time"],
  ["text", "", ""],
  ["number", "", ""],
] as const)("a %s of %j is at fault for: %s", (kind, value, fault) => {
  expect(faultOf(kind, 20, value)).toBe(fault);
});

test("a value that is too long is at fault only when the length is known", () => {
  expect(faultOf("text", 3, "four")).toBe("too-long");
  expect(faultOf("text", 0, "four")).toBe("");
});

test("what cannot be read is shown as it came", () => {
  expect(shownValue(field("date", "2026/99/99"))).toBe("2026/99/99");
  expect(shownValue(field("money", "n/a"))).toBe("n/a");
});

test("a field's name is shown as words", () => {
  expect(shownName("CONTRACT_END")).toBe("Contract end");
});

test("data of a call is read as pairs only when all of it is", () => {
  expect(pairsOf("CUST=7004;LANG=hu")).toEqual([
    ["CUST", "7004"],
    ["LANG", "hu"],
  ]);
  expect(pairsOf("CUST: 7004 | LANG: hu")).toHaveLength(2);
  expect(pairsOf("please call back; urgent=yes")).toEqual([]);
  expect(pairsOf("")).toEqual([]);
});
