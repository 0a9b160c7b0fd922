/** The link to the switch is cut while the agent is on a call: the page says what works and what not, shows the way
 *  back, and ends where it began. */

import assert from "node:assert/strict";
import { CENTRE, happen, story, truth, until } from "./desk.mjs";

await story("aes-lost", async (desk) => {
  const { page } = desk;
  await desk.logIn("5004", "2004");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  await happen(CENTRE.aes, "/calls", { number: "8000", caller: "02079460123", talk_s: 600 });
  await desk.shows("Call arriving");
  await desk.press("Answer");
  await desk.shows("On a call");

  await happen(CENTRE.aes, "/connections/accept", { accept: false });
  await happen(CENTRE.aes, "/connections/cut", { how: "reset" });
  await desk.shows("Not known");
  await page.locator(".banner--bad", { hasText: "No telephone link since" }).waitFor();
  await desk.reads("The way back");
  await desk.look("lost");
  assert.equal(await page.locator(".call").count(), 0, "nothing from before the loss is shown as true");
  assert.equal(await desk.button("Ready").getAttribute("aria-disabled"), "true");

  await happen(CENTRE.aes, "/connections/accept", { accept: true });
  await desk.shows("On a call");
  await desk.reads("02079460123");
  await page.locator(".banner--bad").waitFor({ state: "detached" });
  await desk.look("back");
  await desk.press("Hang up");
  await page.locator(".call").waitFor({ state: "detached" });
  await until("the switch still has the agent", async () => "5004" in (await truth(CENTRE.aes)).agents);

  // The other kind: the socket lives, the switch behind it is gone.
  await happen(CENTRE.aes, "/link", { up: false });
  await desk.shows("Not known");
  await happen(CENTRE.aes, "/link", { up: true });
  await page.locator(".banner--bad").waitFor({ state: "detached" });
  await until("the agent is known again", async () => (await page.locator(".state__word").innerText()) !== "Not known");
});
