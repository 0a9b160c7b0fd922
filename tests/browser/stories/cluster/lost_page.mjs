/** The server of a page that gets through by something else than a WebSocket freezes, or is killed: it goes on elsewhere. */

import assert from "node:assert/strict";
import { sampleStory } from "../transports/sample.mjs";
import { CENTRE, happen, strike, took, truth } from "./cluster.mjs";

const [, , transport, how, agent, station] = process.argv;
const signal = how === "frozen" ? "SIGSTOP" : "SIGKILL";
const page = transport === "jsonp" ? "jsonp" : "module";

await sampleStory(`cluster-${how}-${transport}`, async (open) => {
  const sample = await open(`${CENTRE.desktop}/samples/${page}/index.html?transports=${transport}`);
  const status = sample.page.locator("[data-at=status]");
  await sample.logIn(agent, station);
  await sample.shows("Not ready");
  await sample.press("Ready");
  await sample.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: agent, caller: "02079460126", talk_s: 600 });
  await sample.shows("A call is ringing");
  await sample.press("Answer");
  await sample.shows("On a call");
  const [, before = ""] = /Connected to (\S+)\.$/.exec((await status.textContent()) ?? "") ?? [];

  const struckMs = Date.now();
  strike(before, signal);
  await sample.page.waitForFunction(
    (name) => {
      const text = document.querySelector("[data-at=status]")?.textContent ?? "";
      return text.startsWith("Connected to") && !text.includes(name);
    },
    before,
    { timeout: 40_000 },
  );
  await sample.shows("On a call");
  // A poll is held for 8 s, and only then does silence mean something, if the guardian has not killed it before.
  await took(`${how}, by ${transport}: to the true view`, struckMs, Date.now(), 30);
  const polls = { poll: /^\/v1\/events\/poll$/, jsonp: /^\/v1\/jsonp\/poll$/, stream: /^\/v1\/events$/ }[transport];
  assert.ok(sample.count(polls) > 0);
  assert.deepEqual(sample.sockets, []);

  await sample.press("Hang up");
  await sample.shows("Ready");
  assert.equal((await truth(CENTRE.aes)).agents[agent].work_mode, "autoIn");
  await sample.leave();
});
