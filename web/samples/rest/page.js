/*
 * The protocol by hand, as a program would speak it: docs/reference/desktop-protocol.md. One server, no failover.
 *
 *   POST /v1/session                  log in
 *   POST /v1/events/poll              notices, by long poll
 *   POST /v1/session/commands         ask for something
 */
(function () {
  "use strict";

  var server = new URLSearchParams(location.search).get("servers") || location.origin;
  /** The number of this page's commands; with a random name before it no other page has the same. */
  var client = Math.random().toString(36).slice(2);
  var count = 0;
  var token = "";
  var view = null;

  face.start([server]);

  /** One request. Rejects with the server's problem: {id, detail, correlation}. */
  async function ask(method, path, body) {
    var headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = "Bearer " + token;
    var response;
    try {
      response = await fetch(server + path, { method: method, headers: headers, body: body && JSON.stringify(body) });
    } catch (error) {
      throw { id: "desktop.no-server", detail: String(error) };
    }
    var answer = await response.json().catch(function () {
      return { id: "desktop.server-trouble", detail: "HTTP " + response.status };
    });
    if (!response.ok) throw answer;
    return answer;
  }

  /** Takes one frame. Slices of the view are put in the place of the old ones. */
  function take(frame) {
    if (frame.type === "snapshot") view = frame.data.view;
    else if (/-changed$/.test(frame.type)) Object.assign(view, frame.data);
    else if (frame.type === "message-arrived") arrived(frame.data.message);
    else if (frame.type === "command-settled") settled(frame.data.command_type, frame.data);
    else if (frame.type === "session-ended") end(frame.data.reason, frame.data.detail);
    if (view) face.show(view);
  }

  function arrived(message) {
    face.happened(message.sender + ": " + message.text);
  }

  function settled(type, answer) {
    face.happened(type + ": " + answer.outcome);
    if (answer.outcome !== "done") face.fail({ id: answer.error, detail: answer.detail });
  }

  function end(reason, detail) {
    token = "";
    view = null;
    face.show(null);
    face.status("Not connected.");
    if (reason !== "agent") face.fail({ id: reason, detail: detail || "" });
  }

  /** Polls until the session is over. What is acknowledged by `ack` is not sent again. */
  async function poll() {
    var hello = { type: "hello", token: token, epoch: null, seq: null, client: client };
    var reply = await ask("POST", "/v1/events/poll", { hello: hello });
    var connection = reply.connection;
    face.status("Connected to " + server + ", by long poll.");
    while (token) {
      reply.frames.forEach(take);
      if (reply.closed && token) end("session.ended", reply.closed.reason);
      if (!token) return;
      reply = await ask("POST", "/v1/events/poll", { connection: connection, ack: reply.reply, frames: [] });
    }
  }

  face.onLogin(async function (agent, station, password) {
    try {
      var entry = await ask("GET", "/v1/entry?agent=" + encodeURIComponent(agent));
      var login = { agent: agent, station: station, password: password, dialler: null, entry: entry.ticket };
      var opened = await ask("POST", "/v1/session", login);
      token = opened.token;
      face.happened("Logged in as " + agent + ".");
      await poll();
    } catch (error) {
      if (token) end(error.id, error.detail);
      else face.fail(error);
    }
  });

  face.onAsk(async function (command) {
    count += 1;
    try {
      var answer = await ask("POST", "/v1/session/commands", { id: client + "-" + count, command: command });
      if (answer.outcome !== "accepted") settled(answer.type, answer);
    } catch (error) {
      face.fail(error);
    }
  });

  ask("GET", "/v1/config").then(
    function (config) {
      face.reasons(config.not_ready_reasons);
    },
    function (error) {
      face.fail(error);
    },
  );
})();
