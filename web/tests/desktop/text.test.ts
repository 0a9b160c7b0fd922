/// <reference types="vite/client" />
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULT_PREFS, prefs } from "../../desktop/prefs.js";
import { count, language, sentence, t, word } from "../../desktop/text.js";
import { en } from "../../desktop/text/en.js";
import { hu } from "../../desktop/text/hu.js";
import errorsPage from "../../../docs/reference/errors.md?raw";
import doubts from "../../../src/unified_agent/domain/doubts.py?raw";
import permissions from "../../../src/unified_agent/domain/permissions.py?raw";
import states from "../../../src/unified_agent/domain/states.py?raw";

afterEach(() => {
  prefs.value = DEFAULT_PREFS;
});

const TEXTS: Readonly<Record<string, Readonly<Record<string, string>>>> = { en, hu };

/** Ids in backticks in the first column of the page's tables. */
function documentedIds(): readonly string[] {
  const cells = [...errorsPage.matchAll(/^\| ([^|]*`[^|]*) \|/gm)].map((match) => match[1] ?? "");
  return [...new Set(cells.flatMap((cell) => [...cell.matchAll(/`([a-z0-9.-]+)`/g)].map((match) => match[1] ?? "")))];
}

/** Refusals of what only operators ask: no desktop is told of them. */
const FOR_OPERATORS =
  /^(operator|activation)\.|^cluster\.(alone|no-such-|unreachable)|^agent\.(not-logged-in|in-item)$/;

/** Dealt with by the client library: the desktop uses no scripts, and when the way in is full the login says so itself. */
const FOR_THE_LIBRARY = /^(jsonp\..*|connection\.unknown|request\.upgrade|cluster\.(full|not-serving))$/;

/** Ends of a session at one server that are none for the agent: the page goes on elsewhere, or has logged in anew. */
const GOES_ON = /^(moved|stepped-down|passive|superseded)$/;

/** Words of one StrEnum of the server. */
function wordsOf(name: string): readonly string[] {
  const body = new RegExp(`class ${name}\\(StrEnum\\):([\\s\\S]*?)(?:\\nclass |$)`).exec(states)?.[1] ?? "";
  return [...body.matchAll(/^ {4}[A-Z_]+ = "([a-z-]+)"/gm)].map((match) => match[1] ?? "");
}

describe.each(["en", "hu"])("in %s", (code) => {
  const texts = TEXTS[code] ?? {};

  test("every error id of the server has a sentence", () => {
    const forOthers = [FOR_OPERATORS, FOR_THE_LIBRARY, GOES_ON];
    const forAgents = documentedIds().filter((id) => !forOthers.some((others) => others.test(id)));
    const missing = forAgents.filter((id) => !(`error.${id}` in texts) && !(`blocked.${id}` in texts));
    expect(documentedIds().length).toBeGreaterThan(80);
    expect(missing).toEqual([]);
  });

  test("every reason that greys a button has a sentence", () => {
    const ids = [...permissions.matchAll(/(?:return|else|otherwise=|: |or )\s*"([a-z]+(?:-[a-z]+)+)"/g)].map(
      (match) => match[1] ?? "",
    );
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter((id) => !(`blocked.${id}` in texts))).toEqual([]);
  });

  test("whatever a claim may wait for has a sentence", () => {
    const waits = ["cluster.no-store", "cluster.owner-lives", "cluster.waiting"];
    expect(waits.filter((id) => !(`error.${id}` in texts))).toEqual([]);
  });

  test("every way in which a command may end after a change of servers has a sentence", () => {
    const ids = [...doubts.matchAll(/"(command\.[a-z-]+)"/g)].map((match) => match[1] ?? "");
    expect(ids.length).toBeGreaterThan(1);
    expect(ids.filter((id) => !(`error.${id}` in texts))).toEqual([]);
  });

  test.each([
    ["WorkMode", "mode"],
    ["LegState", "leg"],
    ["Direction", "direction"],
    ["DiallerStage", "stage"],
    ["HeadsetState", "headset"],
    ["ItemKind", "kind"],
    ["ItemStage", "item"],
    ["LinkState", "linkstate"],
  ])("every %s of the server has a word", (name, family) => {
    expect(wordsOf(name).length).toBeGreaterThan(1);
    expect(wordsOf(name).filter((each) => !(`${family}.${each}` in texts))).toEqual([]);
  });

  test("no text is empty, and none asks for a value that the other language does not", () => {
    for (const [key, text] of Object.entries(texts)) {
      expect(text.trim(), key).not.toBe("");
      const asked = (words: string): readonly string[] => [...new Set(words.match(/\{\w+\}/g) ?? [])].sort();
      expect(asked(text), key).toEqual(asked((en as Readonly<Record<string, string>>)[key] ?? ""));
    }
  });
});

test("the language chosen wins over the browser's", () => {
  expect(language.value).toBe("en");
  prefs.value = { ...DEFAULT_PREFS, language: "hu" };
  expect(t("modes.ready")).toBe("Fogad");
});

test("a language that has no file falls back to one that has", () => {
  prefs.value = { ...DEFAULT_PREFS, language: "xx" };
  expect(language.value).toBe("en");
});

test("values are put in, and numbers choose the form", () => {
  expect(t("banner.next-try", { seconds: 3 })).toBe("Next try in 3 s");
  expect(count("field.too-long", 1)).toBe("At most 1 character.");
  expect(count("field.too-long", 12)).toBe("At most 12 characters.");
});

test("a new word of a newer server is shown as it is", () => {
  expect(word("mode", "daydreaming")).toBe("daydreaming");
});

test("an error that nobody knows is told by its id, with the peer's words", () => {
  expect(sentence("switch.odd", "27")).toBe("The other side gave no reason that this page knows (switch.odd). (27)");
  expect(sentence("call-held")).toBe("The call is on hold.");
});
