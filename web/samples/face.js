/*
 * What the three samples look like: a form, a mode, calls, and a list of what happened. Plain functions, so that the
 * oldest page can use it; how to talk to the server is in each sample's own page.js.
 *
 *   face.start(servers)          builds the page
 *   face.onLogin(function (agent, station, password) { … })
 *   face.onAsk(function (command) { … })
 *   face.reasons(list)           the site's not-ready reasons
 *   face.show(view)              the agent's view, null when there is no session
 *   face.status(sentence)        how the connection is
 *   face.happened(sentence)      one line of the list
 *   face.fail(error)             {id, detail, correlation}, in a sentence
 */
(function () {
  "use strict";

  var MODES = {
    ready: ["●", "Ready", "is-ready"],
    "not-ready": ["▲", "Not ready", "is-not-ready"],
    reserved: ["■", "A call is ringing", "is-call"],
    previewing: ["■", "Previewing a record", "is-call"],
    talking: ["■", "On a call", "is-call"],
    holding: ["■", "Call on hold", "is-call"],
    "wrap-up": ["◆", "Wrap-up", "is-wrap-up"],
    "logged-out": ["○", "Logged out", "is-unknown"],
    unknown: ["○", "Not known at present", "is-unknown"],
  };

  var LEGS = {
    alerting: "is ringing",
    dialling: "is being called",
    active: "connected",
    held: "on hold",
    conferenced: "in conference",
    failed: "did not get through",
  };

  var SENTENCES = {
    "agent.wrong-password": "Agent or password is wrong.",
    "switch.wrong-password": "The switch does not take this password.",
    "agent.already-logged-in": "This agent works at another station already.",
    "station.in-use": "Another agent works at this station.",
    "taken-over": "Another desktop has taken the session over.",
    "session.unknown": "The server does not know this session any more. Log in again.",
    "session.ended": "The session is over. Log in again.",
    "instance.full": "Every place is taken at present. Try again in a minute.",
    "instance.busy": "The server has much to do at this moment. Try again in a few seconds.",
    "cluster.full": "Every place is taken at present. Try again in a minute.",
    "cluster.not-serving": "Nobody can be served at present. Try again in a minute.",
    "login.too-many": "Too many logins from this computer. Wait a minute.",
    "origin.refused": "This page's address is not allowed at the server. Tell an administrator.",
    "desktop.no-server": "No server answers. Check the network, then try again.",
    "desktop.not-connected": "There is no connection to the server. Nothing was sent.",
    "desktop.server-trouble": "The server has trouble at present. Try again in a minute.",
    "desktop.no-answer": "No answer came. Look at the state before you press again.",
    "reason-required": "Choose a reason first.",
    "already-so": "It is so already.",
    "already-asked": "It has been asked already.",
    "session-ending": "You are being logged out.",
    "telephony-down": "The telephone link is down.",
    "telephony-checking": "The telephone side is being checked.",
    "no-such-call": "The call is not there any more.",
    "call-alerting": "The call is ringing.",
    "call-active": "You are on a call.",
    "call-held": "The call is on hold.",
    "claim-awaited": "Nothing can be asked until this server has taken over.",
    "command.invalid": "Something typed is not as it must be.",
    "jsonp.off": "JSONP is switched off at the server. Tell an administrator.",
    "jsonp.caller": "This page may not use JSONP at the server. Tell an administrator.",
    "request.invalid": "Something typed is not as it must be.",
    agent: "You are logged out.",
  };

  var HTML =
    '<div class="sentence" role="alert" data-at="error" hidden></div>' +
    '<div class="columns"><div>' +
    '<form class="card" data-at="login"><h2>Log in</h2><div class="fields">' +
    '<label>Agent<input name="agent" inputmode="numeric" autocomplete="username" required /></label>' +
    '<label>Station<input name="station" inputmode="numeric" autocomplete="off" required /></label>' +
    '<label>Password<input name="password" type="password" autocomplete="current-password" /></label>' +
    '</div><div class="row"><button class="first" data-at="enter">Log in</button></div></form>' +
    '<section class="card" data-at="desk" hidden><h2 data-at="who"></h2>' +
    '<div class="mode" role="status"><strong data-at="mode"></strong><span data-at="more"></span></div>' +
    '<div class="row"><button data-ask="ready">Ready</button><button data-ask="not-ready">Not ready</button>' +
    '<select data-at="reason" aria-label="Reason for not ready"><option value="">no reason</option></select>' +
    '<button data-ask="log-out">Log out</button></div></section>' +
    '<section class="card" data-at="phone" hidden><h2>Calls</h2>' +
    '<ul class="calls" data-at="calls"></ul><p class="quiet" data-at="none">No call at present.</p>' +
    '<form data-at="dial"><div class="row"><input name="number" inputmode="tel" autocomplete="off" aria-label="Number to call" ' +
    'placeholder="Number" required /><button>Call</button></div></form></section>' +
    '</div><section class="card"><h2>What happened</h2><ul class="log" data-at="log"></ul></section></div>' +
    '<footer><span data-at="status" role="status">Not connected.</span><span data-at="servers"></span></footer>';

  var asked = function () {};
  var parts = {};

  function at(name) {
    return parts[name];
  }

  function make(name, text, className) {
    var element = document.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  function button(text, blocked, ask) {
    var element = make("button", text);
    element.type = "button";
    element.disabled = Boolean(blocked);
    if (blocked) element.title = sentenceOf({ id: blocked });
    element.addEventListener("click", ask);
    return element;
  }

  function sentenceOf(error) {
    var known = SENTENCES[error.id];
    if (known) return known;
    var more = error.detail ? " " + error.detail + "." : "";
    return "That was not possible (" + error.id + ")." + more;
  }

  function callItem(call) {
    var item = make("li");
    var words = make("p", call.parties.length > 0 ? call.parties[0].number : "unknown number");
    words.appendChild(make("br"));
    words.appendChild(make("small", (call.direction === "in" ? "in, " : "out, ") + (LEGS[call.state] || call.state)));
    var row = make("div", "", "row");
    var actions = [
      ["Answer", "answer-call"],
      ["Hold", "hold-call"],
      ["Retrieve", "retrieve-call"],
      ["Hang up", "hang-up-call"],
    ];
    actions.forEach(function (each) {
      var blocked = call.blocked[each[1]];
      if (blocked && each[1] !== "hang-up-call") return;
      row.appendChild(
        button(each[0], blocked, function () {
          asked({ type: each[1], call: call.id });
        }),
      );
    });
    item.appendChild(words);
    item.appendChild(row);
    return item;
  }

  function press(element, name, mode) {
    element.disabled = Boolean(name);
    element.title = name ? sentenceOf({ id: name }) : "";
    if (mode !== undefined) element.setAttribute("aria-pressed", String(mode));
  }

  window.face = {
    start: function (servers) {
      var main = document.querySelector("main");
      main.innerHTML = HTML;
      Array.prototype.forEach.call(main.querySelectorAll("[data-at]"), function (each) {
        parts[each.getAttribute("data-at")] = each;
      });
      at("servers").textContent = "Server: " + servers.join(", ");
      Array.prototype.forEach.call(main.querySelectorAll("[data-ask]"), function (each) {
        each.addEventListener("click", function () {
          var what = each.getAttribute("data-ask");
          var reason = at("reason").value === "" ? null : Number(at("reason").value);
          if (what === "log-out") asked({ type: "log-out" });
          else if (what === "not-ready") asked({ type: "set-mode", mode: what, reason: reason });
          else asked({ type: "set-mode", mode: what });
        });
      });
      at("dial").addEventListener("submit", function (event) {
        event.preventDefault();
        asked({ type: "make-call", number: at("dial").elements.number.value });
      });
    },

    onLogin: function (login) {
      at("login").addEventListener("submit", function (event) {
        event.preventDefault();
        var fields = at("login").elements;
        window.face.fail(null);
        at("enter").disabled = true;
        login(fields.agent.value, fields.station.value, fields.password.value);
        fields.password.value = "";
      });
    },

    onAsk: function (ask) {
      asked = function (command) {
        window.face.fail(null);
        ask(command);
      };
    },

    reasons: function (list) {
      list.forEach(function (reason) {
        var option = make("option", reason.label.en);
        option.value = String(reason.code);
        at("reason").appendChild(option);
      });
    },

    show: function (view) {
      at("login").hidden = view !== null;
      at("desk").hidden = at("phone").hidden = view === null;
      at("enter").disabled = false;
      if (view === null) return;
      var mode = (view.agent.known && MODES[view.agent.mode]) || MODES.unknown;
      at("who").textContent = "Agent " + view.session.agent + " at station " + view.session.station;
      at("mode").textContent = "";
      at("mode").className = mode[2];
      at("mode").appendChild(make("span", mode[0], "sign " + mode[2]));
      at("mode").appendChild(document.createTextNode(mode[1]));
      var link = view.links.telephony;
      at("more").textContent = link.state === "up" ? "" : "The telephone link is " + link.state + ".";
      press(document.querySelector("[data-ask=ready]"), view.blocked["set-mode:ready"], view.agent.mode === "ready");
      var notReady = view.blocked["set-mode:not-ready"];
      press(document.querySelector("[data-ask=not-ready]"), notReady, view.agent.mode === "not-ready");
      press(document.querySelector("[data-ask=log-out]"), view.blocked["log-out"]);
      at("calls").textContent = "";
      at("none").hidden = view.calls.length > 0;
      view.calls.forEach(function (call) {
        at("calls").appendChild(callItem(call));
      });
    },

    status: function (sentence) {
      at("status").textContent = sentence;
    },

    happened: function (sentence) {
      var item = make("li");
      item.appendChild(make("time", new Date().toLocaleTimeString()));
      item.appendChild(make("span", sentence));
      at("log").insertBefore(item, at("log").firstChild);
      while (at("log").childNodes.length > 14) at("log").removeChild(at("log").lastChild);
    },

    fail: function (error) {
      at("error").hidden = error === null;
      at("enter").disabled = false;
      if (error === null) return;
      var words = sentenceOf(error) + (error.correlation ? " Reference: " + error.correlation : "");
      at("error").textContent = words;
      window.face.happened(words);
    },

    /** How a connection's state is said, for those who use the library. */
    sentenceOfState: function (status) {
      var where = status.instance || status.server;
      var words = {
        connecting: "Connecting to " + where + " …",
        hello: "Connecting to " + where + " …",
        live: "Connected to " + where + ".",
        suspect: "Checking the connection to " + where + " …",
        waiting: "No connection. Trying again by itself.",
        refused: "Another desktop has this session.",
        ended: "Not connected.",
      };
      var hasBegun = status.failures > 0 || status.lostAtMs !== null;
      return status.state === "waiting" && !hasBegun ? "Not connected." : words[status.state] || status.state;
    },
  };
})();
