/**
 * A customer record system's own page, with a policy of its own, has a telephone: one script tag, plain functions and
 * nothing but scripts. A page that the site has not named gets nothing.
 */

import assert from "node:assert/strict";
import http from "node:http";
import { CENTRE, happen, sampleStory } from "./sample.mjs";

const [, , origin] = process.argv;
const desk = new URL(CENTRE.desktop).origin;

const PAGE = `<!doctype html><html lang="en"><head><title>CRM</title>
<script src="${desk}/client/uaserver.js" data-transports="jsonp"></script><script src="/page.js" defer></script>
</head><body><h1>Customer 4711</h1><p id="mode">nothing yet</p><p id="call">no call</p><ul id="log"></ul></body></html>`;

// As written fifteen years ago: no promises, no modules.
const SCRIPT = `
function write(id, text) { document.getElementById(id).textContent = text; }
uaserver.RegisterEventHandler(function () {
  var event;
  while ((event = uaserver.GetEvent()) !== null) {
    if (event.type === "view-changed" && event.view) {
      write("mode", event.view.agent.mode);
      write("call", event.view.calls.length ? event.view.calls[0].state : "no call");
    }
    if (event.type === "session-ended") write("mode", "ended: " + event.reason);
  }
});
function logIn() {
  uaserver.Login("5015", "2015", "1234", function (error) { if (error) write("mode", "error: " + error.id); });
}
`;

/** @param {string} port */
async function serve(port) {
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.writeHead(200, {
      "Content-Type": isScript ? "text/javascript" : "text/html",
      "Content-Security-Policy": `default-src 'none'; script-src 'self' ${desk}; connect-src ${desk}; img-src data:`,
    });
    response.end(isScript ? SCRIPT : PAGE);
  });
  await new Promise((listening) => server.listen(Number(port), "127.0.0.1", () => listening(undefined)));
  return server;
}

const crm = await serve(new URL(origin).port);
const other = await serve("0");

await sampleStory("foreign-origin", async (open) => {
  const { page, ...sample } = await open(`${origin}/`);
  const mode = (/** @type {string} */ text) => page.locator("#mode", { hasText: new RegExp(`^${text}$`) }).waitFor();
  const call = (/** @type {string} */ text) => page.locator("#call", { hasText: new RegExp(`^${text}$`) }).waitFor();
  await page.evaluate("logIn()");
  await mode("not-ready");
  await page.evaluate('uaserver.SetState("ready")');
  await mode("ready");
  await happen(CENTRE.aes, "/calls", { number: "5015", caller: "02079460125", talk_s: 600 });
  await call("alerting");
  await page.evaluate("uaserver.AnswerCall()");
  await call("active");
  await page.evaluate("uaserver.HangUpCall()");
  await call("no call");
  const token = await page.evaluate('JSON.parse(sessionStorage.getItem("unified-agent.session")).token');
  for (const { url } of sample.asked) assert.ok(!url.href.includes(token), url.pathname);
  assert.deepEqual(sample.sockets, []);
  await page.evaluate("uaserver.Logout()");
  await mode("ended: agent");

  const { page: stranger, faults } = await open(`http://127.0.0.1:${/** @type {any} */ (other.address()).port}/`);
  await stranger.evaluate("logIn()");
  await stranger.locator("#mode", { hasText: "error: " }).waitFor();
  faults.length = 0; // that the browser complains is what is expected here
}).finally(() => {
  crm.close();
  other.close();
});
