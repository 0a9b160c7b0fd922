/** How a record is closed: a completion code, notes, a callback, and the button that finishes. */

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { CompletionKey, ItemView } from "../../client/index.js";
import { chooseCode, code, finish, finishing, notes, NOTES_LIMIT, saving, typeNotes } from "../draft.js";
import { dialog } from "../keys.js";
import { blockedBy, view } from "../store.js";
import { count, t } from "../text.js";
import { isOld } from "../whereabouts.js";
import { Action } from "./parts/action.js";

/** Characters left are shown from here on. */
const LEFT_SHOWN_BELOW = 200;
const ON_LINE: ReadonlySet<string> = new Set(["on-call", "on-hold", "dialling"]);

export function Finish({ item }: { readonly item: ItemView }): JSX.Element {
  const preview = item.stage === "previewing";
  const keys = view.value?.jobs.keys ?? [];
  const label = preview ? t("finish.skip") : t(ON_LINE.has(item.stage) ? "finish.hang-up-and-finish" : "finish.finish");
  const chosen = keys.find((each) => each.code === code.value);
  const blocked = blockedBy("finish-item");
  return (
    <section
      class={`finish${item.stage === "line-gone" ? " finish--due" : ""}`}
      aria-labelledby="finish-title"
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || blocked !== "") return;
        event.preventDefault();
        void finish();
      }}
    >
      <h3 id="finish-title" class="section-title">
        {t(preview ? "finish.preview-label" : "finish.label")}
      </h3>
      {keys.length > 0 ? <Codes keys={keys} suggested={item.suggested_code} /> : <FreeCode />}
      <Notes />
      <div class="finish__buttons">
        <Action
          label={
            finishing.value
              ? t("finish.under-way")
              : chosen
                ? `${label}: ${chosen.text}`
                : code.value !== ""
                  ? `${label}: ${code.value}`
                  : label
          }
          tone="main"
          icon="check"
          keys="Ctrl+Enter"
          asked={finishing.value}
          blocked={blocked || (code.value === "" ? "choose-code" : "")}
          onPress={() => void finish()}
        />
        <Action
          label={t("callback.title")}
          icon="calendar"
          haspopup="dialog"
          blocked={blockedBy("set-callback")}
          onPress={() => (dialog.value = "callback")}
        />
      </div>
    </section>
  );
}

/** Codes whose number begins with what was typed, then those whose text contains all its words. */
export function matching(keys: readonly CompletionKey[], query: string): readonly CompletionKey[] {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return keys;
  const [first = ""] = words;
  const byCode =
    words.length === 1
      ? keys.filter((each) => each.code.replace(/^0+/, "").startsWith(first.replace(/^0+(?=.)/, "")))
      : [];
  const byText = keys.filter(
    (each) => !byCode.includes(each) && words.every((word) => each.text.toLowerCase().includes(word)),
  );
  return [...(/^\d+$/.test(first) ? byCode : []), ...byText];
}

function Codes({
  keys,
  suggested,
}: {
  readonly keys: readonly CompletionKey[];
  readonly suggested: string;
}): JSX.Element {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(-1);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const found = matching(keys, query);
  const active = found[at] ?? (query !== "" ? found[0] : undefined);
  useEffect(() => {
    list.current?.querySelector(".is-active")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const pick = (key: CompletionKey): void => {
    chooseCode(key.code);
    setQuery("");
    setAt(keys.indexOf(key));
  };
  return (
    <div class="codes">
      <label class="unseen" for={id}>
        {t("finish.search")}
      </label>
      <input
        id={id}
        class="input"
        role="combobox"
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder={t("finish.search")}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active ? `${id}-${active.code}` : undefined}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey || found.length === 0) return;
          const index = active ? found.indexOf(active) : -1;
          if (event.key === "ArrowDown") setAt((index + 1) % found.length);
          else if (event.key === "ArrowUp") setAt((index - 1 + found.length) % found.length);
          else if (event.key === "Enter" && active) pick(active);
          else if (event.key === "Escape" && query !== "") setQuery("");
          else return;
          event.preventDefault();
        }}
      />
      <ul class="codes__list" id={`${id}-list`} role="listbox" aria-label={t("finish.code")} ref={list} tabIndex={0}>
        {found.map((key) => (
          <li
            key={key.code}
            id={`${id}-${key.code}`}
            class={`codes__code${key === active ? " is-active" : ""}`}
            role="option"
            aria-selected={key.code === code.value}
            onClick={() => pick(key)}
          >
            <span class="codes__number">{key.code}</span>
            <span class="codes__text">{key.text}</span>
            {key.code === suggested && <span class="tag">{t("finish.suggested")}</span>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="codes__none">{t("finish.none")}</p>}
    </div>
  );
}

function FreeCode(): JSX.Element {
  const id = useId();
  return (
    <div class="codes">
      <label class="label" for={id}>
        {t("finish.code")}
      </label>
      <input
        id={id}
        class="input"
        inputMode="numeric"
        maxLength={3}
        autocomplete="off"
        value={code.value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => chooseCode(event.currentTarget.value.replace(/\D/g, ""))}
      />
      <p class="hint" id={`${id}-hint`}>
        {t("finish.no-codes")}
      </p>
    </div>
  );
}

function Notes(): JSX.Element {
  const id = useId();
  const left = NOTES_LIMIT - notes.value.length;
  const state = isOld.value && saving.value !== "saved" ? "not-saved" : saving.value;
  const words = {
    typing: "finish.notes-saving",
    saving: "finish.notes-saving",
    saved: "finish.notes-saved",
    "not-saved": "finish.notes-not-saved",
  } as const;
  return (
    <div class="notes">
      <label class="label" for={id}>
        {t("finish.notes")}
        <span class={`notes__state notes__state--${state}`}>
          {notes.value === "" && state === "saved" ? t("finish.notes-hint") : t(words[state])}
        </span>
      </label>
      <textarea
        id={id}
        class="input"
        rows={4}
        maxLength={NOTES_LIMIT}
        value={notes.value}
        onInput={(event) => typeNotes(event.currentTarget.value)}
      />
      {left < LEFT_SHOWN_BELOW && <p class="hint">{count("finish.notes-left", left)}</p>}
    </div>
  );
}
