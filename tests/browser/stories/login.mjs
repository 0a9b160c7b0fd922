/** Logging in: refused in a sentence, then let in; a refresh changes nothing; logging out ends it. */

import assert from "node:assert/strict";
import { CENTRE, story, truth, until } from "./desk.mjs";

await story("login", async (desk) => {
  await desk.look("empty");
  await desk.logIn("5001", "2001", { password: "wrong" });
  await desk.reads("The switch refused agent or password.");
  await desk.look("refused");
  assert.equal(await desk.page.locator('[name="agent"]').inputValue(), "5001", "what is no secret is remembered");
  assert.equal(await desk.page.locator('[name="password"]').inputValue(), "");

  await desk.logIn("5001", "2999");
  await desk.reads("The switch does not know this station");

  await desk.logIn("5001", "2001");
  await desk.shows("Not ready");
  await desk.look("in");
  assert.deepEqual(Object.keys((await truth(CENTRE.aes)).agents), ["5001"]);

  await desk.press("Ready");
  await desk.shows("Ready");
  await desk.page.waitForTimeout(2_500);
  await desk.page.reload();
  await desk.shows("Ready");
  const [minutes, seconds] = (await desk.page.locator(".state .elapsed > span").first().innerText())
    .split(":")
    .map(Number);
  assert.ok(minutes * 60 + seconds >= 2, "the time in the mode goes on over a refresh");

  await desk.press("Log out");
  await desk.look("log-out");
  await desk.page.getByRole("dialog").getByRole("button", { name: "Log out" }).click();
  await desk.reads("You are logged out.");
  await until(
    "nobody is logged in at the switch",
    async () => Object.keys((await truth(CENTRE.aes)).agents).length === 0,
  );
});
