/** The telephone: one card for each call, what joins two of them, a number to dial, and the last calls. */

import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import type { CallView } from "../../client/index.js";
import { callerOf } from "../alerts.js";
import { mainActions, moreActions, openForm, pairActions, pairOf, type BarAction } from "../call_bar.js";
import { prefs } from "../prefs.js";
import { ask, blockedBy, isAsked, recentCalls, view, type RecentCall } from "../store.js";
import { count, t, word } from "../text.js";
import { duration, timeOfDay } from "../time.js";
import { isOld } from "../whereabouts.js";
import { Action } from "./parts/action.js";
import { Elapsed } from "./parts/elapsed.js";
import { Icon } from "./parts/icon.js";
import { Keypad } from "./parts/keypad.js";
import { isNumber, NumberForm, RecentNumbers } from "./parts/number_form.js";
import { Old } from "./parts/old.js";
import { Toolbar } from "./parts/toolbar.js";

export function Calls(): JSX.Element {
  const calls = view.value?.calls ?? [];
  const pair = pairOf(calls);
  const known = view.value?.agent.known === true && !isOld.value;
  return (
    <section class="calls" aria-labelledby="calls-title">
      <h2 id="calls-title" class="section-title">
        {t("calls.label")}
      </h2>
      {calls.length === 0 && <p class="calls__none">{t(known ? "calls.none" : "calls.not-known")}</p>}
      {calls.map((call) => (
        <CallCard
          key={call.id}
          call={call}
          isOnly={calls.length === 1}
          isWaiting={pair !== null && call.state === "held"}
        />
      ))}
      {pair && (
        <div class="pair">
          <h3 class="label">{t("calls.join")}</h3>
          <Toolbar label={t("calls.join")} class="pair__actions">
            {pairActions(pair).map((each, index) => (
              <BarButton
                key={each.type}
                action={each}
                place={index + 4}
                form="line"
                tone={index === 0 ? "main" : "plain"}
              />
            ))}
          </Toolbar>
        </div>
      )}
      <Dial />
      <Recent />
      <RecentNumbers />
    </section>
  );
}

interface BarButtonProps {
  readonly action: BarAction;
  /** Its place in the call bar from 1; 0 when no key presses it. */
  readonly place: number;
  readonly form: "line" | "tile";
  readonly tone?: "plain" | "go" | "end" | "main";
  readonly expanded?: boolean;
}

/** A button of the call bar, with its key when keys are on. */
export function BarButton({ action, place, form, tone = "plain", expanded }: BarButtonProps): JSX.Element {
  return (
    <Action
      label={action.label}
      icon={action.icon}
      tip={action.tip}
      blocked={action.blocked}
      asked={action.asked}
      form={form}
      tone={tone}
      keys={place > 0 && prefs.value.shortcuts ? `Alt+${place}` : ""}
      {...(expanded !== undefined && { expanded })}
      onPress={action.run}
    />
  );
}

const TONES = { "answer-call": "go", "hang-up-call": "end" } as const;
/** Places of the smaller buttons in the call bar. */
const PLACES = [3, 4, 5, 9];

interface CallCardProps {
  readonly call: CallView;
  readonly isOnly: boolean;
  /** On hold beside another call: what else can be done with it is said there. */
  readonly isWaiting: boolean;
}

