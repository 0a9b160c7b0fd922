/** Every command in one list, found by typing. */

import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { say } from "../alerts.js";
import { paletteCommands, type PaletteCommand } from "../commands.js";
import { dialog } from "../keys.js";
import { config, view } from "../store.js";
import { t, word } from "../text.js";
import { Dialog } from "./parts/dialog.js";

export function Palette(): JSX.Element | null {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  useEffect(() => {
    list.current?.querySelector(".is-active")?.scrollIntoView({ block: "nearest" });
  });
  if (!view.value) return null;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = paletteCommands(view.value, config.value)
    .filter((each) => words.every((part) => `${each.label} ${each.about}`.toLowerCase().includes(part)))
    // Possible ones first; the order within stays.
    .sort((a, b) => Number(a.blocked !== "") - Number(b.blocked !== ""));
  const active = found[Math.min(at, found.length - 1)];
  const run = (command: PaletteCommand): void => {
    if (command.blocked !== "") {
      say(word("blocked", command.blocked));
      return;
    }
    dialog.value = null;
    command.run();
  };
  return (
    <Dialog title={t("palette.title")} onClose={() => (dialog.value = null)} bare>
      <div class="palette">
        <input
          autoFocus
          class="palette__search"
          role="combobox"
          type="text"
          autocomplete="off"
          spellcheck={false}
          aria-label={t("palette.search")}
          placeholder={t("palette.search")}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active ? `${id}-${active.id}` : undefined}
          value={query}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (found.length === 0) return;
            if (event.key === "ArrowDown") setAt((at + 1) % found.length);
            else if (event.key === "ArrowUp") setAt((at - 1 + found.length) % found.length);
            else if (event.key === "Enter" && active) run(active);
            else return;
            event.preventDefault();
          }}
        />
        <ul
          class="palette__list"
          id={`${id}-list`}
          role="listbox"
          aria-label={t("palette.title")}
          ref={list}
          tabIndex={0}
        >
          {found.map((each) => (
            <li
              key={each.id}
              id={`${id}-${each.id}`}
              class={`palette__command${each === active ? " is-active" : ""}`}
              role="option"
              aria-selected={each === active}
              aria-disabled={each.blocked !== ""}
              onClick={() => run(each)}
            >
              <span class="palette__label">{each.label}</span>
              <span class="palette__about">{each.blocked === "" ? each.about : word("blocked", each.blocked)}</span>
              {each.keys !== "" && <kbd>{each.keys}</kbd>}
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="palette__none">{t("palette.none")}</p>}
      </div>
    </Dialog>
  );
}
