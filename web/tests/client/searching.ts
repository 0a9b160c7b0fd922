/** A search for a server, of which the test holds all other ends. */

import { vi } from "vitest";
import { HomeKeeper } from "../../client/home.js";
import type { Line } from "../../client/line.js";
import { Rest } from "../../client/rest.js";
import { Search } from "../../client/search.js";
import { Servers } from "../../client/servers.js";
import { CONNECTION_SETTINGS } from "../../client/settings.js";
import { aHome, aTopology, FakeMemory, Http, opened, Wires, type Reply } from "./fakes.js";

export const RESUME = "POST /v1/session/resume";
export const TOPOLOGY = "GET /v1/topology";

export let wires: Wires;
export let http: Http;
export let servers: Servers;
export let keeper: HomeKeeper;
export let told: string[];
export let found: Line | null;
export const luck = { chance: 0.5 };

/** A session at `a`, on a clock of the test's own. */
export function begin(): void {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  wires = new Wires();
  http = new Http();
  servers = new Servers(["https://a"]);
  keeper = new HomeKeeper(new FakeMemory());
  keeper.settle(aHome());
  told = [];
  found = null;
  luck.chance = 0.5;
}

/** Instances in the order in which they are tried: those after the first by failures that are long past. */
export function know(...names: string[]): void {
  servers = new Servers(["https://a"]);
  servers.learn(aTopology(names));
  vi.setSystemTime(-100_000);
  names.forEach((name, times) => {
    for (let count = 0; count < times; count += 1) servers.failed(`https://${name}`);
  });
  vi.setSystemTime(0);
}

/** An instance that is there, and answers a resume. */
export function there(name: string, resume: Reply = opened(name), topology: Reply = { body: {} }): void {
  http.on(`https://${name}`, TOPOLOGY, topology);
  http.on(`https://${name}`, RESUME, resume);
}

export function search(without = ""): Search {
  return new Search(
    {
      servers,
      rest: new Rest(http.fetch),
      keeper,
      openTransport: wires.open,
      chance: () => luck.chance,
      settings: CONNECTION_SETTINGS,
      hello: ({ token }) => ({ type: "hello", token, epoch: null, seq: null, client: "c" }),
    },
    {
      trying: (server, hello) => told.push(`${hello ? "hello" : "trying"} ${server}`),
      frame: () => undefined,
      found: (line) => {
        found = line;
        told.push(`found ${line.home.server}`);
      },
      failed: (reason) => told.push(`failed ${reason}`),
      refused: ({ reason }) => told.push(`refused ${reason}`),
    },
    without,
  );
}

export async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Which servers were asked to take the session, in order. */
export function taken(): string[] {
  return http.asked.filter(({ what }) => what === RESUME).map(({ server }) => server);
}
