/** A record's values between the dialler and the screen. Pure: what cannot be read is left as it came. */

import type { FieldKind, RecordField } from "../client/index.js";
import { locale } from "./text.js";

const DATE = /^(\d{4})([/-])(\d{2})\2(\d{2})$/;
const TIME = /^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const NUMBER = /^[-+]?\d+([.,]\d+)?$/;

/** How the dialler writes a date that it gave none of: `CCYY/MM/DD`. */
const DATE_MARK = "/";

/** What kind of control edits it: a date or time that the browser cannot show is edited as text. */
export function controlFor({ kind, value }: RecordField): "text" | "decimal" | "date" | "time" {
  if (kind === "number" || kind === "money") return "decimal";
  if (kind === "date") return value === "" || DATE.test(value) ? "date" : "text";
  if (kind === "time") return value === "" || /^\d{2}:\d{2}$/.test(value) ? "time" : "text";
  return "text";
}

/** The value as the control shows it. */
export function toControl(field: RecordField): string {
  return controlFor(field) === "date" ? field.value.replaceAll("/", "-") : field.value;
}

/** What was typed as the dialler wants it: dates with the mark it uses itself. */
export function toDialler(field: RecordField, typed: string): string {
  if (controlFor(field) !== "date") return typed.trim();
  return typed.replaceAll("-", DATE.exec(field.value)?.[2] ?? DATE_MARK);
}

/** Why the dialler would not take it: a word for the sentence, or empty. */
export function faultOf(kind: FieldKind, length: number, value: string): "" | "number" | "too-long" | "date" | "time" {
  if (length > 0 && value.length > length) return "too-long";
  if (value === "") return "";
  if ((kind === "number" || kind === "money") && !NUMBER.test(value)) return "number";
  if (kind === "date" && !DATE.test(value)) return "date";
  if (kind === "time" && !TIME.test(value)) return "time";
  return "";
}

/** The value as people read it. */
export function shownValue({ kind, value }: RecordField): string {
  const date = kind === "date" ? DATE.exec(value) : null;
  if (date) {
    const day = new Date(`${date[1]}-${date[3]}-${date[4]}T00:00:00Z`);
    if (!Number.isNaN(day.getTime()))
      return new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeZone: "UTC" }).format(day);
  }
  if (kind === "money" && NUMBER.test(value)) {
    return new Intl.NumberFormat(locale.value, { minimumFractionDigits: 2 }).format(Number(value.replace(",", ".")));
  }
  return value;
}

/** `ACCT_BALANCE` as words: `Acct balance`. The dialler's own name stays in the tip. */
export function shownName(name: string): string {
  const words = name.replace(/[_-]+/g, " ").trim().toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
