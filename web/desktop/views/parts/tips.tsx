/** One tip for the whole page, beside whatever the pointer rests on or the keyboard is at. The same words are in the
 *  page for screen readers, so this one is hidden from them. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Timer } from "../../../client/index.js";

/** The pointer must rest for so long, ms; the keyboard does not wait. */
const REST_MS = 350;
const GAP_PX = 6;

export function Tips(): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let at: Element | null = null;
    const show = (): void => {
      const tip = at?.isConnected ? at.getAttribute("data-tip") : null;
      if (!box.current || !at || !tip) return;
      box.current.textContent = tip;
      box.current.hidden = false;
      // A dialog lies above everything else of the page: the tip must lie in it to be seen.
      (at.closest("dialog") ?? document.body).append(box.current);
      place(box.current, at.getBoundingClientRect());
    };
    const rest = new Timer(show);
    const hide = (): void => {
      rest.stop();
      at = null;
      if (box.current) box.current.hidden = true;
    };
    const over = (event: Event): void => {
      const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
      if (target === at) return;
      hide();
      at = target;
      if (!target) return;
      if (event.type === "pointerover") rest.start(REST_MS);
      else if (target.matches(":focus-visible")) show();
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === "Escape") hide();
    };
    const listened: [string, EventListener][] = [
      ["pointerover", over],
      ["focusin", over],
      ["focusout", hide],
      ["pointerdown", hide],
      ["keydown", key as EventListener],
      ["scroll", hide],
    ];
    for (const [name, listener] of listened) document.addEventListener(name, listener, true);
    return () => {
      rest.stop();
      for (const [name, listener] of listened) document.removeEventListener(name, listener, true);
    };
  }, []);
  return <div class="tip" ref={box} hidden aria-hidden="true" />;
}

function place(box: HTMLElement, beside: DOMRect): void {
  const { width, height } = box.getBoundingClientRect();
  const left = Math.min(Math.max(4, beside.left + beside.width / 2 - width / 2), innerWidth - width - 4);
  const below = beside.bottom + GAP_PX;
  const top = below + height < innerHeight ? below : beside.top - height - GAP_PX;
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}
