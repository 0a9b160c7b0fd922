import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ANSWER_LIMIT_MS, Commands } from "../../client/commands.js";
import type { Answer, Command } from "../../client/index.js";

const READY: Command = { type: "set-mode", mode: "ready" };
const DIAL: Command = { type: "make-call", number: "123" };

let sent: [string, Command][];
let canSend: boolean;
let way: number;
let server: string;
let outcomes: (Answer | null | Error)[];
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  canSend = true;
  way = 1;
  server = "https://a";
  outcomes = [];
  asked = [];
});
afterEach(() => vi.useRealTimers());

function commands(): Commands {
  return new Commands("me", {
    send: (id, command) => {
      if (canSend) sent.push([id, command]);
      return canSend;
    },
    wayNumber: () => way,
    server: () => server,
    askOutcome: (id) => told(id),
    resolve: (id, command) => told(`${id}, ${command.type}`),
    changed: () => undefined,
  });
}

function told(what: string): Promise<Answer | null> {
  asked.push(what);
  const outcome = outcomes.shift() ?? null;
  return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
}

/** The connection is back at another server. */
function moved(it: Commands): void {
  way += 1;
  server = `https://${way}`;
  it.resumed();
}

function answer(outcome: Answer["outcome"], error = ""): Answer {
  return { type: "answer", id: "me-1", command_type: "set-mode", outcome, error, detail: "" };
}

test("each command has its own id, and is settled by the answer", async () => {
  const it = commands();
  const first = it.submit(READY);
  void it.submit(DIAL);
  expect(sent.map(([id]) => id)).toEqual(["me-1", "me-2"]);
  it.answered("me-1", answer("done"));
  await expect(first).resolves.toEqual({ id: "me-1", type: "set-mode", outcome: "done", error: "", detail: "" });
  expect(it.open.map((each) => each.id)).toEqual(["me-2"]);
});

test("an accepted command stays open until the notice that settles it", async () => {
  const it = commands();
  const result = it.submit(READY);
  it.answered("me-1", answer("accepted"));
  expect(it.open[0]?.accepted).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual([]);
  it.answered("me-1", { command: "me-1", command_type: "set-mode", outcome: "refused", error: "switch.busy", detail: "27" });
  await expect(result).resolves.toMatchObject({ outcome: "refused", error: "switch.busy", detail: "27" });
});

test("while not connected a command is refused at once, and not kept for later", async () => {
  const it = commands();
  canSend = false;
  await expect(it.submit(DIAL)).resolves.toMatchObject({ outcome: "refused", error: "desktop.not-connected" });
  expect(it.open).toEqual([]);
});

test("without an answer for 3 s the outcome is asked for, and the command not sent again", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  outcomes = [answer("done")];
  await vi.advanceTimersByTimeAsync(ANSWER_LIMIT_MS - 1);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual(["me-1"]);
  await expect(result).resolves.toMatchObject({ outcome: "done" });
  expect(sent).toHaveLength(1);
});

test("a telephony command that never arrived is refused, not repeated", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  way = 2;
  it.resumed();
  await expect(result).resolves.toMatchObject({ outcome: "refused", error: "desktop.never-arrived" });
  expect(sent).toHaveLength(1);
});

test("a wish that never arrived is repeated once, under its old id", async () => {
  const it = commands();
  const result = it.submit(READY);
  way = 2;
  it.resumed();
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual([
    ["me-1", READY],
    ["me-1", READY],
  ]);
  way = 3;
  it.resumed();
  await expect(result).resolves.toMatchObject({ outcome: "refused", error: "desktop.never-arrived" });
  expect(sent).toHaveLength(2);
});

test("a command that may still be under way on the same connection is waited for", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  outcomes = [null, null, answer("done")];
  await vi.advanceTimersByTimeAsync(3 * ANSWER_LIMIT_MS);
  await expect(result).resolves.toMatchObject({ outcome: "done" });
  expect(asked).toHaveLength(3);
});

test("a command of which nobody can say anything is unknown after a while", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  outcomes = Array.from({ length: 9 }, () => new Error("no server"));
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "desktop.no-answer" });
  expect(asked.length).toBeLessThanOrEqual(5);
});

