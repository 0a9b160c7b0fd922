/** A proxy as they stand in offices: what it does to WebSockets and to answers that do not end can be chosen. */

import http from "node:http";
import net from "node:net";

export class Proxy {
  /** What becomes of a WebSocket's handshake: `pass`, `refuse` (400), `hang`, or `swallow`: taken, and nothing after it. */
  upgrades = "pass";
  /** Whether an event stream is kept until it ends, as some proxies and virus scanners do. */
  buffersStreams = false;
  /** Requests that came, as `METHOD /path`. @type {string[]} */
  asked = [];
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  /** @type {http.Server} */
  #server;
  #target;

  /** @param {string} target the server's address */
  constructor(target) {
    this.#target = new URL(target);
    this.#server = http.createServer((request, response) => this.#carry(request, response));
    this.#server.on("upgrade", (request, socket, head) =>
      this.#upgrade(request, /** @type {net.Socket} */ (socket), head),
    );
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** @returns {Promise<string>} its own address */
  async start() {
    await new Promise((started) => this.#server.listen(0, "127.0.0.1", () => started(undefined)));
    const { port } = /** @type {net.AddressInfo} */ (this.#server.address());
    return `http://127.0.0.1:${port}/`;
  }

  stop() {
    this.cut();
    this.#server.close();
  }

  /** Cuts all connections that are open. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** How often something was asked. @param {RegExp} what */
  count(what) {
    return this.asked.filter((each) => what.test(each)).length;
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  #carry(request, response) {
    this.asked.push(`${request.method} ${request.url}`);
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const isStream = (answer.headers["content-type"] ?? "").startsWith("text/event-stream");
      if (isStream && this.buffersStreams) {
        /** @type {Buffer[]} */
        const kept = [];
        answer.on("data", (part) => kept.push(part));
        answer.on("end", () => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          response.end(Buffer.concat(kept));
        });
      } else {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }

  /** @param {http.IncomingMessage} request @param {net.Socket} socket @param {Buffer} head */
  #upgrade(request, socket, head) {
    this.asked.push(`UPGRADE ${request.url}`);
    socket.on("error", () => socket.destroy());
    if (this.upgrades === "refuse") {
      socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (this.upgrades !== "hang") {
      const onward = net.connect(Number(this.#target.port), this.#target.hostname, () => {
        const lines = request.rawHeaders.flatMap((each, place, all) =>
          place % 2 === 0 ? [`${each}: ${all[place + 1]}`] : [],
        );
        onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
        onward.write(head);
        if (this.upgrades === "swallow") {
          onward.once("data", (answer) => socket.write(answer)).on("data", () => undefined);
        } else {
          onward.pipe(socket);
          socket.pipe(onward);
        }
      });
      onward.on("error", () => socket.destroy());
      onward.on("close", () => socket.destroy());
      socket.on("close", () => onward.destroy());
    }
  }
}
