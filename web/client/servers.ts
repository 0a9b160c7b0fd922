/**
 * The servers that may be tried, in which order, and how the last try of each went.
 *
 * Given ones come from the page and stay; learned ones come from a server's own list and may go. There is one server
 * for now; the order below is already the one for several.
 */

export interface ServerEntry {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly origin: "given" | "learned";
  /** When it was last tried, ms since 1970; null for never. */
  readonly triedAtMs: number | null;
  /** How that went: null while never tried or under way. */
  readonly worked: boolean | null;
  /** Tries that failed in a row. */
  readonly failures: number;
}

export class Servers {
  #entries: ServerEntry[] = [];
  #lastGood: string | null = null;
  #suggested: string | null = null;

  /** @param given origins from the page, in order; at least one. */
  constructor(given: readonly string[]) {
    if (given.length === 0) throw new RangeError("at least one server must be given");
    for (const url of given) this.#add(url, "given");
  }

  get entries(): readonly ServerEntry[] {
    return this.#entries;
  }

  /** Puts a server's own list in the place of what was learned before. */
  learn(urls: readonly string[]): void {
    const named = new Set(urls.map(withoutSlash));
    this.#entries = this.#entries.filter((each) => each.origin === "given" || named.has(each.url));
    for (const url of named) this.#add(url, "learned");
  }

  /** A server said where to go: tried next, once. */
  suggest(url: string): void {
    this.#suggested = withoutSlash(url);
    this.#add(url, "learned");
  }

  /**
   * The server to try now: the suggested one, then the one that worked last unless it just failed, then the one with
   * the fewest failures in a row, the longest untried first.
   */
  next(): ServerEntry {
    const suggested = this.#find(this.#suggested);
    this.#suggested = null;
    if (suggested) return suggested;
    const lastGood = this.#find(this.#lastGood);
    if (lastGood && lastGood.failures === 0) return lastGood;
    const [best] = [...this.#entries].sort(
      (a, b) => a.failures - b.failures || (a.triedAtMs ?? -1) - (b.triedAtMs ?? -1),
    );
    if (!best) throw new Error("no server left");
    return best;
  }

  /** A try begins. */
  trying(url: string, nowMs: number): void {
    this.#change(url, { triedAtMs: nowMs, worked: null });
  }

  /** It answered, and serves us. */
  succeeded(url: string): void {
    this.#lastGood = withoutSlash(url);
    this.#change(url, { worked: true, failures: 0 });
  }

  /** It did not. */
  failed(url: string): void {
    const failures = (this.#find(withoutSlash(url))?.failures ?? 0) + 1;
    this.#change(url, { worked: false, failures });
  }

  #add(url: string, origin: ServerEntry["origin"]): void {
    const plain = withoutSlash(url);
    if (this.#find(plain)) return;
    this.#entries = [...this.#entries, { url: plain, origin, triedAtMs: null, worked: null, failures: 0 }];
  }

  #find(url: string | null): ServerEntry | undefined {
    return this.#entries.find((each) => each.url === url);
  }

  #change(url: string, news: Partial<ServerEntry>): void {
    const plain = withoutSlash(url);
    this.#entries = this.#entries.map((each) => (each.url === plain ? { ...each, ...news } : each));
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
