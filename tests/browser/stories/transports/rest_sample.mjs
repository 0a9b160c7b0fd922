/** The sample without the library: plain requests and a long poll, and what goes wrong said in a sentence. */

import assert from "node:assert/strict";
import { CENTRE, sampleStory } from "./sample.mjs";

await sampleStory("sample-rest", async (open) => {
  const sample = await open(`${CENTRE.desktop}samples/rest/index.html`, {
    viewport: { width: 360, height: 740 },
    colorScheme: "dark",
  });
  await sample.logIn("5019", "2019");
  await sample.work("5019");
  await sample.look("worked");
  assert.ok(sample.count(/^\/v1\/events\/poll$/) > 3);
  assert.deepEqual(sample.sockets, []);

  // The site wants a reason for not ready, and the sample was not given one.
  await sample.press("Not ready");
  await sample.reads("Choose a reason first.");
  await sample.look("refused");
  await sample.page.selectOption("[data-at=reason]", { label: "Lunch" });
  await sample.press("Not ready");
  await sample.shows("Not ready");
  await sample.leave();
  assert.equal(await sample.page.locator("[data-at=error]").isVisible(), false);
});
