/**
 * Something on the way lets no WebSocket through, and perhaps no stream: the desktop goes on by what gets through, says
 * nothing about it to the agent, and comes back to the best when that is to be had again.
 */

import assert from "node:assert/strict";
import { Proxy } from "../../proxy.mjs";
import { CENTRE, sitDown, story } from "../desk.mjs";

const [, , upgrades, buffering, agent, station] = process.argv;
const STREAM = /^POST \/v1\/events$/;
const POLL = /^POST \/v1\/events\/poll$/;
const SOCKET = /^UPGRADE/;

const proxy = new Proxy(CENTRE.desktop);
proxy.upgrades = upgrades;
proxy.buffersStreams = buffering === "buffering";
const url = await proxy.start();

await story(
  `downgrade-${upgrades}-${buffering}`,
  async (desk) => {
    const { page } = desk;
    await page.waitForFunction(() => window.uaFallbacks !== undefined);
    const began = Date.now();
    await desk.logIn(agent, station);
    await desk.shows("Not ready");
    console.log(`${upgrades}, ${buffering}: shown after ${Date.now() - began} ms`);
    assert.ok(proxy.count(SOCKET) > 0);
    assert.equal(proxy.count(POLL) > 0, proxy.buffersStreams);
    assert.ok(proxy.count(STREAM) > 0);
    await desk.press("Ready");
    await desk.shows("Ready");

    // After a refresh what got through is tried first: nobody waits for a WebSocket again.
    const sockets = proxy.count(SOCKET);
    await page.reload();
    await desk.shows("Ready");
    assert.equal(proxy.count(SOCKET), sockets);

    // Another network: the best is tried again, when the connection is next made.
    [proxy.upgrades, proxy.buffersStreams] = ["pass", false];
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    proxy.cut(); // a poll only asks again; a stream comes back as whatever gets through
    if (proxy.count(POLL) > 0) await page.reload();
    const limit = Date.now() + 15_000;
    while (proxy.count(SOCKET) === sockets && Date.now() < limit) await page.waitForTimeout(100);
    assert.ok(proxy.count(SOCKET) > sockets, "no WebSocket was tried");
    await desk.shows("Ready");
    await page.locator(".banner").waitFor({ state: "detached" });
    await desk.leave();
  },
  { url },
).finally(() => proxy.stop());
