/** What is else asked by plain requests, asked by script elements: public things, and how a command stands. */

import { openedJsonp, type Told } from "./jsonp.js";
import { askByScript } from "./script.js";

/** One request, ms, unless its caller gives it up before. */
const REQUEST_LIMIT_MS = 5_000;

const PUBLIC = /^\/v1\/(config|topology|witness|entry)$/;
const STANDING = /^\/v1\/session\/commands\/([^/]+)(\/resolve)?$/;

/** Whether a request can be asked so. A login cannot: its password would be in an address. */
export function isAskable(url: string, { method = "GET" }: RequestInit): boolean {
  const { origin, pathname } = new URL(url, location.href);
  if (STANDING.test(pathname)) return openedJsonp(origin) !== undefined;
  return method === "GET" && PUBLIC.test(pathname);
}

/** Asks, and answers as `fetch` would. Rejects when nobody answers. */
export async function jsonpFetch(url: string, init: RequestInit): Promise<Response> {
  const { origin, pathname, searchParams } = new URL(url, location.href);
  const signal = init.signal || new AbortController().signal;
  const [, id, resolve] = STANDING.exec(pathname) || [];
  let told: Told | null | undefined;
  if (id !== undefined) {
    const { command } = JSON.parse(String(init.body ?? "{}")) as { command?: unknown };
    const what = resolve ? "resolve" : "outcome";
    told = await openedJsonp(origin)?.standing(what, decodeURIComponent(id), command, signal);
  } else {
    const asked = `${origin}/v1/jsonp/${(PUBLIC.exec(pathname) as RegExpExecArray)[1] as string}`;
    told = (await askByScript(asked, Object.fromEntries(searchParams), REQUEST_LIMIT_MS, signal)) as Told | null;
  }
  if (!told) throw new TypeError("nobody answered");
  const { ok, result, error } = told;
  return new Response(JSON.stringify(ok ? result : error), { status: ok ? 200 : (error?.status ?? 500) });
}
