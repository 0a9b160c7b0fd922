/** A call in the middle of the desk, when no record is there: who, for what, and what came with it. */

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { CallView } from "../../client/index.js";
import { callerOf } from "../alerts.js";
import { pairsOf } from "../call_data.js";
import { shownName } from "../field_values.js";
import { t, word } from "../text.js";
import { timeOfDay } from "../time.js";
import { Elapsed } from "./parts/elapsed.js";
import { Icon } from "./parts/icon.js";

export function CallInfo({ call }: { readonly call: CallView }): JSX.Element {
  const pairs = pairsOf(call.data);
  const id = useId();
  const facts: readonly (readonly [string, string])[] = [
    [t("call.queue-name"), call.queue],
    [t("call.called-number"), call.called],
    [t("call.began"), timeOfDay(call.since, true)],
    [t("call.ucid"), call.ucid],
  ];
  return (
    <article class="item call-info" aria-labelledby={id}>
      <header class={`item__head call-info__head--${call.state}`}>
        <div class="item__who">
          <h2 id={id} class="item__title">
            {callerOf(call)}
          </h2>
          <p class="item__what">
            <span class={`leg leg--${call.state}`}>
              {call.direction && <Icon name={call.direction} />}
              {word("leg", call.state)}
              <Elapsed since={call.state_since} />
            </span>
            {call.direction && <span class="tag">{word("direction", call.direction)}</span>}
          </p>
        </div>
      </header>
      <div class="record">
        {call.data !== "" && (
          <section class="call-info__data">
            <h3 class="section-title">{t("call.data")}</h3>
            {pairs.length === 0 ? (
              <p class="call-info__text">{call.data}</p>
            ) : (
              <Facts facts={pairs.map(([name, value]) => [shownName(name), value] as const)} />
            )}
          </section>
        )}
        <section>
          <h3 class="section-title">{t("call.about")}</h3>
          <Facts facts={facts.filter(([, value]) => value !== "")} />
        </section>
      </div>
    </article>
  );
}

function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <dl class="record__fields">
      {facts.map(([name, value]) => (
        <div key={name} class="field">
          <dt class="label">{name}</dt>
          <dd class="field__value">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
