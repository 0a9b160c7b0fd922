/** Everything an agent can do, as one list for the command palette: the same actions, and the same reasons why not. */

import type { SiteConfig, View } from "../client/index.js";
import { callerOf, titleOf } from "./alerts.js";
import { callBar, currentCall } from "./call_bar.js";
import { dialog } from "./keys.js";
import { choose, isDark, prefs } from "./prefs.js";
import { ask, blockedBy, desk, unread } from "./store.js";
import { language, t, word } from "./text.js";

export interface PaletteCommand {
  readonly id: string;
  readonly label: string;
  /** What it is about, or the group it belongs to. */
  readonly about: string;
  readonly keys: string;
  readonly blocked: string;
  readonly run: () => void;
}

/** Lists them, the most likely first. */
export function paletteCommands(shown: View, site: SiteConfig | null): readonly PaletteCommand[] {
  return [...callCommands(shown), ...modeCommands(shown, site), ...diallerCommands(shown), ...pageCommands()];
}

function callCommands(shown: View): readonly PaletteCommand[] {
  const call = currentCall(shown.calls);
  const about = call ? callerOf(call) : t("calls.label");
  return callBar(shown).flatMap((action, index) => {
    if (!action) return [];
    const keys = prefs.value.shortcuts ? `Alt+${index + 1}` : "";
    return [{ id: action.type, label: action.label, about, keys, blocked: action.blocked, run: action.run }];
  });
}

function modeCommands(shown: View, site: SiteConfig | null): readonly PaletteCommand[] {
  const about = t("modes.label");
  const plain = (id: string, label: string, blocked: string, run: () => void): PaletteCommand => ({
    id,
    label,
    about,
    keys: "",
    blocked,
    run,
  });
  const commands = [
    plain("ready", t("modes.ready"), blockedBy("set-mode:ready"), () => void ask({ type: "set-mode", mode: "ready" })),
  ];
  const blocked = blockedBy("set-mode:not-ready");
  const notReady = blocked === "already-so" || blocked === "reason-required" ? "" : blocked;
  for (const { code, label } of site?.not_ready_reasons ?? []) {
    const name = `${t("modes.not-ready")}: ${label[language.value] ?? label["en"] ?? code}`;
    commands.push(
      plain(`not-ready-${code}`, name, notReady, () => void ask({ type: "set-mode", mode: "not-ready", reason: code })),
    );
  }
  if (!site?.reason_required) {
    commands.push(
      plain("not-ready", t("modes.not-ready"), blocked, () => void ask({ type: "set-mode", mode: "not-ready" })),
    );
  }
  commands.push(
    plain(
      "wrap-up",
      t("modes.wrap-up"),
      blockedBy("set-mode:wrap-up"),
      () => void ask({ type: "set-mode", mode: "wrap-up" }),
    ),
  );
  if (shown.agent.pending.length > 0) {
    commands.push(
      plain(
        "cancel-pending",
        t("action.cancel-pending"),
        blockedBy("cancel-pending"),
        () => void ask({ type: "cancel-pending" }),
      ),
    );
  }
  return commands;
}

function diallerCommands(shown: View): readonly PaletteCommand[] {
  if (!shown.session.uses_dialler) return [];
  const about = t("dialler.label");
  const types = ["take-items", "pause-items", "leave-job", "refresh-jobs", "reconnect-headset"] as const;
  const plain = types.map((type) => ({
    id: type,
    label: word("action", type),
    about,
    keys: "",
    blocked: blockedBy(type),
    run: () => void ask({ type }),
  }));
  const jobs = shown.jobs.list.map((job) => ({
    id: `join-${job.name}`,
    label: t("jobs.join", { job: job.name }),
    about,
    keys: "",
    blocked: blockedBy("join-job"),
    run: () => void ask({ type: "join-job", job: job.name }),
  }));
  const left = shown.left_item;
  const putAway: PaletteCommand[] = left
    ? [
        {
          id: "dismiss-left-item",
          label: t("left.dismiss"),
          about: titleOf(left),
          keys: "",
          blocked: blockedBy("dismiss-left-item"),
          run: () => void ask({ type: "dismiss-left-item" }),
        },
      ]
    : [];
  return [...plain, ...jobs, ...putAway];
}

function pageCommands(): readonly PaletteCommand[] {
  const about = t("login.title");
  const opens = (id: "messages" | "settings" | "help" | "log-out", label: string, blocked = ""): PaletteCommand => ({
    id,
    label,
    about,
    keys: "",
    blocked,
    run: () => {
      if (id === "messages") unread.value = 0;
      dialog.value = id;
    },
  });
  return [
    opens("messages", t("messages.title")),
    opens("settings", t("settings.title")),
    opens("help", t("help.title")),
    {
      id: "theme",
      label: t("theme.toggle"),
      about,
      keys: "",
      blocked: "",
      run: () => choose({ theme: isDark() ? "light" : "dark" }),
    },
    {
      id: "try-now",
      label: t("banner.try-now"),
      about: t("link.server"),
      keys: "",
      blocked: "",
      run: () => desk.tryNow(),
    },
    opens("log-out", t("logout.title"), blockedBy("log-out")),
  ];
}
