/**
 * A simulated backend: the desktop protocol with a script instead of a switch and a dialler, for work on the pages and
 * for anybody who writes a page of their own. No dependency.
 *
 *   node web/dev/backend.mjs [--port 8099] [--scene ready]     then open the address it prints; any login is taken
 *   POST /dev/scene/<name>       shows another scene           POST /dev/drop      cuts every desktop off
 *
 * From a test: `startBackend()`; then `show(view)`, `notice(type, data)`, `drop()`, `hush(true)`, `commands`.
 * Two that know each other: `join(here, there)`; then `here.bid("move", there)`, `there.hold(true)`, `there.settle(…)`.
 */

import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { SCENES } from "./scenes.mjs";

const STATIC = fileURLToPath(new URL("../../src/unified_agent/server/static/desktop", import.meta.url));
const WEBSOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BEAT_MS = 1_500;
/** What the real server sends with its pages. */
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".map": "application/json",
};

export const CONFIG = {
  instance: "desk-1",
  version: "0.1.0",
  not_ready_reasons: [
    { code: 1, label: { en: "Break", hu: "Szünet" }, maximum_min: 15 },
    { code: 2, label: { en: "Lunch", hu: "Ebéd" }, maximum_min: 45 },
    { code: 3, label: { en: "Training", hu: "Oktatás" }, maximum_min: null },
    { code: 4, label: { en: "Paperwork", hu: "Ügyintézés" }, maximum_min: null },
    { code: 9, label: { en: "System trouble", hu: "Rendszerhiba" }, maximum_min: null },
  ],
  log_out_reasons: [
    { code: 1, label: { en: "End of shift", hu: "Műszak vége" }, maximum_min: null },
    { code: 2, label: { en: "Other work", hu: "Más munka" }, maximum_min: null },
  ],
  reason_required: true,
  uses_dialler: true,
  languages: ["en", "hu"],
};

const SESSION = "3f9a71c2b04d";
const now = () => new Date().toISOString();

/** Has instances know of each other, as those of one cluster do. */
export function join(...backends) {
  for (const each of backends) each.state.peers = backends;
}

/**
 * Starts one.
 *
 * @param {{port?: number, scene?: string, instance?: string}} [options]
 */
