/** What a desktop says where only the server's words have a way of their own: by requests, one after another. */

import { post } from "./post.js";

/** Frames and bytes that one request carries: the server takes 32, and 64 KiB. */
const FRAMES_LIMIT = 32;
const BYTES_LIMIT = 60_000;

/** Frames that may wait; beyond, the server is not taking them and we stop adding. */
const WAITING_LIMIT = 64;

/** One request, ms. */
const REQUEST_LIMIT_MS = 5_000;

export class Upward {
  readonly #url: string;
  readonly #token: string;
  readonly #connection: string;
  readonly #failed: () => void;
  readonly #stopper = new AbortController();
  #waiting: string[] = [];
  #busy = false;

  /**
   * @param connection the name that the server gave it.
   * @param failed called once when the server does not take frames any more.
   */
  constructor(server: string, token: string, connection: string, failed: () => void) {
    this.#url = `${server}/v1/events/frames`;
    this.#token = token;
    this.#connection = connection;
    this.#failed = failed;
  }

  send(text: string): boolean {
    if (this.#stopper.signal.aborted || this.#waiting.length >= WAITING_LIMIT) return false;
    this.#waiting.push(text);
    if (!this.#busy) void this.#flush();
    return true;
  }

  stop(): void {
    this.#stopper.abort();
  }

  async #flush(): Promise<void> {
    this.#busy = true;
    await Promise.resolve(); // what is said in one go goes in one request
    while (this.#waiting.length > 0 && !this.#stopper.signal.aborted) {
      if (await this.#carry(this.#nextFrames())) continue;
      if (this.#stopper.signal.aborted) return;
      this.stop();
      this.#failed();
    }
    this.#busy = false;
  }

  async #carry(frames: readonly string[]): Promise<boolean> {
    const body = `{"connection":${JSON.stringify(this.#connection)},"frames":[${frames.join(",")}]}`;
    for (const again of [true, false]) {
      const ask = { token: this.#token, limitMs: REQUEST_LIMIT_MS, stopper: this.#stopper };
      const { status } = await post(this.#url, body, ask);
      // A second time only when nobody answered: a command that did arrive has an id, and is not performed twice.
      if (status !== 0 || !again || this.#stopper.signal.aborted) return status === 200;
    }
    return false;
  }

  #nextFrames(): readonly string[] {
    let bytes = 0;
    const fits = (text: string): boolean => (bytes += 3 * text.length + 1) <= BYTES_LIMIT;
    const misfit = this.#waiting.slice(0, FRAMES_LIMIT).findIndex((text) => !fits(text));
    return this.#waiting.splice(0, misfit === -1 ? FRAMES_LIMIT : Math.max(1, misfit));
  }
}
