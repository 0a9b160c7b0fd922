/** An inbound call from the switch: answered, held, asked about, conferenced, ended; then after-call work and not ready. */

import assert from "node:assert/strict";
import { CENTRE, happen, story, truth, until } from "./desk.mjs";

await story("inbound", async (desk) => {
  await desk.logIn("5002", "2002");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  await desk.look("ready");

  await happen(CENTRE.aes, "/calls", {
    number: "8000",
    caller: "02079460123",
    user_data: "ACC=4711;LANG=hu",
    talk_s: 600,
  });
  await desk.shows("Call arriving");
  await desk.reads("02079460123");
  await desk.reads("4711");
  assert.match(await desk.page.title(), /02079460123/);
  await desk.look("alerting");
  // By its key, as a practised agent does.
  await desk.page.keyboard.press("Alt+Digit1");
  await desk.shows("On a call");
  await desk.look("talking");

  await desk.press("Hold");
  await desk.shows("On hold");
  await desk.press("Take back");
  await desk.shows("On a call");

  // Not ready is asked during the call: it waits, is shown, and can be taken back.
  await desk.press("Not ready");
  await desk.page.getByRole("menuitemradio", { name: "Lunch" }).click();
  await desk.reads("Not ready (Lunch) when this ends");
  await desk.look("pending");
  await desk.press("Take back");
  await desk.page.locator(".pending").waitFor({ state: "detached" });

  await desk.press("Consult");
  await desk.page.getByRole("combobox", { name: "Ask whom?" }).fill("02079460555");
  await desk.page.locator(".ask-number").getByRole("button", { name: "Consult" }).click();
  await desk.reads("02079460555");
  await desk.page.locator(".call--active").waitFor();
  await desk.look("consulting");
  await desk.press("Conference");
  await desk.page.locator(".call--conferenced").waitFor();
  assert.equal(await desk.page.locator(".call").count(), 1);
  await desk.look("conference");

  await desk.press("Hang up");
  await desk.page.locator(".call").waitFor({ state: "detached" });
  await desk.shows("Ready");
  await desk.press("Wrap-up");
  await desk.shows("Wrap-up");
  await desk.look("after-call-work");
  await desk.press("Not ready");
  await desk.page.keyboard.press("1");
  await desk.shows("Not ready");
  await desk.reads("Break");
  await until("the switch agrees", async () => (await truth(CENTRE.aes)).agents["5002"].reason === 1);
  assert.equal(
    await desk.page.locator(".recent__call").count(),
    1,
    "what was joined to another call has not ended twice",
  );
});
