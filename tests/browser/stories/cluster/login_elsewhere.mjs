/** Somebody logs in at a server that does not have the session: it sends them to the one that has, and the first desk
 *  is told. */

import assert from "node:assert/strict";
import { CENTRE, clusterStory, keep, serverOf, sitDown, truth, urlOf, WINDOW } from "./cluster.mjs";

await clusterStory("login-elsewhere", async (desk) => {
  await desk.logIn("5006", "2006");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  const server = await serverOf(desk);
  const switchSince = (await truth(CENTRE.aes)).agents["5006"].since_s;

  const other = await sitDown(`${desk.story}-other`, desk.browser, { url: urlOf("ua-3"), viewport: WINDOW });
  await other.logIn("5006", "2006");
  await other.shows("Ready");
  assert.equal(await serverOf(other), server, "the session has not moved");
  await desk.reads("Another desktop");
  await keep(desk, "taken-over");
  await keep(other, "has-it");
  assert.equal((await truth(CENTRE.aes)).agents["5006"].since_s, switchSince, "the switch was asked for nothing");
  await other.leave();
});
