/** What is wrong with a connection, in plain sentences: what works, what does not, since when, and what to read out. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ConnectionReason, Timer } from "../../client/index.js";
import { broughtBack } from "../between.js";
import { cameBack, connection, desk, isLive, view } from "../store.js";
import { sentence, t } from "../text.js";
import { duration, now, timeOfDay } from "../time.js";
import { claimTrouble, LONG_MS, lossesOf, moved, news, serverWords, unsureSince } from "../whereabouts.js";
import { Icon, type IconName } from "./parts/icon.js";

/** Good news stay for so long, ms; longer when something was lost. */
const GOOD_MS = 8_000;
const LOSSES_MS = 30_000;

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

/** What to read out: the session, and the number of the reason behind it. The server's name is one press away. */
export function Reference({ suffix = "" }: { readonly suffix?: string }): JSX.Element {
  return (
    <details class="reference">
      <summary data-tip={t("banner.reference-what")}>
        {t("banner.reference")}{" "}
        <code>
          {desk.reference}
          {suffix}
        </code>
      </summary>
      {serverWords()}
    </details>
  );
}

function ServerBanner(): JSX.Element | null {
  switch (news.value) {
    case "checking":
      return (
        <Notice tone="calm" icon="clock" title={t("banner.checking")}>
          <Reference suffix={`-${ConnectionReason.Silent}`} />
        </Notice>
      );
    case "going":
    case "lost":
      return <LostBanner going={news.value === "going"} />;
    case "claim":
      return <ClaimBanner />;
    case "serviced":
    case "passive":
      return (
        <Notice tone="calm" icon="server" title={t(`banner.${news.value}`)}>
          <p>{t("banner.serviced-what")}</p>
          <Reference suffix={`-${ConnectionReason.ServerDrains}`} />
        </Notice>
      );
    case "restoring":
      return <RestoringBanner />;
    case "moved":
      return <MovedBanner />;
    case "back":
      return <BackBanner />;
    case null:
      return null;
  }
}

/** The server is well, and had us go. */
const SENT: ReadonlySet<ConnectionReason> = new Set([
  ConnectionReason.ServerRestarts,
  ConnectionReason.ServerDrains,
  ConnectionReason.SessionMoved,
  ConnectionReason.SteppedDown,
  ConnectionReason.PassiveDatacentre,
]);

function LostBanner({ going }: { readonly going: boolean }): JSX.Element | null {
  const status = connection.value;
  const loss = useRef(status);
  if (!isLive.value) loss.current = status; // else its end is not told yet
  if (!status || !loss.current) return null;
  const { reason, lostAtMs, sinceMs } = loss.current;
  const ownNow = now.value - desk.clock.offsetMs;
  const lostAt = lostAtMs ?? sinceMs;
  const since = timeOfDay(lostAt + desk.clock.offsetMs, true);
  const seconds = status.nextTryAtMs === null ? 0 : Math.ceil((status.nextTryAtMs - ownNow) / 1_000);
  const planned = reason === ConnectionReason.ServerRestarts || reason === ConnectionReason.ServerDrains;
  const passive = reason === ConnectionReason.PassiveDatacentre;
  return (
    <Notice
      tone={going ? "calm" : "bad"}
      icon={going ? "server" : "alert"}
      title={t(going ? (SENT.has(reason) ? "banner.sent" : "banner.going") : "banner.lost", { since })}
      side={
        <>
          <span class="banner__try">{seconds > 0 ? t("banner.next-try", { seconds }) : t("banner.trying")}</span>
          <button type="button" class="btn btn--plain btn--line" onClick={() => desk.tryNow()}>
            <span class="btn__label">{t("banner.try-now")}</span>
          </button>
        </>
      }
    >
      {passive && <p>{t("banner.passive")}</p>}
      {planned && !going && <p>{t("banner.restarting")}</p>}
      <p>{t(going ? "banner.going-what" : "banner.lost-what")}</p>
      {ownNow - lostAt > LONG_MS && <p>{t("banner.lost-long")}</p>}
      <Reference suffix={`-${reason}`} />
    </Notice>
  );
}

