"""The JSON between a desktop and us, both ways: REST bodies and push frames. Described for people in
``docs/reference/desktop-protocol.md``. Notices and the view have their JSON in ``domain``.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from unified_agent.domain.commands import END, AnyCommand
from unified_agent.domain.ids import CommandId, SessionId
from unified_agent.domain.session_state import CommandRecord, Outcome
from unified_agent.domain.topology import Next, Topology
from unified_agent.domain.view import View

#: An agent's or station's number at the switch.
DigitsId = Annotated[str, Meta(pattern=r"^[0-9]{1,15}" + END, description="Digits, as the switch knows it.")]
Password = Annotated[str, Meta(max_length=64)]
PressId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9_.:-]+" + END,
        description="Made by the desktop: a random client id, a hyphen, a counter. A repeat is answered from memory.",
    ),
]
DiallerName = Annotated[str, Meta(min_length=1, max_length=32)]


# --- REST


class DiallerLoginBody(Struct, kw_only=True, frozen=True):
    """How to log on to the dialler. ``job`` is joined at once; empty to choose later."""

    name: DiallerName
    password: Password
    headset: Annotated[str, Meta(min_length=1, max_length=32)]
    job: Annotated[str, Meta(max_length=32)] = ""


class LoginBody(Struct, kw_only=True, frozen=True):
    """A login. The switch's verdict on the password comes later, by notices. ``entry``: the ticket of session
    initiation, if there was one.
    """

    agent: DigitsId
    station: DigitsId
    password: Password
    dialler: DiallerLoginBody | None = None
    entry: Annotated[str, Meta(max_length=512)] = ""


class LoggedIn(Struct, kw_only=True, frozen=True):
    """A session was opened, taken over or resumed.

    Token and ticket are secrets: keep them in memory or sessionStorage only. The ticket brings the session back at any
    instance, with the token and not without.
    """

    session: SessionId
    token: str
    ticket: str
    now: str


class ResumeBody(Struct, kw_only=True, frozen=True):
    """The newest ticket of a session, and the token that came with it."""

    ticket: Annotated[str, Meta(min_length=1, max_length=8_192)]
    token: Annotated[str, Meta(min_length=1, max_length=128)]


class ResolveBody(Struct, kw_only=True, frozen=True):
    """The command whose outcome is asked for; it is not performed."""

    command: AnyCommand


class SnapshotBody(Struct, kw_only=True, frozen=True):
    """Everything a desktop may see, and the place in its stream that it includes."""

    epoch: int
    seq: int
    at: str
    view: View


class CommandBody(Struct, kw_only=True, frozen=True):
    """One thing asked."""

    id: PressId
    command: AnyCommand


class CommandStanding(Struct, kw_only=True, frozen=True):
    """How a command stands. ``error`` is an id (see errors), empty unless refused or unknown."""

    id: CommandId
    type: str
    outcome: Outcome
    error: str
    detail: str


class ReasonBody(Struct, kw_only=True, frozen=True):
    """One reason code, its label by language, and the minutes after which the desktop warns."""

    code: int
    label: dict[str, str]
    maximum_min: int | None


class ConfigBody(Struct, kw_only=True, frozen=True):
    """What the login page needs to know. Public."""

    instance: str
    version: str
    now: str
    not_ready_reasons: tuple[ReasonBody, ...]
    log_out_reasons: tuple[ReasonBody, ...]
    reason_required: bool
    uses_dialler: bool
    languages: tuple[str, ...]


def standing(record: CommandRecord) -> CommandStanding:
    """Tell how a command stands."""
    return CommandStanding(
        id=record.id, type=record.type, outcome=record.outcome, error=record.error, detail=record.detail
    )


# --- push frames from the desktop


class Hello(Struct, kw_only=True, frozen=True, tag_field="type", tag="hello"):
    """The first frame. ``epoch`` and ``seq``: the last envelope the desktop has, null for none."""

    token: Annotated[str, Meta(max_length=128)]
    epoch: int | None = None
    seq: int | None = None
    client: Annotated[str, Meta(max_length=80)] = ""


class CommandFrame(Struct, kw_only=True, frozen=True, tag_field="type", tag="command"):
    """A command; its own shape is checked apart, so that a bad one is answered and the connection kept."""

    id: PressId
    command: Raw


class DesktopBeat(Struct, kw_only=True, frozen=True, tag_field="type", tag="beat"):
    """A sign of life."""


#: Reads any frame of a desktop.
FRAMES: Final = msgspec.json.Decoder(Hello | CommandFrame | DesktopBeat)
#: Reads the command within a frame.
COMMANDS: Final[msgspec.json.Decoder[AnyCommand]] = msgspec.json.Decoder(AnyCommand)


# --- push frames to the desktop, besides envelopes


class Welcome(Struct, kw_only=True, frozen=True, tag_field="type", tag="welcome"):
    """The answer to a good hello.

    Attributes:
        outcome: ``resumed``: what follows ``seq`` comes next; ``snapshot``: a snapshot comes next.
        epoch, seq: where the stream is now.
        now: our clock.
        beat_s: we are never silent for longer.
        silent_s: a desktop silent for longer is closed.
        term: under which the agent is served; what comes with a lower one is to be dropped.
        instance: the name of this instance.
    """

    outcome: str
    epoch: int
    seq: int
    now: str
    beat_s: float
    silent_s: float
    term: int
    instance: str


class Refused(Struct, kw_only=True, frozen=True, tag_field="type", tag="refused"):
    """The connection is closed after this; ``id`` says what the desktop should do.

    With ``session.ended`` the ``reason`` is that of ``session-ended``: a login may be refused before its desktop has
    connected.
    """

    id: str
    reason: str = ""
    detail: str = ""


class Answer(Struct, kw_only=True, frozen=True, tag_field="type", tag="answer"):
    """How a command stands, at once."""

    id: str
    command_type: str
    outcome: Outcome
    error: str
    detail: str


class Beat(Struct, kw_only=True, frozen=True, tag_field="type", tag="beat"):
    """A sign of life, with our clock."""

    now: str


class Goodbye(Struct, kw_only=True, frozen=True, tag_field="type", tag="goodbye"):
    """Go to another instance, or know that this one stops.

    Attributes:
        reason: ``drain``, ``move``, ``restart``, ``passive`` or ``stepped-down``.
        next: where to go: be connected there before this connection is closed. Null: find another yourself; while
            there is none, stay.
        after_ms: the connection is closed in about so many milliseconds.
    """

    reason: str
    next: Next | None
    after_ms: int


class TopologyFrame(Topology, kw_only=True, frozen=True, tag_field="type", tag="topology"):
    """Where desktops may go: after the welcome, and whenever it changes."""


class TicketFrame(Struct, kw_only=True, frozen=True, tag_field="type", tag="ticket"):
    """A ticket in the place of the one before."""

    ticket: str


#: Close codes, besides those of RFC 6455.
CLOSED_BAD_FRAME: Final = 4400
CLOSED_TOKEN: Final = 4401
CLOSED_SILENT: Final = 4408
CLOSED_TAKEN_OVER: Final = 4409
CLOSED_ENDED: Final = 4410
#: The session is not here any more: resume it with the ticket elsewhere.
CLOSED_MOVED: Final = 4420
