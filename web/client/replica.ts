/** The view as the server has it: a snapshot, and the notices after it put in place in order. */

import type { Envelope } from "./frames.js";
import type { View } from "./messages.js";

/** Messages kept on the desktop, as many as the server keeps. */
const MESSAGES_KEPT = 20;

/** Where we are in a stream; nowhere before its first snapshot. */
interface Position {
  readonly epoch: number | null;
  readonly seq: number | null;
}

const NOWHERE: Position = { epoch: null, seq: null };

/** What an envelope did. `gap`: something before it is missing, so the stream must be resumed. */
export type Applied = "applied" | "duplicate" | "gap";

export class Replica {
  #view: View | null = null;
  #position = NOWHERE;

  /** Null before the first snapshot. Replaced at each change, never altered. */
  get view(): View | null {
    return this.#view;
  }

  /** Where we are in the stream, for resuming. */
  get position(): Position {
    return this.#position;
  }

  /**
   * Takes one envelope. A snapshot is always taken: frames come in order on one transport, so it is the newest truth,
   * also when another server counts its epochs from lower. Only a snapshot begins an epoch.
   */
  apply(envelope: Envelope): Applied {
    const { epoch, seq } = envelope;
    const here = this.#position;
    if (envelope.type === "snapshot") {
      this.#view = envelope.data.view;
      this.#position = { epoch, seq };
      return "applied";
    }
    if (!this.#view || here.epoch === null || here.seq === null) return "gap";
    if (epoch < here.epoch) return "duplicate";
    if (epoch > here.epoch || seq > here.seq + 1) return "gap";
    if (seq <= here.seq) return "duplicate";
    this.#position = { epoch, seq };
    if (envelope.type === "message-arrived") {
      const messages = [...this.#view.messages, envelope.data.message].slice(-MESSAGES_KEPT);
      this.#view = { ...this.#view, messages };
    } else if (envelope.type.endsWith("-changed")) {
      this.#view = { ...this.#view, ...envelope.data };
    }
    return "applied";
  }

  /** Forgets everything: the next session begins anew. */
  clear(): void {
    this.#view = null;
    this.#position = NOWHERE;
  }
}
