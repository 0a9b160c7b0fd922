import { expect, test } from "vitest";
import { matching } from "../../desktop/views/finish.js";

const KEYS = [
  { code: "01", text: "Renewed" },
  { code: "2", text: "Promised to pay" },
  { code: "20", text: "Callback agreed" },
  { code: "12", text: "Renewed, new terms" },
];
const codes = (query: string): readonly string[] => matching(KEYS, query).map((each) => each.code);

test("nothing typed shows all, in the dialler's order", () => {
  expect(codes("  ")).toEqual(["01", "2", "20", "12"]);
});

test("digits find codes that begin with them, with or without zeros in front", () => {
  expect(codes("2")).toEqual(["2", "20"]);
  expect(codes("1")).toEqual(["01", "12"]);
  expect(codes("01")).toEqual(["01", "12"]);
});

test("words find texts that contain all of them, in any order", () => {
  expect(codes("terms ren")).toEqual(["12"]);
  expect(codes("PAY")).toEqual(["2"]);
});

test("what fits nothing finds nothing", () => {
  expect(codes("zebra")).toEqual([]);
});
