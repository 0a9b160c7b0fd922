/** Three sounds, made on the spot: nothing is loaded, and each is told from the others in the dark. */

import { Timer } from "../client/index.js";
import { prefs } from "./prefs.js";

export type Sound = "call" | "message" | "lost";

/** Pitch in Hz, start and length in seconds. */
type Note = readonly [number, number, number];

const NOTES: Readonly<Record<Sound, readonly Note[]>> = {
  call: [
    [659, 0, 0.16],
    [784, 0.18, 0.16],
    [988, 0.36, 0.28],
  ],
  message: [[880, 0, 0.22]],
  lost: [
    [392, 0, 0.28],
    [262, 0.32, 0.4],
  ],
};

/** A ringing call is heard again after this long, ms. */
const RING_EVERY_MS = 3_000;

let audio: AudioContext | null = null;

/** Plays one, if the agent wants to hear it. */
export function play(sound: Sound): void {
  const { volume, quiet, soundCall, soundMessage, soundLost } = prefs.peek();
  const wanted = { call: soundCall, message: soundMessage && !quiet, lost: soundLost && !quiet }[sound];
  if (wanted && volume > 0) sing(NOTES[sound], volume);
}

function sing(notes: readonly Note[], volume: number): void {
  if (typeof AudioContext === "undefined") return;
  audio ??= new AudioContext();
  // Until the agent has touched the page a browser plays nothing; the sound is then lost, and never the only sign.
  void audio.resume().catch(() => undefined);
  for (const [pitchHz, startS, lengthS] of notes) {
    const tone = audio.createOscillator();
    const level = audio.createGain();
    const begin = audio.currentTime + startS;
    tone.type = "triangle";
    tone.frequency.value = pitchHz;
    level.gain.setValueAtTime(0, begin);
    level.gain.linearRampToValueAtTime(volume * 0.3, begin + 0.015);
    level.gain.exponentialRampToValueAtTime(0.0005, begin + lengthS);
    tone.connect(level).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + lengthS + 0.05);
  }
}

const again = new Timer(() => {
  play("call");
  again.start(RING_EVERY_MS);
});

/** Rings until told to stop. */
export function ring(ringing: boolean): void {
  if (ringing === again.running) return;
  if (!ringing) again.stop();
  else {
    play("call");
    again.start(RING_EVERY_MS);
  }
}
