"""Notices and commands by scripts (JSONP), for pages from which nothing else comes through.

The connection is a long poll whose replies are calls of a function. Everything that is asked is a GET, so whatever
changes something needs a nonce of an answer before, good once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.ids import CommandId, SessionId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import CommandRecord
from unified_agent.server.auth import TokenRefusal
from unified_agent.server.desk_messages import COMMANDS, PressId, standing
from unified_agent.server.failures import Problem, RequestRefused
from unified_agent.server.jsonp_tokens import JsonpTokens, Page
from unified_agent.server.push_transports.desks import JSONP, Desks
from unified_agent.server.push_transports.held import Closed, HeldConnections
from unified_agent.server.push_transports.long_poll import AckUnknown, Poll, PollReply
from unified_agent.settings import DesktopSettings
from unified_agent.wire.push import escape_json

#: Frames of a desktop in one poll.
FRAMES_LIMIT: Final = 32
#: A whole number that scripts can hold.
_Whole = Annotated[int, Meta(ge=0, lt=2**53)]
_ENCODER: Final = msgspec.json.Encoder()


class Position(Struct, frozen=True):
    """Where a page's stream is: the last envelope that it was given."""

    epoch: int
    seq: int


class Envelope(Struct, frozen=True, kw_only=True):
    """What a function is called with when all is well.

    Attributes:
        events: frames as on the WebSocket, in order.
        position: with all of them.
        reply: the number of the answer to a poll, for ``ack`` of the next; else 0.
        next_token: to be used from now on; empty: the present one stays good.
        next_nonce: for the next thing that is to be done.
        more: there are more events already: ask at once.
        result: of what was asked, null for a poll.
        closed: the server has closed the connection; these are its last events.
        superseded: another poll came meanwhile and is answered instead.
        hold_s: with the first reply: a poll is answered within this time, seconds.
    """

    ok: bool = True
    events: tuple[Raw, ...] = ()
    position: Position | None = None
    reply: int = 0
    next_token: str = ""
    next_nonce: str = ""
    more: bool = False
    result: Any = None
    closed: Closed | None = None
    superseded: bool | UnsetType = UNSET
    hold_s: float | UnsetType = UNSET


class ErrorEnvelope(Struct, frozen=True, kw_only=True):
    """What a function is called with when a request is refused. ``next_token`` and ``next_nonce`` as in ``Envelope``,
    empty when the token is not good.
    """

    ok: bool = False
    error: Problem
    next_token: str = ""
    next_nonce: str = ""


AnyEnvelope = TypeVar("AnyEnvelope", Envelope, ErrorEnvelope)


class ScriptPoll(Poll):
    """A poll whose frames are written for a script, and counted as they are written."""

    def send(self, data: bytes) -> bool:
        """Keep a frame for the desktop; see ``Held``."""
        return super().send(escape_json(data))


class _Placed(Struct):
    """What of any frame says where a stream is."""

    type: str
    epoch: int | None = None
    seq: int | None = None


_PLACED: Final = msgspec.json.Decoder(_Placed)
_FRAMES: Final = msgspec.json.Decoder(tuple[Raw, ...])


class Asked:
    """The parameters of one request."""

    def __init__(self, parameters: Mapping[str, str], origin: str | None) -> None:
        self._parameters = parameters
        self.origin: Final = origin

    def text(self, name: str, default: str | None = None) -> str:
        """Return a parameter.

        Raises:
            RequestRefused: it is missing, and there is no default.
        """
        value = self._parameters.get(name, default)
        if value is None:
            raise RequestRefused("request.invalid", f"the parameter {name} is missing")
        return value

    def number(self, name: str) -> int | None:
        """Return a parameter that is a whole number, None for an empty or missing one.

        Raises:
            RequestRefused: it is none.
        """
        value = self.text(name, "")
        number: int | None = self.fitting(name, value, _Whole) if value else None
        return number

    def fitting(self, name: str, value: Any, kind: Any) -> Any:
        """Return a value that fits a type.

        Raises:
            RequestRefused: it does not; the words never repeat it.
        """
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            raise RequestRefused("request.invalid", f"the parameter {name}: {error}") from None


