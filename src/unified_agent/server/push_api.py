"""Notices and a desktop's frames over plain HTTP: the event stream, the long poll, and what is said upwards."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from unified_agent.domain.ports import Clock
from unified_agent.server.auth import bearer
from unified_agent.server.desk_api import DeskRequest, problems
from unified_agent.server.failures import RequestRefused
from unified_agent.server.push_transports.desks import POLL, STREAM, Desks
from unified_agent.server.push_transports.held import Held, HeldConnections
from unified_agent.server.push_transports.long_poll import AckUnknown, Poll, PollReply
from unified_agent.server.push_transports.stream import StreamAnswer
from unified_agent.settings import DesktopSettings

#: Frames of a desktop in one request.
FRAMES_LIMIT: Final = 32

Frames = Annotated[tuple[Raw, ...], Meta(max_length=FRAMES_LIMIT, description="As on the WebSocket, in order.")]
ConnectionId = Annotated[str, Meta(min_length=1, max_length=64)]
_Body = TypeVar("_Body")


class HelloBody(Struct, kw_only=True, frozen=True):
    """A hello frame, as on the WebSocket; what is wrong with it is told in the stream."""

    token: str = ""


class FramesBody(Struct, kw_only=True, frozen=True):
    """What a desktop says: ``command`` and ``beat`` frames."""

    connection: ConnectionId
    frames: Frames


class PollBody(Struct, kw_only=True, frozen=True):
    """A poll. One with ``hello`` opens a connection, later ones name it."""

    hello: Annotated[Raw | UnsetType, Meta(description="A hello frame, as on the WebSocket.")] = UNSET
    connection: str = ""
    ack: Annotated[int, Meta(ge=0, description="Number of the last reply that the desktop has.")] = 0
    frames: Frames = ()


class StreamEvent(Struct, kw_only=True, frozen=True):
    """One event of the stream; its data is one frame."""

    data: str


#: What is described in the OpenAPI document by us, because frames are read later and elsewhere.
BODIES: Final = {"openStream": HelloBody, "poll": PollBody, "sendFrames": FramesBody}
_HELLO: Final = msgspec.json.Decoder(HelloBody)
_FRAMES: Final = msgspec.json.Decoder(FramesBody)
_POLL: Final = msgspec.json.Decoder(PollBody)
_ENCODER: Final = msgspec.json.Encoder()


class PushDesk:
    """What the handlers below work with; made by ``app``."""

    def __init__(self, desks: Desks, connections: HeldConnections, settings: DesktopSettings, clock: Clock) -> None:
        self.desks: Final = desks
        self.connections: Final = connections
        self.settings: Final = settings
        self.clock: Final = clock

    def answer_by_stream(self, hello: bytes, token: str) -> StreamAnswer:
        """Open a connection whose notices are the answer."""
        return StreamAnswer(
            self.desks.connection(STREAM),
            hello,
            token,
            connections=self.connections,
            settings=self.settings,
            clock=self.clock,
        )

    def open_poll(self, hello: bytes, token: str) -> PollReply:
        """Open a connection by polls, and answer the first."""
        handler = self.desks.connection(POLL)
        poll = Poll(handler, self.connections, token=token, settings=self.settings, clock=self.clock)
        poll.begin(hello)
        return poll.first_reply()

    def find(self, request: DeskRequest, connection_id: str) -> Held:
        """Return a connection of whoever asks.

        Raises:
            RequestRefused: there is none, or it is somebody else's; which of both is not told.
        """
        token = bearer(request.headers.get("authorization"))
        if token is None:
            raise RequestRefused("session.no-token", "send the header Authorization: Bearer TOKEN")
        found = self.connections.find(connection_id, token)
        if found is None:
            raise RequestRefused("connection.unknown", "open another one")
        return found


class StreamResponse(Response[bytes]):
    """Hands the request over to an ASGI application."""

    def __init__(self, answer: StreamAnswer) -> None:
        super().__init__(b"")
        self._answer = answer

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """Return it."""
        return self._answer


class PushController(Controller):
    """Push over plain HTTP."""

    path = "/v1/events"
    tags = ("push",)

    @post(
        operation_id="openStream",
        summary="Open an event stream",
        status_code=HTTP_200_OK,
        responses={
            200: ResponseSpec(
                StreamEvent,
                generate_examples=False,
                media_type="text/event-stream",
                description="Events, each one frame: `opened` with the connection's id, then as on the WebSocket, "
                "and `closed` before the server closes.",
            ),
            **problems("request.invalid", "origin.refused", "request.too-large", "request.media-type"),
        },
    )
    async def stream(self, push: NamedDependency[PushDesk], request: DeskRequest) -> Response[bytes]:
        """The body is a hello frame. One that is not good is answered in the stream, as on the WebSocket."""
        hello = await read_body(request)
        return StreamResponse(push.answer_by_stream(hello, _token_in(hello)))

    @post(
        "/frames",
        operation_id="sendFrames",
        summary="Say something over an event stream, or while a poll is held",
        status_code=HTTP_200_OK,
        security=[{"token": []}],
        response_description="They are taken. What comes of them is told by push.",
        responses=problems(
            "session.no-token",
            "connection.unknown",
            "request.invalid",
            "origin.refused",
            "request.too-large",
            "request.media-type",
        ),
    )
    async def frames(self, push: NamedDependency[PushDesk], request: DeskRequest) -> dict[str, str]:
        """Take frames. One that is not as described closes the connection with 4400."""
        body = decode(_FRAMES, await read_body(request))
        push.find(request, body.connection).take_texts(map(bytes, body.frames))
        return {}

    @post(
        "/poll",
        operation_id="poll",
        summary="Ask for what there is to tell",
        status_code=HTTP_200_OK,
        security=[{}, {"token": []}],
        responses=problems(
            "session.no-token",
            "connection.unknown",
            "request.invalid",
            "origin.refused",
            "request.too-large",
            "request.media-type",
        ),
        response_description="Frames as on the WebSocket.",
    )
    async def poll(self, push: NamedDependency[PushDesk], request: DeskRequest) -> PollReply:
        """With `hello`: open a connection, answered at once. Without: wait for frames, with the session's token."""
        body = decode(_POLL, await read_body(request))
        if body.hello is not UNSET:
            hello = bytes(body.hello)
            return push.open_poll(hello, _token_in(hello))
        held = push.find(request, body.connection)
        if not isinstance(held, Poll):
            raise RequestRefused("connection.unknown", "open another one")
        try:
            return await held.next_reply(body.ack, map(bytes, body.frames))
        except AckUnknown as error:
            raise RequestRefused("request.invalid", str(error)) from None


async def read_body(request: DeskRequest) -> bytes:
    """Return a request's body, JSON by its header.

    Raises:
        RequestRefused: it says that it is something else, or is no UTF-8.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestRefused("request.media-type", "send Content-Type: application/json")
    body = await request.body()
    try:
        if not body.isascii():
            body.decode()
    except UnicodeDecodeError:
        raise RequestRefused("request.invalid", "the body is not UTF-8") from None
    return body


def decode(decoder: msgspec.json.Decoder[_Body], body: bytes) -> _Body:
    """Read a body.

    Raises:
        RequestRefused: it is not as described; says where.
    """
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise RequestRefused("request.invalid", str(error)) from None


def _token_in(hello: bytes) -> str:
    """Return the token of a hello, or nothing: then it will be refused by whoever reads all of it."""
    try:
        return _HELLO.decode(hello).token
    except msgspec.DecodeError:
        return ""
