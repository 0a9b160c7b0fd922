/** The dialogs that are opened from the top of the desk: messages, settings, help, log-out. */

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { WorkMode } from "../../client/index.js";
import { BAR_PLACES } from "../call_bar.js";
import { dialog } from "../keys.js";
import { choose, prefs } from "../prefs.js";
import { play, type Sound } from "../sound.js";
import { ask, blockedBy, config, desk, isAsked, note, view } from "../store.js";
import { language, LANGUAGES, t, word, type Language } from "../text.js";
import { timeOfDay } from "../time.js";
import { serverWords } from "../whereabouts.js";
import { Action } from "./parts/action.js";
import { Dialog } from "./parts/dialog.js";
import { Shape } from "./parts/icon.js";

const MESSAGE_LIMIT = 79;

const close = (): void => {
  dialog.value = null;
};

export function Messages(): JSX.Element {
  const [text, setText] = useState("");
  const id = useId();
  const messages = [...(view.value?.messages ?? [])].reverse();
  const send = async (): Promise<void> => {
    if (text.trim() === "" || blockedBy("send-message") !== "") return;
    const { outcome } = await ask({ type: "send-message", text: text.trim() });
    if (outcome !== "done") return;
    setText("");
    note(t("messages.sent"));
  };
  return (
    <Dialog title={t("messages.title")} onClose={close}>
      {messages.length === 0 ? (
        <p class="hint">{t("messages.none")}</p>
      ) : (
        <ul class="messages">
          {messages.map((each) => (
            <li key={`${each.at} ${each.text}`}>
              <p class="messages__text">{each.text}</p>
              <p class="messages__from">
                {each.sender} · {timeOfDay(each.at)}
              </p>
            </li>
          ))}
        </ul>
      )}
      {view.value?.session.uses_dialler && (
        <form
          class="messages__write"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <label class="label" for={id}>
            {t("messages.write")}
          </label>
          <input
            id={id}
            class="input"
            maxLength={MESSAGE_LIMIT}
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <Action
            label={t("messages.send")}
            icon="send"
            blocked={blockedBy("send-message")}
            asked={isAsked("send-message")}
            onPress={() => void send()}
          />
        </form>
      )}
    </Dialog>
  );
}

const SOUNDS = [
  ["call", "soundCall", "settings.sound-call"],
  ["message", "soundMessage", "settings.sound-message"],
  ["lost", "soundLost", "settings.sound-lost"],
] as const satisfies readonly (readonly [Sound, string, string])[];

export function Settings(): JSX.Element {
  const id = useId();
  const chosen = prefs.value;
  const denied = typeof Notification !== "undefined" && Notification.permission === "denied";
  const wantNotify = async (wanted: boolean): Promise<void> => {
    if (!wanted || typeof Notification === "undefined") choose({ notify: false });
    else choose({ notify: (await Notification.requestPermission()) === "granted" });
  };
  return (
    <Dialog title={t("settings.title")} onClose={close}>
      <div class="form">
        <h3>{t("settings.look")}</h3>
        <div class="form__pair">
          <div>
            <label class="label" for={`${id}-theme`}>
              {t("settings.theme")}
            </label>
            <select
              id={`${id}-theme`}
              class="input"
              value={chosen.theme}
              onInput={(event) => choose({ theme: event.currentTarget.value as "auto" })}
            >
              <option value="auto">{t("settings.theme-auto")}</option>
              <option value="light">{t("settings.theme-light")}</option>
              <option value="dark">{t("settings.theme-dark")}</option>
            </select>
          </div>
          <div>
            <label class="label" for={`${id}-language`}>
              {t("settings.language")}
            </label>
            <select
              id={`${id}-language`}
              class="input"
              value={language.value}
              onInput={(event) => choose({ language: event.currentTarget.value })}
            >
              {(Object.keys(LANGUAGES) as Language[]).map((each) => (
                <option key={each} value={each} lang={each}>
                  {LANGUAGES[each]}
                </option>
              ))}
            </select>
          </div>
        </div>
        <h3>{t("settings.sounds")}</h3>
        <label class="label" for={`${id}-volume`}>
          {t("settings.volume")}
        </label>
        <input
          id={`${id}-volume`}
          class="range"
          type="range"
          min="0"
          max="1"
          step="0.1"
          value={chosen.volume}
          onInput={(event) => choose({ volume: Number(event.currentTarget.value) })}
        />
        {SOUNDS.map(([sound, name, label]) => (
          <div key={sound} class="check check--row">
            <label>
              <input
                type="checkbox"
                checked={chosen[name]}
                onInput={(event) => choose({ [name]: event.currentTarget.checked })}
              />
              {t(label)}
            </label>
            <Action
              tone="quiet"
              icon="play"
              label={t("settings.try-sound")}
              about={t(label)}
              onPress={() => play(sound)}
            />
          </div>
        ))}
        <h3>{t("settings.notifications")}</h3>
        <div class="check">
          <label>
            <input
              type="checkbox"
              checked={chosen.notify}
              onInput={(event) => void wantNotify(event.currentTarget.checked)}
            />
            {t("settings.notify")}
          </label>
          {denied && <p class="hint">{t("settings.notify-denied")}</p>}
        </div>
        <div class="check">
          <label>
            <input
              type="checkbox"
              checked={chosen.quiet}
              onInput={(event) => choose({ quiet: event.currentTarget.checked })}
            />
            {t("settings.quiet")}
          </label>
        </div>
        <h3>{t("settings.keys")}</h3>
        <div class="check check--row">
          <label>
            <input
              type="checkbox"
              checked={chosen.shortcuts}
              onInput={(event) => choose({ shortcuts: event.currentTarget.checked })}
            />
            {t("settings.shortcuts")}
          </label>
          <Action tone="quiet" icon="help" label={t("help.title")} onPress={() => (dialog.value = "help")} />
        </div>
        <h3>{t("settings.operators")}</h3>
        <p>
          {t("banner.reference")} <code>{desk.reference}</code> · {serverWords()}
        </p>
      </div>
    </Dialog>
  );
}

