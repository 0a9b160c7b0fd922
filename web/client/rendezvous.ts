/**
 * The order in which an agent's desktop tries instances: a hash of agent and instance, the same as on the server
 * (`rank` in `domain/selection.py`), so that all who choose agree without talking, and movers spread evenly.
 *
 * SHA-256 is written out here because the browser's own answers later, and only to pages that came over TLS.
 */

type State = [number, number, number, number, number, number, number, number];

/** The first 32 bits of a root's fractional part: the constants of FIPS 180-4 are such. */
const fractionOf = (root: number): number => ((root % 1) * 2 ** 32) | 0;

const PRIMES = firstPrimes(64);

/** One word for each round. */
export const ROUND_WORDS: readonly number[] = PRIMES.map((prime) => fractionOf(Math.cbrt(prime)));

/** What the state begins as. */
export const FIRST_STATE: readonly number[] = PRIMES.slice(0, 8).map((prime) => fractionOf(Math.sqrt(prime)));

/** The first 8 bytes of SHA-256 of `agent NUL instance`, as 16 letters that sort as the number does. */
export function rank(agent: string, instance: string): string {
  return hex(sha256(`${agent}\0${instance}`)).slice(0, 16);
}

/** SHA-256 of a text in UTF-8, as eight words of 32 bits. */
export function sha256(text: string): readonly number[] {
  const bytes = new TextEncoder().encode(text);
  // After the text a bit that is set, zeros, and the text's length in bits: 9 bytes at least, to whole blocks of 64.
  const padded = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  bytes.forEach((byte, place) => padded.setUint8(place, byte));
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - 4, bytes.length * 8);
  let state = [...FIRST_STATE] as State;
  for (let start = 0; start < padded.byteLength; start += 64) state = withBlock(state, padded, start);
  return state;
}

/** Eight letters a word. */
export function hex(words: readonly number[]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function withBlock(state: State, padded: DataView, start: number): State {
  const words: number[] = [];
  const word = (place: number): number => words[place] as number;
  let mixed = state;
  for (let round = 0; round < 64; round += 1) {
    const [late, early] = [word(round - 2), word(round - 15)];
    words[round] =
      round < 16
        ? padded.getInt32(start + round * 4)
        : (word(round - 16) +
            (turned(early, 7) ^ turned(early, 18) ^ (early >>> 3)) +
            word(round - 7) +
            (turned(late, 17) ^ turned(late, 19) ^ (late >>> 10))) |
          0;
    const [a, b, c, d, e, f, g, h] = mixed;
    const turnedE = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const turnedA = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const fresh = h + turnedE + ((e & f) ^ (~e & g)) + (ROUND_WORDS[round] as number) + word(round);
    mixed = [(fresh + turnedA + ((a & b) ^ (a & c) ^ (b & c))) | 0, a, b, c, (d + fresh) | 0, e, f, g];
  }
  return mixed.map((each, place) => (each + (state[place] as number)) | 0) as State;
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number += 1) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}
