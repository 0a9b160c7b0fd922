/** Tells the agent what happened when they look elsewhere: aloud, in the title, in the tab's sign, on the computer. */

import { effect, signal } from "@preact/signals";
import type { ItemView, View } from "../client/index.js";
import { broughtBack } from "./between.js";
import { prefs } from "./prefs.js";
import { play, ring } from "./sound.js";
import { cameBack, connection, held, isLive, onMessage, view, wasLive } from "./store.js";
import { t, word, type TextKey } from "./text.js";
import { claimTrouble, news, type News } from "./whereabouts.js";

/** For screen readers, at the next pause. */
export const polite = signal("");
/** For screen readers, at once: an arriving call and a lost connection only. */
export const assertive = signal("");

/** Says something that is not urgent. The same words again are said again. */
export function say(words: string): void {
  polite.value = polite.peek() === words ? `${words}\u00a0` : words;
}

/** The number or words by which a call is told. */
export function callerOf(call: View["calls"][number]): string {
  const known = call.parties.find((each) => each.number !== "")?.number;
  return known ?? (call.direction === "out" && call.called !== "" ? call.called : t("call.withheld"));
}

/** The words by which a record is told. */
export function titleOf(item: ItemView): string {
  return item.title || t("item.untitled");
}

/** Watches the store for the whole life of the page. */
export function keepAlerting(): void {
  let before: View | null = null;
  effect(() => {
    const after = view.value;
    if (before && after) compare(before, after);
    before = after;
    ring(after?.calls.some((call) => call.state === "alerting") ?? false);
  });
  let wasUp = true;
  effect(() => {
    const up = isLive.value || !wasLive.value || connection.value?.state === "ended";
    if (wasUp && !up && view.peek()) {
      assertive.value = t("banner.checking");
      play("lost");
    }
    wasUp = up;
  });
  effect(() => {
    if (cameBack.value !== null) say(t(cameBack.value === "resumed" ? "banner.back" : "banner.back-fresh"));
  });
  let told: News = null;
  effect(() => {
    const fresh = news.value;
    if (fresh !== told && fresh !== null && fresh in SAID) say(t(SAID[fresh as keyof typeof SAID]));
    told = fresh;
  });
  onMessage((message) => {
    say(`${t("messages.new", { sender: message.sender })}: ${message.text}`);
    play("message");
    notify(t("messages.new", { sender: message.sender }), message.text, "message");
  });
  effect(keepTitle);
}

/** What the banner says of the server, when it is said aloud as well; a loss and its end are said elsewhere. */
const SAID = {
  claim: "banner.claim",
  serviced: "banner.serviced-what",
  passive: "banner.passive",
  moved: "banner.moved",
} as const satisfies Partial<Record<NonNullable<News>, TextKey>>;

function compare(before: View, after: View): void {
  for (const call of after.calls) {
    if (call.state === "alerting" && !before.calls.some((each) => each.id === call.id)) {
      assertive.value = t("announce.call", { number: callerOf(call) });
      notify(t("announce.call", { number: callerOf(call) }), call.queue, "call");
    }
  }
  if (after.item && after.item.number !== before.item?.number) {
    say(t("announce.item", { title: titleOf(after.item) }));
    play("call");
    notify(titleOf(after.item), word("kind", after.item.kind), "call");
  } else if (after.item?.stage === "line-gone" && before.item?.stage !== "line-gone") {
    say(t("announce.line-gone"));
  } else if (after.left_item && after.left_item.number !== before.left_item?.number) {
    say(t("announce.left-item", { title: titleOf(after.left_item) }));
  } else if (before.item && !after.item) {
    say(t("announce.item-gone"));
  } else if (after.agent.mode !== before.agent.mode) {
    say(t("announce.mode", { mode: word("mode", after.agent.mode) }));
  }
  // The links of another server than before are not lost: it begins to use them.
  if (claimTrouble.peek() !== null || broughtBack(after) !== null) return;
  if (after.links.telephony.state === "down" && before.links.telephony.state !== "down") {
    assertive.value = t("banner.telephony", { since: "" }).trim();
    play("lost");
  }
  if (after.links.dialler.state === "down" && before.links.dialler.state !== "down") {
    say(t("banner.dialler", { since: "" }).trim());
    play("lost");
  }
}

/** Shows it on the computer when the window is not in front. */
function notify(title: string, body: string, tag: "call" | "message"): void {
  const { notify: wanted, quiet } = prefs.peek();
  if (!wanted || (quiet && tag === "message") || document.hasFocus()) return;
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body, tag });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}

/** State first, so that a narrow tab shows it; a sign in the state's shape and colour beside it. */
function keepTitle(): void {
  const shown = view.value;
  const lost = shown !== null && wasLive.value && (!isLive.value || held.value === "lost");
  const mode = shown?.agent.known === false ? "unknown" : (shown?.agent.mode ?? "logged-out");
  const ringing = shown?.calls.find((call) => call.state === "alerting");
  const state = lost ? t("title.lost") : ringing ? callerOf(ringing) : word("mode", mode);
  document.title = shown ? `${state} · ${t("login.title")}` : t("login.title");
  const sign = lost ? "unknown" : SIGNS[mode];
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = `signs/${sign}.svg`;
  if (icon && icon.getAttribute("href") !== href) icon.href = href;
}

/** The shape that stands for each mode; the files are in `public/signs/`. */
export const SIGNS = {
  "logged-out": "unknown",
  "not-ready": "not-ready",
  ready: "ready",
  reserved: "call",
  previewing: "call",
  talking: "call",
  holding: "call",
  "wrap-up": "wrap-up",
  unknown: "unknown",
} as const;
