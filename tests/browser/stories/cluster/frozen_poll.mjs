/** The server freezes while a page polls: nothing is closed and no beat is missing, and the page goes on elsewhere. */

import assert from "node:assert/strict";
import { sampleStory } from "../transports/sample.mjs";
import { CENTRE, happen, strike, took, truth } from "./cluster.mjs";

await sampleStory("cluster-frozen-poll", async (open) => {
  const sample = await open(`${CENTRE.desktop}/samples/module/index.html?transports=poll`);
  const status = sample.page.locator("[data-at=status]");
  await sample.logIn("5009", "2009");
  await sample.shows("Not ready");
  await sample.press("Ready");
  await sample.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: "5009", caller: "02079460126", talk_s: 600 });
  await sample.shows("A call is ringing");
  await sample.press("Answer");
  await sample.shows("On a call");
  const [, before = ""] = /Connected to (\S+)\.$/.exec((await status.textContent()) ?? "") ?? [];

  const struckMs = Date.now();
  strike(before, "SIGSTOP");
  await sample.page.waitForFunction(
    (name) => {
      const text = document.querySelector("[data-at=status]")?.textContent ?? "";
      return text.startsWith("Connected to") && !text.includes(name);
    },
    before,
    { timeout: 40_000 },
  );
  await sample.shows("On a call");
  // No beat says that it is gone: a poll is held for 8 s, and then silence begins to mean something.
  await took("frozen, by poll: to the true view", struckMs, Date.now(), 30);
  assert.ok(sample.count(/^\/v1\/events\/poll$/) > 0);
  assert.deepEqual(sample.sockets, []);

  await sample.press("Hang up");
  await sample.shows("Ready");
  assert.equal((await truth(CENTRE.aes)).agents["5009"].work_mode, "autoIn");
  await sample.leave();
});
