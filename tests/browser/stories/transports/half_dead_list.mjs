/** Of the servers that a page names some are dead: refused, silent, or no name at all. The login finds the one that lives. */

import assert from "node:assert/strict";
import net from "node:net";
import { CENTRE, sampleStory } from "./sample.mjs";

/** Takes connections and says nothing. */
const frozen = net.createServer((socket) => socket.on("error", () => undefined));
await new Promise((listening) => frozen.listen(0, "127.0.0.1", () => listening(undefined)));
const { port } = /** @type {net.AddressInfo} */ (frozen.address());
const gone = net.createServer();
await new Promise((listening) => gone.listen(0, "127.0.0.1", () => listening(undefined)));
const refused = /** @type {net.AddressInfo} */ (gone.address()).port;
await new Promise((closed) => gone.close(() => closed(undefined)));

await sampleStory("half-dead-list", async (open) => {
  const living = CENTRE.desktop.replace(/\/$/, "");
  const servers = [
    `http://127.0.0.1:${port}`,
    `http://127.0.0.1:${refused}`,
    "http://no-such-name.invalid",
    living,
  ];
  // The page's own policy lets it call its own server alone, so the page brings its own list to a page without one.
  const sample = await open(`${living}/samples/module/index.html?servers=${servers.join(",")}`, { bypassCSP: true });
  await sample.page.locator("[data-at=reason] option").nth(1).waitFor({ state: "attached" });
  const began = Date.now();
  await sample.logIn("5013", "2013");
  await sample.shows("Not ready");
  const took = Date.now() - began;
  console.log(`half-dead list: logged in after ${took} ms`);
  await sample.reads("Connected to desk-1.");

  // Each of the dead costs a third of a second at most, and the silent one not its whole limit.
  const asked = sample.asked.filter(({ url }) => url.pathname === "/v1/entry").map(({ url }) => url.origin);
  assert.ok(asked.includes(living), `asked: ${asked}`);
  await sample.leave();
}).finally(() => frozen.close());
