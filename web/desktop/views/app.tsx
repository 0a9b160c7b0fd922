/** Chooses between the login and the desk, and holds what lies above both. */

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ConnectionReason, type ConnectionState, type ConnectionStatus } from "../../client/index.js";
import { assertive, polite } from "../alerts.js";
import { dialog } from "../keys.js";
import { connection, view, wasLive } from "../store.js";
import { language, t } from "../text.js";
import { timeOfDay } from "../time.js";
import { isOld } from "../whereabouts.js";
import { Banners } from "./banner.js";
import { Callback } from "./callback.js";
import { Calls } from "./calls.js";
import { Help, LogOut, Messages, Settings } from "./dialogs.js";
import { Header, Pending } from "./header.js";
import { Login, LoginProgress, TakenOver } from "./login.js";
import { Palette } from "./palette.js";
import { Tips } from "./parts/tips.js";
import { Stage } from "./stage.js";
import { Toasts } from "./toasts.js";

export function App(): JSX.Element {
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  return (
    <>
      <Page />
      <Dialogs />
      <Toasts />
      <Tips />
      <div class="unseen" role="status" aria-live="polite">
        {polite.value}
      </div>
      <div class="unseen" role="alert" aria-live="assertive">
        {assertive.value}
      </div>
    </>
  );
}

/** Nothing is under way in these. */
const OVER: ReadonlySet<ConnectionState> = new Set(["ended", "refused"]);

/** Nobody has logged in yet: servers are asked for the site's decisions only. */
function isBefore({ state, reason }: ConnectionStatus): boolean {
  return state === "waiting" && reason === ConnectionReason.Starting;
}

function Page(): JSX.Element {
  const status = connection.value;
  const session = view.value?.session;
  if (status?.state === "refused" && session) return <TakenOver since={timeOfDay(status.sinceMs)} />;
  const started = status !== null && !OVER.has(status.state) && !isBefore(status);
  if (!session) return started ? <LoginProgress /> : <Login />;
  // A first login has a page of its own; the way back from a loss is shown within the desk.
  if (session.phase === "logging-in" || (session.phase === "closing" && !wasLive.value)) return <LoginProgress />;
  return <Desk />;
}

function Desk(): JSX.Element {
  const calls = (view.value?.calls.length ?? 0) > 0;
  const solo = view.value?.session.uses_dialler === false;
  return (
    <div class={`desk${calls ? " desk--calls" : ""}${solo ? " desk--solo" : ""}${isOld.value ? " desk--old" : ""}`}>
      <a class="skip" href="#work">
        {t("skip")}
      </a>
      <Header />
      <Pending />
      <Banners />
      <main class="work" id="work" tabIndex={-1}>
        <Calls />
        <Stage />
      </main>
    </div>
  );
}

function Dialogs(): JSX.Element | null {
  if (!view.value) return null;
  switch (dialog.value) {
    case "palette":
      return <Palette />;
    case "help":
      return <Help />;
    case "settings":
      return <Settings />;
    case "messages":
      return <Messages />;
    case "log-out":
      return <LogOut />;
    case "callback":
      return <Callback />;
    case null:
      return null;
  }
}