export async function startBackend({ port = 0, scene = "ready", instance = CONFIG.instance } = {}) {
  /** @type {Set<{send: (frame: unknown) => void, close: (code: number) => void, destroy: () => void}>} */
  const desktops = new Set();
  /** @type {Record<string, any>[]} */
  const commands = [];
  const state = {
    epoch: 1,
    seq: 1,
    /** Number of the claim: another instance's is higher once it has taken the session over. */
    term: 1,
    datacentre: "east",
    /** Number of the topology told last. */
    version: 1,
    /** Instances of the cluster, this one among them. @type {any[]} */
    peers: [],
    /** Requests that wait while nothing is answered; null while it is. @type {(() => void)[] | null} */
    held: null,
    /** @type {Record<string, any> | null} a problem with which other instances' sessions are refused */
    refuseResume: null,
    view: SCENES[scene]?.() ?? SCENES.ready(),
    hushed: false,
    refuseSockets: false,
    /** @type {Record<string, any> | null} a problem with which logins are refused */
    refuseLogin: null,
    config: { ...CONFIG, instance },
    /** Says how a command ends. @type {(command: Record<string, any>) => {outcome: string, error?: string, detail?: string}} */
    answer: () => ({ outcome: "done" }),
  };

  const place = () => ({ epoch: state.epoch, seq: state.seq, term: state.term });
  const envelope = (type, data) => ({ ...place(), at: now(), type, data });
  const opened = () => ({
    session: SESSION,
    token: randomBytes(16).toString("hex"),
    ticket: randomBytes(24).toString("base64url"),
    now: now(),
  });
  const tell = (frame) => {
    if (!state.hushed) for (const each of desktops) each.send(frame);
  };

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const body = await bodyOf(request);
    const json = (status, value) => {
      response.writeHead(status, {
        "Content-Type": status < 400 ? "application/json" : "application/problem+json",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Expose-Headers": "retry-after",
      });
      response.end(JSON.stringify(value));
    };
    if (state.held) await new Promise((answer) => state.held?.push(() => answer(undefined)));
    if (request.method === "OPTIONS") json(200, {});
    else if (url.pathname === "/v1/config") json(200, { ...state.config, now: now() });
    else if (url.pathname === "/v1/topology") json(200, topology());
    else if (url.pathname === "/v1/entry") {
      json(200, { instance: { id: instance, url: me.url.replace(/\/$/, "") }, ticket: "", topology: topology() });
    } else if (url.pathname === "/v1/witness") {
      json(200, { instance: url.searchParams.get("instance"), verdict: "alive", can_take: true, next: null });
    } else if (url.pathname === "/v1/session" && request.method === "POST") {
      if (state.refuseLogin) json(state.refuseLogin.status, state.refuseLogin);
      else json(201, opened());
    } else if (url.pathname === "/v1/session/resume") {
      if (state.refuseResume) json(state.refuseResume.status, state.refuseResume);
      else {
        state.term = Math.max(...state.peers.map((each) => each.state.term)) + 1;
        json(200, opened());
      }
    } else if (url.pathname.endsWith("/resolve")) {
      const id = url.pathname.split("/").at(-2) ?? "";
      const type = JSON.parse(body).command.type;
      json(200, { id, type, outcome: "unknown", error: "instance-lost", detail: "" });
      const found = { command: id, command_type: type, outcome: "refused", error: "command.not-performed", detail: "" };
      notice("command-settled", found);
    } else if (url.pathname.startsWith("/v1/session/commands/")) json(404, { id: "command.unknown", status: 404 });
    else if (url.pathname.startsWith("/dev/scene/")) {
      show(SCENES[url.pathname.slice(11)]?.() ?? state.view);
      json(200, {});
    } else if (url.pathname === "/dev/drop") {
      drop();
      json(200, {});
    } else await serveFile(url.pathname, response, policy());
  });

  function topology() {
    const peers = state.peers.length > 0 ? state.peers : [me];
    const entry = ({ url, state: { config, datacentre } }) => ({
      id: config.instance,
      url: url.replace(/\/$/, ""),
      datacentre,
      state: "ready",
      weight: 1,
    });
    const active = peers.at(-1).state.datacentre;
    const told = { cluster: "dev", epoch: active === "east" ? 1 : 2, version: state.version, active };
    return { ...told, reconnect_window_ms: 200, instances: peers.map(entry) };
  }

  /** A page may talk to the other instances, too. */
  function policy() {
    const others = state.peers.flatMap(({ url }) => [url, url.replace("http", "ws")]);
    return `${POLICY}; connect-src 'self' ${others.join(" ")}`;
  }

  server.on("upgrade", (request, socket) => {
    if (state.refuseSockets) {
      socket.destroy();
      return;
    }
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}${WEBSOCKET_KEY}`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const desktop = {
      send: (frame) => socket.writable && socket.write(textFrame(JSON.stringify(frame))),
      close: (code) => socket.end(closeFrame(code)),
      destroy: () => socket.destroy(),
    };
    const beat = setInterval(() => !state.hushed && desktop.send({ type: "beat", now: now() }), BEAT_MS);
    readFrames(socket, (text) => receive(desktop, JSON.parse(text)));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(beat);
      desktops.delete(desktop);
    });
  });

  function receive(desktop, frame) {
    if (frame.type === "hello") {
      const resumed = frame.epoch === state.epoch && frame.seq === state.seq;
      desktops.add(desktop);
      const where = { ...place(), now: now(), beat_s: 2, silent_s: 15, instance: state.config.instance };
      desktop.send({ type: "welcome", outcome: resumed ? "resumed" : "snapshot", ...where });
      if (!resumed) desktop.send(envelope("snapshot", { view: state.view, reason: "hello" }));
      desktop.send({ type: "topology", ...topology() });
    } else if (frame.type === "command") {
      commands.push(frame.command);
      const { outcome, error = "", detail = "" } = state.answer(frame.command);
      if (!state.hushed)
        desktop.send({ type: "answer", id: frame.id, command_type: frame.command.type, outcome, error, detail });
    }
  }

  /** Shows another view, as after a reset: a new epoch. */
  function show(view, reason = "telephony-lost") {
    state.epoch += 1;
    state.seq = 1;
    state.view = view;
    tell(envelope("snapshot", { view, reason }));
  }

  /** Tells one thing, and remembers slices of the view. */
  function notice(type, data) {
    state.seq += 1;
    if (type.endsWith("-changed")) state.view = { ...state.view, ...data };
    tell(envelope(type, data));
  }

  /** Cuts every desktop off; with `stay` nobody gets back. */
  function drop({ stay = false, code = null } = {}) {
    state.refuseSockets = stay;
    for (const each of desktops) code === null ? each.destroy() : each.close(code);
  }

  await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const me = {
    url: `http://127.0.0.1:${address.port}/`,
    state,
    commands,
    show,
    notice,
    drop,
    /** Stops saying anything, without closing. @param {boolean} hushed */
    hush: (hushed) => {
      state.hushed = hushed;
    },
    /** Leaves every request without an answer, or answers those that waited. @param {boolean} held */
    hold: (held) => {
      const waited = state.held ?? [];
      state.held = held ? waited : null;
      if (!held) for (const answer of waited) answer();
    },
    /** Sends every desktop to another instance. @param {string} reason @param {any} there */
    bid: (reason, there) => {
      const next = { id: there.state.config.instance, url: there.url.replace(/\/$/, "") };
      tell({ type: "goodbye", reason, next, after_ms: 60_000 });
    },
    /** Changes what is told of this instance, and has all desktops of the cluster know. @param {object} news */
    settle: (news) => {
      Object.assign(state, news);
      for (const each of state.peers) each.tellTopology();
    },
    tellTopology: () => {
      state.version += 1;
      tell({ type: "topology", ...topology() });
    },
    stop: () =>
      new Promise((resolve) => {
        for (const each of desktops) each.destroy();
        server.closeAllConnections();
        server.close(() => resolve(undefined));
      }),
  };
  return me;
}

