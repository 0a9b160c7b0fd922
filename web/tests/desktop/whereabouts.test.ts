import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason, type ConnectionStatus, type LinkView, type View } from "../../client/index.js";
import { cameBack, connection, desk, view } from "../../desktop/store.js";
import { broughtBack } from "../../desktop/between.js";
import {
  claimTrouble,
  isOld,
  keepWhereabouts,
  lossesOf,
  moved,
  news,
  newsOf,
  unsureSince,
} from "../../desktop/whereabouts.js";
import { aView } from "../client/fakes.js";
import { anItem } from "./fakes.js";

const LINK: LinkView = { state: "up", name: "aes-1", lost: null, trouble: "", detail: "" };
const AT = "2026-01-01T00:00:00.000Z";
const CHANGED = { lost: AT, trouble: "instance-lost" } as const;

function aStatus(newsOfIt: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    state: "live",
    reason: ConnectionReason.FreshView,
    sinceMs: 0,
    lostAtMs: null,
    failures: 0,
    nextTryAtMs: null,
    server: "https://one",
    instance: "desk-1",
    movedFrom: null,
    nothingLost: true,
    leaving: null,
    ...newsOfIt,
  };
}

function withLinks(telephony: Partial<LinkView>, dialler: Partial<LinkView> = {}): View {
  return aView({ links: { telephony: { ...LINK, ...telephony }, dialler: { ...LINK, ...dialler } } });
}

function awaiting(doing: string): View {
  const steps = [{ name: "claim", state: "under-way", doing }] as const;
  const { agent } = aView();
  return aView({ login: { steps, turn_at: null }, agent: { ...agent, known: false } });
}

describe("what is said of the server", () => {
  const NOTHING = { isElsewherePossible: false, hasMoved: false, cameBack: false };

  test.each([
    ["nothing while all is well", aStatus(), aView(), {}, null],
    ["that it is being checked", aStatus({ state: "suspect" }), aView(), {}, "checking"],
    ["that there is none", aStatus({ state: "waiting" }), aView(), {}, "lost"],
    ["that another is gone to", aStatus({ state: "hello" }), aView(), { isElsewherePossible: true }, "going"],
    ["that it may not act yet", aStatus(), awaiting("cluster.waiting"), { hasMoved: true }, "claim"],
    ["that it is serviced", aStatus({ leaving: "drain" }), aView(), {}, "serviced"],
    ["that it lets go of us", aStatus(), aView({ blocked: { "make-call": "moving" } }), {}, "serviced"],
    ["that the datacentre is left", aStatus({ leaving: "passive" }), aView(), {}, "passive"],
    ["that it asks anew", aStatus(), withLinks({ state: "checking", ...CHANGED }), { hasMoved: true }, "restoring"],
    ["that it is another one", aStatus(), aView(), { hasMoved: true, cameBack: true }, "moved"],
    ["that it is back", aStatus(), aView(), { cameBack: true }, "back"],
  ] as const)("%s", (_, status, shown, around, said) => {
    expect(newsOf(status, shown, { ...NOTHING, ...around })).toBe(said);
  });
});

test("a change of servers is no loss of a link, until the link has trouble of its own", () => {
  expect(broughtBack(withLinks({ state: "checking", ...CHANGED }, CHANGED))).toBe("telephony");
  expect(broughtBack(withLinks({}, CHANGED))).toBe("dialler");
  expect(broughtBack(withLinks({}))).toBeNull();
  expect(broughtBack(withLinks({ state: "down", lost: AT, trouble: "silent" }, CHANGED))).toBeNull();
  expect(broughtBack(withLinks({ state: "down", ...CHANGED, name: null }))).toBeNull();
});

test("what a move has cost is told, and what was so before it is not", () => {
  const ready = { ...aView().agent, switch_mode: "ready" } as const;
  const before = { datacentre: "", before: { mode: "ready", left: 6 } };
  expect(lossesOf(before, aView({ agent: ready, left_item: anItem(6) }))).toEqual([]);
  expect(lossesOf(before, aView({ agent: ready, left_item: anItem(7) }))).toEqual(["item"]);
  expect(lossesOf(before, aView({ agent: { ...aView().agent, cause: "switch-link-lost" } }))).toEqual(["mode"]);
  expect(lossesOf(before, aView())).toEqual([]);
  expect(lossesOf({ datacentre: "", before: null }, aView())).toEqual([]);
});

describe("followed over time", () => {
  keepWhereabouts();

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse("2026-01-01T12:00:00Z") });
    connection.value = null;
    view.value = null;
    cameBack.value = null;
    connection.value = aStatus();
    view.value = aView();
  });
  afterEach(() => vi.useRealTimers());

  const NOW = Date.parse("2026-01-01T12:00:00Z");
  const LOST = aStatus({ state: "waiting", lostAtMs: NOW - 500 });
  const MOVED = { reason: ConnectionReason.Moved, movedFrom: "desk-1", server: "https://two", instance: "desk-2" };

  test("the age of what is shown counts from the loss, and goes on while another server waits for its claim", () => {
    expect(unsureSince.value).toBeNull();
    connection.value = LOST;
    expect(unsureSince.value).toBe(NOW - 500);
    expect(isOld.value).toBe(true);
    vi.advanceTimersByTime(3_000);
    view.value = awaiting("cluster.no-store");
    connection.value = aStatus(MOVED);
    expect(claimTrouble.value).toBe("cluster.no-store");
    expect([unsureSince.value, isOld.value]).toEqual([NOW - 500, true]);
    view.value = aView();
    expect([unsureSince.value, isOld.value]).toEqual([null, false]);
  });

  test("a lost telephone link makes the agent's state uncertain from its own time on, and nothing else old", () => {
    view.value = {
      ...withLinks({ state: "down", lost: AT, trouble: "silent" }),
      agent: { ...aView().agent, known: false },
    };
    expect([unsureSince.value, isOld.value]).toEqual([Date.parse(AT), false]);
  });

  test("a record that another server has no longer is told as lost by the move", () => {
    connection.value = LOST;
    view.value = aView({ left_item: anItem(6) });
    connection.value = aStatus(MOVED);
    expect(moved.value && lossesOf(moved.value, aView({ left_item: anItem(6) }))).toEqual(["item"]);
  });

  test("a move within a datacentre names none, and one to another names the other", () => {
    const entry = { url: "", state: "ready", weight: 1 } as const;
    const topologyWith = (datacentre: string): void => {
      const instances = [
        { ...entry, id: "desk-1", datacentre: "east" },
        { ...entry, id: "desk-2", datacentre },
      ];
      const told = { cluster: "c", epoch: 1, version: 1, active: datacentre, reconnect_window_ms: 0, instances };
      vi.spyOn(desk, "topology", "get").mockReturnValue(told);
    };
    topologyWith("east");
    connection.value = aStatus(MOVED);
    expect(moved.value?.datacentre).toBe("");
    connection.value = aStatus({ server: "https://one" });
    expect(moved.value).toBeNull();
    topologyWith("west");
    connection.value = aStatus(MOVED);
    expect(moved.value?.datacentre).toBe("west");
  });

  test("nothing is said before the first time, nor when another desktop has the session", () => {
    connection.value = aStatus({ state: "refused", reason: ConnectionReason.TakenOver });
    expect(news.value).toBeNull();
  });
});
