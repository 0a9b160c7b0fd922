"""A client's end of a WebSocket, joined by hand to the server's end of ``websockets``."""

import asyncio

import pytest
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol

from unified_agent.client.connection import WebSocketConnection

pytestmark = pytest.mark.asyncio


class Told:
    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.ends: list[tuple[int, str]] = []

    def text_received(self, data: bytes) -> None:
        self.texts.append(data)

    def connection_lost(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


class Line(asyncio.Transport):
    """Our end's transport; what is written goes to the server's parser."""

    def __init__(self, end: WebSocketConnection, server: ServerProtocol) -> None:
        super().__init__()
        self.end = end
        self.server = server
        self.over = False

    def write(self, data) -> None:
        self.server.receive_data(bytes(data))

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self.over:
            self.over = True
            self.end.connection_lost(None)


class Joined:
    def __init__(self, *, accept: bool = True) -> None:
        self.told = Told()
        self.server = ServerProtocol()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.end = WebSocketConnection("ws://ua/v1/events", self.told, self.opened)
        self.line = Line(self.end, self.server)
        self.end.connection_made(self.line)
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        assert request.path == "/v1/events"
        response = self.server.accept(request) if accept else self.server.reject(403, "no")
        self.server.send_response(response)
        self.pass_on()

    def pass_on(self, size: int = 1_000_000) -> None:
        data = b"".join(self.server.data_to_send())
        for start in range(0, len(data), size):
            self.end.data_received(data[start : start + size])

    def heard(self) -> list[bytes]:
        return [bytes(each.data) for each in self.server.events_received() if isinstance(each, Frame)]


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
async def test_texts_come_whole_however_the_bytes_are_cut(size):
    joined = Joined()
    assert joined.opened.done()
    joined.server.send_text(b"one")
    joined.server.send_text(b"t", fin=False)
    joined.server.send_continuation(b"wo", fin=True)
    joined.server.send_text(b"x" * 70_000)
    joined.pass_on(size)
    assert joined.told.texts == [b"one", b"two", b"x" * 70_000]


async def test_what_is_sent_arrives():
    joined = Joined()
    joined.end.send(b'{"type":"beat"}')
    assert joined.heard() == [b'{"type":"beat"}']


async def test_a_ping_is_answered_and_a_binary_frame_is_passed_over():
    joined = Joined()
    joined.server.send_ping(b"p")
    joined.server.send_binary(b"b")
    joined.pass_on()
    assert joined.heard() == [b"p"]
    assert joined.told.texts == []


async def test_the_end_is_told_once_with_code_and_reason():
    joined = Joined()
    joined.server.send_close(4409, "taken-over")
    joined.pass_on()
    joined.line.abort()
    joined.end.abort()
    assert joined.told.ends == [(4409, "taken-over")]


async def test_an_end_without_a_close_frame_is_abnormal():
    joined = Joined()
    joined.line.abort()
    assert joined.told.ends == [(1006, "")]
    joined.end.send(b"late")
    joined.end.close()


async def test_our_close_is_sent_and_its_answer_ends_it():
    joined = Joined()
    joined.end.close()
    joined.end.send(b"late")
    joined.pass_on()
    joined.line.abort()
    assert joined.told.ends == [(1000, "")]
    assert joined.heard() == [b"\x03\xe8"]


async def test_a_refused_handshake_is_an_error_and_nothing_is_told():
    joined = Joined(accept=False)
    with pytest.raises(Exception, match="403"):
        await joined.opened
    assert joined.line.over
    assert joined.told.ends == []


async def test_a_line_that_goes_down_in_the_handshake_is_an_error():
    opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    end = WebSocketConnection("ws://ua/v1/events", Told(), opened)
    end.connection_made(Line(end, ServerProtocol()))
    end.connection_lost(ConnectionResetError("reset"))
    with pytest.raises(ConnectionResetError):
        await opened


async def test_a_dropped_connection_tells_nobody():
    joined = Joined()
    joined.end.drop()
    assert joined.line.over
    assert joined.told.ends == []
