/**
 * ua-client: an agent's desk at Unified Agent, for pages and scripts. No dependency.
 *
 *   desk.ts         what a page holds in its hand: log in, resume, view, submit
 *   connection.ts   the machine that stays connected; reasons.ts numbers its reasons
 *   servers.ts      which server to try next
 *   replica.ts      snapshot and notices put together, in order
 *   commands.ts     each asked once, each settled once
 *   clock.ts        the server's clock · timer.ts every delay · wake.ts when waiting is foolish
 *   rest.ts         plain HTTP · transports/ whole frames both ways · messages.ts, frames.ts the words
 */

export { ServerClock } from "./clock.js";
export type { CommandResult, OpenCommand } from "./commands.js";
export { CONNECTION_SETTINGS } from "./settings.js";
export type { ConnectionSettings } from "./settings.js";
export type { ConnectionState, ConnectionStatus } from "./connection.js";
export { Desk } from "./desk.js";
export type { DeskEvents, DeskOptions } from "./desk.js";
export type * from "./frames.js";
export type * from "./messages.js";
export { ConnectionReason } from "./reasons.js";
export { RequestError } from "./rest.js";
export type { Fetch } from "./rest.js";
export type { Memory } from "./servers.js";
export { reconnectDelayMs, Timer } from "./timer.js";
export type { OpenTransport, Transport, TransportEvents } from "./transports/transport.js";
export { eventsAddress, openWebSocket } from "./transports/websocket.js";
