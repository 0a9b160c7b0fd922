/** A button for something asked of the server: it stays in its place, and says why it cannot be pressed now. */

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { say } from "../../alerts.js";
import { t, word } from "../../text.js";
import { Icon, type IconName } from "./icon.js";

export interface ActionProps {
  readonly label: string;
  readonly onPress: () => void;
  readonly icon?: IconName;
  /** Drawn instead of an icon. */
  readonly sign?: JSX.Element;
  /** `go` begins a call, `end` ends one, `main` is the one to press next, `quiet` has no frame. */
  readonly tone?: "plain" | "go" | "end" | "main" | "quiet";
  /** `tile` has its sign above its word; `icon` shows the sign alone, the word is for screen readers and the tip. */
  readonly form?: "line" | "tile" | "icon";
  /** Id of the reason why it is not possible now; empty when it is. */
  readonly blocked?: string;
  /** It was pressed, and is not answered yet. */
  readonly asked?: boolean;
  readonly tip?: string;
  /** Keys that press it, as shown and as said. */
  readonly keys?: string;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly haspopup?: "menu" | "dialog";
  readonly about?: string;
}

export function Action(props: ActionProps): JSX.Element {
  const { label, icon, onPress, tone = "plain", form = "line", blocked = "", asked = false, keys = "" } = props;
  const id = useId();
  const why = asked ? word("blocked", "already-asked") : blocked === "" ? "" : word("blocked", blocked);
  const hint = why !== "" ? why : (props.tip ?? "");
  const name = hint === "" && form === "icon" ? label : hint;
  const tip = keys === "" ? name : t("tips.key", { tip: name || label, key: keys });
  return (
    <>
      <button
        type="button"
        class={`btn btn--${tone} btn--${form}${asked ? " is-asked" : ""}`}
        aria-disabled={why !== "" ? "true" : undefined}
        aria-describedby={hint !== "" ? id : undefined}
        aria-label={props.about ? `${label}: ${props.about}` : form === "icon" ? label : undefined}
        aria-pressed={props.pressed}
        aria-expanded={props.expanded}
        aria-haspopup={props.haspopup}
        aria-keyshortcuts={keys === "" ? undefined : keys}
        data-tip={tip === "" ? undefined : tip}
        onClick={() => (why === "" ? onPress() : say(why))}
      >
        {props.sign ?? (icon && <Icon name={icon} />)}
        {form !== "icon" && <span class="btn__label">{label}</span>}
      </button>
      {hint !== "" && (
        <span class="unseen" id={id}>
          {hint}
        </span>
      )}
    </>
  );
}
