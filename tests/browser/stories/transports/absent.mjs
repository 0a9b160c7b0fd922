/** The file with the other ways cannot be had: the desktop works by WebSocket as if there were none. */

import assert from "node:assert/strict";
import { story } from "../desk.mjs";

await story("fallbacks-absent", async (desk) => {
  const { page } = desk;
  /** @type {string[]} */
  const asked = [];
  await page.route("**/ua-fallbacks.js", (route) => {
    asked.push(route.request().url());
    return route.abort();
  });
  await page.reload();
  await page.locator("form.login").waitFor();
  assert.equal(asked.length, 1);
  assert.equal(await page.evaluate(() => window.uaFallbacks), undefined);
  await desk.logIn("5020", "2020");
  await desk.shows("Not ready");
  await desk.press("Ready");
  await desk.shows("Ready");
  await desk.leave();
});
