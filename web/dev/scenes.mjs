/**
 * Views of an agent's day, as the server would send them: for looking at each state without a server behind it.
 * Times count from the moment a scene is asked for.
 */

/** @typedef {Record<string, any>} View */

/** RFC 3339, so many seconds ago. @param {number} seconds */
export const ago = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString();

const TELEPHONY_STEPS = ["link", "turn", "station", "state", "agent"];

/** Steps done up to one that is under way. @param {string[]} names @param {string} at @param {string} [doing] */
export function steps(names, at, doing = "") {
  const place = at === "" ? names.length : names.indexOf(at);
  return names.map((name, index) => ({
    name,
    state: index < place ? "done" : index === place ? "under-way" : "to-do",
    doing: index === place ? doing : "",
  }));
}

const link = (name, news = {}) => ({ state: "up", name, lost: null, trouble: "", detail: "", ...news });

export const JOBS = [
  { name: "spring_renewals", kind: "outbound", active: true },
  { name: "collections_30", kind: "outbound", active: true },
  { name: "service_inbound", kind: "inbound", active: true },
  { name: "winback_blend", kind: "blend", active: true },
  { name: "vip_preview", kind: "managed", active: true },
  { name: "autumn_survey", kind: "outbound", active: false },
];

export const KEYS = [
  ["1", "Renewed"],
  ["2", "Renewed, new terms"],
  ["3", "Promised to pay"],
  ["4", "Refused"],
  ["5", "Refused, competitor"],
  ["6", "Wrong number"],
  ["7", "Person not available"],
  ["8", "Language barrier"],
  ["9", "Do not call again"],
  ["20", "Callback agreed"],
  ["21", "Callback by me"],
  ["35", "Complaint, passed on"],
  ["41", "Answering machine"],
  ["42", "Fax or modem"],
  ["93", "Cancelled before dialling"],
].map(([code, text]) => ({ code, text }));

const FIELDS = [
  ["ACCTNUM", "70 0482 9913", "text", 12, false],
  ["NAME", "Margit Kovács-Szabó", "text", 30, false],
  ["PHONE1", "+36 30 555 0142", "text", 16, true],
  ["PHONE2", "", "text", 16, true],
  ["CITY", "Székesfehérvár", "text", 20, false],
  ["BALANCE", "184250.00", "money", 12, false],
  ["PROMISE", "25000", "money", 10, true],
  ["PAYDAY", "2026/12/15", "date", 10, true],
  ["BESTTIME", "17:30", "time", 5, true],
  ["TARIFF", "Comfort 24", "text", 14, false],
  ["CONTRACT_END", "2027/03/31", "date", 10, false],
  ["PERSONS", "3", "number", 2, true],
].map(([name, value, kind, length, editable]) => ({ name, value, kind, length, editable }));

const CALL_ACTIONS = [
  "answer-call",
  "deflect-call",
  "hold-call",
  "retrieve-call",
  "hang-up-call",
  "consult-call",
  "blind-transfer-call",
  "add-to-call",
  "send-digits",
  "swap-calls",
  "reconnect-call",
  "transfer-call",
  "conference-calls",
];
const POSSIBLE = {
  alerting: ["answer-call", "deflect-call"],
  active: ["hold-call", "hang-up-call", "consult-call", "blind-transfer-call", "add-to-call", "send-digits"],
  held: ["retrieve-call", "hang-up-call"],
  dialling: ["hang-up-call"],
};

