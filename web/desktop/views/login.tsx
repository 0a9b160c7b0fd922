/** The login page, and the steps that follow it. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ConnectionReason, type Credentials } from "../../client/index.js";
import { choose, prefs } from "../prefs.js";
import { ask, config, desk, ending, logIn, loggingIn, noServer, view } from "../store.js";
import { language, LANGUAGES, sentence, t, type Language } from "../text.js";
import { claimTrouble } from "../whereabouts.js";
import { Reference } from "./banner.js";
import { Action } from "./parts/action.js";
import { Icon } from "./parts/icon.js";
import { Steps } from "./steps.js";
import { ThemeToggle } from "./theme_toggle.js";

type FieldName = "agent" | "station" | "password" | "diallerName" | "diallerPassword" | "headset" | "job";

/** The field at which an error of that id is mended. */
const FIELD_OF: Readonly<Record<string, FieldName>> = {
  "agent.wrong-password": "password",
  "switch.wrong-password": "password",
  "switch.unknown-agent": "agent",
  "agent.already-logged-in": "agent",
  "switch.agent-elsewhere": "agent",
  "switch.unknown-station": "station",
  "switch.station-in-use": "station",
  "switch.station-out-of-service": "station",
  "station.in-use": "station",
  "dialler.wrong-password": "diallerPassword",
  "dialler.password-expired": "diallerPassword",
  "dialler.logged-on-elsewhere": "diallerName",
  "dialler.headset-unknown": "headset",
  "dialler.headset-in-use": "headset",
  "dialler.no-such-job": "job",
};

/** Endings that are as the agent wanted them. */
const GOOD_ENDINGS: ReadonlySet<string> = new Set(["agent"]);

type Form = Readonly<Record<FieldName, string>>;

export function Frame({
  children,
  wide = false,
}: {
  readonly children: ComponentChildren;
  readonly wide?: boolean;
}): JSX.Element {
  return (
    <div class="entry">
      <header class="entry__head">
        <p class="entry__name">
          <img src="signs/ready.svg" alt="" width="14" height="14" />
          {t("login.title")}
        </p>
        <div class="entry__choices">
          <label class="unseen" for="entry-language">
            {t("settings.language")}
          </label>
          <select
            id="entry-language"
            class="input input--small"
            value={language.value}
            onInput={(event) => choose({ language: event.currentTarget.value })}
          >
            {(Object.keys(LANGUAGES) as Language[]).map((each) => (
              <option key={each} value={each} lang={each}>
                {LANGUAGES[each]}
              </option>
            ))}
          </select>
          <ThemeToggle />
        </div>
      </header>
      <main class={wide ? "entry__card entry__card--wide" : "entry__card"}>{children}</main>
      <footer class="entry__foot">
        {config.value && t("login.instance", { instance: config.value.instance, version: config.value.version })}
      </footer>
    </div>
  );
}

