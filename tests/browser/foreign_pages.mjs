/** Pages of other origins in Chromium: what a listed one may load from us, and what one that is not listed may. */

import assert from "node:assert/strict";

import { launch } from "./chromium.mjs";

const { server, listed, foreign } = JSON.parse(process.argv[2] ?? "{}");

/** Loads a script, and returns what it called its function with, or "error". Runs in the page. */
const load = (/** @type {{ url: string, parameters: Record<string, string> }} */ { url, parameters }) =>
  new Promise((resolve) => {
    const element = document.createElement("script");
    Object.assign(window, { __ua_1: resolve });
    element.onerror = () => resolve("error");
    element.src = `${url}?${new URLSearchParams({ callback: "__ua_1", ...parameters })}`;
    document.head.append(element);
  });

/** Logs in from the page and gets a token for scripts. Runs in the page. */
const logIn = async (/** @type {string} */ url) => {
  const post = async (/** @type {string} */ path, /** @type {unknown} */ body, headers = {}) => {
    const answer = await fetch(url + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers },
    });
    return answer.json();
  };
  const session = await post("/v1/session", { agent: "2001", station: "4001", password: "1234" });
  const short = await post("/v1/session/jsonp", { client: "c1" }, { Authorization: `Bearer ${session.token}` });
  return { token: session.token, short };
};

/** Opens an event stream and returns its first events. Runs in the page. */
const stream = async (/** @type {{ url: string, token: string }} */ { url, token }) => {
  const answer = await fetch(`${url}/v1/events`, {
    method: "POST",
    body: JSON.stringify({ type: "hello", token, epoch: null, seq: null, client: "c1" }),
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
  });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes('"type":"ticket"')) text += (await reader.read()).value ?? "";
  await reader.cancel();
  return text.split("\n\n").filter(Boolean).map((each) => JSON.parse(each.replace("data: ", "")).type);
};

const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(listed);
  const { token, short } = await page.evaluate(logIn, server);
  const ask = (/** @type {string} */ path, /** @type {Record<string, string>} */ parameters) =>
    page.evaluate(load, { url: `${server}/v1/jsonp/${path}`, parameters });
  const known = { client: "c1", token: short.token };

  const opened = await ask("poll", { ...known, ack: "0", epoch: "", seq: "" });
  assert.deepEqual(opened.events.map((each) => each.type), ["welcome", "snapshot", "topology", "ticket"]);
  const command = JSON.stringify({ type: "set-mode", mode: "ready" });
  const asked = await ask("command", { ...known, id: "c1-1", command, nonce: opened.next_nonce });
  assert.equal(asked.result.id, "c1-1");
  const again = await ask("command", { ...known, id: "c1-2", command, nonce: opened.next_nonce });
  assert.equal(again.error.id, "jsonp.nonce", "a refusal is told by the script");
  assert.equal((await ask("config", {})).result.instance, "ua-1");
  assert.equal(await ask("config", { callback: "alert(1)" }), "error");

  assert.deepEqual(await page.evaluate(stream, { url: server, token }), [
    "opened",
    "welcome",
    "snapshot",
    "topology",
    "ticket",
  ]);
  await page.addScriptTag({ url: `${server}/client/ua-client.js` });
  await page.addScriptTag({ url: `${server}/client/ua-client.mjs`, type: "module" });

  const quiet = await browser.newPage();
  await quiet.goto(`${listed}/without-referrer`);
  const told = await quiet.evaluate(load, { url: `${server}/v1/jsonp/config`, parameters: {} });
  assert.equal(told.ok, true, "a page that sends no referrer is let in by what the browser says of the request");

  const other = await browser.newPage();
  await other.goto(foreign);
  for (const path of ["config", "poll"]) {
    const got = await other.evaluate(load, { url: `${server}/v1/jsonp/${path}`, parameters: { ...known, ack: "0" } });
    assert.equal(got, "error", "a foreign page gets no script");
  }
  await assert.rejects(other.evaluate(logIn, server), "nor may it log in");

  const answer = await other.goto(`${server}/v1/jsonp/config?callback=cb`).catch(() => null);
  assert.ok(answer === null || answer.status() === 403, "opened by itself it is no script");
} finally {
  await browser.close();
}