/** One call at the station. @param {string} id @param {string} state @param {Record<string, any>} news @param {boolean} [paired] */
export function call(id, state, news = {}, paired = false) {
  const pair = ["swap-calls", "reconnect-call", "transfer-call", "conference-calls"];
  const possible = [...(POSSIBLE[state] ?? []), ...(paired ? pair : [])];
  const why =
    { alerting: "call-alerting", held: "call-held", active: "call-active", dialling: "call-dialling" }[state] ??
    "call-active";
  const blocked = Object.fromEntries(
    CALL_ACTIONS.filter((each) => !possible.includes(each)).map((each) => [
      each,
      pair.includes(each) ? "needs-held-call" : why,
    ]),
  );
  return {
    id,
    state,
    direction: "in",
    parties: [{ number: "+36 30 555 0142", state: "active" }],
    called: "06 80 100 200",
    queue: "",
    data: "",
    ucid: "00001042171793384750",
    since: ago(42),
    state_since: ago(42),
    cause: "",
    blocked,
    ...news,
  };
}

const ITEM_BLOCKED = {
  "dial-item": "no-item",
  "release-line": "no-item",
  "hold-line": "no-item",
  "unhold-line": "no-item",
  "dial-line-digit": "no-item",
  "finish-item": "no-item",
  "update-field": "no-item",
  "set-callback": "no-item",
  "save-draft": "no-item",
};
const LINE_BLOCKED = {
  previewing: {
    "release-line": "nobody-on-line",
    "hold-line": "nobody-on-line",
    "unhold-line": "not-on-hold",
    "dial-line-digit": "nobody-on-line",
  },
  "on-call": { "dial-item": "already-dialled", "unhold-line": "not-on-hold" },
  "on-hold": { "dial-item": "already-dialled", "hold-line": "nobody-on-line", "dial-line-digit": "nobody-on-line" },
  "line-gone": {
    "dial-item": "already-dialled",
    "release-line": "nobody-on-line",
    "hold-line": "nobody-on-line",
    "unhold-line": "not-on-hold",
    "dial-line-digit": "nobody-on-line",
  },
};

/** A customer record. @param {string} stage @param {Record<string, any>} news */
export function item(stage, news = {}) {
  return {
    number: 7,
    kind: "outbound",
    stage,
    title: "Margit Kovács-Szabó",
    waited: "",
    key: "ACCTNUM",
    fields: FIELDS,
    since: ago(95),
    stage_since: ago(95),
    preview_until: null,
    suggested_code: "",
    draft: { notes: "", code: "" },
    ...news,
  };
}

/** An agent who is not ready, logged on everywhere, in no job. @param {Record<string, any>} news @returns {View} */
export function view(news = {}) {
  const mode = news.mode ?? "not-ready";
  const switchMode = news.switchMode ?? (["not-ready", "ready", "wrap-up"].includes(mode) ? mode : "ready");
  const shownItem = news.item ?? null;
  const dialler = news.dialler ?? {};
  const inJob = ["joined", "ready", "working"].includes(dialler.stage ?? "logged-on");
  const blocked = {
    [`set-mode:${switchMode}`]: "already-so",
    ...(news.agent?.pending ? {} : { "cancel-pending": "nothing-pending" }),
    "reconnect-headset": "already-so",
    ...(inJob
      ? { "join-job": "already-in-job" }
      : { "leave-job": "not-in-job", "take-items": "not-in-job", "pause-items": "not-in-job" }),
    ...(inJob && (dialler.take_items ? { "take-items": "already-so" } : { "pause-items": "already-so" })),
    ...(shownItem ? LINE_BLOCKED[shownItem.stage] : ITEM_BLOCKED),
    ...(news.calls?.length || ["on-call", "on-hold"].includes(shownItem?.stage) ? { "make-call": "call-active" } : {}),
    ...news.blocked,
  };
  if (switchMode === "not-ready") delete blocked["set-mode:not-ready"];
  return {
    session: {
      agent: "4711",
      station: "2041",
      phase: "active",
      presence: "connected",
      opened: ago(5_400),
      uses_dialler: true,
      closing: "",
      ...news.session,
    },
    agent: {
      mode,
      switch_mode: switchMode,
      reason: mode === "not-ready" ? 1 : null,
      cause: "",
      since: ago(151),
      known: true,
      asked: null,
      pending: [],
      ...news.agent,
    },
    calls: news.calls ?? [],
    dialler: {
      stage: "logged-on",
      step: "",
      dialler: "pc-1",
      headset: "connected",
      job: inJob ? "spring_renewals" : null,
      wanted_job: inJob ? "spring_renewals" : null,
      take_items: false,
      since: ago(83),
      known: true,
      trouble: "",
      detail: "",
      ...dialler,
    },
    jobs: { list: JOBS, keys: inJob ? KEYS : [], ...news.jobs },
    item: shownItem,
    left_item: news.left_item ?? null,
    links: { telephony: link("aes-1"), dialler: link("pc-1"), ...news.links },
    login: { steps: steps([...TELEPHONY_STEPS, "dialler"], ""), turn_at: null, ...news.login },
    messages: news.messages ?? [
      { text: "Please note the new tariff sheet on the board.", sender: "supervisor", at: ago(3_000) },
    ],
    blocked,
  };
}