export function Login(): JSX.Element {
  const kept = prefs.value.login;
  const usesDialler = config.value?.uses_dialler ?? false;
  const [form, setForm] = useState<Form>({
    agent: kept.agent,
    station: kept.station,
    password: "",
    diallerName: kept.diallerName,
    diallerPassword: "",
    headset: kept.headset,
    job: kept.job,
  });
  const [withDialler, setWithDialler] = useState(kept.withDialler);
  const [faults, setFaults] = useState<Readonly<Partial<Record<FieldName, string>>>>({});
  const element = useRef<HTMLFormElement>(null);
  const id = useId();
  const dialler = usesDialler && withDialler;
  const end = ending.value;
  const endField = end ? FIELD_OF[end.reason] : undefined;

  const goTo = (field: string): void => element.current?.querySelector<HTMLInputElement>(`[name="${field}"]`)?.focus();
  // A fresh page, or one that comes back after a refusal, has nothing that the keyboard could be taken from.
  useEffect(() => {
    goTo(endField ?? (form.agent === "" ? "agent" : form.station === "" ? "station" : "password"));
  }, [end]);

  const type = (field: FieldName, value: string): void => {
    setForm({ ...form, [field]: value });
    setFaults({ ...faults, [field]: undefined });
  };

  const submit = (): void => {
    const found: Partial<Record<FieldName, string>> = {};
    const needed: FieldName[] = [
      "agent",
      "station",
      "password",
      ...(dialler ? (["diallerName", "diallerPassword"] as const) : []),
    ];
    for (const field of needed) if (form[field].trim() === "") found[field] = t("login.required");
    for (const field of ["agent", "station"] as const) {
      if (!found[field] && !/^\d{1,15}$/.test(form[field].trim())) found[field] = t("login.digits");
    }
    setFaults(found);
    const first = needed.find((field) => found[field]);
    if (first) {
      goTo(first);
      return;
    }
    choose({
      login: {
        agent: form.agent.trim(),
        station: form.station.trim(),
        withDialler,
        diallerName: form.diallerName.trim(),
        headset: form.headset.trim(),
        job: form.job.trim(),
      },
    });
    const credentials: Credentials = {
      agent: form.agent.trim(),
      station: form.station.trim(),
      password: form.password,
      dialler: dialler
        ? {
            name: form.diallerName.trim(),
            password: form.diallerPassword,
            headset: form.headset.trim() || form.station.trim(),
            job: form.job.trim(),
          }
        : null,
    };
    void logIn(credentials);
  };

  const field = (name: FieldName, label: string, more: Partial<FieldProps> = {}): JSX.Element => (
    <LoginField
      id={`${id}-${name}`}
      name={name}
      label={label}
      value={form[name]}
      fault={faults[name] ?? ""}
      blamed={endField === name ? `${id}-ending` : ""}
      onType={(value) => type(name, value)}
      {...more}
    />
  );

  return (
    <Frame wide={dialler}>
      <form
        ref={element}
        class="login"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!loggingIn.value) submit();
        }}
      >
        <h1>{t("login.submit")}</h1>
        {noServer.value && (
          <p class="login__notice login__notice--bad" role="alert">
            <Icon name="alert" />
            {t("login.no-server")}
          </p>
        )}
        {end && (
          <div
            id={`${id}-ending`}
            class={GOOD_ENDINGS.has(end.reason) ? "login__notice" : "login__notice login__notice--bad"}
            role="alert"
          >
            <Icon name={GOOD_ENDINGS.has(end.reason) ? "check" : "alert"} />
            <p>
              {sentence(end.reason, end.detail)}
              {end.correlation !== "" && !GOOD_ENDINGS.has(end.reason) && (
                <small class="reference">
                  {end.reason} · {t("login.reference", { id: end.correlation })}
                </small>
              )}
            </p>
          </div>
        )}
        <div class="login__columns">
          <div class="login__column">
            {usesDialler && <h2 class="login__heading">{t("link.telephony")}</h2>}
            {field("agent", t("login.agent"), { autocomplete: "username", digits: true })}
            {field("station", t("login.station"), { digits: true, hint: t("login.station-hint") })}
            {field("password", t("login.password"), { secret: true, autocomplete: "current-password" })}
          </div>
          {usesDialler && (
            <fieldset class="login__column login__column--dialler">
              <legend class="check">
                <label>
                  <input
                    type="checkbox"
                    checked={withDialler}
                    onInput={(event) => setWithDialler(event.currentTarget.checked)}
                  />
                  {t("login.with-dialler")}
                </label>
              </legend>
              {dialler && (
                <>
                  {field("diallerName", t("login.dialler-name"), { autocomplete: "section-dialler username" })}
                  {field("diallerPassword", t("login.dialler-password"), {
                    secret: true,
                    autocomplete: "section-dialler current-password",
                  })}
                  <div class="form__pair">
                    {field("headset", t("login.headset"), { placeholder: form.station, hint: t("login.headset-hint") })}
                    {field("job", t("login.job"), { hint: t("login.job-hint") })}
                  </div>
                </>
              )}
            </fieldset>
          )}
        </div>
        <button type="submit" class="btn btn--main btn--line login__submit" aria-disabled={loggingIn.value}>
          <span class="btn__label">{t(loggingIn.value ? "login.under-way" : "login.submit")}</span>
        </button>
      </form>
    </Frame>
  );
}

