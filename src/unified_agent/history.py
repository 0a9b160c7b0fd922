"""What an instance claims, is asked and does, one line each: for proof afterwards that no rule was broken.

Not a log for people. ``tools.chaos.history_check`` reads the lines of all instances together and finds whether two
ever acted for one agent, a command was lost or performed twice, or two datacentres were active. Off by default:
``NoHistory`` costs one call. An event is given by its class and fields, which the type checker holds together::

    history.record(Claimed, agent=agent, station=station, term=7, incarnation=812, epoch=2, wish="resume")

Events are recorded **when they become true here**: a claim after the store committed it, a release before it is sent,
a deed of a link just before it is handed to the link, an answer before it leaves. So whatever can be seen from outside
is in the file, even when the process is killed a moment later: each line is one write to the kernel, none waits in
the process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, Protocol

import msgspec
from msgspec import Struct

from unified_agent.domain.commands import kebab
from unified_agent.domain.ids import AgentId, CommandId, InstanceId, RequestId, StationId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import Side
from unified_agent.errors import SettingsError

Fields = ParamSpec("Fields")
_LINE_END: Final = b"\n"


# --- the vocabulary


class Event(Struct, frozen=True, kw_only=True, tag_field="kind", tag=kebab):
    """Root of what may be recorded. In JSON ``kind`` is the class's name in lower case with hyphens."""


class Registered(Event, frozen=True, kw_only=True):
    """The store holds our key: this incarnation has begun, and carries whatever is claimed from now on."""

    incarnation: int


class SteppedDown(Event, frozen=True, kw_only=True):
    """This incarnation acts no more: its time without the store has passed, or its lease is gone."""

    incarnation: int
    reason: str


class Ended(Event, frozen=True, kw_only=True):
    """This incarnation has left in good order; said by the instance itself, not by its guardian."""

    incarnation: int


class Claimed(Event, frozen=True, kw_only=True):
    """The store has granted us an agent with its station, and we begin to hold it.

    Not written when our time has passed meanwhile.

    ``wish``: why we wanted it, a word of ``Wish``.
    """

    agent: AgentId
    station: StationId
    term: int
    incarnation: int
    epoch: int
    wish: str


class Released(Event, frozen=True, kw_only=True):
    """We have stopped acting for this agent and are about to give it up."""

    agent: AgentId
    term: int


class Lost(Event, frozen=True, kw_only=True):
    """We have stopped acting for this agent because the claim is not ours any more, or we may not use it."""

    agent: AgentId
    term: int
    reason: str


class Serving(Event, frozen=True, kw_only=True):
    """This instance serves from now on, because its datacentre is active in this epoch."""

    epoch: int
    datacentre: str


class StoodDown(Event, frozen=True, kw_only=True):
    """Everything served in this epoch, or in an earlier one, is closed here."""

    epoch: int


class CommandReceived(Event, frozen=True, kw_only=True):
    """A desktop's command has come for the first time here. ``type``: as desktops call it, ``make-call``."""

    agent: AgentId
    command: CommandId
    type: str
    term: int


class CommandAnswered(Event, frozen=True, kw_only=True):
    """The desktop is about to be told how its command stands."""

    command: CommandId
    outcome: Outcome


class CommandSettled(Event, frozen=True, kw_only=True):
    """A command has come to its end here. One that ended ``unknown`` may still end otherwise."""

    command: CommandId
    outcome: Outcome


class LinkDeed(Event, frozen=True, kw_only=True):
    """Something is about to be handed to a link, which will do it unless the link itself is lost.

    Attributes:
        agent, station: for whom.
        term: of the claim under which it is done.
        incarnation: that made the claim; 0 for an instance alone, which claims nothing.
        side: switch or dialler.
        what: what is asked, the class's name in lower case with hyphens: ``log-in-agent``, ``make-call``.
        command: of the desktop, when the deed carries one out; None for what only the session wants.
        request: the session's number of it.
    """

    agent: AgentId
    station: StationId
    term: int
    incarnation: int
    side: Side
    what: str
    command: CommandId | None
    request: RequestId


class DesktopShown(Event, frozen=True, kw_only=True):
    """A desktop was sent this place of its stream, in this term."""

    agent: AgentId
    term: int
    epoch: int
    seq: int


AnyEvent = (
    Registered
    | SteppedDown
    | Ended
    | Claimed
    | Released
    | Lost
    | Serving
    | StoodDown
    | CommandReceived
    | CommandAnswered
    | CommandSettled
    | LinkDeed
    | DesktopShown
)


