/**
 * The servers that may be tried, in which order, and how the last try of each went.
 *
 * Given ones come from the page and stay. The others are the instances that a server told of: its topology, which is
 * kept over the page's life, so that a page whose own server is gone still knows where to go.
 */

import type { InstanceEntry, Topology } from "./frames.js";
import { rank } from "./rendezvous.js";

/** Storage of the browser, or what has its shape. */
export type Memory = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** How the tries of one server went. */
interface Entry {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /** By the page, not by a server. */
  readonly given: boolean;
  /** Tries that failed in a row, and when the last of them did, ms since 1970. */
  failures: number;
  failedAtMs: number;
  /** It asked to be left alone until then, ms since 1970. */
  busyUntilMs: number;
}

/** Kinds of servers, in the order in which they are tried. */
const enum Place {
  LastGood,
  Suggested,
  Ready,
  OtherReady,
  Draining,
  Given,
  OtherDatacentre,
  Down,
}

/** After so long a failure says nothing any more, ms. */
const FAILURE_COUNTS_MS = 60_000;

/** Longest window that a topology may ask for, ms. */
const WINDOW_LIMIT_MS = 30_000;

/** Before any was told. */
const NO_TOPOLOGY: Topology = {
  cluster: "",
  epoch: -1,
  version: -1,
  active: "",
  reconnect_window_ms: -1,
  instances: [],
};

const NO_INSTANCE: InstanceEntry = { id: "", url: "", datacentre: "", state: "down", weight: 0 };

const KEPT_AS = "unified-agent.topology";

export class Servers {
  readonly #memory: Memory | null;
  readonly #entries = new Map<string, Entry>();
  #topology = NO_TOPOLOGY;
  #lastGood: string;
  #suggested = "";
  #agent = "";

