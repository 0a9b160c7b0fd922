/** The agent desktop: starts everything that lives as long as the page, and puts the first view on it. */

import { render } from "preact";
import { keepAlerting } from "./alerts.js";
import { keepDraft } from "./draft.js";
import { keepKeys } from "./keys.js";
import { keepPrefs } from "./prefs.js";
import { desk, loadConfig } from "./store.js";
import { keepTime } from "./time.js";
import { App } from "./views/app.js";
import { keepWhereabouts } from "./whereabouts.js";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no element #app");

keepPrefs();
keepTime(() => desk.clock.now());
keepWhereabouts();
keepAlerting();
keepDraft();
keepKeys();
void loadConfig();
desk.resume();
render(<App />, root);
