/** The dialler's half of the agent: job, whether customers are taken, the headset, and what can be asked. */

import type { JSX } from "preact";
import { ask, blockedBy, isAsked, view } from "../store.js";
import { sentence, t, word } from "../text.js";
import { isOld } from "../whereabouts.js";
import { Action } from "./parts/action.js";
import { Elapsed } from "./parts/elapsed.js";
import { Icon } from "./parts/icon.js";
import { Toolbar } from "./parts/toolbar.js";

/** Stages whose word says all there is to say of a trouble that goes with them; the banner has the sentence. */
const TROUBLE_IN_BANNER: ReadonlySet<string> = new Set(["waiting", "refused"]);

export function DiallerBar(): JSX.Element | null {
  const dialler = view.value?.dialler;
  if (!dialler) return null;
  const job = view.value?.jobs.list.find((each) => each.name === dialler.job);
  const certain = dialler.known && !isOld.value;
  const waiting = dialler.stage === "ready";
  return (
    <header class={certain ? "dialler-bar" : "dialler-bar is-uncertain"}>
      <div class="dialler-bar__what">
        <h2 class="dialler-bar__job">
          {dialler.job ?? t("dialler.label")}
          {job && <span class="tag">{word("jobkind", job.kind)}</span>}
        </h2>
        <p class="dialler-bar__stage">
          <span class={`dot dot--${dialler.stage}`} aria-hidden="true" />
          {word("stage", dialler.stage)}
          <Elapsed since={dialler.since} />
          <span class={`headset headset--${dialler.headset}`}>
            <Icon name="headset" />
            {word("headset", dialler.headset)}
          </span>
          {dialler.dialler && <span class="dialler-bar__name">{dialler.dialler}</span>}
        </p>
      </div>
      <Toolbar label={t("dialler.label")} class="dialler-bar__actions">
        {dialler.take_items ? (
          <Action
            label={t("action.pause-items")}
            icon="pause"
            tip={t(waiting ? "hint.pause-items-waiting" : "hint.pause-items")}
            blocked={blockedBy("pause-items")}
            asked={isAsked("pause-items")}
            onPress={() => void ask({ type: "pause-items" })}
          />
        ) : (
          <Action
            label={t("action.take-items")}
            icon="play"
            tone="go"
            blocked={blockedBy("take-items")}
            asked={isAsked("take-items")}
            onPress={() => void ask({ type: "take-items" })}
          />
        )}
        <Action
          label={t("action.leave-job")}
          icon="leave"
          blocked={blockedBy("leave-job")}
          asked={isAsked("leave-job")}
          onPress={() => void ask({ type: "leave-job" })}
        />
      </Toolbar>
      {dialler.headset === "broken" && (
        <div class="dialler-bar__alert" role="alert">
          <Icon name="alert" />
          <p>{t("headset.broken-what")}</p>
          <Action
            label={t("action.reconnect-headset")}
            icon="headset"
            tone="main"
            blocked={blockedBy("reconnect-headset")}
            asked={isAsked("reconnect-headset")}
            onPress={() => void ask({ type: "reconnect-headset" })}
          />
        </div>
      )}
      {dialler.headset === "connecting" && (
        <div class="dialler-bar__alert dialler-bar__alert--calm" role="status">
          <Icon name="headset" />
          <p>{t("headset.ringing-what")}</p>
        </div>
      )}
      {dialler.trouble.includes(".") && !TROUBLE_IN_BANNER.has(dialler.stage) && (
        <div class="dialler-bar__alert dialler-bar__alert--calm" role="status">
          <Icon name="alert" />
          <p>{sentence(dialler.trouble, dialler.detail)}</p>
        </div>
      )}
    </header>
  );
}
