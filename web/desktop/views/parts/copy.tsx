/** Copies a text, and says whether it did. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Timer } from "../../../client/index.js";
import { say } from "../../alerts.js";
import { t } from "../../text.js";
import { Action } from "./action.js";

/** The outcome stays on the button for so long, ms. */
const TOLD_MS = 5_000;

export interface CopyProps {
  readonly label: string;
  readonly text: string;
  readonly tone?: "plain" | "main";
}

export function Copy({ label, text, tone = "plain" }: CopyProps): JSX.Element {
  const [outcome, setOutcome] = useState<"" | "copied" | "failed">("");
  const forget = useRef(new Timer(() => setOutcome("")));
  useEffect(() => () => forget.current.stop(), []);
  const copy = async (): Promise<void> => {
    const now = await copied(text);
    setOutcome(now);
    say(t(`copy.${now}`));
    forget.current.start(TOLD_MS);
  };
  return (
    <>
      <Action
        tone={tone}
        icon={outcome === "copied" ? "check" : "copy"}
        label={outcome === "copied" ? t("copy.copied") : label}
        onPress={() => void copy()}
      />
      {outcome === "failed" && <p class="wrong">{t("copy.failed")}</p>}
    </>
  );
}

/** Browsers give pages the clipboard over HTTPS only, and may refuse it there. */
async function copied(text: string): Promise<"copied" | "failed"> {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "failed";
  }
}
