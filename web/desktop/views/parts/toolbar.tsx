/** A row of buttons that is one stop of the Tab key; arrow keys move within. */

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface ToolbarProps {
  readonly label: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

const STEPS: Readonly<Record<string, (at: number, length: number) => number>> = {
  ArrowRight: (at, length) => (at + 1) % length,
  ArrowLeft: (at, length) => (at - 1 + length) % length,
  ArrowDown: (at, length) => (at + 1) % length,
  ArrowUp: (at, length) => (at - 1 + length) % length,
  Home: () => 0,
  End: (_, length) => length - 1,
};

export function Toolbar({ label, children, class: name = "" }: ToolbarProps): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const buttons = (): HTMLElement[] => [
    ...(bar.current?.querySelectorAll<HTMLElement>(":scope > button, :scope > .menu > button") ?? []),
  ];
  const stopAt = (stop: HTMLElement | undefined): void => {
    for (const each of buttons()) each.tabIndex = each === stop ? 0 : -1;
  };
  useLayoutEffect(() => {
    const all = buttons();
    stopAt(
      all.find((each) => each.tabIndex === 0 && each === document.activeElement) ??
        all.find((each) => each.tabIndex === 0) ??
        all[0],
    );
  });
  return (
    <div
      ref={bar}
      class={`toolbar ${name}`}
      role="toolbar"
      aria-label={label}
      onFocusIn={(event: FocusEvent) => {
        const target = event.target as HTMLElement;
        if (buttons().includes(target)) stopAt(target);
      }}
      onKeyDown={(event) => {
        const all = buttons();
        const at = all.indexOf(event.target as HTMLElement);
        const step = STEPS[event.key];
        if (at < 0 || !step || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        all[step(at, all.length)]?.focus();
      }}
    >
      {children}
    </div>
  );
}
