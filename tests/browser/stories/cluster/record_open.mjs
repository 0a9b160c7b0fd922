/** The server dies while a record is open at the dialler: record and notes are left to be read, also what is typed while
 *  there is no server, and the job is joined again. */

import assert from "node:assert/strict";
import { CENTRE, clusterStory, comeBackLate, keep, serverOf, strike, took, truth, until, Watch } from "./cluster.mjs";

const [first] = CENTRE.diallers;

await clusterStory("record-open", async (desk) => {
  const { page } = desk;
  await comeBackLate(desk); // time to type
  await desk.logIn("5005", "2005", { name: "agent0005", job: "SPRING25" });
  await desk.reads("Paused in SPRING25");
  await desk.press("Take calls");
  await page.locator(".item--on-call").waitFor();
  const customer = await page.locator(".item__title").first().innerText();
  await page.getByLabel("Notes").fill("Wants the invoice on paper.");
  await page.locator(".notes__state--saved").waitFor();
  await keep(desk, "before");

  const watch = await Watch.over(page);
  const before = await serverOf(desk);
  const struckMs = Date.now();
  strike(before, "SIGKILL");
  await page.locator(".banner").waitFor();
  await page.getByLabel("Notes").fill("Wants the invoice on paper. Moved house.");
  await keep(desk, "noticed");
  await page.locator(".left").waitFor();
  await keep(desk, "left");
  await took("record open: to the true view", struckMs, await watch.trueAgainMs(struckMs), 8);
  assert.equal(await page.locator("#left-title").innerText(), customer);
  assert.match(await page.locator(".left__notes").innerText(), /Wants the invoice on paper\. Moved house\./);
  await desk.reads("The dialler has closed the open record; your notes are kept below.");
  await until("the dialler serves the agent in the job", async () =>
    (await truth(first)).agents.some(({ name, job }) => name === "agent0005" && job === "SPRING25"),
  );
  await took("record open: joined to the job", struckMs, Date.now(), 15);
  await watch.sawNoOtherPage();

  // It was taking calls, and goes on: the next customer comes while the one before is still to be read.
  await page.locator(".item--on-call").waitFor();
  await keep(desk, "next");
  assert.match(await page.locator(".left__notes").innerText(), /Wants the invoice on paper\. Moved house\./);
  await desk.press(/^Put away/);
  await page.locator(".left").waitFor({ state: "detached" });
  await keep(desk, "dismissed");
  await desk.press("Pause");
  await desk.press("Release line");
  await page.locator(".codes__code").first().click();
  await desk.press(/^Finish/);
  await desk.reads("Paused in SPRING25");
  await desk.leave();
});
