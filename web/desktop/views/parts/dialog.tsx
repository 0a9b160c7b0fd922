/** A native dialog: keeps the keyboard within, closes on Escape, gives the focus back. */

import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../../text.js";
import { Action } from "./action.js";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
  /** The title is for screen readers only. */
  readonly bare?: boolean;
}

/** Shown for as long as it is rendered. */
export function Dialog({ title, onClose, children, wide = false, bare = false }: DialogProps): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key: who presses Ctrl+K and goes on typing must not type into nothing.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    box.current?.showModal();
    return () => {
      box.current?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? "dialog dialog--wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === box.current) onClose();
      }}
    >
      <div class={bare ? "dialog__body dialog__body--bare" : "dialog__body"}>
        <header class={bare ? "unseen" : "dialog__head"}>
          <h2 id={id}>{title}</h2>
          {!bare && <Action form="icon" tone="quiet" icon="cross" label={t("close")} onPress={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}
