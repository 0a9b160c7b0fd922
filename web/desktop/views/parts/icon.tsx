/** Drawn signs, 20 × 20, in the colour of the text beside them. Never the only word for a thing. */

import type { JSX } from "preact";
import type { WorkMode } from "../../../client/index.js";

/** Lines unless said otherwise. */
const PATHS = {
  phone: "M4.2 3.2c-.7 8 5.6 13.6 12.6 12.6l.2-3.6-3.8-1.3-1.7 1.8C9.3 11.6 8.2 10.4 7.3 8.5l1.8-1.7L7.8 3z",
  pause: "M7 4.5v11M13 4.5v11",
  play: "M6.5 4.5v11l9-5.5z",
  ask: "M3.5 5h13v8.5H9l-3.5 3v-3h-2z",
  send: "M3.5 10h12M11 5.5l4.5 4.5-4.5 4.5",
  add: "M10 4v12M4 10h12",
  swap: "M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3",
  join: "M3.5 6c4.5 0 5 4 8.5 4h4.5M3.5 14c4.5 0 5-4 8.5-4M13.5 7l3 3-3 3",
  together:
    "M10 8a2.3 2.3 0 1 0 0-4.6A2.3 2.3 0 0 0 10 8zM5 16.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM15 16.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM8.9 8 6.2 12M11.1 8l2.7 4M7.3 14.2h5.4",
  back: "M8 5 4 9l4 4M4.5 9H12a4 4 0 0 1 4 4v2",
  search: "M13 13l4 4M8.5 14a5.5 5.5 0 1 1 0-11 5.5 5.5 0 0 1 0 11z",
  settings:
    "M3 6h8M15 6h2M3 14h2M9 14h8M13 8.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM7 16.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  mail: "M3 5h14v10H3zM3.5 5.5 10 11l6.5-5.5",
  leave: "M8 4H4v12h4M8.5 10H17M13.5 6.5 17 10l-3.5 3.5",
  check: "M4 10.5l4 4 8-9",
  cross: "M5 5l10 10M15 5 5 15",
  copy: "M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4",
  server: "M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6.2 6.5h.2M6.2 13.5h.2",
  down: "M5.5 8l4.5 4.5L14.5 8",
  headset: "M4 12v-1.5a6 6 0 0 1 12 0V12M4 11.5h2.5v4.5H4zM13.5 11.5H16v4.5h-2.5z",
  calendar: "M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5",
  sun: "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM10 2.5v1.8M10 15.7v1.8M2.5 10h1.8M15.7 10h1.8M4.7 4.7 6 6M14 14l1.3 1.3M15.3 4.7 14 6M6 14l-1.3 1.3",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1 1-1.1 1.8M10 14.4v.2M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z",
  refresh: "M15.5 8A6 6 0 1 0 16 11M16 4v4h-4",
  in: "M15 5 6 14M6 7.5V14h6.5",
  out: "M5 15l9-9M7.5 6H14v6.5",
  alert: "M10 3l7.5 13.5h-15zM10 8v4M10 14v.2",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4.2l2.8 1.8",
  person: "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c.5-3.5 3-5 6-5s5.5 1.5 6 5",
  eye: "M2.5 10C4.5 6.5 7 5 10 5s5.5 1.5 7.5 5c-2 3.5-4.5 5-7.5 5s-5.5-1.5-7.5-5zM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
} as const;

const DOTS = [5, 10, 15];

export type IconName = keyof typeof PATHS | "keypad" | "hang-up";

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon--${name}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {name === "keypad" ? (
        DOTS.flatMap((y) => DOTS.map((x) => <circle key={`${x} ${y}`} cx={x} cy={y} r="1.6" />))
      ) : (
        <path d={PATHS[name === "hang-up" ? "phone" : name]} />
      )}
    </svg>
  );
}

/** One shape for each work mode, told apart without colour. */
export function Shape({ mode }: { readonly mode: WorkMode }): JSX.Element {
  return (
    <svg class={`shape shape--${mode}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {shapeOf(mode)}
    </svg>
  );
}

function shapeOf(mode: WorkMode): JSX.Element {
  switch (mode) {
    case "ready":
      return <circle cx="10" cy="10" r="8" />;
    case "not-ready":
      return <path d="M10 2l9 15.5H1z" />;
    case "talking":
      return <rect x="2.5" y="2.5" width="15" height="15" rx="2" />;
    case "holding":
      return (
        <path
          fill-rule="evenodd"
          d="M4.5 2.5h11a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM7 6v8h2V6zM11 6v8h2V6z"
        />
      );
    case "reserved":
      return (
        <path
          fill-rule="evenodd"
          d="M4.5 2.5h11a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM4.8 4.8v10.4h10.4V4.8zM10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6z"
        />
      );
    case "previewing":
      return (
        <path
          fill-rule="evenodd"
          d="M4.5 2.5h11a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM5 5v10h10V5z"
        />
      );
    case "wrap-up":
      return <path d="M10 1l9 9-9 9-9-9z" />;
    case "logged-out":
    case "unknown":
      return <circle class="shape__dashed" cx="10" cy="10" r="7.5" />;
  }
}
