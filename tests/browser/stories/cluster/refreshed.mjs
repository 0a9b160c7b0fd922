/** A page is refreshed after its session has moved, and outlives the server that it was loaded from. */

import assert from "node:assert/strict";
import { clusterStory, keep, seat, serverOf, strike, took, Watch } from "./cluster.mjs";

await clusterStory("refreshed", async (desk) => {
  const { page } = desk;
  await desk.logIn("5007", "2007");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  // The page came from ua-1; the session goes to another, and in the end to the third.
  const [away, last] = (await serverOf(desk)) === "ua-2" ? ["ua-3", "ua-2"] : ["ua-2", "ua-3"];
  await seat(desk, "5007", away);

  await page.reload();
  await desk.shows("Ready");
  assert.equal(await serverOf(desk), away);
  await keep(desk, "refreshed");

  const watch = await Watch.over(page);
  strike("ua-1", "SIGKILL");
  await page.waitForTimeout(1_500);
  await watch.sawOnly();
  await watch.sawNoOtherPage();
  const struckMs = Date.now();
  strike(away, "SIGKILL");
  await desk.reads("You are at another server now. Nothing was lost.");
  await took("refreshed: to the true view", struckMs, await watch.trueAgainMs(struckMs), 8);
  await desk.shows("Ready");
  assert.equal(await serverOf(desk), last);
  await watch.sawNoOtherPage();
  await desk.leave();
});
