/** Asks for a number, beside what it is for and never over it. */

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { recentCalls } from "../../store.js";
import { t, word } from "../../text.js";
import { Action } from "./action.js";

const NUMBER = /^[0-9*#+(). /-]{1,43}$/;

export interface NumberFormProps {
  readonly action: "consult-call" | "blind-transfer-call" | "add-to-call" | "deflect-call";
  readonly onNumber: (number: string) => void;
  readonly onClose: () => void;
}

/** Whether the switch can be asked to dial it. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text) && /[0-9*#]/.test(text);
}

export function NumberForm({ action, onNumber, onClose }: NumberFormProps): JSX.Element {
  const [number, setNumber] = useState("");
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  // The agent asked for this form: taking the keyboard there is what they want.
  useEffect(() => field.current?.focus(), [action]);
  return (
    <form
      class="ask-number"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isNumber(number.trim())) {
          onNumber(number.trim());
          onClose();
        } else setWrong(true);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <label class="label" for={id}>
        {word("number", action)}
      </label>
      <div class="ask-number__row">
        <input
          id={id}
          ref={field}
          class="input input--number"
          type="tel"
          autocomplete="off"
          maxLength={43}
          list="recent-numbers"
          value={number}
          aria-invalid={wrong}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onInput={(event) => {
            setNumber(event.currentTarget.value);
            setWrong(false);
          }}
        />
        <button type="submit" class="btn btn--main btn--line">
          <span class="btn__label">{word("action", action)}</span>
        </button>
        <Action form="icon" tone="quiet" icon="cross" label={t("cancel")} onPress={onClose} />
      </div>
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {t("number.invalid")}
        </p>
      )}
    </form>
  );
}

/** The numbers offered in every field for one. */
export function RecentNumbers(): JSX.Element {
  return (
    <datalist id="recent-numbers">
      {[...new Set(recentCalls.value.map((each) => each.number))].map((each) => (
        <option key={each} value={each} />
      ))}
    </datalist>
  );
}
