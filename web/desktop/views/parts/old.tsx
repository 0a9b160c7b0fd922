/** Says beside a thing that it is shown as it last was: greying alone would say it by colour. */

import type { JSX } from "preact";
import { t } from "../../text.js";
import { isOld } from "../../whereabouts.js";

export function Old(): JSX.Element | null {
  return isOld.value ? <span class="tag tag--old">{t("known.old")}</span> : null;
}
