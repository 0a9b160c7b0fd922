/** Times on screen: one clock that ticks each second, on the server's time, and how durations are written. */

import { signal } from "@preact/signals";
import { Timer } from "../client/index.js";
import { locale } from "./text.js";

/** The present on the server's clock, ms since 1970; moves once a second. */
export const now = signal(Date.now());

/** Lets the clock tick. @param serverNow the server's clock. @returns a function that stops it. */
export function keepTime(serverNow: () => number): () => void {
  const tick = new Timer(() => {
    now.value = serverNow();
    // To the next full second, so that all timers on screen turn together.
    tick.start(1_000 - (now.value % 1_000));
  });
  now.value = serverNow();
  tick.start(0);
  return () => tick.stop();
}

/** Ms since an instant, never negative: clocks may disagree by a little. */
export function elapsedMs(since: string): number {
  return Math.max(0, now.value - Date.parse(since));
}

/** Writes a duration: `0:07`, `12:34`, `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Writes the time of day as the agent is used to, with seconds when they matter. */
export function timeOfDay(at: string | number, withSeconds = false): string {
  const style: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  if (withSeconds) style.second = "2-digit";
  return new Intl.DateTimeFormat(locale.value, style).format(new Date(at));
}

/** Writes a day and time, as given: it is in the dialler's calendar, not in ours. */
export function dayAndTime(date: string, time: string): string {
  const style: Intl.DateTimeFormatOptions = { dateStyle: "full", timeStyle: "short", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale.value, style).format(new Date(`${date}T${time}:00Z`));
}