const SHOWN_MODES: readonly WorkMode[] = [
  "ready",
  "not-ready",
  "reserved",
  "talking",
  "holding",
  "previewing",
  "wrap-up",
  "unknown",
];

export function Help(): JSX.Element {
  const keys: readonly (readonly [string, string])[] = [
    ["Ctrl+K", t("help.ctrl-k")],
    ["← →", t("help.arrows")],
    ["Esc", t("help.esc")],
    ["Enter", t("help.field-enter")],
    ["Ctrl+Enter", t("help.ctrl-enter")],
  ];
  return (
    <Dialog title={t("help.title")} onClose={close} wide>
      <div class="help">
        <section>
          <h3>{t("help.keys")}</h3>
          <dl class="keys">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <p class="hint">{t(prefs.value.shortcuts ? "help.alt" : "help.off")}</p>
          <dl class="keys">
            {BAR_PLACES.map((types, index) =>
              types.length === 0 ? null : (
                <div key={index}>
                  <dt>
                    <kbd>{`Alt+${index + 1}`}</kbd>
                  </dt>
                  <dd>{types.map((type) => word("action", type)).join(" / ")}</dd>
                </div>
              ),
            )}
          </dl>
        </section>
        <section>
          <h3>{t("help.signs")}</h3>
          <ul class="signs">
            {SHOWN_MODES.map((mode) => (
              <li key={mode}>
                <Shape mode={mode} />
                {word("mode", mode)}
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  );
}

export function LogOut(): JSX.Element {
  const reasons = config.value?.log_out_reasons ?? [];
  const [reason, setReason] = useState<number | null>(reasons[0]?.code ?? null);
  const busy = (view.value?.calls.length ?? 0) > 0 || view.value?.item !== null;
  const confirm = (): void => {
    close();
    void ask({ type: "log-out", ...(reason !== null && { reason }) });
  };
  return (
    <Dialog title={t("logout.title")} onClose={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
      >
        {busy && <p>{t("logout.on-call")}</p>}
        {reasons.length > 0 && (
          <fieldset class="choices">
            <legend class="label">{t("logout.choose")}</legend>
            {reasons.map((each) => (
              <label key={each.code} class="choices__one">
                <input type="radio" name="reason" checked={reason === each.code} onInput={() => setReason(each.code)} />
                {each.label[language.value] ?? each.label["en"] ?? each.code}
              </label>
            ))}
          </fieldset>
        )}
        <div class="form__buttons">
          <Action tone="quiet" label={t("cancel")} onPress={close} />
          <button type="submit" class="btn btn--main btn--line">
            <span class="btn__label">{t("logout.confirm")}</span>
          </button>
        </div>
      </form>
    </Dialog>
  );
}