interface FieldProps {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly fault: string;
  /** Id of the element that says what is wrong with it, or empty. */
  readonly blamed: string;
  readonly onType: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly digits?: boolean;
  readonly secret?: boolean;
}

function LoginField({
  id,
  name,
  label,
  value,
  fault,
  blamed,
  onType,
  hint,
  placeholder,
  autocomplete = "off",
  digits,
  secret,
}: FieldProps): JSX.Element {
  const [shown, setShown] = useState(false);
  return (
    <div class="login__field">
      <label class="label" for={id}>
        {label}
      </label>
      <div class="login__control">
        <input
          id={id}
          name={name}
          class="input"
          type={(secret && !shown ? "password" : "text") as "text"}
          inputMode={digits ? "numeric" : undefined}
          autocomplete={autocomplete}
          autocapitalize="off"
          spellcheck={false}
          maxLength={64}
          placeholder={placeholder}
          value={value}
          aria-invalid={fault !== "" || blamed !== ""}
          aria-describedby={[blamed, fault !== "" || hint ? `${id}-hint` : ""].filter(Boolean).join(" ") || undefined}
          onInput={(event) => onType(event.currentTarget.value)}
        />
        {secret && (
          <Action
            form="icon"
            tone="quiet"
            icon="eye"
            label={t("login.show-password")}
            pressed={shown}
            onPress={() => setShown(!shown)}
          />
        )}
      </div>
      {(fault !== "" || hint) && (
        <p id={`${id}-hint`} class={fault !== "" ? "wrong" : "hint"}>
          {fault !== "" ? fault : hint}
        </p>
      )}
    </div>
  );
}

/** Shown from the moment the session is open until the agent is logged in. */
export function LoginProgress(): JSX.Element {
  const session = view.value?.session;
  const telephony = view.value?.links.telephony;
  const claim = claimTrouble.value;
  const trouble = claim ?? telephony?.trouble ?? "";
  return (
    <Frame>
      <div class="login">
        <h1>{t(session?.phase === "closing" ? "closing.title" : "steps.login")}</h1>
        <p class="login__what">
          {session && t("steps.login-what", { agent: session.agent, station: session.station })}
        </p>
        <Steps />
        {trouble.includes(".") && (
          <p class="login__notice">
            <Icon name={claim === null ? "alert" : "clock"} />
            {sentence(trouble, claim === null ? telephony?.detail : "")}
          </p>
        )}
        {session && <Reference />}
        <div class="form__buttons">
          <Action label={t("login.cancel")} onPress={() => (session ? void ask({ type: "log-out" }) : desk.forget())} />
        </div>
      </div>
    </Frame>
  );
}

/** Shown when another desktop has the session now. */
export function TakenOver({ since }: { readonly since: string }): JSX.Element {
  const session = view.value?.session;
  return (
    <Frame>
      <div class="login" role="alert">
        <h1>{t("takenover.title")}</h1>
        <p class="login__what">
          {t("takenover.what", { agent: session?.agent ?? "", station: session?.station ?? "", since })}
        </p>
        <Reference suffix={`-${ConnectionReason.TakenOver}`} />
        <div class="form__buttons">
          <Action label={t("takenover.log-in")} onPress={() => desk.forget()} />
          <Action tone="main" label={t("takenover.use-here")} onPress={() => desk.reclaim()} />
        </div>
      </div>
    </Frame>
  );
}
