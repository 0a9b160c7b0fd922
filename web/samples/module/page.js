/**
 * The library as a module. `ua-fallbacks` is for networks where no WebSocket gets through; without it there is the
 * WebSocket alone.
 *
 * The address may name servers (?servers=https://a,https://b) and transports (?transports=stream,poll).
 */

import { Desk } from "../../client/ua-client.mjs";
import "../../client/ua-fallbacks.mjs";

const { face } = window;
const asked = new URLSearchParams(location.search);
const servers = (asked.get("servers") ?? location.origin).split(",");
const transports = asked.get("transports")?.split(",");

face.start(servers);

const desk = new Desk(
  { servers, ...(transports && { transports }) },
  {
    view: (view) => face.show(view),
    connection: (status) => face.status(face.sentenceOfState(status)),
    message: ({ sender, text }) => face.happened(`${sender}: ${text}`),
    ended: (reason, detail) => {
      face.happened("The session has ended.");
      if (reason !== "agent") face.fail({ id: reason, detail });
    },
  },
);

face.onLogin(async (agent, station, password) => {
  try {
    await desk.logIn({ agent, station, password, dialler: null });
    face.happened(`Logged in as ${agent}.`);
  } catch (error) {
    face.fail(error);
  }
});

face.onAsk(async (command) => {
  const { outcome, error, detail, id } = await desk.submit(command);
  face.happened(`${command.type}: ${outcome}`);
  if (outcome !== "done") face.fail({ id: error, detail, correlation: id });
});

try {
  const { not_ready_reasons } = await desk.config();
  face.reasons(not_ready_reasons);
} catch (error) {
  face.fail(error);
}

desk.resume();