test("an accepted command that the server has forgotten is unknown, never repeated", async () => {
  const it = commands();
  const result = it.submit(READY);
  it.answered("me-1", answer("accepted"));
  way = 2;
  it.resumed();
  await expect(result).resolves.toMatchObject({ outcome: "unknown" });
  expect(sent).toHaveLength(1);
});

describe("after a move to another server", () => {
  test("what became of a command is found out there, and the command not sent again", async () => {
    const it = commands();
    const result = it.submit(DIAL);
    outcomes = [answer("done")];
    moved(it);
    expect(asked).toEqual(["me-1, make-call"]);
    await expect(result).resolves.toMatchObject({ outcome: "done" });
    expect(sent).toHaveLength(1);
  });

  test.each([
    ["done", ""],
    ["refused", "command.not-performed"],
  ] as const)("a server that is finding out is waited for: %s", async (outcome, error) => {
    const it = commands();
    const result = it.submit(DIAL);
    outcomes = [answer("unknown")];
    moved(it);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(it.open).toHaveLength(1);
    it.answered("me-1", { command: "me-1", command_type: "make-call", outcome, error, detail: "" });
    await expect(result).resolves.toMatchObject({ outcome, error });
    expect(asked).toHaveLength(1);
  });

  test("one that has found out nothing after 30 s is asked once more, and its word is the last", async () => {
    const it = commands();
    const result = it.submit(DIAL);
    outcomes = [answer("unknown"), answer("unknown", "command.lost-sight")];
    moved(it);
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "command.lost-sight" });
    expect(asked).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("one that cannot find out leaves it unknown, and never as not arrived", async () => {
    const it = commands();
    const result = it.submit(DIAL);
    moved(it);
    await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "desktop.no-answer" });
  });

  test("an accepted command goes on there", async () => {
    const it = commands();
    const result = it.submit(DIAL);
    it.answered("me-1", { ...answer("accepted"), command_type: "make-call" });
    outcomes = [answer("accepted")];
    moved(it);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(it.open).toHaveLength(1);
    it.answered("me-1", { command: "me-1", command_type: "make-call", outcome: "done", error: "", detail: "" });
    await expect(result).resolves.toMatchObject({ outcome: "done" });
  });

  test("a wish that the new server never got is repeated there, under its old id", async () => {
    const it = commands();
    const result = it.submit(READY);
    moved(it);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(["me-1"]);
    expect(sent).toEqual([
      ["me-1", READY],
      ["me-1", READY],
    ]);
    it.answered("me-1", answer("done"));
    await expect(result).resolves.toMatchObject({ outcome: "done" });
  });

  test("a wish that cannot be repeated now is unknown, for the old server may have had it", async () => {
    const it = commands();
    const result = it.submit(READY);
    canSend = false;
    moved(it);
    await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "desktop.no-answer" });
  });

  test("an accepted wish is found out about, and not repeated", async () => {
    const it = commands();
    void it.submit(READY);
    it.answered("me-1", answer("accepted"));
    outcomes = [answer("accepted")];
    moved(it);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(["me-1, set-mode"]);
    expect(sent).toHaveLength(1);
  });

  test("back at the server it was sent to, it is only asked for", async () => {
    const it = commands();
    void it.submit(DIAL);
    outcomes = [new Error("no server")];
    moved(it);
    await vi.advanceTimersByTimeAsync(0);
    server = "https://a";
    it.resumed();
    expect(asked).toEqual(["me-1, make-call", "me-1"]);
  });
});

test("another desktop that has taken over ends the waiting for all", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  it.abandon("taken-over");
  await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "taken-over" });
});

test("no more than 64 commands are open", async () => {
  const it = commands();
  for (let count = 0; count < 64; count += 1) void it.submit(DIAL);
  await expect(it.submit(DIAL)).resolves.toMatchObject({ error: "desktop.too-many-open" });
  expect(sent).toHaveLength(64);
});

test("the end of the session settles everything and leaves no timer behind", async () => {
  const it = commands();
  const result = it.submit(DIAL);
  it.abandon();
  await expect(result).resolves.toMatchObject({ outcome: "unknown", error: "desktop.session-over" });
  expect(vi.getTimerCount()).toBe(0);
});

test("a word about a command of another page is ignored", () => {
  const it = commands();
  void it.submit(DIAL);
  it.answered("another-1", answer("done"));
  expect(it.open).toHaveLength(1);
});
