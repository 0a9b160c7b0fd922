/// <reference types="vite/client" />

import { expect, test } from "vitest";
import clientPage from "../../../docs/reference/client-library.md?raw";
import compatPage from "../../../docs/reference/compat-library.md?raw";
import connection from "../../client/connection.ts?raw";
import desk from "../../client/desk.ts?raw";
import * as fallbacks from "../../client/fallbacks.js";
import * as library from "../../client/index.js";
import { RequestError } from "../../client/rest.js";
import { CONNECTION_SETTINGS } from "../../client/settings.js";
import { DEFAULT_TRANSPORTS } from "../../client/transports/ways.js";
import uaserver from "../../client/uaserver.ts?raw";
import { Uaserver } from "../../client/uaserver.js";

/** All that stands in code letters on a page, taken apart into words. */
function wordsOf(page: string): Set<string> {
  return new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => code.match(/[\w-]+/g) ?? []));
}

/** The fields of an exported interface. */
function fieldsOf(source: string, name: string): string[] {
  const [, body = ""] = new RegExp(`export interface ${name} \\{([^]*?)\\n\\}`).exec(source) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, field = ""]) => field);
}

/** Public functions and getters of a class. */
function membersOf(made: { prototype: object }): string[] {
  return Object.getOwnPropertyNames(made.prototype).filter((each) => each !== "constructor");
}

const client = wordsOf(clientPage);
const compat = wordsOf(compatPage);

test.each([
  ["exports of ua-client", Object.keys(library)],
  ["exports of ua-fallbacks", Object.keys(fallbacks)],
  ["members of Desk", [...membersOf(library.Desk), "clock"]],
  ["options", fieldsOf(desk, "DeskOptions")],
  ["events", fieldsOf(desk, "DeskEvents")],
  ["the connection's status", fieldsOf(connection, "ConnectionStatus")],
  ["delays", Object.keys(CONNECTION_SETTINGS)],
  ["transports", fallbacks.RUNGS.map(({ name }) => name)],
])("the page on the client library knows all %s", (_, names) => {
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((each) => !client.has(each))).toEqual([]);
});

test("the page on the client library has the delays and the transports as they are", () => {
  for (const [name, value] of Object.entries(CONNECTION_SETTINGS)) {
    const row = clientPage.split("\n").find((line) => line.startsWith("| `") && line.includes(`\`${name}\``));
    expect(row, name).toContain(value.toLocaleString("en"));
  }
  expect(clientPage).toContain(`\`${JSON.stringify(DEFAULT_TRANSPORTS).replaceAll(",", ", ")}\``);
});

test("the page on the client library knows each number of a reason", () => {
  const rows = clientPage.split("\n").filter((line) => /^\| \d\d/.test(line));
  const numbers = rows.flatMap((line) => (line.split("|")[1] ?? "").match(/\d+/g) ?? []);
  expect(Object.values(library.ConnectionReason).filter((each) => !numbers.includes(String(each)))).toEqual([]);
});

test("the page on the compatible library knows all functions, events and what an error has", () => {
  const events = [...uaserver.matchAll(/readonly type: "([\w-]+)"/g)].map(([, type = ""]) => type);
  expect(events).toHaveLength(5);
  const names = [...membersOf(Uaserver), ...events, ...fieldsOf(uaserver, "UaError")];
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((each) => !compat.has(each))).toEqual([]);
});

test("an error has what the pages say that it has", () => {
  expect(new RequestError(401, "x.y", "d", "never", "c")).toMatchObject({ id: "x.y", detail: "d", correlation: "c" });
});
