/** The server dies under an agent on a call: the call goes on, the desk is back at another server, as it was before. */

import assert from "node:assert/strict";
import {
  CENTRE,
  clusterStory,
  happen,
  keep,
  serverOf,
  secondsOf,
  strike,
  took,
  truth,
  until,
  Watch,
} from "./cluster.mjs";

await clusterStory("killed", async (desk) => {
  const { page } = desk;
  await desk.logIn("5001", "2001");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: "5001", caller: "02079460123", user_data: "ACC=4711", talk_s: 600 });
  await desk.shows("Call arriving");
  await desk.press("Answer");
  await desk.shows("On a call");
  const [call] = Object.values((await truth(CENTRE.aes)).calls);
  await page.waitForTimeout(2_500); // long enough that a clock which began anew would show
  await keep(desk, "before");

  const watch = await Watch.over(page);
  const before = await serverOf(desk);
  const struckMs = Date.now();
  strike(before, "SIGKILL");
  await page.locator(".banner").waitFor();
  await keep(desk, "noticed");
  await desk.reads("You are at another server now. Nothing was lost.");
  await keep(desk, "moved");
  await took("killed: to the true view", struckMs, await watch.trueAgainMs(struckMs), 8);
  await watch.sawNoOtherPage();
  assert.notEqual(await serverOf(desk), before);

  await desk.shows("On a call");
  assert.equal(await page.locator(".call").count(), 1);
  const clocks = await page.locator(".state, .call, .call-info").locator(".elapsed > :first-child").allInnerTexts();
  assert.deepEqual(
    clocks.filter((each) => secondsOf(each) < 2),
    [],
    `all clocks go on: ${clocks}`,
  );
  await desk.reads("02079460123");
  await desk.reads("4711");
  const [same] = Object.values((await truth(CENTRE.aes)).calls);
  assert.equal(same.ucid, call.ucid, "the switch has had one call all the time");

  await desk.press("Hold");
  await desk.shows("On hold");
  await desk.press("Take back");
  await desk.shows("On a call");
  await desk.press("Hang up");
  await desk.shows("Ready");
  assert.equal((await truth(CENTRE.aes)).agents["5001"].work_mode, "autoIn");
  await desk.leave();
  await until("the switch agrees", async () => !("5001" in (await truth(CENTRE.aes)).agents));
});
