/** Words on screen: the message files, and looking up in the language chosen. */

import { computed } from "@preact/signals";
import { prefs } from "./prefs.js";
import { en, type TextKey, type Texts } from "./text/en.js";
import { hu } from "./text/hu.js";

export type { TextKey };

export const LANGUAGES = { en: "English", hu: "Magyar" } as const;
export type Language = keyof typeof LANGUAGES;

const TEXTS: Readonly<Record<Language, Texts>> = { en, hu };

/** The language chosen, else the browser's, else English. */
export const language = computed<Language>(() => {
  const wanted = [prefs.value.language, ...navigator.languages].map((each) => each.slice(0, 2));
  return (wanted.find((each) => each in TEXTS) as Language | undefined) ?? "en";
});

/** The browser's own variant of that language, such as `en-GB`: dates and times are written as its user is used to. */
export const locale = computed(
  () => navigator.languages.find((each) => each.startsWith(language.value)) ?? language.value,
);

type Values = Readonly<Record<string, string | number>>;

/** Looks up a text and puts values in. */
export function t(key: TextKey, values: Values = {}): string {
  return TEXTS[language.value][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** Looks up a text by number: `key#one`, `key#other`, as the language counts. */
export function count(key: CountKey, value: number, values: Values = {}): string {
  const form = new Intl.PluralRules(language.value).select(value) === "one" ? "one" : "other";
  return t(`${key}#${form}` as TextKey, { count: value, ...values });
}

/** Keys that are chosen by number. */
export type CountKey = TextKey extends infer Key ? (Key extends `${infer Root}#one` ? Root : never) : never;

/** Families whose words are ids from the server; new ones may come before this page knows them. */
type Family =
  | "mode"
  | "cause"
  | "leg"
  | "direction"
  | "stage"
  | "headset"
  | "kind"
  | "jobkind"
  | "item"
  | "linkstate"
  | "step"
  | "stepstate"
  | "doing"
  | "action"
  | "hint"
  | "blocked"
  | "error"
  | "number";

/** Looks up an id from the server; `otherwise` (or the id itself) when there is no word for it. */
export function word(family: Family, id: string, otherwise: string = id): string {
  const texts: Readonly<Record<string, string>> = TEXTS[language.value];
  return texts[`${family}.${id}`] ?? otherwise;
}

/** The sentence for an error's id, with the peer's own words in brackets. */
export function sentence(id: string, detail = ""): string {
  const known = word("error", id, "") || word("blocked", id, "") || t("error.other", { id });
  return detail === "" ? known : `${known} (${detail})`;
}
