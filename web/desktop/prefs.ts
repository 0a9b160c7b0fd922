/** What the agent chose for this computer. Kept in `localStorage`; nothing secret is in it. */

import { effect, signal } from "@preact/signals";

export interface Prefs {
  readonly theme: "auto" | "light" | "dark";
  /** A language's two letters, or empty for the browser's. */
  readonly language: string;
  /** 0 to 1. */
  readonly volume: number;
  readonly soundCall: boolean;
  readonly soundMessage: boolean;
  readonly soundLost: boolean;
  readonly notify: boolean;
  readonly quiet: boolean;
  readonly shortcuts: boolean;
  /** What was typed at the last login, without passwords. */
  readonly login: {
    readonly agent: string;
    readonly station: string;
    readonly withDialler: boolean;
    readonly diallerName: string;
    /** Empty when the same as the station. */
    readonly headset: string;
    readonly job: string;
  };
}

export const DEFAULT_PREFS: Prefs = {
  theme: "auto",
  language: "",
  volume: 0.6,
  soundCall: true,
  soundMessage: true,
  soundLost: true,
  notify: false,
  quiet: false,
  shortcuts: true,
  login: { agent: "", station: "", withDialler: true, diallerName: "", headset: "", job: "" },
};

const KEPT_AS = "unified-agent.prefs";

export const prefs = signal<Prefs>(read());

/** Changes some of them. */
export function choose(news: Partial<Prefs>): void {
  prefs.value = { ...prefs.value, ...news };
}

/** Whether the page is dark now. */
export function isDark(): boolean {
  const { theme } = prefs.value;
  return theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** Keeps the choices, and puts the theme on the page. Called once. */
export function keepPrefs(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = prefs.value.theme;
    try {
      localStorage.setItem(KEPT_AS, JSON.stringify(prefs.value));
    } catch {
      // a browser that keeps nothing: the choices hold until the page is closed
    }
  });
}

/** Takes what is of the right type, and the default for the rest: an older page may have written it. */
function read(): Prefs {
  let kept: unknown = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "null");
  } catch {
    // damaged, or a browser that keeps nothing
  }
  return fitted(kept, DEFAULT_PREFS);
}

function fitted<Shape extends object>(kept: unknown, shape: Shape): Shape {
  if (typeof kept !== "object" || kept === null) return shape;
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(shape)) {
    const found = (kept as Record<string, unknown>)[name];
    if (typeof value === "object" && value !== null) result[name] = fitted(found, value as object);
    else result[name] = typeof found === typeof value ? found : value;
  }
  return result as Shape;
}