const TAKING = { stage: "ready", take_items: true, since: ago(23) };
const WORKING = { stage: "working", take_items: true, since: ago(95) };
const NO_DIALLER = {
  session: { uses_dialler: false },
  dialler: { stage: "off", dialler: null, headset: "none", known: false },
  links: { telephony: link("aes-1"), dialler: link(null, { state: "unused" }) },
};
const DOWN = Object.fromEntries(
  ["set-mode:ready", "set-mode:not-ready", "set-mode:wrap-up", "make-call"].map((each) => [each, "telephony-down"]),
);
const NO_DIALLING = Object.fromEntries(
  ["join-job", "leave-job", "take-items", "pause-items", "refresh-jobs", "send-message"].map((each) => [
    each,
    "dialler-down",
  ]),
);

const ALL_STEPS = [...TELEPHONY_STEPS, "dialler", "job"];

/** Everything is blocked for one reason. @param {string} reason */
const allBlocked = (reason) =>
  Object.fromEntries(
    [
      "set-mode:ready",
      "set-mode:not-ready",
      "set-mode:wrap-up",
      "cancel-pending",
      "log-out",
      "make-call",
      "reconnect-headset",
      "dismiss-left-item",
      ...Object.keys(NO_DIALLING),
      ...Object.keys(ITEM_BLOCKED),
    ].map((each) => [each, reason]),
  );

/** A record whose dialler was lost. @param {Record<string, any>} [news] */
const leftItem = (news = {}) =>
  item("on-call", {
    number: 6,
    title: "Zsófia Németh",
    fields: FIELDS.map((each) =>
      each.name === "ACCTNUM"
        ? { ...each, value: "70 0482 1177" }
        : each.name === "NAME"
          ? { ...each, value: "Zsófia Németh" }
          : each,
    ),
    since: ago(240),
    draft: { notes: "Wants to pay in two parts, 15th and 30th.\nAsk about the new address.", code: "3" },
    ...news,
  });

/** At another server, with both links as if just lost. @param {Record<string, any>} news */
const adopted = (news) =>
  view({
    mode: "ready",
    session: { phase: "resetting" },
    dialler: {
      stage: "waiting",
      dialler: null,
      headset: "none",
      known: false,
      job: null,
      wanted_job: "spring_renewals",
      since: ago(9),
      trouble: "instance-lost",
    },
    left_item: leftItem(),
    ...news,
    agent: { known: false, switch_mode: "ready", ...news.agent },
    links: {
      telephony: link("aes-2", { state: "checking", lost: ago(9), trouble: "instance-lost" }),
      dialler: link(null, { state: "down", lost: ago(9), trouble: "instance-lost" }),
      ...news.links,
    },
  });

/** … which may not act for the agent yet. @param {string} trouble */
const claimAwaited = (trouble) =>
  adopted({
    links: { telephony: link("aes-2", { state: "down", lost: ago(9), trouble: "instance-lost" }) },
    login: { steps: steps(["claim", ...ALL_STEPS], "claim", trouble), turn_at: null },
    blocked: allBlocked("claim-awaited"),
  });

