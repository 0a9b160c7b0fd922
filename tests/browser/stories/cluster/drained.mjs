/** A server is drained: an agent on a call is moved with the connection never lost; one with an open record stays until
 *  it is finished. */

import assert from "node:assert/strict";
import {
  CENTRE,
  clusterStory,
  happen,
  keep,
  order,
  seat,
  serverOf,
  sitDown,
  took,
  truth,
  until,
  urlOf,
  Watch,
  WINDOW,
} from "./cluster.mjs";

const [first] = CENTRE.diallers;

await clusterStory("drained", async (caller) => {
  await caller.logIn("5003", "2003");
  await caller.shows("Not ready");
  const leaving = await serverOf(caller);
  await caller.press("Ready");
  await caller.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: "5003", caller: "02079460125", talk_s: 600 });
  await caller.shows("Call arriving");
  await caller.press("Answer");
  await caller.shows("On a call");

  const worker = await sitDown(`${caller.story}-worker`, caller.browser, { url: urlOf(leaving), viewport: WINDOW });
  await worker.logIn("5004", "2004", { name: "agent0004", job: "SPRING25" });
  await worker.reads("Paused in SPRING25");
  await seat(worker, "5004", leaving);
  await worker.reads("Paused in SPRING25");
  await worker.press("Take calls");
  await worker.page.locator(".item--on-call").waitFor();
  await worker.page.getByLabel("Notes").fill("Will call back himself.");
  assert.deepEqual([await serverOf(caller), await serverOf(worker)], [leaving, leaving]);

  const watch = await Watch.over(caller.page);
  const watchOfWorker = await Watch.over(worker.page);
  const orderedMs = Date.now();
  const drained = order(leaving === "ua-2" ? "ua-1" : "ua-2", "drain", leaving);
  await caller.reads("You are at another server now. Nothing was lost.");
  await keep(caller, "moved");
  assert.notEqual(await serverOf(caller), leaving);
  await took(
    "drained: to the other server",
    orderedMs,
    await watch.firstShownMs(/You are at another server/, orderedMs),
    15,
  );
  await watch.sawNoOtherPage();
  await watch.sawOnly(/^This server is being serviced\.$/, /^You are at another server now\./);
  await caller.shows("On a call");
  await caller.reads("02079460125");
  await caller.press("Hang up");
  await caller.shows("Ready");

  await keep(worker, "record-open");
  assert.equal(await serverOf(worker), leaving, "whoever has a record open stays");
  await worker.page.locator(".item--on-call").waitFor();
  await worker.press("Release line");
  await worker.shows("Wrap-up");
  await worker.page.locator(".codes__code").first().click();
  await worker.press("Pause");
  await worker.press(/^Finish/);
  await worker.reads("Paused in SPRING25");
  await until("the worker is at another server", async () => (await serverOf(worker)) !== leaving);
  await worker.reads("You are at another server now. Nothing was lost.");
  await keep(worker, "moved");
  await watchOfWorker.sawNoOtherPage();
  await watchOfWorker.sawOnly(/^This server is being serviced\.$/, /^You are at another server now\./);
  await worker.reads("Paused in SPRING25");
  const served = (await truth(first)).agents.filter(({ name }) => name === "agent0004");
  assert.deepEqual(
    served.map(({ job }) => job),
    ["SPRING25"],
  );
  assert.match(await drained, /./);
  await caller.leave();
  await worker.leave();
});
