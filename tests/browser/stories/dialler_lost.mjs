/** The dialler dies under an agent with a customer on the line: the next one takes over, and what was typed is kept. */

import { CENTRE, happen, story, truth, until } from "./desk.mjs";

const [first, second] = CENTRE.diallers;

await story("dialler-lost", async (desk) => {
  const { page } = desk;
  await desk.logIn("5005", "2005", { name: "agent0005", job: "SPRING25" });
  await desk.reads("Paused in SPRING25");
  await desk.press("Take calls");
  await page.locator(".item--on-call").waitFor();
  await page.getByLabel("Notes").fill("Half a sentence");
  await page.waitForTimeout(1_500);

  // With the second at hand the agent is moved within moves of the eye: it is kept away until the page was looked at.
  await happen(second, "/connections/accept", { accept: false });
  await happen(first, "/dialler/down", { announce: false });
  await page.locator(".banner--bad", { hasText: "No dialler since" }).waitFor();
  await desk.reads("Half a sentence");
  await desk.look("lost");

  await happen(second, "/connections/accept", { accept: true });
  await until("the second dialler serves the agent", async () =>
    JSON.stringify((await truth(second)).agents).includes("agent0005"),
  );
  await page.locator(".banner--bad").waitFor({ state: "detached" });
  await page.locator(".dialler-bar__name", { hasText: "pc-2" }).waitFor();
  await desk.look("moved");
});
