/** The work moves to the other datacentre by an order, and back again because all servers there have died. */

import assert from "node:assert/strict";
import { CENTRE, clusterStory, happen, keep, order, serverOf, strike, took, truth, urlOf, Watch } from "./cluster.mjs";

await clusterStory("datacentre", async (desk) => {
  const { page } = desk;
  // The page comes from the datacentre that does not serve: whoever logs in there is sent on.
  await page.goto(urlOf("west-1"));
  await page.locator("form.login").waitFor();
  await desk.logIn("5009", "2009");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  assert.match(await serverOf(desk), /^east/);
  await happen(CENTRE.aes, "/calls", { number: "5009", caller: "02079460127", talk_s: 600 });
  await desk.shows("Call arriving");
  await desk.press("Answer");
  await desk.shows("On a call");

  const watch = await Watch.over(page);
  const [, word] = (await order("east-1", "activate", "west")).match(/--confirm (\S+)/) ?? [];
  const orderedMs = Date.now();
  const ordered = order("east-1", "activate", "west", "--confirm", word);
  await page.locator(".banner").waitFor();
  await keep(desk, "leaving");
  await desk.reads("You are in datacentre west now.");
  await keep(desk, "in-west");
  await took("datacentre ordered: to the true view", orderedMs, await watch.trueAgainMs(orderedMs), 30);
  await ordered;
  assert.match(await serverOf(desk), /^west/);
  await desk.shows("On a call");
  await desk.reads("02079460127");
  await watch.sawNoOtherPage();

  const struckMs = Date.now();
  for (const name of ["west-1", "west-2"]) strike(name, "SIGKILL");
  await page.waitForTimeout(3_000);
  await keep(desk, "lost");
  await page.getByText("You are in datacentre east now.").waitFor({ timeout: 30_000 });
  await keep(desk, "in-east");
  await took("datacentre lost: to the true view", struckMs, await watch.trueAgainMs(struckMs), 30);
  assert.match(await serverOf(desk), /^east/);
  await desk.shows("On a call");
  await desk.reads("02079460127");
  await watch.sawNoOtherPage();
  assert.equal((await truth(CENTRE.aes)).agents["5009"].work_mode, "autoIn");
  await desk.press("Hang up");
  await desk.shows("Ready");
  await desk.leave();
});
