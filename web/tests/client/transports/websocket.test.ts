import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventsAddress, openWebSocket } from "../../../client/transports/websocket.js";

/** A browser's WebSocket, of which the test holds the other end. */
class FakeSocket {
  static readonly OPEN = 1;
  static last: FakeSocket;
  readyState = 0;
  bufferedAmount = 0;
  readonly said: string[] = [];
  closedWith: number | null = null;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onclose: (event: { code: number; reason: string }) => void = () => undefined;

  constructor(readonly address: string) {
    if (address.startsWith("ws://insecure")) throw new DOMException("not from a page over TLS", "SecurityError");
    FakeSocket.last = this;
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }
  send(text: string): void {
    this.said.push(text);
  }
  close(code: number): void {
    this.closedWith = code;
  }
}

let told: unknown[];

beforeEach(() => {
  told = [];
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => vi.unstubAllGlobals());

function open(server: string): ReturnType<typeof openWebSocket> {
  return openWebSocket(server, {
    opened: () => told.push("opened"),
    received: (text) => told.push(text),
    closed: (code) => told.push(code),
  });
}

test.each([
  ["https://a.example.org", "wss://a.example.org/v1/events"],
  ["http://a:8080", "ws://a:8080/v1/events"],
])("events of %s come from %s", (server, address) => {
  expect(eventsAddress(server)).toBe(address);
});

test("frames go both ways once it is open", () => {
  const transport = open("https://a");
  expect(transport.send("early")).toBe(false);
  FakeSocket.last.open();
  expect(transport.send("hello")).toBe(true);
  FakeSocket.last.onmessage({ data: "there" });
  FakeSocket.last.onmessage({ data: new ArrayBuffer(1) });
  FakeSocket.last.onclose({ code: 4420, reason: "" });
  expect(transport.send("late")).toBe(false);
  expect(FakeSocket.last.said).toEqual(["hello"]);
  expect(told).toEqual(["opened", "there", 4420]);
});

test("nothing is added while too much waits to leave", () => {
  const transport = open("https://a");
  FakeSocket.last.open();
  FakeSocket.last.bufferedAmount = 262_145;
  expect(transport.send("more")).toBe(false);
});

test("after it was closed from our side nothing is told any more", () => {
  const transport = open("https://a");
  transport.close(1000, "");
  FakeSocket.last.open();
  FakeSocket.last.onclose({ code: 1000, reason: "" });
  expect(FakeSocket.last.closedWith).toBe(1000);
  expect(told).toEqual([]);
});

test("an address that the browser refuses is a server that does not answer", async () => {
  const transport = open("http://insecure");
  expect(told).toEqual([]);
  expect(transport.send("x")).toBe(false);
  await Promise.resolve();
  expect(told).toEqual([1006]);
});

test("an address that the browser refuses says nothing after it was given up", async () => {
  open("http://insecure").close(1000, "");
  await Promise.resolve();
  expect(told).toEqual([]);
});
