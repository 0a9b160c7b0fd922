/** The store stops answering: nobody notices. A server dies meanwhile: its agents are attached elsewhere and told what
 *  they wait for; when the store is back they are served. */

import assert from "node:assert/strict";
import { CENTRE, clusterStory, happen, keep, serverOf, strike, strikeStore, took, Watch } from "./cluster.mjs";

await clusterStory("no-store", async (desk) => {
  const { page } = desk;
  await desk.logIn("5008", "2008");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");

  const watch = await Watch.over(page);
  const before = await serverOf(desk);
  strikeStore("SIGSTOP");
  await page.waitForTimeout(5_000); // more than a lease
  await happen(CENTRE.aes, "/calls", { number: "5008", caller: "02079460126", talk_s: 600 });
  await desk.shows("Call arriving");
  await desk.press("Answer");
  await desk.shows("On a call");
  await watch.sawOnly();
  await watch.sawNoOtherPage();
  assert.equal(await serverOf(desk), before);

  const struckMs = Date.now();
  strike(before, "SIGKILL");
  await desk.reads("Connected to another server, which waits to take over.");
  await desk.reads("The servers cannot reach their shared store.");
  await keep(desk, "waits");
  await took("no store: to the last record elsewhere", struckMs, Date.now(), 10);
  await page.locator(".desk--old").waitFor();
  await desk.reads("02079460126");

  const backMs = Date.now();
  strikeStore("SIGCONT");
  await desk.reads("You are at another server now. Nothing was lost.");
  await keep(desk, "moved");
  await took("store back: to the true view", backMs, await watch.trueAgainMs(struckMs), 15);
  await watch.sawNoOtherPage();
  await desk.shows("On a call");
  await desk.reads("02079460126");
  await desk.press("Hang up");
  await desk.shows("Ready");
  await desk.leave();
});
