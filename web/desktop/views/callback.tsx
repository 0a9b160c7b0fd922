/** Has the customer called back: day, time, which phone, whom to ask for. */

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { dialog } from "../keys.js";
import { ask, note, view } from "../store.js";
import { sentence, t } from "../text.js";
import { dayAndTime, now } from "../time.js";
import { Action } from "./parts/action.js";
import { Dialog } from "./parts/dialog.js";

const HOUR_MS = 3_600_000;
/** Phones offered when the record names none. */
const PHONES = 2;

/** Day and time as the controls want them, in the clock of this computer. */
function parts(atMs: number): { readonly date: string; readonly time: string } {
  const at = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString();
  return { date: at.slice(0, 10), time: at.slice(11, 16) };
}

/** The record's phones by their number: those of the fields PHONE1, PHONE2 … that hold one. */
function phonesOf(
  fields: readonly { readonly name: string; readonly value: string }[],
): readonly { readonly index: number; readonly value: string }[] {
  const named = fields.flatMap(({ name, value }) => {
    const index = Number(/^PHONE_?(\d{1,2})$/i.exec(name)?.[1] ?? 0);
    return index >= 1 && index <= 10 && value.trim() !== "" ? [{ index, value }] : [];
  });
  return named.length > 0 ? named : Array.from({ length: PHONES }, (_, index) => ({ index: index + 1, value: "" }));
}

export function Callback(): JSX.Element | null {
  const item = view.value?.item;
  const soon = parts(now.peek() + HOUR_MS);
  const [date, setDate] = useState(soon.date);
  const [time, setTime] = useState(soon.time);
  const phones = phonesOf(item?.fields ?? []);
  const [phone, setPhone] = useState(String(phones[0]?.index ?? 1));
  const [number, setNumber] = useState("");
  const [name, setName] = useState("");
  const [asked, setAsked] = useState(false);
  const [wrong, setWrong] = useState("");
  const id = useId();
  if (!item) return null;
  const close = (): void => {
    dialog.value = null;
  };
  const quick = (atMs: number): void => {
    const chosen = parts(atMs);
    setDate(chosen.date);
    setTime(chosen.time);
  };
  const tomorrow = (): void => {
    setDate(parts(now.peek() + 24 * HOUR_MS).date);
    setTime("09:00");
  };
  const submit = async (): Promise<void> => {
    if (date === "" || time === "") {
      setWrong(t("login.required"));
      return;
    }
    setAsked(true);
    setWrong("");
    const other = phone === "other";
    const result = await ask(
      {
        type: "set-callback",
        date,
        time,
        phone: other ? 1 : Number(phone),
        name: name.trim(),
        number: other ? number.trim() : "",
      },
      { quietly: true },
    );
    setAsked(false);
    if (result.outcome !== "done") {
      setWrong(sentence(result.error, result.detail));
      return;
    }
    note(t("callback.done", { when: dayAndTime(date, time) }));
    close();
  };
  return (
    <Dialog title={t("callback.title")} onClose={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="quick" role="group" aria-label={t("callback.quick")}>
          <Action label={t("callback.in-1h")} onPress={() => quick(now.peek() + HOUR_MS)} />
          <Action label={t("callback.in-3h")} onPress={() => quick(now.peek() + 3 * HOUR_MS)} />
          <Action label={t("callback.tomorrow")} onPress={tomorrow} />
        </div>
        <div class="form__pair">
          <div>
            <label class="label" for={`${id}-date`}>
              {t("callback.date")}
            </label>
            <input
              id={`${id}-date`}
              class="input"
              type="date"
              required
              autoFocus
              min={parts(now.peek()).date}
              value={date}
              onInput={(event) => setDate(event.currentTarget.value)}
            />
          </div>
          <div>
            <label class="label" for={`${id}-time`}>
              {t("callback.time")}
            </label>
            <input
              id={`${id}-time`}
              class="input"
              type="time"
              required
              value={time}
              onInput={(event) => setTime(event.currentTarget.value)}
            />
          </div>
        </div>
        <p class="hint">{t("callback.what")}</p>
        <label class="label" for={`${id}-phone`}>
          {t("callback.phone")}
        </label>
        <select id={`${id}-phone`} class="input" value={phone} onInput={(event) => setPhone(event.currentTarget.value)}>
          {phones.map((each) => (
            <option key={each.index} value={String(each.index)}>
              {t("callback.phone-n", { n: each.index })}
              {each.value === "" ? "" : ` · ${each.value}`}
            </option>
          ))}
          <option value="other">{t("callback.other-phone")}</option>
        </select>
        {phone === "other" && (
          <>
            <label class="label" for={`${id}-number`}>
              {t("callback.number")}
            </label>
            <input
              id={`${id}-number`}
              class="input input--number"
              type="tel"
              required
              maxLength={43}
              autocomplete="off"
              value={number}
              onInput={(event) => setNumber(event.currentTarget.value)}
            />
          </>
        )}
        <label class="label" for={`${id}-name`}>
          {t("callback.name")} <span class="hint">{t("callback.optional")}</span>
        </label>
        <input
          id={`${id}-name`}
          class="input"
          maxLength={30}
          autocomplete="off"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        {wrong !== "" && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
        <div class="form__buttons">
          <Action tone="quiet" label={t("cancel")} onPress={close} />
          <button type="submit" class="btn btn--main btn--line" aria-disabled={asked}>
            <span class="btn__label">{t("callback.set")}</span>
          </button>
        </div>
      </form>
    </Dialog>
  );
}