/** Each important state, by name. @type {Record<string, () => View>} */
export const SCENES = {
  "choose-job": () => view(),
  ready: () => view({ mode: "ready", dialler: TAKING }),
  "not-ready-too-long": () =>
    view({ mode: "not-ready", agent: { reason: 1, since: ago(1_930) }, dialler: { stage: "joined" } }),
  alerting: () =>
    view({
      ...NO_DIALLER,
      mode: "reserved",
      agent: { since: ago(420) },
      calls: [
        call("77", "alerting", {
          queue: "Service Hungarian (4401)",
          data: "CUST=700482991;LANG=hu;TOPIC=billing",
          since: ago(4),
          state_since: ago(4),
        }),
      ],
    }),
  talking: () =>
    view({
      ...NO_DIALLER,
      mode: "talking",
      agent: { since: ago(700) },
      calls: [
        call("77", "active", {
          queue: "Service Hungarian (4401)",
          data: "CUST=700482991;LANG=hu;TOPIC=billing",
          since: ago(187),
          state_since: ago(187),
        }),
      ],
    }),
  consult: () =>
    view({
      ...NO_DIALLER,
      mode: "talking",
      agent: { pending: [{ what: "not-ready", reason: 2 }], since: ago(700) },
      calls: [
        call(
          "77",
          "held",
          {
            queue: "Service Hungarian (4401)",
            data: "CUST=700482991;LANG=hu;TOPIC=billing",
            since: ago(214),
            state_since: ago(38),
          },
          true,
        ),
        call(
          "78",
          "active",
          {
            direction: "out",
            parties: [{ number: "2087", state: "active" }],
            called: "2087",
            since: ago(36),
            state_since: ago(29),
          },
          true,
        ),
      ],
    }),
  conference: () =>
    view({
      ...NO_DIALLER,
      mode: "talking",
      calls: [
        call("77", "active", {
          state: "conferenced",
          queue: "Service Hungarian (4401)",
          parties: [
            { number: "+36 30 555 0142", state: "active" },
            { number: "2087", state: "active" },
            { number: "", state: "held" },
          ],
          since: ago(520),
        }),
      ],
    }),
  predictive: () => view({ mode: "talking", dialler: WORKING, item: item("on-call") }),
  "wrap-up": () =>
    view({
      mode: "wrap-up",
      switchMode: "ready",
      dialler: WORKING,
      item: item("line-gone", {
        since: ago(260),
        stage_since: ago(24),
        draft: { notes: "Wants the paper invoice from January. Promised 25 000 by the 15th.", code: "3" },
      }),
    }),
  preview: () =>
    view({
      mode: "previewing",
      dialler: { ...WORKING, job: "vip_preview", wanted_job: "vip_preview" },
      item: item("previewing", { kind: "managed", since: ago(21), stage_since: ago(21), preview_until: ago(-24) }),
    }),
  "headset-broken": () =>
    view({
      dialler: { stage: "joined", headset: "broken" },
      blocked: { "reconnect-headset": undefined, "take-items": "headset-broken" },
    }),
  "logging-in": () =>
    view({
      mode: "unknown",
      session: { phase: "logging-in" },
      agent: { known: false, reason: null },
      dialler: { stage: "waiting", dialler: null, headset: "none" },
      login: { steps: steps([...TELEPHONY_STEPS, "dialler", "job"], "state"), turn_at: null },
    }),
  "telephony-lost": () =>
    view({
      mode: "ready",
      session: { phase: "resetting" },
      agent: { known: false, switch_mode: "ready" },
      dialler: {
        stage: "waiting",
        dialler: null,
        headset: "none",
        known: false,
        job: null,
        wanted_job: "spring_renewals",
        since: ago(12),
      },
      links: {
        telephony: link("aes-1", { state: "down", lost: ago(12), trouble: "silent" }),
        dialler: link(null, { state: "down", lost: null }),
      },
      login: { steps: steps([...TELEPHONY_STEPS, "dialler", "job"], "link"), turn_at: null },
      blocked: { ...DOWN, ...NO_DIALLING },
    }),
  "telephony-lost-in-record": () =>
    view({
      mode: "talking",
      switchMode: "ready",
      session: { phase: "resetting" },
      agent: { known: false },
      dialler: { ...WORKING, take_items: false },
      item: item("on-call"),
      links: { telephony: link("aes-1", { state: "down", lost: ago(12), trouble: "silent" }), dialler: link("pc-1") },
      login: { steps: steps(TELEPHONY_STEPS, "link"), turn_at: null },
      blocked: DOWN,
    }),
  "telephony-back": () =>
    view({
      mode: "ready",
      session: { phase: "resetting" },
      agent: { known: false, switch_mode: "ready" },
      dialler: {
        stage: "waiting",
        dialler: null,
        headset: "none",
        known: false,
        job: null,
        wanted_job: "spring_renewals",
        since: ago(19),
      },
      links: {
        telephony: link("aes-2", { state: "checking", lost: ago(19), trouble: "silent" }),
        dialler: link(null, { state: "down", lost: null }),
      },
      login: { steps: steps([...TELEPHONY_STEPS, "dialler", "job"], "turn"), turn_at: ago(-7) },
      blocked: { ...DOWN, ...NO_DIALLING },
    }),
  "dialler-lost": () =>
    view({
      mode: "ready",
      dialler: {
        stage: "logging-on",
        step: "ringing-headset",
        dialler: "pc-2",
        headset: "connecting",
        known: false,
        job: null,
        wanted_job: "spring_renewals",
        since: ago(9),
      },
      links: { telephony: link("aes-1"), dialler: link("pc-2", { state: "checking", lost: ago(9) }) },
      login: { steps: steps([...TELEPHONY_STEPS, "dialler", "job"], "dialler", "ringing-headset"), turn_at: null },
      blocked: NO_DIALLING,
    }),
  "logging-in-claim": () =>
    view({
      mode: "unknown",
      session: { phase: "logging-in" },
      agent: { known: false, reason: null },
      dialler: { stage: "waiting", dialler: null, headset: "none" },
      login: { steps: steps(["claim", ...ALL_STEPS], "claim", "cluster.owner-lives"), turn_at: null },
      blocked: allBlocked("claim-awaited"),
    }),
  "claim-waiting": () => claimAwaited("cluster.waiting"),
  "claim-no-store": () => claimAwaited("cluster.no-store"),
  "claim-owner-lives": () => claimAwaited("cluster.owner-lives"),
  restoring: () =>
    adopted({ login: { steps: steps(ALL_STEPS, "state"), turn_at: null }, blocked: { ...DOWN, ...NO_DIALLING } }),
  "restoring-dialler": () =>
    adopted({
      session: { phase: "active" },
      agent: { known: true, since: ago(2) },
      dialler: { stage: "logging-on", step: "ringing-headset", dialler: "pc-1", headset: "connecting", known: false },
      links: {
        telephony: link("aes-2"),
        dialler: link("pc-1", { state: "checking", lost: ago(9), trouble: "instance-lost" }),
      },
      login: { steps: steps(ALL_STEPS, "dialler", "ringing-headset"), turn_at: null },
      blocked: NO_DIALLING,
    }),
  "left-item": () => view({ mode: "ready", dialler: TAKING, left_item: leftItem() }),
  "left-item-beside-record": () =>
    view({
      mode: "talking",
      dialler: WORKING,
      item: item("on-call"),
      left_item: leftItem({ draft: { notes: "", code: "" } }),
    }),
  leaving: () => view({ mode: "ready", dialler: TAKING, blocked: allBlocked("moving") }),
};
