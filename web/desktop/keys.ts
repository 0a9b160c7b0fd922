/** Keys that work everywhere on the page: Ctrl+K for the command list, Alt+1 to Alt+9 for the call bar. */

import { signal } from "@preact/signals";
import { say } from "./alerts.js";
import { callBar } from "./call_bar.js";
import { prefs } from "./prefs.js";
import { view } from "./store.js";
import { word } from "./text.js";

export type OpenDialog = "palette" | "help" | "settings" | "messages" | "log-out" | "callback";

/** The dialog that is open; one at most. */
export const dialog = signal<OpenDialog | null>(null);

/** Listens for the whole life of the page. */
export function keepKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (!view.value || event.repeat) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      dialog.value = dialog.value === "palette" ? null : "palette";
      return;
    }
    // By the key's place, because Alt writes other characters on some keyboards.
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (!digit || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!prefs.value.shortcuts || dialog.value !== null) return;
    event.preventDefault();
    const action = callBar(view.value)[Number(digit) - 1];
    if (!action || action.asked) return;
    if (action.blocked === "") action.run();
    else say(word("blocked", action.blocked));
  });
}
