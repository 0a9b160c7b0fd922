import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RequestError, Rest } from "../../client/rest.js";
import { aHome, Http, place, refusal, type Reply } from "./fakes.js";

const A = "https://a";
const HOME = aHome({ token: "t" });

let http: Http;
let rest: Rest;

beforeEach(() => {
  vi.useFakeTimers();
  http = new Http();
  rest = new Rest(http.fetch);
});
afterEach(() => vi.useRealTimers());

async function refused(reply: Reply): Promise<RequestError> {
  http.on(A, "GET /v1/config", reply);
  const error: unknown = await rest.config(A).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(RequestError);
  return error as RequestError;
}

describe("what is asked", () => {
  test("a resume brings ticket and token in its body, and no token elsewhere", async () => {
    http.on(A, "POST /v1/session/resume", { body: { session: "s", token: "t2", ticket: "k2", now: "n" } });
    await expect(rest.resume(A, "k", "t", 1_000)).resolves.toMatchObject({ token: "t2", ticket: "k2" });
    expect(http.asked[0]).toMatchObject({ body: { ticket: "k", token: "t" }, token: null });
  });

  test("a witness is asked about an instance by its name", async () => {
    http.on(A, "GET /v1/witness", { body: { instance: "x y", verdict: "dead", can_take: true, next: null } });
    await expect(rest.witness(A, "x y", 1_000)).resolves.toMatchObject({ verdict: "dead" });
    expect(http.asked[0]?.search).toBe("?instance=x%20y");
  });

  test("how a command stands, and what became of it, are asked with the token", async () => {
    const standing = { type: "make-call", outcome: "unknown", error: "", detail: "d" };
    const answer = { type: "answer", id: "c-1", command_type: "make-call", outcome: "unknown", error: "", detail: "d" };
    http.on(A, "GET /v1/session/commands/c-1", { body: standing });
    http.on(A, "POST /v1/session/commands/c-1/resolve", { body: standing });
    await expect(rest.outcome(HOME, "c-1")).resolves.toEqual(answer);
    await expect(rest.resolve(HOME, "c-1", { type: "make-call", number: "1" })).resolves.toEqual(answer);
    expect(http.asked.map((each) => each.token)).toEqual(["Bearer t", "Bearer t"]);
    expect(http.asked[1]?.body).toEqual({ command: { type: "make-call", number: "1" } });
  });

  test("nobody is asked about a command while no server has the session", async () => {
    await expect(rest.outcome(aHome({ server: "" }), "c-1")).rejects.toMatchObject({ id: "desktop.no-server" });
    expect(http.asked).toEqual([]);
  });

  test("a command that the server does not know is null, and every other refusal is one", async () => {
    http.on(A, "GET /v1/session/commands/c-1", refusal(404, "command.unknown"));
    http.on(A, "GET /v1/session/commands/c-2", refusal(423, "taken-over"));
    await expect(rest.outcome(HOME, "c-1")).resolves.toBeNull();
    await expect(rest.outcome(HOME, "c-2")).rejects.toMatchObject({ id: "taken-over" });
  });
});

describe("a refusal", () => {
  test("is told by its id, with what to read out, and where to ask instead", async () => {
    const body = { id: "instance.elsewhere", detail: "at b", retry: "elsewhere", correlation: "c-1", next: place("b") };
    expect(await refused({ status: 421, body })).toMatchObject({
      status: 421,
      id: "instance.elsewhere",
      detail: "at b",
      retry: "elsewhere",
      correlation: "c-1",
      next: place("b"),
    });
  });

  test.each([[null], ["b"], [{ id: "b" }], [7]])("with %j as the next place names none", async (next) => {
    expect((await refused({ status: 421, body: { id: "datacentre.passive", next } })).next).toBeNull();
  });

  test.each([
    [502, "desktop.server-trouble"],
    [400, "desktop.request-refused"],
  ])("of %i without a problem in it has an id all the same", async (status, id) => {
    for (const body of [null, "bad gateway", ["x"]]) expect((await refused({ status, body })).id).toBe(id);
  });

  test.each([
    [5, 5_000],
    [0, 0],
    [undefined, null],
  ])("with Retry-After %s wants to be left alone for %s ms", async (retryAfter, expected) => {
    const reply = refusal(503, "instance.busy") as Exclude<Reply, "silent">;
    expect((await refused(retryAfter === undefined ? reply : { ...reply, retryAfter })).retryAfterMs).toBe(expected);
  });
});

describe("no answer", () => {
  test("is told as such when the connection is refused", async () => {
    await expect(rest.config(A)).rejects.toMatchObject({ status: 0, id: "desktop.no-server" });
  });

  test("is given up after the caller's limit, or 5 s", async () => {
    http.freeze(A);
    const ends: string[] = [];
    rest.config(A).catch(() => ends.push(`config ${Date.now()}`));
    rest.witness(A, "b", 2_000).catch(() => ends.push(`witness ${Date.now()}`));
    const began = Date.now();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(ends).toEqual([`witness ${began + 2_000}`, `config ${began + 5_000}`]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("can be given up by the caller", async () => {
    http.freeze(A);
    const stopper = new AbortController();
    const asked = rest.topology(A, { limitMs: 2_000, stopper });
    stopper.abort();
    await expect(asked).rejects.toMatchObject({ id: "desktop.no-server" });
  });
});
