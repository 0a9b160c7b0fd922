import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason, type CallView, type ConnectionStatus, type View } from "../../client/index.js";
import { broughtBack, isBetween, withLast } from "../../desktop/between.js";
import {
  ask,
  callBlockedBy,
  connection,
  desk,
  held,
  recentCalls,
  takeView,
  view,
  wasLive,
} from "../../desktop/store.js";
import { isOld, keepWhereabouts, moved, news, unsureSince } from "../../desktop/whereabouts.js";
import { aView } from "../client/fakes.js";
import { anItem } from "./fakes.js";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const AT = "2026-01-01T12:00:00.000Z";
const LINK = { state: "up", name: "aes-1", lost: null, trouble: "", detail: "" } as const;
const CHANGED = { ...LINK, state: "down", lost: AT, trouble: "instance-lost" } as const;

const CALL: CallView = {
  id: "7",
  state: "active",
  direction: "in",
  parties: [{ number: "02079460123", state: "active" }],
  called: "8000",
  queue: "",
  data: "",
  ucid: "",
  since: AT,
  state_since: AT,
  cause: "",
  blocked: {},
};
const TALKING = aView({ calls: [CALL], agent: { ...aView().agent, mode: "talking", switch_mode: "ready" } });

/** What another server tells first. */
function unsure(trouble: string | null, news: Partial<View> = {}): View {
  const { agent } = aView();
  const steps = trouble === null ? [] : ([{ name: "claim", state: "under-way", doing: trouble }] as const);
  return aView({
    agent: { ...agent, mode: "unknown", switch_mode: "unknown", known: false },
    links: { telephony: CHANGED, dialler: LINK },
    login: { steps, turn_at: null },
    ...news,
  });
}

test("a view is between two servers while the next one asks, and for no other reason", () => {
  expect(isBetween(unsure(""))).toBe(true);
  expect(isBetween(unsure(null))).toBe(true);
  expect(isBetween(aView())).toBe(false);
  const lost = { ...CHANGED, trouble: "silent" };
  expect(isBetween(unsure(null, { links: { telephony: lost, dialler: LINK } }))).toBe(false);
  const noLink = { ...CHANGED, name: null };
  expect(isBetween(unsure(null, { links: { telephony: noLink, dialler: LINK } }))).toBe(false);
});

test("what was certain last is shown as uncertain, with how far the server is", () => {
  const last = { ...TALKING, item: anItem(4) };
  const shown = withLast(last, unsure("cluster.waiting", { left_item: anItem(4) }));
  expect(shown.agent).toEqual({ ...TALKING.agent, known: false });
  expect([shown.calls, shown.item?.number, shown.left_item]).toEqual([[CALL], 4, null]);
  expect(shown.login.steps[0]?.doing).toBe("cluster.waiting");
  expect(broughtBack(shown)).toBe("telephony");
});

describe("over time", () => {
  keepWhereabouts();

  const LIVE: ConnectionStatus = {
    state: "live",
    reason: ConnectionReason.FreshView,
    sinceMs: NOW,
    lostAtMs: null,
    failures: 0,
    nextTryAtMs: null,
    server: "https://one",
    instance: "one",
    movedFrom: null,
    nothingLost: true,
    leaving: null,
  };
  const MOVED = { ...LIVE, reason: ConnectionReason.Moved, movedFrom: "one", server: "https://two", instance: "two" };

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    connection.value = null;
    takeView(null);
    connection.value = LIVE;
    wasLive.value = true;
    takeView(TALKING);
    recentCalls.value = [];
  });
  afterEach(() => vi.useRealTimers());

  /** A planned move: the old connection is there until the new one is. */
  function move(): void {
    connection.value = { ...LIVE, leaving: "drain" };
    takeView(unsure(""));
    connection.value = MOVED;
  }

  /** A loss, and another server that has us half a second later. */
  function lose(): void {
    connection.value = { ...LIVE, state: "waiting", lostAtMs: NOW };
    vi.advanceTimersByTime(500);
    connection.value = { ...LIVE, state: "hello", lostAtMs: NOW };
    takeView(unsure(""));
    connection.value = MOVED;
  }

  test("a planned move that is short is not seen, but for its announcement and its end", () => {
    move();
    expect([view.value, isOld.value, unsureSince.value, news.value]).toEqual([TALKING, false, null, "serviced"]);
    takeView(TALKING);
    vi.advanceTimersByTime(60);
    expect([view.value, isOld.value, news.value]).toEqual([TALKING, false, "moved"]);
  });

  test("what is pressed during a move that is not seen is asked of the next server, once", async () => {
    const submit = vi
      .spyOn(desk, "submit")
      .mockResolvedValue({ id: "1", type: "hold-call", outcome: "done", error: "", detail: "" });
    move();
    expect(callBlockedBy(CALL, "hold-call")).toBe("");
    const asked = ask({ type: "hold-call", call: "7" });
    expect(submit).not.toHaveBeenCalled();
    takeView(TALKING);
    vi.advanceTimersByTime(60);
    await asked;
    expect(submit.mock.calls).toEqual([[{ type: "hold-call", call: "7" }]]);
  });

  test("a planned move that takes long is told as what it is", () => {
    move();
    takeView(unsure("cluster.owner-lives"));
    vi.advanceTimersByTime(1_000);
    expect([isOld.value, news.value, view.value?.calls.length]).toEqual([true, "claim", 1]);
    expect(unsureSince.value).toBe(NOW); // since the next server has had us
    takeView(TALKING);
    vi.advanceTimersByTime(60);
    expect([isOld.value, unsureSince.value, news.value]).toEqual([false, null, "moved"]);
  });

  test("after a loss what is shown stays greyed until the next server knows", () => {
    lose();
    expect([held.value, isOld.value, unsureSince.value]).toEqual(["lost", true, NOW]);
    expect(news.value).toBe("lost");
    takeView(unsure("cluster.no-store"));
    vi.advanceTimersByTime(1_000);
    expect([held.value, isOld.value, unsureSince.value, news.value]).toEqual([null, true, NOW, "claim"]);
    expect(view.value?.calls).toEqual([CALL]);
  });

  test("nothing can be pressed meanwhile, with the reason", () => {
    lose();
    expect(callBlockedBy(CALL, "hang-up-call")).toBe("not-connected");
    vi.advanceTimersByTime(1_000);
    expect(callBlockedBy(CALL, "hang-up-call")).toBe("claim-awaited");
    takeView(TALKING);
    vi.advanceTimersByTime(60);
    expect(callBlockedBy(CALL, "hang-up-call")).toBe("");
  });

  test("what the switch tells in several parts is shown as one, and a call that goes on has not ended", () => {
    lose();
    takeView({ ...TALKING, calls: [] });
    takeView(TALKING);
    vi.advanceTimersByTime(60);
    expect([view.value, recentCalls.value]).toEqual([TALKING, []]);
  });

  test("a call that ended meanwhile is among the last calls", () => {
    lose();
    takeView({ ...TALKING, calls: [] });
    vi.advanceTimersByTime(60);
    expect(recentCalls.value.map(({ number }) => number)).toEqual(["02079460123"]);
  });

  test("a session that ends while it is held is over at once", () => {
    move();
    takeView(null);
    expect([view.value, held.value, moved.value]).toEqual([null, null, null]);
    vi.advanceTimersByTime(2_000);
    expect(view.value).toBeNull();
  });
});
