import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectionReason, type ConnectionStatus, type View } from "../../client/index.js";
import { DEFAULT_PREFS, prefs } from "../../desktop/prefs.js";
import { connection, desk, held, view, wasLive } from "../../desktop/store.js";
import { now } from "../../desktop/time.js";
import { Banners } from "../../desktop/views/banner.js";
import { keepWhereabouts, moved } from "../../desktop/whereabouts.js";
import { aView } from "../client/fakes.js";
import { anItem } from "./fakes.js";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const LIVE: ConnectionStatus = {
  state: "live",
  reason: ConnectionReason.FreshView,
  sinceMs: NOW,
  lostAtMs: null,
  failures: 0,
  nextTryAtMs: null,
  server: "https://one",
  instance: "desk-1",
  movedFrom: null,
  nothingLost: true,
  leaving: null,
};
const LOST: ConnectionStatus = { ...LIVE, state: "waiting", reason: ConnectionReason.Closed, lostAtMs: NOW };
const MOVED: ConnectionStatus = {
  ...LIVE,
  reason: ConnectionReason.Moved,
  server: "https://two",
  instance: "desk-2",
  movedFrom: "desk-1",
};

let page: HTMLElement;

keepWhereabouts();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  now.value = NOW;
  vi.spyOn(desk, "reference", "get").mockReturnValue("3F9A71C2");
  const entry = { url: "", state: "ready", weight: 1 } as const;
  const instances = [
    { ...entry, id: "desk-1", datacentre: "east" },
    { ...entry, id: "desk-2", datacentre: "west" },
  ];
  const told = { cluster: "c", epoch: 1, version: 1, active: "east", reconnect_window_ms: 0, instances };
  vi.spyOn(desk, "topology", "get").mockReturnValue(told);
  wasLive.value = true;
  view.value = aView();
  connection.value = LIVE;
  page = document.createElement("div");
});
afterEach(() => {
  render(null, page);
  connection.value = view.value = null;
  prefs.value = DEFAULT_PREFS;
  vi.useRealTimers();
});

function told(): string {
  render(<Banners />, page);
  return page.textContent ?? "";
}

function awaiting(trouble: string): View {
  const steps = [{ name: "claim", state: "under-way", doing: trouble }] as const;
  return aView({ login: { steps, turn_at: null }, agent: { ...aView().agent, known: false } });
}

test("nothing is said while all is well", () => {
  expect(told()).toBe("");
});

describe.each([
  [
    "en",
    {
      checking: "Your call is not affected.",
      going: "Going to another one.",
      sent: "This server stopped serving at ",
      serviced: "You are moved to another server without interruption.",
      store: "The servers cannot reach their shared store.",
      moved: "Nothing was lost.",
      datacentre: "You are in datacentre west now.",
      item: "your notes are kept below",
    },
  ],
  [
    "hu",
    {
      checking: "A hívását nem érinti.",
      going: "Átállás egy másikra.",
      sent: "óta nem szolgál ki.",
      serviced: "Megszakítás nélkül másik kiszolgálóra kerül.",
      store: "A kiszolgálók nem érik el a közös tárolójukat.",
      moved: "Semmi sem veszett el.",
      datacentre: "Most a(z) west adatközpontban van.",
      item: "a jegyzete lent megmaradt",
    },
  ],
])("in %s", (language, words) => {
  beforeEach(() => {
    prefs.value = { ...DEFAULT_PREFS, language };
  });

  test.each([
    ["a silent server", { ...LIVE, state: "suspect" } as ConnectionStatus, aView(), words.checking],
    ["a lost server, while there are others", LOST, aView(), words.going],
    ["one that had us go", { ...LOST, reason: ConnectionReason.SteppedDown }, aView(), words.sent],
    ["a server that is serviced", { ...LIVE, leaving: "drain" } as ConnectionStatus, aView(), words.serviced],
    ["a claim that waits for the store", MOVED, awaiting("cluster.no-store"), words.store],
    ["a move", MOVED, aView(), words.moved],
    ["a move to another datacentre", MOVED, aView(), words.datacentre],
    ["a move that cost a record", MOVED, aView({ left_item: anItem(6) }), words.item],
  ])("%s is told, with the word to read out and the server's name", (_, status, shown, sentence) => {
    connection.value = { ...LOST };
    view.value = shown;
    connection.value = status;
    const text = told();
    expect(text).toContain(sentence);
    expect(text).toContain("3F9A71C2-");
    expect(text).toContain(status.instance);
  });
});

test("while the claim is awaited the age of what is shown is told, and no link is called lost", () => {
  connection.value = LOST;
  const shown = awaiting("cluster.waiting");
  const telephony = {
    ...shown.links.telephony,
    state: "down",
    lost: shown.agent.since,
    trouble: "instance-lost",
  } as const;
  view.value = { ...shown, links: { ...shown.links, telephony } };
  connection.value = MOVED;
  now.value = NOW + 17_000;
  expect(told()).toContain("as it was 0:17 ago");
  expect(page.querySelectorAll(".banner")).toHaveLength(1);
});

test("that all others are silent too is told after a minute", () => {
  connection.value = LOST;
  now.value = NOW + 61_000;
  expect(told()).toContain("No connection to the server since");
});

test("good news go by themselves, losses stay for longer", async () => {
  connection.value = MOVED;
  await act(() => void told());
  expect(page.textContent).toContain("Nothing was lost.");
  vi.advanceTimersByTime(8_000);
  expect(moved.value).toBeNull();
  connection.value = LIVE;
  connection.value = MOVED;
  view.value = aView({ left_item: anItem(6) });
  await act(() => void told());
  vi.advanceTimersByTime(8_000);
  expect(moved.value).not.toBeNull();
});

test("why the server was lost is told on while its end is held back", () => {
  connection.value = { ...LOST, reason: ConnectionReason.SteppedDown };
  expect(told()).toContain("This server stopped serving");
  held.value = "lost";
  connection.value = MOVED;
  expect(told()).toContain("This server stopped serving");
  held.value = null;
  expect(told()).toContain("You are in datacentre west now.");
});
