/** A running time. It is shown each second; screen readers get it in minutes, and never by itself. */

import type { JSX } from "preact";
import { count, t } from "../../text.js";
import { duration, elapsedMs, now } from "../../time.js";

export function Elapsed({ since, big = false }: { readonly since: string; readonly big?: boolean }): JSX.Element {
  const ms = elapsedMs(since);
  const minutes = Math.floor(ms / 60_000);
  return (
    <span class={big ? "elapsed elapsed--big" : "elapsed"}>
      <span aria-hidden="true">{duration(ms)}</span>
      <span class="unseen">{minutes === 0 ? t("elapsed.less") : count("elapsed.minutes", minutes)}</span>
    </span>
  );
}

/** Time left until an instant. */
export function Remaining({ until }: { readonly until: string }): JSX.Element {
  return <span class="elapsed">{duration(Date.parse(until) - now.value)}</span>;
}
