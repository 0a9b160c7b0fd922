/** Requests and scripts whose other ends the test holds. */

import { vi } from "vitest";
import type { OpenTransport, Transport } from "../../../client/index.js";

/** One request that was made by `fetch`. */
export class Requested {
  readonly body: unknown;
  readonly token: string | null;
  readonly accepts: string | null;
  aborted = false;
  #settle: (response: unknown) => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;
  readonly promise: Promise<unknown>;

  constructor(
    readonly url: string,
    readonly init: RequestInit,
  ) {
    const headers = new Headers(init.headers);
    this.body = init.body ? (JSON.parse(String(init.body)) as unknown) : null;
    this.token = headers.get("Authorization");
    this.accepts = headers.get("Accept");
    this.promise = new Promise((settle, refuse) => {
      this.#settle = settle;
      this.#refuse = refuse;
    });
    init.signal?.addEventListener("abort", () => {
      this.aborted = true;
      this.fail();
    });
  }

  answer(body: unknown, status = 200): void {
    this.text(JSON.stringify(body), status);
  }

  text(text: string, status = 200): void {
    this.#settle({ ok: status < 400, status, text: () => Promise.resolve(text) });
  }

  /** Answers with an event stream that the test writes. */
  stream(type = "text/event-stream; charset=utf-8", status = 200): Streamed {
    const streamed = new Streamed(this.init.signal);
    this.#settle({ ok: status < 400, status, headers: new Headers({ "Content-Type": type }), body: streamed.body });
    return streamed;
  }

  fail(): void {
    this.#refuse(new TypeError("refused"));
  }
}

export class Streamed {
  readonly body: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor(signal: AbortSignal | null | undefined) {
    this.body = new ReadableStream({ start: (controller) => void (this.#controller = controller) });
    signal?.addEventListener("abort", () => this.cut());
  }

  bytes(bytes: Uint8Array): void {
    this.#controller.enqueue(bytes);
  }

  text(text: string): void {
    this.bytes(new TextEncoder().encode(text));
  }

  frame(frame: unknown): void {
    this.text(`data: ${JSON.stringify(frame)}\n\n`);
  }

  end(): void {
    this.#controller.close();
  }

  cut(): void {
    this.#controller.error(new TypeError("cut off"));
  }
}

/** All requests that were made; in the place of the browser's `fetch`. */
export class Requests {
  readonly all: Requested[] = [];

  constructor() {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const asked = new Requested(url, init);
      this.all.push(asked);
      return asked.promise;
    });
  }

  get last(): Requested {
    return this.at(-1);
  }

  at(place: number): Requested {
    const asked = this.all.at(place);
    if (!asked) throw new Error("nothing was asked");
    return asked;
  }

  get paths(): readonly string[] {
    return this.all.map(({ url }) => new URL(url).pathname);
  }
}

/** One script that was put on the page. */
export class Script {
  readonly url: URL;
  readonly asked: Record<string, string>;

  constructor(readonly element: HTMLScriptElement) {
    this.url = new URL(element.src);
    this.asked = Object.fromEntries(this.url.searchParams);
  }

  get path(): string {
    return this.url.pathname;
  }

  /** Calls back, as the answer does: only if what it calls is there. */
  answer(envelope: unknown): void {
    const call = (window as unknown as Record<string, unknown>)[this.asked["callback"] as string];
    if (typeof call === "function") (call as (it: unknown) => void)(envelope);
  }

  /** A good answer. */
  tell(news: Record<string, unknown> = {}): void {
    this.answer({ ok: true, events: [], next_token: "", next_nonce: "", more: false, closed: null, ...news });
  }

  refuse(id: string, status: number): void {
    this.answer({ ok: false, error: { id, status, detail: "" } });
  }

  fail(): void {
    (this.element.onerror as () => void)();
  }
}

/** All scripts that were put on the page; none of them runs. */
export class Scripts {
  readonly all: Script[] = [];

  constructor() {
    vi.spyOn(document.head, "append").mockImplementation((node) => {
      this.all.push(new Script(node as HTMLScriptElement));
    });
  }

  get last(): Script {
    return this.at(-1);
  }

  at(place: number): Script {
    const script = this.all.at(place);
    if (!script) throw new Error("no script was put on the page");
    return script;
  }

  get paths(): readonly string[] {
    return this.all.map(({ path }) => path);
  }
}

/** What an opened transport told. */
export class Opened {
  readonly told: (string | number)[] = [];
  readonly transport: Transport;

  constructor(open: OpenTransport, server = "https://a") {
    this.transport = open(server, {
      opened: () => this.told.push("opened"),
      received: (text) => this.told.push((JSON.parse(text) as { type: string }).type),
      closed: (code) => this.told.push(code),
    });
  }

  say(frame: unknown): boolean {
    return this.transport.send(JSON.stringify(frame));
  }

  hello(news: Record<string, unknown> = {}): void {
    this.say({ ...HELLO, ...news });
  }
}

export const HELLO = { type: "hello", token: "token-a", epoch: 3, seq: 17, client: "page-1" };
export const BEAT = { type: "beat" };

export function command(id: string, news: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: "command", id, command: { type: "set-mode", mode: "ready", ...news } };
}

/** Lets everything happen that waits for no time. */
export async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
