/** Touch tones: by pointer, or by typing while the pad has the keyboard. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../text.js";
import { Action } from "./action.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export function Keypad({
  onDigit,
  onClose,
}: {
  readonly onDigit: (digit: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const [sent, setSent] = useState("");
  const press = (digit: string): void => {
    setSent((sent + digit).slice(-24));
    onDigit(digit);
  };
  return (
    <div
      class="keypad"
      role="group"
      aria-label={t("keypad.label")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        else if (KEYS.includes(event.key) && !event.altKey && !event.ctrlKey && !event.metaKey) press(event.key);
      }}
    >
      <div class="keypad__keys">
        {KEYS.map((key) => (
          <button key={key} type="button" class="btn btn--plain keypad__key" onClick={() => press(key)}>
            {key}
          </button>
        ))}
      </div>
      <div class="keypad__foot">
        <output class="keypad__sent">{sent === "" ? "" : t("keypad.sent", { digits: sent })}</output>
        <Action form="icon" tone="quiet" icon="cross" label={t("close")} onPress={onClose} />
      </div>
    </div>
  );
}