/** @param {string} name @param {http.ServerResponse} response @param {string} policy */
async function serveFile(name, response, policy) {
  const file = path.join(STATIC, path.normalize(name === "/" ? "/index.html" : name));
  try {
    const bytes = await readFile(file);
    response.writeHead(200, {
      "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
      "Content-Security-Policy": policy,
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

/** @param {http.IncomingMessage} request */
async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** One unmasked text frame. @param {string} text */
function textFrame(text) {
  const body = Buffer.from(text);
  const head =
    body.length < 126
      ? Buffer.from([0x81, body.length])
      : body.length < 65_536
        ? Buffer.from([0x81, 126, body.length >> 8, body.length & 0xff])
        : Buffer.concat([Buffer.from([0x81, 127]), lengthOf(body.length)]);
  return Buffer.concat([head, body]);
}

/** @param {number} length */
function lengthOf(length) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** @param {number} code */
function closeFrame(code) {
  return Buffer.from([0x88, 2, code >> 8, code & 0xff]);
}

/** Calls back with each text; a browser's frames are masked and, from this page, never in pieces. */
function readFrames(socket, onText) {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 6) return;
      const kind = rest[0] & 0x0f;
      let length = rest[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        length = rest.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        length = Number(rest.readBigUInt64BE(2));
        at = 10;
      }
      if (rest.length < at + 4 + length) return;
      const mask = rest.subarray(at, at + 4);
      const body = Buffer.from(rest.subarray(at + 4, at + 4 + length));
      for (let index = 0; index < body.length; index += 1) body[index] ^= mask[index % 4];
      rest = rest.subarray(at + 4 + length);
      if (kind === 8) socket.end(closeFrame(1000));
      else if (kind === 1) onText(body.toString());
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : process.argv[at + 1];
  };
  const backend = await startBackend({ port: Number(option("port", "8099")), scene: option("scene", "ready") });
  console.log(`${backend.url}   any login is taken; scenes: ${Object.keys(SCENES).join(" ")}`);
}
