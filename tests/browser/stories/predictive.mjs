/** Work for the dialler: a job joined, a customer on the line, a field changed, notes kept over a refresh, a callback,
 *  a completion code found by typing; and a preview. */

import assert from "node:assert/strict";
import { CENTRE, happen, story, truth, until } from "./desk.mjs";

const [first] = CENTRE.diallers;

await story("predictive", async (desk) => {
  const { page } = desk;
  await desk.logIn("5003", "2003", { name: "agent0003" });
  await desk.reads("Choose a job");
  await desk.look("jobs");
  await desk.press("Join: SPRING25");
  await desk.reads("Paused in SPRING25");
  await desk.press("Take calls");
  await page.locator(".item--on-call").waitFor();
  await desk.shows("On a call");
  await desk.look("on-call");

  await page.getByLabel("Bal", { exact: true }).fill("42.50");
  await page.getByLabel("Bal", { exact: true }).press("Enter");
  await page.locator(".field__saved").waitFor();
  await until("the dialler has it", async () => JSON.stringify(await truth(first)).includes("42.50"));

  await page.getByLabel("Notes").fill("Wants the paper invoice.");
  await page.locator(".notes__state--saved").waitFor();
  await page.waitForTimeout(1_500);
  await page.reload();
  await page.locator(".item--on-call").waitFor();
  assert.equal(await page.getByLabel("Notes").inputValue(), "Wants the paper invoice.");

  await desk.press("Hold");
  await desk.shows("On hold");
  await desk.press("Take back");
  await desk.shows("On a call");

  await desk.press("Callback");
  await desk.look("callback");
  await page.getByRole("button", { name: "Tomorrow 9:00" }).click();
  await page.getByRole("button", { name: "Set callback" }).click();
  await desk.reads("Callback set for");

  await desk.press("Release line");
  await desk.shows("Wrap-up");
  const codes = page.getByRole("combobox", { name: "Search code or text" });
  const wanted = page.locator(".codes__code").nth(1);
  const text = await wanted.locator(".codes__text").innerText();
  await codes.fill(text.slice(0, 5).toLowerCase());
  await codes.press("Enter");
  await desk.look("wrap-up");
  await codes.press("Control+Enter");
  await desk.page.locator(".item--line-gone").waitFor({ state: "detached" });

  // The next one comes by itself; then no more.
  await page.locator(".item--on-call").waitFor();
  await desk.press("Pause");
  await happen(first, "/calls/hang-up", { agent: "agent0003" });
  await desk.shows("Wrap-up");
  await page.locator(".codes__code").first().click();
  await desk.press(/^Finish/);
  await desk.reads("Paused in SPRING25");

  await happen(first, "/agents/message", { text: "Team meeting at 15:00", agents: ["agent0003"] });
  await desk.press(/^Messages, 1 new/);
  await desk.reads("Team meeting at 15:00");
  await desk.look("message");
  await page.keyboard.press("Escape");

  await desk.press("Leave job");
  await desk.reads("Choose a job");
  await desk.press("Join: PREVW01");
  await desk.reads("Paused in PREVW01");
  await desk.press("Take calls");
  await page.locator(".item--previewing").waitFor();
  await desk.shows("Previewing");
  await desk.look("preview");
  await desk.press("Dial now");
  await page.locator(".item--on-call, .item--line-gone").waitFor();
  await page.locator(".codes__code").first().click();
  await desk.press(/inish/);
});
