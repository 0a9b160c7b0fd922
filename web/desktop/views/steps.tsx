/** The steps of a login, and of the way back after a loss. */

import type { JSX } from "preact";
import { view } from "../store.js";
import { t, word } from "../text.js";
import { duration, now } from "../time.js";
import { Icon } from "./parts/icon.js";

const ICONS = { done: "check", failed: "cross", "under-way": "refresh", "to-do": null } as const;

/** The dialler's steps; the others are the telephone's. */
const AT_DIALLER: ReadonlySet<string> = new Set(["dialler", "job"]);

export function Steps({ only }: { readonly only?: "dialler" | undefined } = {}): JSX.Element | null {
  const login = view.value?.login;
  if (!login) return null;
  const leftMs = login.turn_at === null ? 0 : Date.parse(login.turn_at) - now.value;
  return (
    <>
      <ol class="steps">
        {login.steps
          .filter((step) => only === undefined || AT_DIALLER.has(step.name))
          .map((step) => {
            const icon = ICONS[step.state];
            return (
              <li
                key={step.name}
                class={`step step--${step.state}`}
                aria-current={step.state === "under-way" ? "step" : undefined}
              >
                <span class="step__sign">{icon && <Icon name={icon} />}</span>
                <span class="step__name">{word("step", step.name)}</span>
                <span class="unseen">{word("stepstate", step.state)}</span>
                {doingWords(step.doing)}
              </li>
            );
          })}
      </ol>
      {leftMs > 0 && <p class="steps__turn">{t("steps.turn-in", { time: duration(leftMs) })}</p>}
    </>
  );
}

/** What is being done within a step. An id of trouble has a sentence, which is told with the steps and not within. */
function doingWords(doing: string): JSX.Element | null {
  if (doing === "" || doing.includes(".")) return null;
  return <span class="step__doing">{word("doing", doing)}</span>;
}
