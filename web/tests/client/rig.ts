/** A connection with all its surroundings, of which the test holds the other ends. */

import { Connection, type ConnectionStatus } from "../../client/connection.js";
import type { InstanceEntry, Topology, Verdict } from "../../client/index.js";
import { HomeKeeper } from "../../client/home.js";
import { Rest } from "../../client/rest.js";
import { Servers } from "../../client/servers.js";
import type { Chance } from "../../client/timer.js";
import { aHome, aTopology, FakeMemory, Http, opened, Wires, type Reply } from "./fakes.js";

export const RESUME = "POST /v1/session/resume";
export const WITNESS = "GET /v1/witness";

export class Rig {
  readonly wires = new Wires();
  readonly http = new Http();
  readonly servers = new Servers(["https://a"]);
  readonly keeper = new HomeKeeper(new FakeMemory());
  readonly told: ConnectionStatus[] = [];
  /** States and notices in the order in which the page hears of them. */
  readonly log: string[] = [];
  readonly connection: Connection;
  chance = 0.5;
  /** Whether the page finds the stream without a gap. */
  complete = true;

  /** @param chance in the place of the field of that name. */
  constructor(chance?: Chance) {
    this.keeper.settle(aHome());
    this.connection = new Connection(
      {
        servers: this.servers,
        rest: new Rest(this.http.fetch),
        keeper: this.keeper,
        openTransport: this.wires.open,
        chance: chance ?? (() => this.chance),
        settings: undefined,
        hello: ({ token }) => ({ type: "hello", token, epoch: null, seq: null, client: "c" }),
      },
      {
        envelope: ({ type }) => {
          this.log.push(type);
          return this.complete;
        },
        answer: () => undefined,
        time: () => undefined,
        ended: (reason) => this.log.push(`ended: ${reason}`),
        status: (status) => {
          this.told.push(status);
          this.log.push(status.state);
        },
      },
    );
  }

  start(): Connection {
    this.connection.start();
    return this.connection;
  }

  /** Live at `a`. */
  live(term = 1): Connection {
    this.start();
    this.wires.last.serve(term);
    return this.connection;
  }

  /** Has the server that we are on tell which instances there are. */
  topology(instances: readonly (string | Partial<InstanceEntry>)[], news: Partial<Topology> = {}): void {
    this.wires.last.say({ type: "topology", ...aTopology(instances, news) });
  }

  /** An instance that is there, and answers a resume. */
  there(name: string, resume: Reply = opened(name)): void {
    this.http.on(`https://${name}`, "GET /v1/topology", { body: {} });
    this.http.on(`https://${name}`, RESUME, resume);
  }

  /** What an instance thinks of `a`. */
  witnessed(name: string, verdict: Verdict, canTake = true): void {
    const body = { instance: "a", verdict, can_take: canTake, next: null };
    this.http.on(`https://${name}`, WITNESS, { body });
  }

  /** Live at `a`, of `a`, `b` and `c`, which can both take us. */
  liveOfThree(): void {
    this.live();
    this.topology(["a", "b", "c"]);
    this.there("b");
    this.there("c");
  }

  /** To which servers a request was made, and when. */
  asked(what: string): { server: string; atMs: number }[] {
    return this.http.asked.filter((each) => each.what === what).map(({ server, atMs }) => ({ server, atMs }));
  }

  get status(): ConnectionStatus {
    return this.connection.status;
  }
}

/** Numbers that look like chance, and are the same in each run (mulberry32). */
export function seeded(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The most of them within any span of that length. */
export function busiest(atMs: readonly number[], spanMs: number): number {
  const sorted = [...atMs].sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  sorted.forEach((each, until) => {
    while (each - (sorted[from] ?? 0) >= spanMs) from += 1;
    most = Math.max(most, until - from + 1);
  });
  return most;
}
