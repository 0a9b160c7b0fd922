/**
 * What the agent types for the open record: kept here with each key, at the server each second, and not lost when the
 * record is taken away. A record that a lost dialler has closed (`left_item`) has what was typed last, here or there.
 */

import { effect, signal } from "@preact/signals";
import { Timer, type CommandResult, type Draft, type ItemView } from "../client/index.js";
import { ask, blockedBy, desk, view } from "./store.js";

/** Typing rests for so long before it is sent, ms. */
const SAVE_AFTER_MS = 1_000;

export const NOTES_LIMIT = 4_000;

export type Saving = "saved" | "typing" | "saving" | "not-saved";

export const notes = signal("");
/** The completion code chosen and not sent, or empty. */
export const code = signal("");
export const saving = signal<Saving>("saved");
/** A record that went away without being finished here, and what was typed for it; null when there is none. */
export const lost = signal<{ readonly item: ItemView; readonly draft: Draft } | null>(null);
/** Finishing was asked, and is not answered. */
export const finishing = signal(false);

const KEPT_AS = "unified-agent.draft";

/** Texts of the completion codes seen so far: a closed record's code is still told in words when its job is gone. */
const codeTexts = new Map<string, string>();

let item: ItemView | null = null;
let left: ItemView | null = null;
let finished = false;
const save = new Timer(() => void saveNow());

export function typeNotes(text: string): void {
  notes.value = text.slice(0, NOTES_LIMIT);
  touched();
}

export function chooseCode(chosen: string): void {
  code.value = chosen;
  touched();
}

function touched(): void {
  saving.value = "typing";
  keepHere();
  save.start(SAVE_AFTER_MS);
}

async function saveNow(): Promise<void> {
  if (!item || blockedBy("save-draft") !== "") return;
  const draft = { notes: notes.value, code: code.value };
  const about = item.number;
  saving.value = "saving";
  const { outcome } = await ask({ type: "save-draft", ...draft }, { quietly: true });
  if (item?.number !== about || saving.peek() !== "saving") return;
  saving.value = outcome === "done" ? "saved" : "not-saved";
}

/** Saves what was typed, then closes the record. */
export async function finish(): Promise<CommandResult | null> {
  if (!item || code.value === "" || finishing.value) return null;
  const about = item.number;
  save.stop();
  finishing.value = true;
  if (saving.value !== "saved") void saveNow();
  finished = true;
  const result = await ask({ type: "finish-item", code: code.value });
  finishing.value = false;
  if (result.outcome === "refused" && item?.number === about) finished = false;
  return result;
}

/** What was typed for a record that the dialler has closed: this page may have more of it than the server. */
export function draftOf(closed: ItemView): Draft {
  return lost.value && isSame(lost.value.item, closed) ? lost.value.draft : closed.draft;
}

/** A completion code with its text, as far as it is known. */
export function codeWords(chosen: string): string {
  return [chosen, codeTexts.get(chosen) ?? ""].join(" ").trim();
}

/** Follows the open record for the whole life of the page. */
export function keepDraft(): void {
  effect(() => {
    const shown = view.value;
    for (const { code: each, text } of shown?.jobs.keys ?? []) codeTexts.set(each, text);
    const fresh = shown?.item ?? null;
    if (fresh?.number !== item?.number) change(fresh, shown?.left_item ?? null);
    else item = fresh;
    if (shown) changeLeft(shown.left_item);
  });
  // What was typed while nothing could be asked goes out when it can.
  effect(() => {
    if (blockedBy("save-draft") === "" && item && saving.peek() !== "saved") save.start(0);
  });
}

function change(fresh: ItemView | null, nowLeft: ItemView | null): void {
  const draft = { notes: notes.peek(), code: code.peek() };
  const typed = draft.notes.trim() !== "" || (draft.code !== "" && draft.code !== item?.suggested_code);
  if (item && !finished && typed) lost.value = { item, draft };
  save.stop();
  finished = false;
  finishing.value = false;
  item = fresh;
  const here = fresh ? (readHere(fresh) ?? givenAgain(fresh, nowLeft)) : null;
  notes.value = here?.notes ?? fresh?.draft.notes ?? "";
  code.value = here?.code ?? (fresh?.draft.code || fresh?.suggested_code || "");
  saving.value = "saved";
  if (here && (here.notes !== fresh?.draft.notes || here.code !== fresh.draft.code)) touched();
  if (!fresh && !nowLeft) sessionStorage.removeItem(KEPT_AS);
}

/** What this page has for a closed record that the dialler has just given again. */
function givenAgain(fresh: ItemView, nowLeft: ItemView | null): Draft | null {
  const kept = lost.peek();
  if (!kept || !left || nowLeft || !isSame(kept.item, left)) return null;
  const keyOf = ({ key, fields }: ItemView): string => fields.find((each) => each.name === key)?.value ?? "";
  return left.key === fresh.key && keyOf(left) !== "" && keyOf(left) === keyOf(fresh) ? kept.draft : null;
}

function changeLeft(fresh: ItemView | null): void {
  if (fresh && !lost.peek()) {
    const here = readHere(fresh);
    if (here) lost.value = { item: fresh, draft: here };
  }
  const kept = lost.peek();
  // Put away, or given again.
  if (left && !fresh && kept && isSame(kept.item, left)) lost.value = null;
  left = fresh;
}

function isSame(one: ItemView, other: ItemView): boolean {
  return one.number === other.number && one.since === other.since;
}

function keepHere(): void {
  if (!item) return;
  const kept = { session: desk.reference, item: item.number, since: item.since, notes: notes.value, code: code.value };
  sessionStorage.setItem(KEPT_AS, JSON.stringify(kept));
}

/** What this page had typed before a refresh, if it is for this very record. */
function readHere(fresh: ItemView): Draft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null") as Record<string, unknown> | null;
    const same = kept?.["session"] === desk.reference && kept["item"] === fresh.number && kept["since"] === fresh.since;
    if (!same || typeof kept["notes"] !== "string" || typeof kept["code"] !== "string") return null;
    return { notes: kept["notes"], code: kept["code"] };
  } catch {
    return null;
  }
}
