/** The server freezes: nothing is closed, others say that it is dead or its guardian kills it, and the desk goes on. */

import assert from "node:assert/strict";
import { CENTRE, clusterStory, happen, keep, serverOf, strike, took, truth, Watch } from "./cluster.mjs";

await clusterStory("frozen", async (desk) => {
  const { page } = desk;
  await desk.logIn("5002", "2002");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: "5002", caller: "02079460124", talk_s: 600 });
  await desk.shows("Call arriving");
  await desk.press("Answer");
  await desk.shows("On a call");

  const watch = await Watch.over(page);
  const before = await serverOf(desk);
  const struckMs = Date.now();
  strike(before, "SIGSTOP");
  await page.locator(".banner").waitFor();
  await keep(desk, "noticed");
  await desk.reads("You are at another server now. Nothing was lost.");
  await keep(desk, "moved");
  await took("frozen: to the first word", struckMs, await watch.firstShownMs(/./, struckMs), 8);
  await took("frozen: to the true view", struckMs, await watch.trueAgainMs(struckMs), 12);
  await watch.sawNoOtherPage();
  assert.notEqual(await serverOf(desk), before);

  await desk.shows("On a call");
  await desk.reads("02079460124");
  await desk.press("Hang up");
  await desk.shows("Ready");
  assert.equal((await truth(CENTRE.aes)).agents["5002"].work_mode, "autoIn");
  await desk.leave();
});
