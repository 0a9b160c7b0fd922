import { expect, test } from "vitest";
import { FIRST_STATE, hex, rank, ROUND_WORDS, sha256 } from "../../client/rendezvous.js";

/** Computed by `rank` of `domain/selection.py`. */
const VECTORS = [
  ["1001", "a1", "3f563520fe5e0240"],
  ["1001", "a2", "83c4a34059ad5ce8"],
  ["5001", "ua-east-1", "ea1628ed347b9979"],
  ["5001", "ua-west-2", "d95015e4d25310f9"],
  ["", "a1", "d86f87421d1b5d2c"],
  ["99999999999999", "instance-name-of-more-than-fifty-five-characters-for-two-blocks", "fd7b4bebadc8295a"],
  ["Ágnes", "szerver-ő", "5128e65662a63b6c"],
  ["7", "x".repeat(46), "8acca23361199d5e"],
  ["7", "x".repeat(53), "489c2b525fa38b95"],
  ["7", "x".repeat(54), "3f961c1e7eb98d42"],
  ["7", "x".repeat(62), "f48a7c80ff5a1816"],
] as const;

test.each(VECTORS)("agent %s and instance %s have the rank that the server gives them", (agent, instance, expected) => {
  expect(rank(agent, instance)).toBe(expected);
});

test("the hash is that of the browser, whatever the length of the text", async () => {
  for (let length = 0; length < 200; length += 1) {
    const text = "ő".repeat(length % 3) + "x".repeat(length);
    const theirs = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    expect(hex(sha256(text))).toBe([...theirs].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
});

test("the constants are so far from the next number that no browser's root can round to another", () => {
  // The roots with 64 bits behind the point, in whole numbers. A float has 50 of them right, and 32 are used.
  const bits = 64n;
  const primes = [2n];
  for (let each = 3n; primes.length < 64; each += 2n) {
    if (primes.every((prime) => each % prime !== 0n)) primes.push(each);
  }
  const root = (power: bigint, of: bigint): bigint => {
    let [low, high] = [0n, 1n << 70n];
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (middle ** power <= of << (bits * power)) low = middle;
      else high = middle;
    }
    return low;
  };
  const check = (exact: bigint, used: number | undefined): void => {
    const fraction = exact & ((1n << bits) - 1n);
    expect(BigInt((used ?? 0) >>> 0)).toBe(fraction >> 32n);
    const rest = fraction & ((1n << 32n) - 1n);
    const margin = rest < 1n << 31n ? rest : (1n << 32n) - rest;
    expect(margin).toBeGreaterThan(1n << 16n); // 2^-48 of the whole, four times what the last place of a root is worth
  };
  primes.forEach((prime, place) => check(root(3n, prime), ROUND_WORDS[place]));
  primes.slice(0, 8).forEach((prime, place) => check(root(2n, prime), FIRST_STATE[place]));
});

test("agents are spread over the instances evenly", () => {
  const instances = ["a1", "a2", "b1", "b2"];
  const first = new Map<string, number>();
  for (let agent = 1000; agent < 2000; agent += 1) {
    const [best = ""] = [...instances].sort((a, b) => (rank(String(agent), a) < rank(String(agent), b) ? 1 : -1));
    first.set(best, (first.get(best) ?? 0) + 1);
  }
  expect(Object.fromEntries(first)).toEqual({ a1: 242, a2: 255, b1: 245, b2: 258 }); // as counted with Python
});