class JsonpPush:
    """What pages ask by scripts with a token."""

    def __init__(
        self,
        desks: Desks,
        connections: HeldConnections,
        tokens: JsonpTokens,
        settings: DesktopSettings,
        clock: Clock,
    ) -> None:
        self._desks = desks
        self._connections = connections
        self._tokens = tokens
        self._settings = settings
        self._clock = clock

    def page_of(self, asked: Asked) -> Page:
        """Return the page that asks.

        Raises:
            RequestRefused: ``jsonp.token``.
        """
        return self._tokens.find(asked.text("token"), asked.text("client"), asked.origin)

    def furnish(self, envelope: AnyEnvelope, page: Page, asked: Asked) -> AnyEnvelope:
        """Put into an answer what a page is to use next."""
        token, nonce = self._tokens.renew(asked.text("token")), self._tokens.nonce(page)
        return msgspec.structs.replace(envelope, next_token=token, next_nonce=nonce)

    async def poll(self, page: Page, asked: Asked) -> Envelope:
        """Open a connection, or wait for what there is to tell over it.

        Raises:
            RequestRefused: see its ids.
        """
        ack = asked.number("ack") or 0
        frames = self._frames(page, asked)
        if ack == 0:
            reply = self._open(page, asked, frames)
        elif page.poll is None:
            raise RequestRefused("connection.unknown", "open one, with ack=0")
        else:
            try:
                reply = await page.poll.next_reply(ack, frames)
            except AckUnknown as error:
                raise RequestRefused("connection.unknown", str(error)) from None
        page.position = _position_after(reply.frames) or page.position
        return Envelope(
            events=reply.frames,
            position=None if page.position is None else Position(*page.position),
            reply=reply.reply,
            more=reply.more,
            closed=reply.closed,
            superseded=True if reply.superseded else UNSET,
            hold_s=reply.hold_s or UNSET,
        )

    async def command(self, page: Page, asked: Asked) -> Envelope:
        """Have something done; a repeat with the same nonce is answered from memory.

        Raises:
            RequestRefused: see its ids.
        """
        return self._once(page, asked, "command", self._desks.host.submit)

    async def resolve(self, page: Page, asked: Asked) -> Envelope:
        """Find out what became of a command asked of another instance.

        Raises:
            RequestRefused: see its ids.
        """
        return self._once(page, asked, "resolve", self._desks.host.resolve)

    async def outcome(self, page: Page, asked: Asked) -> Envelope:
        """Say how a command stands.

        Raises:
            RequestRefused: see its ids.
        """
        self._admit(page)
        record = self._desks.host.command(page.session, self._id(asked))
        if record is None:
            raise RequestRefused("command.unknown")
        return Envelope(result=standing(record))

    # --- inside

    def _admit(self, page: Page) -> None:
        """See that the session is still the page's, and that the page lives."""
        found = self._desks.tokens.find(page.bearer)
        if isinstance(found, TokenRefusal):
            raise RequestRefused(found.value)
        if page.poll is not None:
            page.poll.heard()

    def _once(
        self,
        page: Page,
        asked: Asked,
        what: str,
        act: Callable[[SessionId, CommandId, AnyCommand], CommandRecord | None],
    ) -> Envelope:
        """Do something about a command if the nonce is not spent yet; tell how it stands.

        Raises:
            RequestRefused: see its ids.
        """
        command_id, command = self._command(page, asked)
        is_first = page.spend(asked.text("nonce"), f"{what} {command_id}")
        record = (
            act(page.session, command_id, command) if is_first else self._desks.host.command(page.session, command_id)
        )
        if record is None:
            raise RequestRefused("session.ended")
        return Envelope(result=standing(record))

    def _command(self, page: Page, asked: Asked) -> tuple[CommandId, AnyCommand]:
        self._admit(page)
        command_id = self._id(asked)
        try:
            return command_id, COMMANDS.decode(asked.text("command"))
        except msgspec.DecodeError as error:
            raise RequestRefused("command.invalid", str(error)) from None

    @staticmethod
    def _id(asked: Asked) -> CommandId:
        return CommandId(asked.fitting("id", asked.text("id"), PressId))

    def _open(self, page: Page, asked: Asked, frames: Iterable[bytes]) -> PollReply:
        """Open a connection in the place of the page's former one, by the same hello as everywhere."""
        epoch, seq = asked.number("epoch"), asked.number("seq")
        hello = {"type": "hello", "token": page.bearer, "epoch": epoch, "seq": seq, "client": page.client}
        poll = ScriptPoll(
            self._desks.connection(JSONP),
            self._connections,
            token=page.bearer,
            settings=self._settings,
            clock=self._clock,
        )
        page.poll = poll
        page.position = None if epoch is None or seq is None else (epoch, seq)
        poll.begin(_ENCODER.encode(hello))
        poll.take_texts(frames)
        return poll.first_reply()

    def _frames(self, page: Page, asked: Asked) -> Iterable[bytes]:
        """Return what the page says with a poll: nothing, if it has said it before."""
        text = asked.text("frames", "")
        if not text:
            return ()
        try:
            frames = _FRAMES.decode(text)
        except msgspec.DecodeError as error:
            raise RequestRefused("request.invalid", f"the parameter frames: {error}") from None
        if len(frames) > FRAMES_LIMIT:
            raise RequestRefused("request.invalid", f"at most {FRAMES_LIMIT} frames")
        said = hashlib.sha256(text.encode()).hexdigest()
        return tuple(map(bytes, frames)) if page.spend(asked.text("nonce"), f"frames {said}") else ()


def _position_after(frames: tuple[Raw, ...]) -> tuple[int, int] | None:
    """Return where a stream is after some frames; None when none of them says."""
    for frame in reversed(frames):
        placed = _PLACED.decode(frame)
        if placed.type != "welcome" and placed.epoch is not None and placed.seq is not None:
            return placed.epoch, placed.seq
    return None
