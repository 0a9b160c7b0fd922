/**
 * What the agent types for the open record: kept here with each key, at the server each second, and not lost when the
 * record is taken away.
 */

import { effect, signal } from "@preact/signals";
import { Timer, type CommandResult, type ItemView } from "../client/index.js";
import { ask, desk, isLive, view } from "./store.js";

/** Typing rests for so long before it is sent, ms. */
const SAVE_AFTER_MS = 1_000;

export const NOTES_LIMIT = 4_000;

export type Saving = "saved" | "typing" | "saving" | "not-saved";

export const notes = signal("");
/** The completion code chosen and not sent, or empty. */
export const code = signal("");
export const saving = signal<Saving>("saved");
/** Notes of a record that went away without being finished here; null when there are none. */
export const lostNotes = signal<string | null>(null);
/** Finishing was asked, and is not answered. */
export const finishing = signal(false);

const KEPT_AS = "unified-agent.draft";

let item: ItemView | null = null;
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
  if (!item || !isLive.value) return;
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

/** Follows the open record for the whole life of the page. */
export function keepDraft(): void {
  effect(() => {
    const fresh = view.value?.item ?? null;
    if (fresh?.number !== item?.number) change(fresh);
    else item = fresh;
  });
  // What was typed while there was no connection goes out when it is back.
  effect(() => {
    if (isLive.value && item && saving.peek() !== "saved") save.start(0);
  });
}

function change(fresh: ItemView | null): void {
  if (item && !finished && notes.peek().trim() !== "") lostNotes.value = notes.peek();
  save.stop();
  finished = false;
  finishing.value = false;
  item = fresh;
  const here = fresh ? readHere(fresh) : null;
  notes.value = here?.notes ?? fresh?.draft.notes ?? "";
  code.value = here?.code ?? (fresh?.draft.code || fresh?.suggested_code || "");
  saving.value = "saved";
  if (here && (here.notes !== fresh?.draft.notes || here.code !== fresh.draft.code)) touched();
  if (!fresh) sessionStorage.removeItem(KEPT_AS);
}

function keepHere(): void {
  if (!item) return;
  const kept = { session: desk.reference, item: item.number, since: item.since, notes: notes.value, code: code.value };
  sessionStorage.setItem(KEPT_AS, JSON.stringify(kept));
}

/** What this page had typed before a refresh, if it is for this very record. */
function readHere(fresh: ItemView): { readonly notes: string; readonly code: string } | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null") as Record<string, unknown> | null;
    const same = kept?.["session"] === desk.reference && kept["item"] === fresh.number && kept["since"] === fresh.since;
    if (!same || typeof kept["notes"] !== "string" || typeof kept["code"] !== "string") return null;
    return { notes: kept["notes"], code: kept["code"] };
  } catch {
    return null;
  }
}
