/**
 * One name with three addresses, of which two are dead: the page comes from it, and so does the way in and all else.
 *
 * node dead_address.mjs GONE    GONE: `process` (they refuse) or `host` (they answer nothing)
 */

import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { CENTRE, sampleStory } from "./sample.mjs";

const [gone] = process.argv.slice(2);
const { port } = new URL(CENTRE.desktop);
const known = (await dns.lookup("desk.test", { all: true, family: 4 })).map(({ address }) => address);
assert.deepEqual(known.sort(), ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);

await sampleStory("dead-address", async (open) => {
  for (const [transport, agent, station] of [
    ["websocket", "5016", "2016"],
    ["stream", "5017", "2017"],
    ["poll", "5018", "2018"],
  ]) {
    const sample = await open(`http://desk.test:${port}/samples/module/index.html?transports=${transport}`);
    const began = Date.now();
    await sample.logIn(agent, station);
    await sample.shows("Not ready");
    console.log(`a name with two dead addresses (${gone}), ${transport}: logged in after ${Date.now() - began} ms`);
    await sample.press("Ready");
    await sample.shows("Ready");
    assert.ok(sample.asked.every(({ url }) => url.hostname === "desk.test"));
    await sample.leave();
  }
});
