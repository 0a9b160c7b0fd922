/**
 * Commands asked and not settled yet: each has an id, each ends in exactly one outcome, none is performed twice.
 *
 * No answer for 3 s: the server is asked how it stands, and the command is not sent again. A second "dial" would call
 * the customer twice; a second "release" could drop the next call. Only wishes that are the same said twice
 * (`REPEATABLE`) are repeated, under their old id, when the server says that it never got them.
 *
 * Another server than the one it was sent to cannot know whether it arrived. It is told what was asked, and finds out
 * from switch and dialler how that ended.
 */

import type { Answer, SettledNotice } from "./frames.js";
import type { Command, CommandType, Outcome } from "./messages.js";
import { Timer } from "./timer.js";

/** Wishes about how things should be, not about one call or record: said twice they do no harm. */
const REPEATABLE: ReadonlySet<CommandType> = new Set(["set-mode", "cancel-pending", "pause-items", "refresh-jobs"]);

/** Open commands; the server keeps as many asks open for one session. */
const OPEN_LIMIT = 64;

/** Without an answer for this long the outcome is asked for, ms. */
export const ANSWER_LIMIT_MS = 3_000;

/** Askings without a word about a command, after which it is called unknown. */
const ASKINGS_LIMIT = 5;

/** A server that is finding out what became of a command gets this long for it, ms. */
export const RESOLVE_LIMIT_MS = 30_000;

/** How one command stands. `error` is an id, empty unless refused or unknown; `detail` are the peer's words. */
export interface CommandResult {
  readonly id: string;
  readonly type: CommandType;
  readonly outcome: Exclude<Outcome, "accepted">;
  readonly error: string;
  readonly detail: string;
}

/** One command that is not settled. */
export interface OpenCommand {
  readonly id: string;
  readonly command: Command;
  readonly askedAtMs: number;
  /** The server has it; switch or dialler have not answered yet. */
  readonly accepted: boolean;
}

/** What the commands ask of the connection and of REST. */
export interface CommandWorld {
  /** Sends a command now; false when it cannot leave. */
  send(id: string, command: Command): boolean;
  /** Counts connections: a command sent on one cannot arrive any more when the number has changed. */
  wayNumber(): number;
  /** The server that commands go to; others may know of them as well, but cannot know that they do not. */
  server(): string;
  /** Asks how a command stands: null when the server does not know it; rejects when nobody answers. */
  askOutcome(id: string): Promise<Answer | null>;
  /** Has the server find out how a command ended that was sent to another; null when it cannot. */
  resolve(id: string, command: Command): Promise<Answer | null>;
  /** The list of open commands changed. */
  changed(): void;
}

interface Entry {
  command: Command;
  askedAtMs: number;
  accepted: boolean;
  way: number;
  /** Where it was sent. */
  server: string;
  repeated: boolean;
  askings: number;
  asking: boolean;
  readonly timer: Timer;
  readonly settle: (result: CommandResult) => void;
}

export class Commands {
  readonly #world: CommandWorld;
  readonly #client: string;
  readonly #open = new Map<string, Entry>();
  #count = 0;

  /** @param client random id of this page: with the counter it makes ids that no other page makes. */
  constructor(client: string, world: CommandWorld) {
    this.#client = client;
    this.#world = world;
  }

