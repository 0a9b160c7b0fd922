/** The dialler's jobs, to join one. */

import type { JSX } from "preact";
import { ask, blockedBy, isAsked, view } from "../store.js";
import { t, word } from "../text.js";
import { Action } from "./parts/action.js";

export function Jobs(): JSX.Element | null {
  const shown = view.value;
  if (!shown) return null;
  const { jobs, dialler } = shown;
  const joining = dialler.stage === "joining" ? dialler.wanted_job : null;
  return (
    <section class="jobs" aria-labelledby="jobs-title">
      <header class="jobs__head">
        <div>
          <h2 id="jobs-title">{joining ? t("jobs.joining", { job: joining }) : t("jobs.choose")}</h2>
          <p>{t("jobs.what")}</p>
        </div>
        <Action
          tone="quiet"
          icon="refresh"
          label={t("action.refresh-jobs")}
          blocked={blockedBy("refresh-jobs")}
          asked={isAsked("refresh-jobs")}
          onPress={() => void ask({ type: "refresh-jobs" })}
        />
      </header>
      {jobs.list.length === 0 ? (
        <p class="jobs__none">{t("jobs.none")}</p>
      ) : (
        <ul class="jobs__list">
          {jobs.list.map((job) => (
            <li key={job.name} class={job.active ? "job" : "job job--stopped"}>
              <span class="job__name">{job.name}</span>
              <span class="tag">{word("jobkind", job.kind)}</span>
              <span class="job__state">{job.active ? "" : t("jobs.stopped")}</span>
              <Action
                label={t("action.join-job")}
                about={job.name}
                blocked={blockedBy("join-job")}
                asked={isAsked("join-job", job.name) || joining === job.name}
                onPress={() => void ask({ type: "join-job", job: job.name })}
              />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
