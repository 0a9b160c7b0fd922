/** The middle of the desk: what the agent works on. The dialler's bar on top, the record or the job list below. */

import type { JSX } from "preact";
import { titleOf } from "../alerts.js";
import { lost } from "../draft.js";
import { view } from "../store.js";
import { sentence, t, word } from "../text.js";
import { isOld } from "../whereabouts.js";
import { CallInfo } from "./call_info.js";
import { DiallerBar } from "./dialler_bar.js";
import { Item } from "./item.js";
import { Jobs } from "./jobs.js";
import { LeftItem } from "./left_item.js";
import { Action } from "./parts/action.js";
import { Copy } from "./parts/copy.js";
import { Elapsed } from "./parts/elapsed.js";
import { Icon, Shape } from "./parts/icon.js";
import { Steps } from "./steps.js";

export function Stage(): JSX.Element | null {
  const shown = view.value;
  if (!shown) return null;
  const { session } = shown;
  return (
    <section class="stage" aria-label={session.uses_dialler ? t("dialler.label") : t("item.label")}>
      {session.uses_dialler && <DiallerBar />}
      {/* Beside what is being typed, never in its place. */}
      {!shown.item && <WayBack />}
      {session.phase === "closing" && (
        <section class="way-back">
          <header>
            <h2>{t("closing.title")}</h2>
            <p>{t("closing.what")}</p>
          </header>
        </section>
      )}
      <LostNotes />
      {shown.item && shown.left_item && (
        <a class="left-link" href="#left-title">
          <Icon name="alert" />
          {t("left.label")}: {titleOf(shown.left_item)}
        </a>
      )}
      {shown.item && <Item item={shown.item} />}
      {shown.left_item && <LeftItem key={shown.left_item.number} item={shown.left_item} />}
      {shown.item ? <WayBack /> : <NoItem />}
    </section>
  );
}

/** The telephone side is being brought back, or the dialler's while the telephone works. */
function WayBack(): JSX.Element | null {
  const { session, dialler, links, login } = view.value!;
  const telephony = session.phase === "resetting" || session.phase === "logging-in";
  const joining = dialler.stage === "joining" && links.dialler.lost !== null;
  const diallerOnly = dialler.stage === "waiting" || dialler.stage === "logging-on" || joining;
  if (session.phase === "closing" || (!telephony && !(session.uses_dialler && diallerOnly))) return null;
  const wasLost = links.telephony.lost !== null || links.dialler.lost !== null;
  return (
    <section class="way-back" aria-labelledby="way-back-title">
      <header>
        <h2 id="way-back-title">{t(wasLost ? "steps.back" : "steps.login")}</h2>
        {!login.steps.some((each) => each.doing === "ringing-headset") && <p>{t("steps.back-what")}</p>}
      </header>
      <Steps only={telephony ? undefined : "dialler"} />
    </section>
  );
}

/** What the agent had typed for a record that was taken away, when nothing else shows it. */
function LostNotes(): JSX.Element | null {
  const kept = lost.value;
  const text = kept?.draft.notes ?? "";
  if (text.trim() === "" || view.value?.left_item?.number === kept?.item.number) return null;
  return (
    <section class="lost-notes" aria-label={t("finish.notes")}>
      <p class="label">{t("finish.lost-notes")}</p>
      <p class="lost-notes__text">{text}</p>
      <div class="lost-notes__buttons">
        <Copy label={t("copy.copy")} text={text} />
        <Action tone="quiet" label={t("finish.dismiss")} onPress={() => (lost.value = null)} />
      </div>
    </section>
  );
}

function NoItem(): JSX.Element | null {
  const shown = view.value!;
  if (shown.session.phase !== "active" && !isOld.value) return null;
  const { dialler, agent, calls } = shown;
  if (calls.length > 0)
    return (
      <>
        {calls.map((call) => (
          <CallInfo key={call.id} call={call} />
        ))}
      </>
    );
  if (shown.session.uses_dialler) {
    if (dialler.stage === "logged-on" || dialler.stage === "joining") return <Jobs />;
    if (dialler.stage === "ready")
      return <Idle since={dialler.since} title={t("idle.ready")} what={t("idle.ready-what")} />;
    if (dialler.stage === "joined") {
      return (
        <Idle since={dialler.since} title={t("idle.joined", { job: dialler.job ?? "" })} what={t("idle.joined-what")} />
      );
    }
    if (dialler.stage === "leaving") return <Idle since={dialler.since} title={t("idle.leaving")} what="" />;
    if (dialler.stage === "waiting" || dialler.stage === "logging-on") return null;
    const what = dialler.trouble === "" ? "" : sentence(dialler.trouble, dialler.detail);
    return <Idle since={dialler.since} title={word("stage", dialler.stage)} what={what} />;
  }
  if (agent.mode === "not-ready")
    return <Idle since={agent.since} title={t("idle.not-ready")} what={t("idle.not-ready-what")} />;
  return <Idle since={agent.since} title={t("idle.calls")} what={t("idle.calls-what")} />;
}

function Idle({
  title,
  what,
  since,
}: {
  readonly title: string;
  readonly what: string;
  readonly since: string;
}): JSX.Element {
  const mode = view.value?.agent.known === false ? "unknown" : (view.value?.agent.mode ?? "unknown");
  return (
    <div class="idle">
      <Shape mode={mode} />
      <h2 class="idle__title">{title}</h2>
      {what !== "" && <p>{what}</p>}
      <Elapsed since={since} />
    </div>
  );
}