  /** Those not settled, oldest first. */
  get open(): readonly OpenCommand[] {
    return [...this.#open].map(([id, { command, askedAtMs, accepted }]) => ({ id, command, askedAtMs, accepted }));
  }

  /**
   * Asks for something. The promise always resolves, when the command is settled; nothing on screen may change
   * because of it, since the truth comes with the view.
   */
  submit(command: Command): Promise<CommandResult> {
    this.#count += 1;
    const id = `${this.#client}-${this.#count}`;
    if (this.#open.size >= OPEN_LIMIT) return Promise.resolve(refused(id, command, "desktop.too-many-open"));
    if (!this.#world.send(id, command)) return Promise.resolve(refused(id, command, "desktop.not-connected"));
    return new Promise((settle) => {
      const entry: Entry = {
        command,
        askedAtMs: Date.now(),
        accepted: false,
        way: this.#world.wayNumber(),
        server: this.#world.server(),
        repeated: false,
        askings: 0,
        asking: false,
        timer: new Timer(() => void this.#askOutcome(id)),
        settle,
      };
      this.#open.set(id, entry);
      entry.timer.start(ANSWER_LIMIT_MS);
      this.#world.changed();
    });
  }

  /** The server's word on a command: the first, a repeat, or by a notice the last. */
  answered(id: string, { outcome, error, detail }: Answer | SettledNotice): void {
    const entry = this.#open.get(id);
    if (!entry) return;
    if (outcome !== "accepted") {
      this.#settle(id, outcome, error, detail);
      return;
    }
    entry.timer.stop();
    if (entry.accepted) return;
    entry.accepted = true;
    this.#world.changed();
  }

  /** The connection is back, perhaps with a gap behind it: what is open is asked for. */
  resumed(): void {
    for (const id of this.#open.keys()) void this.#askOutcome(id);
  }

  /** Whatever is open will never be heard of: the session is over, or another desktop has it. */
  abandon(error = "desktop.session-over"): void {
    for (const id of [...this.#open.keys()]) this.#settle(id, "unknown", error, "");
  }

  async #askOutcome(id: string): Promise<void> {
    const entry = this.#open.get(id);
    if (!entry || entry.asking) return;
    const { command } = entry;
    const resolves = entry.server !== this.#world.server() && !mayRepeat(entry);
    entry.asking = true;
    let answer: Answer | null | undefined;
    try {
      answer = await (resolves ? this.#world.resolve(id, command) : this.#world.askOutcome(id));
    } catch {
      answer = undefined; // nobody answers; `resumed` asks again when somebody does
    }
    entry.asking = false;
    if (this.#open.get(id) !== entry) return;
    entry.askings += 1;
    if (answer && resolves && answer.outcome === "unknown" && entry.askings < ASKINGS_LIMIT) {
      entry.askings = ASKINGS_LIMIT; // it is finding out; what it says when asked once more is the last word
      entry.timer.start(RESOLVE_LIMIT_MS);
    } else if (answer) {
      this.answered(id, answer);
    } else if (answer === null && entry.way !== this.#world.wayNumber()) {
      this.#neverArrived(id, entry);
    } else if (entry.askings >= ASKINGS_LIMIT) {
      this.#settle(id, "unknown", "desktop.no-answer", "");
    } else {
      entry.timer.start(ANSWER_LIMIT_MS);
    }
  }

  /** The connection it was sent on is gone, and the server that is asked did not get it. */
  #neverArrived(id: string, entry: Entry): void {
    const elsewhere = entry.server !== this.#world.server();
    if (mayRepeat(entry) && this.#world.send(id, entry.command)) {
      entry.repeated = true;
      entry.way = this.#world.wayNumber();
      entry.server = this.#world.server();
      entry.timer.start(ANSWER_LIMIT_MS);
    } else if (entry.accepted || elsewhere) {
      this.#settle(id, "unknown", "desktop.no-answer", ""); // somebody may have had it, and nobody remembers
    } else {
      this.#settle(id, "refused", "desktop.never-arrived", "");
    }
  }

  #settle(id: string, outcome: CommandResult["outcome"], error: string, detail: string): void {
    const entry = this.#open.get(id);
    if (!entry) return;
    entry.timer.stop();
    this.#open.delete(id);
    entry.settle({ id, type: entry.command.type, outcome, error, detail });
    this.#world.changed();
  }
}

function mayRepeat({ command, accepted, repeated }: Entry): boolean {
  return REPEATABLE.has(command.type) && !accepted && !repeated;
}

function refused(id: string, command: Command, error: string): CommandResult {
  return { id, type: command.type, outcome: "refused", error, detail: "" };
}
