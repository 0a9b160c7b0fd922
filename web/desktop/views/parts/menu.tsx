/** A button with a list of choices below it. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Action, type ActionProps } from "./action.js";

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly note?: string;
  readonly chosen?: boolean;
}

export interface MenuProps extends Omit<ActionProps, "onPress" | "expanded" | "haspopup"> {
  readonly title: string;
  readonly choices: readonly Choice[];
  readonly onChoose: (id: string) => void;
}

export function Menu({ title, choices, onChoose, ...button }: MenuProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const items = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
  useEffect(() => {
    if (!isOpen) return undefined;
    (items().find((each) => each.ariaChecked === "true") ?? items()[0])?.focus();
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  return (
    <div
      class="menu"
      ref={box}
      onKeyDown={(event) => {
        if (!isOpen) return;
        const all = items();
        const at = all.indexOf(document.activeElement as HTMLElement);
        const digit = /^[1-9]$/.test(event.key) ? all[Number(event.key) - 1] : undefined;
        if (event.key === "Escape") close();
        else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
        else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
        else if (event.key === "Home") all[0]?.focus();
        else if (event.key === "End") all.at(-1)?.focus();
        else if (digit) digit.click();
        else {
          if (event.key === "Tab") setOpen(false);
          return;
        }
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <Action {...button} haspopup="menu" expanded={isOpen} onPress={() => setOpen(!isOpen)} />
      {isOpen && (
        <div class="menu__list" role="menu" aria-label={title}>
          <p class="menu__title" aria-hidden="true">
            {title}
          </p>
          {choices.map((choice, index) => (
            <button
              key={choice.id}
              type="button"
              class="menu__item"
              role="menuitemradio"
              aria-checked={choice.chosen === true}
              tabIndex={-1}
              onClick={() => {
                onChoose(choice.id);
                close();
              }}
            >
              <span class="menu__key" aria-hidden="true">
                {index < 9 ? index + 1 : ""}
              </span>
              <span class="menu__label">{choice.label}</span>
              {choice.note && <span class="menu__note">{choice.note}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
