/** One field of the record: shown, or edited and saved by itself. */

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Timer, type RecordField } from "../../client/index.js";
import { controlFor, faultOf, shownName, shownValue, toControl, toDialler } from "../field_values.js";
import { ask, blockedBy } from "../store.js";
import { count, sentence, t } from "../text.js";
import { Icon } from "./parts/icon.js";

/** "Saved" stays for so long, ms. */
const SAVED_MS = 4_000;

type Saving = { readonly state: "idle" | "saving" | "saved" } | { readonly state: "refused"; readonly why: string };

export function Field({ field, isKey }: { readonly field: RecordField; readonly isKey: boolean }): JSX.Element {
  if (field.editable) return <EditableField field={field} />;
  return (
    <div class={isKey ? "field field--key" : "field"}>
      <span class="label" data-tip={field.name}>
        {shownName(field.name)}
      </span>
      <span class={`field__value field__value--${field.kind}`}>
        {field.value === "" ? <span class="field__empty">{t("field.empty")}</span> : shownValue(field)}
      </span>
    </div>
  );
}

function faultWords(fault: ReturnType<typeof faultOf>, length: number): string {
  if (fault === "") return "";
  if (fault === "too-long") return count("field.too-long", length);
  return t(`field.${fault}`, { example: "2026/12/31" });
}

function EditableField({ field }: { readonly field: RecordField }): JSX.Element {
  // What is typed and not saved; null while it is as the dialler has it. A value that comes meanwhile waits beside it.
  const [typed, setTyped] = useState<string | null>(null);
  const [saving, setSaving] = useState<Saving>({ state: "idle" });
  const forget = useRef<Timer | null>(null);
  const id = useId();
  useEffect(() => () => forget.current?.stop(), []);
  const control = controlFor(field);
  const fault =
    typed === null ? "" : faultWords(faultOf(field.kind, field.length, toDialler(field, typed)), field.length);
  const wrong = fault !== "" ? fault : saving.state === "refused" ? saving.why : "";

  const save = async (): Promise<void> => {
    if (typed === null || saving.state === "saving") return;
    const value = toDialler(field, typed);
    if (value === field.value) {
      setTyped(null);
      setSaving({ state: "idle" });
      return;
    }
    if (faultOf(field.kind, field.length, value) !== "") return;
    const blocked = blockedBy("update-field");
    if (blocked !== "") {
      setSaving({ state: "refused", why: sentence(blocked) });
      return;
    }
    setSaving({ state: "saving" });
    const { outcome, error, detail } = await ask({ type: "update-field", field: field.name, value }, { quietly: true });
    if (outcome !== "done") {
      setSaving({ state: "refused", why: sentence(error, detail) });
      return;
    }
    setSaving({ state: "saved" });
    setTyped((current) => (current === typed ? null : current));
    forget.current = new Timer(() => setSaving({ state: "idle" }));
    forget.current.start(SAVED_MS);
  };

  const undo = (): void => {
    setTyped(null);
    setSaving({ state: "idle" });
  };

  return (
    <div class={`field field--editable${typed === null ? "" : " is-dirty"}`}>
      <div class="field__head">
        <label class="label" for={id} data-tip={field.name}>
          {shownName(field.name)}
        </label>
        {saving.state === "saving" && <span class="field__saving">{t("field.saving")}</span>}
        {saving.state === "saved" && (
          <span class="field__saved" role="status">
            <Icon name="check" />
            {t("field.saved")}
          </span>
        )}
      </div>
      <input
        id={id}
        class={`input input--${control}`}
        type={(control === "decimal" ? "text" : control) as "text"}
        inputMode={control === "decimal" ? "decimal" : undefined}
        maxLength={field.length > 0 && control === "text" ? field.length : undefined}
        autocomplete="off"
        value={typed ?? toControl(field)}
        aria-invalid={wrong !== ""}
        aria-describedby={wrong !== "" ? `${id}-wrong` : undefined}
        aria-busy={saving.state === "saving"}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          if (saving.state !== "saving") setSaving({ state: "idle" });
        }}
        onBlur={() => void save()}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) void save();
          else if (event.key === "Escape" && typed !== null) {
            undo();
            event.stopPropagation();
          }
        }}
      />
      {wrong !== "" && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}{" "}
          <button type="button" class="link-button" onClick={undo}>
            {t("field.undo")}
          </button>
        </p>
      )}
    </div>
  );
}
