import { expect, test } from "vitest";
import { Servers } from "../../client/servers.js";

test("no server is refused at once", () => {
  expect(() => new Servers([])).toThrow(RangeError);
});

test("the same origin with and without a slash is one server", () => {
  expect(new Servers(["https://a", "https://a/"]).entries).toHaveLength(1);
});

test("servers are tried in the order given", () => {
  const servers = new Servers(["https://a", "https://b"]);
  expect(servers.next().url).toBe("https://a");
  servers.trying("https://a", 1);
  servers.failed("https://a");
  expect(servers.next().url).toBe("https://b");
  servers.trying("https://b", 2);
  servers.failed("https://b");
  expect(servers.next().url).toBe("https://a");
});

test("the one that worked last is preferred until it fails", () => {
  const servers = new Servers(["https://a", "https://b"]);
  servers.failed("https://a");
  servers.succeeded("https://b");
  servers.succeeded("https://a");
  expect(servers.next().url).toBe("https://a");
  servers.failed("https://a");
  expect(servers.next().url).toBe("https://b");
});

test("a suggested server is tried next, once", () => {
  const servers = new Servers(["https://a"]);
  servers.suggest("https://c");
  expect(servers.next().url).toBe("https://c");
  servers.failed("https://c");
  expect(servers.next().url).toBe("https://a");
});

test("a new list takes the place of what was learned and leaves what was given", () => {
  const servers = new Servers(["https://a"]);
  servers.learn(["https://b", "https://c"]);
  servers.learn(["https://c"]);
  expect(servers.entries.map((each) => [each.url, each.origin])).toEqual([
    ["https://a", "given"],
    ["https://c", "learned"],
  ]);
});

test("with one server every try goes to it, however often it failed", () => {
  const servers = new Servers(["https://a"]);
  for (let tries = 0; tries < 50; tries += 1) servers.failed("https://a");
  expect(servers.next()).toMatchObject({ url: "https://a", failures: 50, worked: false });
});
