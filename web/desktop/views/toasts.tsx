/** What was refused, in a sentence, for a while. It waits as long as the pointer or the keyboard is on it. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Timer } from "../../client/index.js";
import { dismissToast, toasts, type Toast } from "../store.js";
import { sentence, t, word } from "../text.js";
import { Action } from "./parts/action.js";
import { Icon } from "./parts/icon.js";

const SHOWN_MS = 9_000;

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        <OneToast key={toast.key} toast={toast} />
      ))}
    </div>
  );
}

function OneToast({ toast }: { readonly toast: Toast }): JSX.Element {
  const over = useRef(new Timer(() => dismissToast(toast.key)));
  useEffect(() => {
    const timer = over.current;
    timer.start(SHOWN_MS);
    return () => timer.stop();
  }, []);
  return (
    <div
      class={"text" in toast ? "toast toast--good" : "toast"}
      onPointerEnter={() => over.current.stop()}
      onPointerLeave={() => over.current.start(SHOWN_MS)}
      onFocusIn={() => over.current.stop()}
      onFocusOut={() => over.current.start(SHOWN_MS)}
    >
      <Icon name={"text" in toast ? "check" : "alert"} />
      <div class="toast__words">
        {"text" in toast ? (
          <p>{toast.text}</p>
        ) : (
          <>
            <strong>
              {t(toast.result.outcome === "unknown" ? "toast.unknown" : "toast.refused", {
                action: word("action", toast.result.type),
              })}
            </strong>
            <p>{sentence(toast.result.error, toast.result.detail)}</p>
          </>
        )}
      </div>
      <Action
        form="icon"
        tone="quiet"
        icon="cross"
        label={t("toast.dismiss")}
        onPress={() => dismissToast(toast.key)}
      />
    </div>
  );
}
