/** The top of the desk: what the agent is, what they can become, and what they depend on. */

import type { JSX } from "preact";
import type { AskedMode, LinkState, LinkView, PendingView } from "../../client/index.js";
import { SIGNS } from "../alerts.js";
import { isOfMove } from "../between.js";
import { dialog } from "../keys.js";
import { ask, blockedBy, config, isAsked, isLive, unread, view } from "../store.js";
import { count, language, t, word } from "../text.js";
import { duration, elapsedMs, now } from "../time.js";
import { isOld, news, place, unsureSince } from "../whereabouts.js";
import { Action } from "./parts/action.js";
import { Elapsed } from "./parts/elapsed.js";
import { Icon, Shape, type IconName } from "./parts/icon.js";
import { Menu, type Choice } from "./parts/menu.js";
import { Toolbar } from "./parts/toolbar.js";
import { ThemeToggle } from "./theme_toggle.js";

export function Header(): JSX.Element {
  return (
    <header class="top">
      <h1 class="unseen">{t("login.title")}</h1>
      <StateBlock />
      <Modes />
      <Ends />
    </header>
  );
}

/** The label of a reason code in the language chosen. */
function reasonLabel(code: number | null, list: "not_ready_reasons" | "log_out_reasons" = "not_ready_reasons"): string {
  if (code === null) return "";
  const reason = config.value?.[list].find((each) => each.code === code);
  return reason?.label[language.value] ?? reason?.label["en"] ?? String(code);
}

function StateBlock(): JSX.Element | null {
  const agent = view.value?.agent;
  if (!agent) return null;
  const uncertain = unsureSince.value;
  const mode = uncertain === null ? agent.mode : "unknown";
  // A call or record says more than the mode behind it: the mode's reason is then not the reason of what is shown.
  const own = agent.mode === agent.switch_mode;
  const reason = own
    ? [reasonLabel(agent.mode === "not-ready" ? agent.reason : null), agent.cause && word("cause", agent.cause)]
    : [];
  const limitMin = config.value?.not_ready_reasons.find((each) => each.code === agent.reason)?.maximum_min ?? null;
  const over = agent.mode === "not-ready" && limitMin !== null && elapsedMs(agent.since) > limitMin * 60_000;
  const note =
    uncertain === null
      ? reason.filter(Boolean).join(" · ")
      : t("known.last", { mode: word("mode", agent.mode), age: duration(now.value - uncertain) });
  return (
    <div class={`state state--${SIGNS[mode]}`} role="group" aria-label={word("mode", mode)}>
      <Shape mode={mode} />
      <div class="state__words">
        <strong class="state__word">{word("mode", mode)}</strong>
        {over && uncertain === null ? (
          <span class="state__note state__note--over" data-tip={note}>
            <Icon name="clock" />
            <span class="state__reason">{reasonLabel(agent.reason)} · </span>
            {t("modes.over-limit", { minutes: limitMin })}
          </span>
        ) : (
          note !== "" && (
            <span class="state__note" data-tip={note}>
              {note}
            </span>
          )
        )}
      </div>
      {uncertain === null && <Elapsed since={stateSince()} big />}
    </div>
  );
}

/** Since when the agent is in the mode shown: a call or record began it when there is one. */
function stateSince(): string {
  const { agent, calls, item } = view.value!;
  if (agent.mode === agent.switch_mode) return agent.since;
  const call = calls.find((each) => each.state !== "held") ?? calls[0];
  if (item && (!call || agent.mode === "wrap-up" || agent.mode === "previewing")) return item.stage_since;
  return call?.state_since ?? agent.since;
}

function Modes(): JSX.Element | null {
  const agent = view.value?.agent;
  if (!agent) return null;
  const known = unsureSince.value === null;
  const mode = (
    asked: AskedMode,
  ): { readonly blocked: string; readonly asked: boolean; readonly pressed: boolean } => ({
    blocked: blockedBy(`set-mode:${asked}`),
    asked: agent.asked === asked || isAsked("set-mode", asked),
    pressed: known && agent.switch_mode === asked,
  });
  const reasons = config.value?.not_ready_reasons ?? [];
  const choices: Choice[] = reasons.map((each) => ({
    id: String(each.code),
    label: reasonLabel(each.code),
    note: each.maximum_min === null ? "" : t("modes.limit", { minutes: each.maximum_min }),
    chosen: known && agent.switch_mode === "not-ready" && agent.reason === each.code,
  }));
  if (!config.value?.reason_required) {
    const chosen = known && agent.switch_mode === "not-ready" && agent.reason === null;
    choices.push({ id: "", label: t("modes.no-reason"), chosen });
  }
  const notReady = mode("not-ready");
  // Being not ready already is no reason against changing the reason.
  const blocked = notReady.blocked === "already-so" || notReady.blocked === "reason-required" ? "" : notReady.blocked;
  return (
    <Toolbar label={t("modes.label")} class="modes">
      <Action
        {...mode("ready")}
        label={t("modes.ready")}
        sign={<Shape mode="ready" />}
        onPress={() => void ask({ type: "set-mode", mode: "ready" })}
      />
      {choices.length > 1 ? (
        <Menu
          {...notReady}
          blocked={blocked}
          label={t("modes.not-ready")}
          sign={<Shape mode="not-ready" />}
          title={t("modes.choose-reason")}
          choices={choices}
          onChoose={(id) => void ask({ type: "set-mode", mode: "not-ready", ...(id !== "" && { reason: Number(id) }) })}
        />
      ) : (
        <Action
          {...notReady}
          label={t("modes.not-ready")}
          sign={<Shape mode="not-ready" />}
          onPress={() => void ask({ type: "set-mode", mode: "not-ready" })}
        />
      )}
      <Action
        {...mode("wrap-up")}
        label={t("modes.wrap-up")}
        sign={<Shape mode="wrap-up" />}
        onPress={() => void ask({ type: "set-mode", mode: "wrap-up" })}
      />
    </Toolbar>
  );
}