class Entry(Struct, frozen=True, kw_only=True):
    """One line: an event, and when and where it was.

    Attributes:
        at_s: Unix seconds, by the instance's clock; for people, clocks of two hosts differ.
        mono_s: monotonic seconds, which all processes of one machine (and of one simulation) share.
        instance: whose event.
    """

    at_s: float
    mono_s: float
    instance: InstanceId
    event: AnyEvent


# --- who keeps it


class History(Protocol):
    """Where an instance's events go."""

    def record(self, kind: Callable[Fields, AnyEvent], *nothing: Fields.args, **fields: Fields.kwargs) -> None:
        """Keep one event: its class, and its fields by name. Never raises, never waits for anybody."""
        ...


class NoHistory:
    """Keeps nothing."""

    __slots__ = ()

    def record(self, kind: Callable[Fields, AnyEvent], *nothing: Fields.args, **fields: Fields.kwargs) -> None:
        """Keep nothing."""


class HistoryList:
    """Keeps events in a list, for simulation: all instances may share one list.

    Attributes:
        entries: in the order in which they were recorded.
    """

    def __init__(
        self,
        instance: InstanceId,
        clock: Clock,
        *,
        monotonic_s: Callable[[], float] | None = None,
        entries: list[Entry] | None = None,
    ) -> None:
        """Begin.

        Args:
            instance: whose events.
            clock: the instance's.
            monotonic_s: time that all instances share; None for the clock's.
            entries: to be added to; None for a list of its own.
        """
        self.entries: Final = entries if entries is not None else []
        self._instance = instance
        self._clock = clock
        self._monotonic_s = monotonic_s or clock.now_s

    def record(self, kind: Callable[Fields, AnyEvent], *nothing: Fields.args, **fields: Fields.kwargs) -> None:
        """Keep one event."""
        self.entries.append(
            Entry(
                at_s=self._clock.now_s(),
                mono_s=self._monotonic_s(),
                instance=self._instance,
                event=kind(*nothing, **fields),
            )
        )


class HistoryFile:
    """Appends events to a file, one JSON line and one write each.

    A write is to the page cache of the machine, some microseconds. Should the disk be full the line is lost and the
    caller goes on; that is told once, and told again only after a write has succeeded.
    """

    def __init__(
        self,
        path: Path,
        instance: InstanceId,
        clock: Clock,
        *,
        failed: Callable[[OSError], None] = lambda error: None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the file, or make it; what is in it stays.

        Args:
            path: of the file; the folder is there.
            instance: whose events.
            clock: the instance's.
            failed: told when lines begin to be lost.
            monotonic_s: time that all processes of this machine share.

        Raises:
            SettingsError: the file cannot be opened.
        """
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise SettingsError(f"the history cannot be written to {path}: {error.strerror}") from error
        self._instance = instance
        self._clock = clock
        self._failed = failed
        self._monotonic_s = monotonic_s
        self._encode = msgspec.json.Encoder().encode
        self._is_failing = False
        self._is_cut = False

    def record(self, kind: Callable[Fields, AnyEvent], *nothing: Fields.args, **fields: Fields.kwargs) -> None:
        """Append one line."""
        entry = Entry(
            at_s=self._clock.now_s(),
            mono_s=self._monotonic_s(),
            instance=self._instance,
            event=kind(*nothing, **fields),
        )
        # After a line of which only a part was written the next one begins on a line of its own.
        line = _LINE_END * self._is_cut + self._encode(entry) + _LINE_END
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._tell(error)
            return
        self._is_cut = written < len(line)
        if self._is_cut:
            self._tell(OSError(f"only {written} of {len(line)} bytes were written"))
        else:
            self._is_failing = False

    def close(self) -> None:
        """Close the file; to be called once, after the last event."""
        os.close(self._file)

    def _tell(self, error: OSError) -> None:
        if not self._is_failing:
            self._is_failing = True
            self._failed(error)


def read_history(path: Path) -> tuple[list[Entry], int]:
    """Read a file that ``HistoryFile`` wrote.

    Returns:
        The entries in the order of the lines, and how many lines could not be read: those cut by a full disk.
    """
    decode = msgspec.json.Decoder(Entry).decode
    entries: list[Entry] = []
    unreadable = 0
    for line in path.read_bytes().splitlines():
        try:
            entries.append(decode(line))
        except msgspec.DecodeError:
            unreadable += 1
    return entries, unreadable
