/** A page is refreshed after its session has moved, and outlives the server that it was loaded from. */

import assert from "node:assert/strict";
import { clusterStory, keep, order, serverOf, strike, took, until, Watch } from "./cluster.mjs";

await clusterStory("refreshed", async (desk) => {
  const { page } = desk;
  await desk.logIn("5007", "2007");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  assert.equal(await serverOf(desk), "ua-1");
  await order("ua-3", "move", "5007", "--to", "ua-2");
  await until("the session is at the other server", async () => (await serverOf(desk)) === "ua-2");

  await page.reload();
  await desk.shows("Ready");
  assert.equal(await serverOf(desk), "ua-2");
  await keep(desk, "refreshed");

  const watch = await Watch.over(page);
  strike("ua-1", "SIGKILL");
  await page.waitForTimeout(1_500);
  await watch.sawOnly();
  await watch.sawNoOtherPage();
  const struckMs = Date.now();
  strike("ua-2", "SIGKILL");
  await desk.reads("You are at another server now. Nothing was lost.");
  await took("refreshed: to the true view", struckMs, await watch.trueAgainMs(struckMs), 8);
  await desk.shows("Ready");
  assert.equal(await serverOf(desk), "ua-3");
  await watch.sawNoOtherPage();
  await desk.leave();
});