function CallCard({ call, isOnly, isWaiting }: CallCardProps): JSX.Element {
  const form = openForm.value?.on === call.id ? openForm.value.form : null;
  const who = callerOf(call);
  const close = (): void => {
    openForm.value = null;
  };
  return (
    <article class={`call call--${call.state}`} aria-label={`${word("leg", call.state)}: ${who}`}>
      <header class="call__head">
        <h3 class="call__who" data-tip={call.ucid === "" ? undefined : t("call.reference", { id: call.ucid })}>
          {who}
        </h3>
        <Elapsed since={call.since} />
      </header>
      <p class="call__what">
        <span class={`leg leg--${call.state}`}>
          {call.direction && <Icon name={call.direction} />}
          {word("leg", call.state)}
          {call.state === "held" && <Elapsed since={call.state_since} />}
        </span>
        <Old />
        {call.queue !== "" && <span>{t("call.queue", { queue: call.queue })}</span>}
        {call.direction === "in" && call.called !== "" && call.called !== call.queue && (
          <span>{t("call.called", { number: call.called })}</span>
        )}
        {call.cause !== "" && <span>{call.cause}</span>}
      </p>
      {call.parties.length > 1 && (
        <ul class="call__parties" aria-label={count("call.parties", call.parties.length)}>
          {call.parties.map((party) => (
            <li key={party.number}>
              <Icon name="person" />
              {party.number === "" ? t("call.withheld") : party.number}
              {party.state === "held" && <span class="call__party-state">{word("leg", "held")}</span>}
            </li>
          ))}
        </ul>
      )}
      <Toolbar label={who} class="call__main">
        {mainActions(call).map((each, index) => (
          <BarButton
            key={index}
            action={each}
            place={isOnly ? index + 1 : 0}
            form="line"
            tone={TONES[each.type as keyof typeof TONES] ?? "plain"}
          />
        ))}
      </Toolbar>
      {!isWaiting && (
        <Toolbar label={who} class="call__more">
          {moreActions(call).map((each, index) => (
            <BarButton
              key={index}
              action={each}
              place={isOnly ? (PLACES[index] ?? 0) : 0}
              form="tile"
              expanded={form === each.type}
            />
          ))}
        </Toolbar>
      )}
      {form === "send-digits" && (
        <Keypad onDigit={(digits) => void ask({ type: "send-digits", call: call.id, digits })} onClose={close} />
      )}
      {form !== null && form !== "send-digits" && (
        <NumberForm
          action={form}
          onNumber={(number) => void ask({ type: form, call: call.id, number })}
          onClose={close}
        />
      )}
    </article>
  );
}

const dialField = { current: null as HTMLInputElement | null };

function Dial(): JSX.Element {
  const [number, setNumber] = useState("");
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const call = (): void => {
    if (!isNumber(number.trim())) {
      setWrong(true);
      field.current?.focus();
      return;
    }
    void ask({ type: "make-call", number: number.trim() }).then(({ outcome }) => {
      if (outcome === "done") setNumber("");
    });
  };
  return (
    <form
      class="dial"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (blockedBy("make-call") === "" && !isAsked("make-call")) call();
      }}
    >
      <label class="unseen" for={id}>
        {word("number", "make-call")}
      </label>
      <input
        id={id}
        ref={(element) => {
          field.current = element;
          dialField.current = element;
        }}
        class="input input--number"
        type="tel"
        autocomplete="off"
        maxLength={43}
        placeholder={word("number", "make-call")}
        list="recent-numbers"
        value={number}
        aria-invalid={wrong}
        aria-describedby={wrong ? `${id}-wrong` : undefined}
        onInput={(event) => {
          setNumber(event.currentTarget.value);
          setWrong(false);
        }}
      />
      <Action
        label={word("action", "make-call")}
        icon="phone"
        blocked={blockedBy("make-call")}
        asked={isAsked("make-call")}
        onPress={call}
      />
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {t("number.invalid")}
        </p>
      )}
    </form>
  );
}

/** Puts a number into the dial field, for the agent to look at before it is called. */
function fillDial(number: string): void {
  const field = dialField.current;
  if (!field) return;
  field.value = number;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

function Recent(): JSX.Element | null {
  if (recentCalls.value.length === 0) return null;
  return (
    <div class="recent">
      <h3 class="label">{t("calls.recent")}</h3>
      <ul class="recent__list">
        {recentCalls.value.map((each) => (
          <li key={each.id}>
            <button
              type="button"
              class="recent__call"
              data-tip={t("calls.redial", { number: each.number })}
              onClick={() => fillDial(each.number)}
            >
              {each.direction && <Icon name={each.direction} />}
              <span class="recent__number">{each.number}</span>
              <span class="recent__when">
                {timeOfDay(each.at)} · {lastedWords(each)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function lastedWords({ talked, direction, lastedMs }: RecentCall): string {
  if (talked) return duration(lastedMs);
  return t(direction === "out" ? "calls.not-reached" : "calls.missed");
}
