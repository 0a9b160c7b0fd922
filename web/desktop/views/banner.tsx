/** What is wrong with a connection, in plain sentences: what works, what does not, since when, and what to read out. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ConnectionReason, Timer } from "../../client/index.js";
import { cameBack, connection, desk, isLive, view, wasLive } from "../store.js";
import { sentence, t } from "../text.js";
import { now, timeOfDay } from "../time.js";
import { Icon, type IconName } from "./parts/icon.js";

/** A loss that lasts this long gets the full notice, ms. */
const LONG_MS = 60_000;
/** "Connected again" stays for so long, ms. */
const BACK_MS = 8_000;

interface NoticeProps {
  readonly tone: "calm" | "bad" | "good";
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly side?: ComponentChildren;
}

function Notice({ tone, icon, title, children, side }: NoticeProps): JSX.Element {
  return (
    <section class={`banner banner--${tone}`} aria-label={title}>
      <Icon name={icon} />
      <div class="banner__words">
        <strong>{title}</strong> {children}
      </div>
      {side && <div class="banner__side">{side}</div>}
    </section>
  );
}

export function Banners(): JSX.Element {
  return (
    <div class="banners">
      <ServerBanner />
      <LinkBanners />
    </div>
  );
}

/** What to read out: the session, and the number of the reason behind it. */
function Reference({ suffix = "" }: { readonly suffix?: string }): JSX.Element {
  return (
    <span class="reference">
      {t("banner.reference")}{" "}
      <code>
        {desk.reference}
        {suffix}
      </code>
    </span>
  );
}

function ServerBanner(): JSX.Element | null {
  const status = connection.value;
  if (!status || !wasLive.value || status.state === "ended" || status.state === "refused") return null;
  if (status.state === "suspect") return <Notice tone="calm" icon="clock" title={t("banner.checking")} />;
  if (isLive.value) return cameBack.value === null ? null : <BackBanner />;
  const lostAt = status.lostAtMs ?? status.sinceMs;
  // Our own clock against our own: the server's is not heard now.
  const lostForMs = now.value - desk.clock.offsetMs - lostAt;
  const seconds =
    status.nextTryAtMs === null ? 0 : Math.ceil((status.nextTryAtMs - (now.value - desk.clock.offsetMs)) / 1_000);
  const planned = status.reason === ConnectionReason.ServerRestarts || status.reason === ConnectionReason.ServerDrains;
  return (
    <Notice
      tone="bad"
      icon="alert"
      title={t("banner.lost", { since: timeOfDay(lostAt + desk.clock.offsetMs, true) })}
      side={
        <>
          <span class="banner__try">{seconds > 0 ? t("banner.next-try", { seconds }) : t("banner.trying")}</span>
          <button type="button" class="btn btn--plain btn--line" onClick={() => desk.tryNow()}>
            <span class="btn__label">{t("banner.try-now")}</span>
          </button>
        </>
      }
    >
      {planned && <p>{t("banner.restarting")}</p>}
      <p>{t("banner.lost-what")}</p>
      {lostForMs > LONG_MS && <p>{t("banner.lost-long")}</p>}
      <p>
        <Reference suffix={`-${status.reason}`} />
      </p>
    </Notice>
  );
}

function BackBanner(): JSX.Element {
  useEffect(() => {
    const over = new Timer(() => (cameBack.value = null));
    over.start(BACK_MS);
    return () => over.stop();
  }, []);
  return (
    <Notice tone="good" icon="check" title={t(cameBack.value === "resumed" ? "banner.back" : "banner.back-fresh")} />
  );
}

function LinkBanners(): JSX.Element | null {
  const shown = view.value;
  if (!shown || !isLive.value) return null;
  const { telephony, dialler } = shown.links;
  const notices: JSX.Element[] = [];
  if (telephony.lost !== null) {
    const what = t(shown.session.uses_dialler ? "banner.telephony-also-dialler" : "banner.telephony-what");
    notices.push(
      <Notice
        key="telephony"
        tone="bad"
        icon="alert"
        title={t("banner.telephony", { since: timeOfDay(telephony.lost, true) })}
      >
        <p>{what}</p>
        <Trouble id={telephony.trouble} detail={telephony.detail} />
      </Notice>,
    );
  } else if (dialler.lost !== null) {
    notices.push(
      <Notice
        key="dialler"
        tone="bad"
        icon="alert"
        title={t("banner.dialler", { since: timeOfDay(dialler.lost, true) })}
      >
        <p>{t("banner.dialler-what")}</p>
        <Trouble id={dialler.trouble} detail={dialler.detail} />
      </Notice>,
    );
  } else if (dialler.trouble !== "" && dialler.state === "down") {
    notices.push(
      <Notice key="trouble" tone="calm" icon="alert" title={sentence(dialler.trouble, dialler.detail)}>
        <p>
          <Reference />
        </p>
      </Notice>,
    );
  }
  return <>{notices}</>;
}

/** The cause, when the link gave one that has a sentence, and what to read out. */
function Trouble({ id, detail }: { readonly id: string; readonly detail: string }): JSX.Element {
  return (
    <p>
      {id.includes(".") && <span>{t("banner.reason", { reason: sentence(id, detail) })} </span>}
      <Reference />
    </p>
  );
}
