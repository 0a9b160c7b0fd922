/** The customer record on screen: who it is, what the line does, the fields, and how it is closed. */

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ItemView } from "../../client/index.js";
import { say, titleOf } from "../alerts.js";
import { lineActions, openForm } from "../call_bar.js";
import { ask, view } from "../store.js";
import { t, word } from "../text.js";
import { now } from "../time.js";
import { BarButton } from "./calls.js";
import { Field } from "./field.js";
import { Finish } from "./finish.js";
import { Elapsed, Remaining } from "./parts/elapsed.js";
import { Icon } from "./parts/icon.js";
import { Keypad } from "./parts/keypad.js";
import { Old } from "./parts/old.js";
import { Toolbar } from "./parts/toolbar.js";

/** The countdown is said aloud when so much is left, ms. */
const SAID_AT_MS = 10_000;
/** Places of the line's buttons in the call bar. */
const PLACES = [1, 2, 9];
const TONES = { "dial-item": "go", "release-line": "end" } as const;

export function Item({ item }: { readonly item: ItemView }): JSX.Element {
  const noCalls = (view.value?.calls.length ?? 0) === 0;
  const keypad = openForm.value?.on === "line";
  return (
    <article class={`item item--${item.stage}`} aria-labelledby="item-title">
      <header class="item__head">
        <div class="item__who">
          <h2 id="item-title" class="item__title">
            {titleOf(item)}
          </h2>
          <p class="item__what">
            <span class={`leg leg--${item.stage}`}>
              {word("item", item.stage)}
              <Elapsed since={item.stage_since} />
            </span>
            <Old />
            <span class="tag">{word("kind", item.kind)}</span>
            {item.waited !== "" && <span>{t("item.waited", { waited: item.waited })}</span>}
            {item.preview_until !== null && item.stage === "previewing" && <Countdown until={item.preview_until} />}
          </p>
        </div>
        <Toolbar label={titleOf(item)} class="item__line">
          {lineActions(item.stage).map((each, index) => (
            <BarButton
              key={index}
              action={each}
              place={noCalls ? (PLACES[index] ?? 0) : 0}
              form="line"
              tone={TONES[each.type as keyof typeof TONES] ?? "plain"}
              {...(each.type === "dial-line-digit" && { expanded: keypad })}
            />
          ))}
        </Toolbar>
        {keypad && (
          <Keypad
            onDigit={(digit) => void ask({ type: "dial-line-digit", digit })}
            onClose={() => (openForm.value = null)}
          />
        )}
      </header>
      <div class="item__body">
        <section class="record" aria-labelledby="record-title">
          <h3 id="record-title" class="section-title">
            {t("fields.label")}
          </h3>
          {item.fields.length === 0 ? (
            <p class="record__none">{t("fields.none")}</p>
          ) : (
            <div class="record__fields">
              {item.fields.map((field) => (
                <Field key={`${item.number} ${field.name}`} field={field} isKey={field.name === item.key} />
              ))}
            </div>
          )}
        </section>
        <Finish key={item.number} item={item} />
      </div>
    </article>
  );
}

function Countdown({ until }: { readonly until: string }): JSX.Element {
  const soon = Date.parse(until) - now.value <= SAID_AT_MS;
  useEffect(() => {
    if (soon) say(t("item.preview-soon"));
  }, [soon]);
  return (
    <span class={soon ? "countdown countdown--soon" : "countdown"}>
      <Icon name="clock" />
      <Countdowned until={until} />
    </span>
  );
}

/** The sentence with the running time within it. */
function Countdowned({ until }: { readonly until: string }): JSX.Element {
  const [before, after] = t("item.preview-left", { time: "\u0000" }).split("\u0000");
  return (
    <span>
      {before}
      <Remaining until={until} />
      {after}
    </span>
  );
}
