/** An agent works over one transport from login to logout, and over no other. */

import assert from "node:assert/strict";
import { CENTRE, sampleStory, truth, until } from "./sample.mjs";

const [, , transport, agent, station] = process.argv;

/** What each asks for. */
const MARKS = {
  websocket: /^\/v1\/events$/,
  stream: /^\/v1\/events$/,
  poll: /^\/v1\/events\/poll$/,
  jsonp: /^\/v1\/jsonp\/poll$/,
};

await sampleStory(`transport-${transport}`, async (open) => {
  const page = transport === "jsonp" ? "jsonp" : "module";
  const sample = await open(`${CENTRE.desktop}samples/${page}/index.html?transports=${transport}`);
  await sample.logIn(agent, station);
  await sample.work(agent);
  await sample.look("worked");

  assert.equal(sample.sockets.length > 0, transport === "websocket", `sockets: ${sample.sockets}`);
  for (const [name, path] of Object.entries(MARKS)) {
    const times = sample.count(path);
    if (name !== "websocket") assert.equal(times > 0, name === transport, `${name}: ${times}`);
  }
  if (transport === "jsonp") {
    // Only the login and the short token are asked in another way, and no secret is in an address.
    const others = sample.asked.filter(({ kind, method }) => kind === "fetch" && method === "POST");
    assert.deepEqual([...new Set(others.map(({ url }) => url.pathname))].sort(), ["/v1/session", "/v1/session/jsonp"]);
    const home = await sample.page.evaluate(() => JSON.parse(sessionStorage.getItem("unified-agent.session") ?? "{}"));
    assert.ok(home.token.length > 20);
    for (const { url } of sample.asked) {
      assert.ok(!url.href.includes(home.token) && !url.href.includes(home.ticket), url.pathname);
      assert.ok(url.href.length <= 2_000);
    }
    assert.equal(await sample.page.locator("head script[src*=jsonp]").count(), 1, "scripts that are left on the page");
  }

  // A refresh goes on with the session, by the same way.
  await sample.page.reload();
  await sample.shows("Ready");
  await sample.leave();
  await until("the switch has logged the agent out", async () => {
    const { agents } = await truth(CENTRE.aes);
    return !agents[agent] || agents[agent].work_mode === "loggedOut" || !agents[agent].logged_in;
  });
});