  /**
   * @param given origins from the page, in order of preference; at least one.
   * @param memory where the topology is kept; null for nowhere.
   */
  constructor(given: readonly string[], memory: Memory | null = null) {
    if (given.length === 0) throw new RangeError("at least one server must be given");
    this.#memory = memory;
    [this.#lastGood = ""] = given.map((url) => this.#entry(url, true).url);
    this.#take(this.#remembered());
  }

  /** Which instances there are; null before any server has told. */
  get topology(): Topology | null {
    return this.#topology === NO_TOPOLOGY ? null : this.#topology;
  }

  /** Over how long desktops that lost their server come back, ms; `otherwise` when no server said. */
  windowMs(otherwise: number): number {
    const told = this.topology ? this.topology.reconnect_window_ms : otherwise;
    return Math.min(WINDOW_LIMIT_MS, Math.max(0, told));
  }

  /** The order is the agent's own. */
  orderFor(agent: string): void {
    this.#agent = agent;
  }

  /** The instance that is reached at an origin; its id is empty when none is known there. */
  instanceAt(url: string): InstanceEntry {
    return this.#topology.instances.find((each) => each.url === url) || NO_INSTANCE;
  }

  /** Takes what a server tells of all instances. Older news never replace newer ones. */
  learn(topology: Topology): void {
    this.#take(this.#remembered()); // another page may know more
    if (!this.#take(cleaned(topology))) return;
    try {
      this.#memory?.setItem(KEPT_AS, JSON.stringify(this.#topology));
    } catch {
      // storage is full or forbidden: what we know lasts as long as the page
    }
  }

  /** A server said where to go. Returns its origin. */
  suggest(url: string): string {
    this.#suggested = this.#entry(url).url;
    return this.#suggested;
  }

  /** The server to begin with, even when it is busy. */
  first(): string {
    const [best] = this.#order();
    return (best as Entry).url;
  }

  /**
   * The server to try now; null when none is left, or all that are left are busy.
   *
   * @param tried those that have had their turn.
   */
  next(tried: ReadonlySet<string> = new Set()): string | null {
    const nowMs = Date.now();
    const isFree = ({ url, busyUntilMs }: Entry): boolean => !tried.has(url) && busyUntilMs <= nowMs;
    const best = this.#order().find(isFree);
    return best ? best.url : null;
  }

  /** Two servers to ask about an instance. */
  witnessesOf(instance: string): readonly string[] {
    const urls = this.#order().map(({ url }) => url);
    return urls.filter((url) => !["", instance].includes(this.instanceAt(url).id)).slice(0, 2);
  }

  /** For how long all of them are busy yet, ms; 0 when one may be tried now. */
  busyForMs(): number {
    const untilMs = [...this.#entries.values()].map((each) => each.busyUntilMs);
    return Math.max(0, Math.min(...untilMs) - Date.now());
  }

  /** A try begins. */
  trying(url: string): void {
    if (url === this.#suggested) this.#suggested = "";
  }

  /** It answered, and serves us. */
  succeeded(url: string): void {
    this.#lastGood = url;
    const entry = this.#entry(url);
    entry.failures = entry.busyUntilMs = 0;
  }

  /** It did not, or will not for long: others come first for a while. */
  failed(url: string): void {
    const entry = this.#entry(url);
    entry.failures += 1;
    entry.failedAtMs = Date.now();
  }

  /** It answered that it has too much to do for so long. */
  busy(url: string, forMs: number): void {
    this.#entry(url).busyUntilMs = Date.now() + forMs;
  }

  #order(): readonly Entry[] {
    const placed = [...this.#entries.values()].map((entry) => ({
      ...entry,
      place: this.#placeOf(entry),
      rank: rank(this.#agent, this.instanceAt(entry.url).id),
    }));
    // Sorting keeps the order of equals, which for given servers is the page's.
    return placed.sort((a, b) => a.place - b.place || a.failures - b.failures || b.rank.localeCompare(a.rank));
  }

  #placeOf({ url, failures, failedAtMs }: Entry): Place {
    const { id, state, datacentre, weight } = this.instanceAt(url);
    const { active } = this.#topology;
    const failedLately = failures > 0 && Date.now() - failedAtMs < FAILURE_COUNTS_MS;
    // A name that several instances share may lead to any of them, which is good to begin with only.
    const isOne = id !== "" || this.#topology.instances.length < 2;
    if (url === this.#lastGood && isOne && !failedLately) return Place.LastGood;
    if (url === this.#suggested) return Place.Suggested;
    if (id === "") return Place.Given;
    if (state !== "ready" && state !== "draining") return Place.Down;
    if (active !== "" && datacentre !== active) return Place.OtherDatacentre;
    if (state === "draining") return Place.Draining;
    return active === "" || failedLately || weight === 0 ? Place.OtherReady : Place.Ready;
  }

  #remembered(): Topology | null {
    try {
      return cleaned(JSON.parse(this.#memory?.getItem(KEPT_AS) ?? "null") as Topology | null);
    } catch {
      return null;
    }
  }

  /** True when it is newer than what was known. */
  #take(topology: Topology | null): boolean {
    if (!topology) return false;
    const { cluster, epoch, version } = this.#topology;
    const isSame = cluster === topology.cluster;
    if (isSame && (topology.epoch - epoch || topology.version - version) <= 0) return false;
    this.#topology = topology;
    // One that is alone is the one that we know already, perhaps by an address that is good only where it runs.
    const urls = topology.instances.length > 1 ? topology.instances.map((each) => each.url) : [];
    const needed = new Set([this.#lastGood, this.#suggested, ...urls]);
    for (const { url, given } of this.#entries.values()) if (!given && !needed.has(url)) this.#entries.delete(url);
    urls.map((url) => this.#entry(url));
    return true;
  }

  #entry(url: string, given = false): Entry {
    const plain = originOf(url);
    const entry = this.#entries.get(plain) || { url: plain, given, failures: 0, failedAtMs: 0, busyUntilMs: 0 };
    this.#entries.set(plain, entry);
    return entry;
  }
}

function originOf(url: string): string {
  return url.replace(/\/+$/, "");
}

/** Keeps the instances that have an address; null when it is no topology at all. */
function cleaned(topology: Topology | null): Topology | null {
  if (!topology || !Array.isArray(topology.instances)) return null;
  const reachable = topology.instances.filter((each) => /^https?:\/\/./.test(each.url));
  return { ...topology, instances: reachable.map((each) => ({ ...each, url: originOf(each.url) })) };
}
