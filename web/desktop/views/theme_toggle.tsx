/** Light or dark, at one press; "as the system" is in the settings. */

import type { JSX } from "preact";
import { choose, isDark } from "../prefs.js";
import { t } from "../text.js";
import { Action } from "./parts/action.js";

export function ThemeToggle(): JSX.Element {
  return (
    <Action
      form="icon"
      tone="quiet"
      icon="sun"
      label={t("theme.toggle")}
      onPress={() => choose({ theme: isDark() ? "light" : "dark" })}
    />
  );
}
