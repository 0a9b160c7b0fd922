/*
 * A plain page: functions, callbacks and an event queue, as pages were written for the original library.
 *
 * The address may name servers (?servers=https://a,https://b) and transports (?transports=poll,jsonp); a page of your own
 * would write them into the script element: data-servers="…" data-transports="…".
 */
(function () {
  "use strict";

  function asked(name) {
    var found = new RegExp("[?&]" + name + "=([^&]*)").exec(location.search);
    return found ? decodeURIComponent(found[1]) : "";
  }

  var servers = asked("servers") || location.origin;
  face.start(servers.split(","));
  uaserver.SetServers(servers);
  if (asked("transports")) uaserver.SetTransports(asked("transports"));

  // A handler that takes an event is given it. One that takes none would be called, and fetch it by GetEvent().
  uaserver.RegisterEventHandler(function (event) {
    if (event.type === "view-changed") {
      face.show(event.view);
    } else if (event.type === "connection-changed") {
      face.status(face.sentenceOfState(event.status));
    } else if (event.type === "message-arrived") {
      face.happened(event.message.sender + ": " + event.message.text);
    } else if (event.type === "command-settled") {
      face.happened(event.result.type + ": " + event.result.outcome);
    } else if (event.type === "session-ended") {
      face.happened("The session has ended.");
      face.show(null);
      if (event.reason !== "agent") face.fail({ id: event.reason, detail: event.detail });
    }
  });

  face.onLogin(function (agent, station, password) {
    uaserver.Login(agent, station, password, function (error) {
      if (error) face.fail(error);
      else face.happened("Logged in as " + agent + ".");
    });
  });

  face.onAsk(function (command) {
    uaserver.Command(command, function (error) {
      if (error) face.fail(error);
    });
  });

  uaserver.GetConfig(function (error, config) {
    if (error) face.fail(error);
    else face.reasons(config.not_ready_reasons);
  });

  uaserver.Resume();
})();
