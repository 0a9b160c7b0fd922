/**
 * ua-client: an agent's desk at Unified Agent, for pages and scripts. No dependency.
 *
 *   desk.ts         what a page holds in its hand: log in, resume, view, submit
 *   door.ts         who tells what the site decided, and who takes the login
 *   connection.ts   the machine that stays connected, wherever; reasons.ts numbers its reasons, settings.ts its delays
 *     search.ts     finds a server that serves the session; race.ts two almost at once
 *     line.ts       one connection to one server
 *     silence.ts    a server that says nothing
 *   servers.ts      which server to try next; rendezvous.ts each agent's own order
 *   home.ts         where the session is, and what proves it ours
 *   replica.ts      snapshot and notices put together, in order
 *   commands.ts     each asked once, each settled once
 *   clock.ts        the server's clock · timer.ts every delay · wake.ts when waiting is foolish
 *   rest.ts         plain HTTP · transports/ whole frames both ways · messages.ts, frames.ts the words
 *   fallbacks.ts    where WebSockets do not get through: a file of its own
 */

export type { ServerClock } from "./clock.js";
export type { CommandResult, OpenCommand } from "./commands.js";
export type { ConnectionState, ConnectionStatus } from "./connection.js";
export { Desk } from "./desk.js";
export type { DeskEvents, DeskOptions } from "./desk.js";
export type * from "./frames.js";
export type * from "./messages.js";
export { ConnectionReason } from "./reasons.js";
export { RequestError } from "./rest.js";
export type { Fetch } from "./rest.js";
export type { Memory } from "./servers.js";
export { CONNECTION_SETTINGS } from "./settings.js";
export type { ConnectionSettings } from "./settings.js";
export { Timer } from "./timer.js";
export type { Fallbacks, TransportName } from "./transports/ways.js";
export type { OpenTransport, Transport, TransportEvents } from "./transports/transport.js";