/** Another server has us, and may not act before the one of before has certainly let go. */
function ClaimBanner(): JSX.Element {
  const trouble = claimTrouble.value ?? "";
  const age = duration(now.value - (unsureSince.value ?? now.value));
  return (
    <Notice tone="calm" icon="clock" title={t("banner.claim")}>
      {trouble !== "" && <p>{sentence(trouble)}</p>}
      <p>{t("banner.claim-what", { age })}</p>
      <Reference suffix={`-${trouble.split(".").at(-1) ?? ""}`} />
    </Notice>
  );
}

function RestoringBanner(): JSX.Element | null {
  const shown = view.value;
  if (!shown) return null;
  const datacentre = moved.value?.datacentre ?? "";
  return (
    <Notice
      tone="calm"
      icon="server"
      title={t(datacentre === "" ? "banner.restoring" : "banner.restoring-datacentre", { datacentre })}
    >
      <p>{t(`banner.restoring-${broughtBack(shown) ?? "telephony"}`)}</p>
      <Reference suffix={`-${ConnectionReason.Moved}`} />
    </Notice>
  );
}

function MovedBanner(): JSX.Element | null {
  const [here, shown] = [moved.value, view.value];
  const losses = here && shown ? lossesOf(here, shown) : [];
  useGoneAfter(losses.length === 0 ? GOOD_MS : LOSSES_MS, () => (moved.value = null));
  if (!here) return null;
  const { datacentre } = here;
  return (
    <Notice
      tone={losses.length === 0 ? "good" : "calm"}
      icon={losses.length === 0 ? "check" : "server"}
      title={t(datacentre === "" ? "banner.moved" : "banner.moved-datacentre", { datacentre })}
    >
      {losses.length === 0 && t("banner.nothing-lost")}
      {losses.map((each) => (
        <p key={each}>{t(`banner.lost-${each}`)}</p>
      ))}
      <Reference suffix={`-${ConnectionReason.Moved}`} />
    </Notice>
  );
}

function BackBanner(): JSX.Element {
  useGoneAfter(GOOD_MS, () => (cameBack.value = null));
  return (
    <Notice tone="good" icon="check" title={t(cameBack.value === "resumed" ? "banner.back" : "banner.back-fresh")} />
  );
}

function useGoneAfter(ms: number, go: () => void): void {
  useEffect(() => {
    const over = new Timer(go);
    over.start(ms);
    return () => over.stop();
  }, [ms]);
}

function LinkBanners(): JSX.Element | null {
  const shown = view.value;
  if (!shown || !isLive.value || claimTrouble.value !== null || broughtBack(shown) !== null) return null;
  const { telephony, dialler } = shown.links;
  if (telephony.lost !== null) {
    return (
      <Notice tone="bad" icon="alert" title={t("banner.telephony", { since: timeOfDay(telephony.lost, true) })}>
        <p>{t(shown.session.uses_dialler ? "banner.telephony-also-dialler" : "banner.telephony-what")}</p>
        <Trouble id={telephony.trouble} detail={telephony.detail} />
      </Notice>
    );
  }
  if (dialler.lost !== null) {
    return (
      <Notice tone="bad" icon="alert" title={t("banner.dialler", { since: timeOfDay(dialler.lost, true) })}>
        <p>{t("banner.dialler-what")}</p>
        <Trouble id={dialler.trouble} detail={dialler.detail} />
      </Notice>
    );
  }
  if (dialler.trouble === "" || dialler.state !== "down") return null;
  return (
    <Notice tone="calm" icon="alert" title={sentence(dialler.trouble, dialler.detail)}>
      <Reference />
    </Notice>
  );
}

/** The cause, when the link gave one that has a sentence, and what to read out. */
function Trouble({ id, detail }: { readonly id: string; readonly detail: string }): JSX.Element {
  return (
    <>
      {id.includes(".") && <p>{t("banner.reason", { reason: sentence(id, detail) })}</p>}
      <Reference />
    </>
  );
}
