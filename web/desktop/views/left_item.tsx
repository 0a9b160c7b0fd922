/** A record that the dialler closed when its connection was lost: to be read and copied, beside the work of now. */

import type { JSX } from "preact";
import type { ItemView } from "../../client/index.js";
import { titleOf } from "../alerts.js";
import { codeWords, draftOf } from "../draft.js";
import { shownValue } from "../field_values.js";
import { ask, blockedBy, isAsked, view } from "../store.js";
import { t } from "../text.js";
import { timeOfDay } from "../time.js";
import { Field } from "./field.js";
import { Action } from "./parts/action.js";
import { Copy } from "./parts/copy.js";
import { Icon } from "./parts/icon.js";

const TALKED: ReadonlySet<string> = new Set(["dialling", "on-call", "on-hold"]);

export function LeftItem({ item }: { readonly item: ItemView }): JSX.Element {
  const { notes, code } = draftOf(item);
  return (
    <section class="left" aria-labelledby="left-title">
      <header class="left__head">
        <p class="left__label">
          <Icon name="alert" />
          {t("left.label")}
        </p>
        <h2 id="left-title" tabIndex={-1}>
          {titleOf(item)}
        </h2>
        <p>
          {t("left.what")} {TALKED.has(item.stage) && t("left.call")}
        </p>
        <p>{t("left.do")}</p>
      </header>
      <dl class="left__draft">
        <dt class="label">{t("finish.notes")}</dt>
        <dd class="left__notes">{notes === "" ? <span class="field__empty">{t("left.no-notes")}</span> : notes}</dd>
        <dt class="label">{t("finish.code")}</dt>
        <dd>
          {code === "" ? <span class="field__empty">{t("left.no-code")}</span> : <strong>{codeWords(code)}</strong>}
        </dd>
      </dl>
      <div class="left__buttons">
        <Copy label={t("left.copy")} text={asText(item)} tone="main" />
        <Action
          icon="cross"
          label={t("left.dismiss")}
          about={titleOf(item)}
          blocked={blockedBy("dismiss-left-item")}
          asked={isAsked("dismiss-left-item")}
          onPress={() => void ask({ type: "dismiss-left-item" })}
        />
      </div>
      {item.fields.length > 0 && (
        <details class="left__record" open={view.value?.item === null}>
          <summary>
            {t("fields.label")} <span class="hint">{t("left.opened", { since: timeOfDay(item.since) })}</span>
          </summary>
          <div class="record__fields">
            {item.fields.map((field) => (
              <Field key={field.name} field={{ ...field, editable: false }} isKey={field.name === item.key} />
            ))}
          </div>
        </details>
      )}
    </section>
  );
}

/** What somebody else needs to enter the result: who it was, the code, the notes. */
export function asText(item: ItemView): string {
  const { notes, code } = draftOf(item);
  const key = item.fields.find((each) => each.name === item.key);
  const lines = [
    [titleOf(item), key && shownValue(key)].filter(Boolean).join(", "),
    `${t("finish.code")}: ${code === "" ? t("left.no-code") : codeWords(code)}`,
    notes,
  ];
  return lines.filter((each) => each !== "").join("\n");
}