function pendingWords({ what, reason }: PendingView): string {
  if (what === "not-ready" && reason !== null) return t("pending.not-ready-reason", { reason: reasonLabel(reason) });
  switch (what) {
    case "not-ready":
    case "ready":
    case "wrap-up":
    case "logged-out":
    case "log-out":
    case "leave-job":
      return t(`pending.${what}`);
    default:
      return what;
  }
}

/** A change that waits: a strip below the top, with the way to take it back. */
export function Pending(): JSX.Element | null {
  const pending = view.value?.agent.pending ?? [];
  if (pending.length === 0) return null;
  return (
    <div class="pending" role="status">
      <ul class="pending__list">
        {pending.map((each) => (
          <li key={each.what}>
            <Icon name="clock" />
            {pendingWords(each)}
          </li>
        ))}
      </ul>
      <Action
        tone="quiet"
        label={t("pending.cancel")}
        icon="back"
        blocked={blockedBy("cancel-pending")}
        asked={isAsked("cancel-pending")}
        onPress={() => void ask({ type: "cancel-pending" })}
      />
    </div>
  );
}

const LINK_SHAPES = { up: "ready", checking: "unknown", down: "not-ready", unused: "unknown" } as const;

interface LinkProps {
  readonly name: string;
  readonly icon: IconName;
  readonly state: LinkState;
  /** What it is called by those who run it. */
  readonly called: string;
  /** Its state is not its own: the server's is, and is told there. */
  readonly quiet?: boolean;
}

function Link({ name, icon, state, called, quiet = false }: LinkProps): JSX.Element {
  const tip = [name, called, word("linkstate", state)].filter(Boolean).join(" · ");
  return (
    <li class={`link link--${state}${quiet ? " link--quiet" : ""}`} data-tip={tip}>
      <Icon name={icon} />
      <Shape mode={LINK_SHAPES[state]} />
      <span class="link__name">{name}</span>
      <span class="link__word">{word("linkstate", state)}</span>
    </li>
  );
}

/** A link of the server's, as far as it is known here. */
function linkProps(link: LinkView): Pick<LinkProps, "state" | "called" | "quiet"> {
  const uncertain = isOld.value || isOfMove(link);
  return { state: uncertain ? "checking" : link.state, called: link.name ?? "", quiet: isOld.value };
}

function serverProps(): Pick<LinkProps, "state" | "called"> {
  const { id, datacentre } = place();
  const checking = !isLive.value || news.value === "checking" || news.value === "going";
  const state = news.value === "lost" ? "down" : checking ? "checking" : "up";
  return { state, called: [id, datacentre].filter(Boolean).join(" · ") };
}

function Ends(): JSX.Element | null {
  const shown = view.value;
  if (!shown) return null;
  return (
    <div class="ends">
      <ul class="links">
        <Link name={t("link.server")} icon="server" {...serverProps()} />
        <Link name={t("link.telephony")} icon="phone" {...linkProps(shown.links.telephony)} />
        {shown.links.dialler.state !== "unused" && (
          <Link name={t("link.dialler")} icon="headset" {...linkProps(shown.links.dialler)} />
        )}
      </ul>
      <p class="who">
        <Icon name="person" />
        <span class="unseen">{t("login.agent")} </span>
        {shown.session.agent}
        <span class="who__at" aria-hidden="true">
          /
        </span>
        <span class="unseen">{t("login.station")} </span>
        {shown.session.station}
      </p>
      <div class="ends__buttons">
        <span class="badged">
          <Action
            form="icon"
            tone="quiet"
            icon="mail"
            label={unread.value > 0 ? count("messages.unread", unread.value) : t("messages.title")}
            haspopup="dialog"
            onPress={() => {
              unread.value = 0;
              dialog.value = "messages";
            }}
          />
          {unread.value > 0 && (
            <span class="badge" aria-hidden="true">
              {unread.value}
            </span>
          )}
        </span>
        <Action
          form="icon"
          tone="quiet"
          icon="search"
          label={t("palette.open")}
          keys="Ctrl+K"
          haspopup="dialog"
          onPress={() => (dialog.value = "palette")}
        />
        <span class="ends__theme">
          <ThemeToggle />
        </span>
        <Action
          form="icon"
          tone="quiet"
          icon="settings"
          label={t("settings.title")}
          haspopup="dialog"
          onPress={() => (dialog.value = "settings")}
        />
        <Action
          form="icon"
          tone="quiet"
          icon="leave"
          label={t("logout.title")}
          blocked={blockedBy("log-out")}
          haspopup="dialog"
          onPress={() => (dialog.value = "log-out")}
        />
      </div>
    </div>
  );
}
