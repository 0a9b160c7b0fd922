import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isAskable, jsonpFetch } from "../../../client/transports/jsonp_fetch.js";
import { openJsonp } from "../../../client/transports/jsonp.js";
import { Opened, Requests, Scripts, settled } from "./requests.js";

let requests: Requests;
let scripts: Scripts;

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
  scripts = new Scripts();
});
afterEach(() => vi.useRealTimers());

async function connected(): Promise<Opened> {
  const opened = new Opened(openJsonp);
  await settled();
  opened.hello();
  requests.last.answer({ token: "short", nonce: "n-1", expires_s: 300 });
  await settled();
  return opened;
}

test.each([
  ["GET", "/v1/config", true],
  ["GET", "/v1/entry?agent=1001", true],
  ["GET", "/v1/topology", true],
  ["GET", "/v1/witness?instance=b", true],
  ["POST", "/v1/session", false],
  ["POST", "/v1/session/resume", false],
  ["POST", "/v1/config", false],
  ["GET", "/v1/session/commands/c-1", false],
  ["GET", "/healthz", false],
])("%s %s can be asked by a script: %s", (method, path, can) => {
  expect(isAskable(`https://a${path}`, { method })).toBe(can);
});

test("a public thing is asked with its questions, and answered as by fetch", async () => {
  const asked = jsonpFetch("https://a/v1/witness?instance=x%20y", { method: "GET" });
  expect(scripts.last.path).toBe("/v1/jsonp/witness");
  expect(scripts.last.asked).toMatchObject({ instance: "x y" });
  scripts.last.tell({ result: { verdict: "dead" } });
  const response = await asked;
  expect([response.ok, await response.json()]).toEqual([true, { verdict: "dead" }]);
});

test("a refusal is one, with its status and its words", async () => {
  const asked = jsonpFetch("https://a/v1/entry?agent=1", {});
  scripts.last.refuse("cluster.full", 503);
  const response = await asked;
  expect([response.status, ((await response.json()) as { id: string }).id]).toEqual([503, "cluster.full"]);
});

test("where nobody answers it rejects, as fetch does", async () => {
  const asked = jsonpFetch("https://a/v1/config", {});
  scripts.last.fail();
  await expect(asked).rejects.toThrow(TypeError);
});

test("how a command stands is asked with the connection's token, what became of it with a number besides", async () => {
  const opened = await connected();
  const url = "https://a/v1/session/commands/c-1";
  expect(isAskable(url, { method: "GET" })).toBe(true);
  const first = jsonpFetch(url, { method: "GET" });
  expect(scripts.last.path).toBe("/v1/jsonp/outcome");
  expect(scripts.last.asked).toMatchObject({ id: "c-1", client: "page-1", token: "short" });
  expect(scripts.last.asked).not.toHaveProperty("nonce");
  scripts.last.tell({ result: { outcome: "done" } });
  expect(await (await first).json()).toEqual({ outcome: "done" });
  const body = JSON.stringify({ command: { type: "make-call", number: "1" } });
  const second = jsonpFetch(`${url}/resolve`, { method: "POST", body });
  expect(scripts.last.path).toBe("/v1/jsonp/resolve");
  expect(scripts.last.asked).toMatchObject({ id: "c-1", nonce: "n-1", command: '{"type":"make-call","number":"1"}' });
  scripts.last.refuse("command.unknown", 404);
  expect((await second).status).toBe(404);
  opened.transport.close(1000, "");
});
