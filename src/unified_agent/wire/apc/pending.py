"""Commands on their way: invoke IDs, time limits, and which answer belongs to which command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.messages import Answer, Message

#: The header has four places for it; a fifth digit would shift the rest (seen in a public emulator).
INVOKE_ID_LIMIT: Final = 9999

#: More data messages than this for one command is a peer that never answers.
ROWS_LIMIT: Final = 10_000

#: Commands that may stay open while others are sent: leaving a job can last several calls, and the agent has
#: to pick up the phone when a headset is connected.
#: A managed call is dialled until somebody answers, and is cancelled meanwhile by AGTReleaseLine.
OPEN_ENDED: Final = frozenset({Command.NO_FURTHER_WORK, Command.CONN_HEADSET, Command.LOGON_ACD, Command.MANAGED_CALL})

#: How many answers that come too late are remembered as such.
ABANDONED_LIMIT: Final = 64

#: The keyword of these answers is not documented, so their invoke ID must do.
_ABOUT_THE_MESSAGE: Final = frozenset({codes.UNKNOWN_COMMAND, "E70000", "E70001"})


@dataclass(slots=True)
class PendingCommand:
    """One command from the moment it was asked for.

    Attributes:
        token: what the sender gave; unused in a probe.
        segments: kept for the one retry after "busy"; never shown.
        invoke_id: 1 to 9999 while sent, 0 before and while a retry waits.
        deadline_s: when to doubt the dialler; None for no limit, and once doubt has begun.
        retry_at_s: when to send it again after "busy".
        doubted: its time is over; it fails when a probe is answered.
        is_probe: sent by the connection itself.
        rows: values of the data messages so far.
    """

    token: str
    command: Command
    segments: tuple[str, ...] = field(repr=False)
    is_probe: bool = False
    invoke_id: int = 0
    deadline_s: float | None = None
    retry_at_s: float | None = None
    busy: bool = False
    doubted: bool = False
    rows: list[tuple[str, ...]] = field(default_factory=list, repr=False)

    @property
    def holds_the_line(self) -> bool:
        """Whether other commands must wait until this one is answered."""
        return not self.is_probe and self.command not in OPEN_ENDED


class PendingTable:
    """Commands that were sent and not answered, oldest first."""

    def __init__(self) -> None:
        self._sent: list[PendingCommand] = []
        self._last_invoke_id = 0
        self._abandoned: dict[int, Command] = {}

    def __iter__(self) -> Iterator[PendingCommand]:
        return iter(tuple(self._sent))

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, pending: PendingCommand) -> None:
        """Give a command the next free invoke ID and remember it as the newest."""
        taken = {other.invoke_id for other in self._sent} | self._abandoned.keys()
        while True:  # ends: what is taken is bounded by check_room and ABANDONED_LIMIT, far below 9999
            self._last_invoke_id = self._last_invoke_id % INVOKE_ID_LIMIT + 1
            if self._last_invoke_id not in taken:
                break
        pending.invoke_id = self._last_invoke_id
        self._sent.append(pending)

    def remove(self, pending: PendingCommand) -> None:
        """Forget a command: it was answered, or failed."""
        self._sent.remove(pending)

    def abandon(self, pending: PendingCommand) -> None:
        """Forget a command and remember its invoke ID, so that a late answer is not taken for another's."""
        self.remove(pending)
        self._abandoned[pending.invoke_id] = pending.command
        if len(self._abandoned) > ABANDONED_LIMIT:
            del self._abandoned[next(iter(self._abandoned))]

    def clear(self) -> list[PendingCommand]:
        """Forget all; returns them, oldest first."""
        sent, self._sent = self._sent, []
        return sent

    def newest(self) -> PendingCommand | None:
        """The command sent last."""
        return self._sent[-1] if self._sent else None

    def oldest_of(self, keyword: str) -> PendingCommand | None:
        """The command of that name sent first."""
        return next((pending for pending in self._sent if pending.command == keyword), None)

    def match(self, message: Message, answer: Answer) -> PendingCommand | None:
        """Find the command that an answer belongs to.

        By invoke ID together with the keyword; else the oldest of the same keyword, since public emulators do
        not echo the ID. An ID given up after a time-out matches nothing, once.
        """
        invoke_id = int(message.invoke_id) if message.invoke_id.isdecimal() else 0
        for pending in self._sent:
            if pending.invoke_id == invoke_id and pending.command == message.keyword:
                return pending
        if self._abandoned.get(invoke_id) == message.keyword:
            return None
        named = self.oldest_of(message.keyword)
        if named is None and answer.code in _ABOUT_THE_MESSAGE:
            return next((pending for pending in self._sent if pending.invoke_id == invoke_id), None)
        return named

    def forget_abandoned(self, message: Message) -> None:
        """A final answer that came too late frees its invoke ID."""
        if message.invoke_id.isdecimal():
            self._abandoned.pop(int(message.invoke_id), None)


def row_of(answer: Answer, message: Message) -> tuple[str, ...]:
    """The values of one data message: all after status and M00001; another code is kept, with its segment."""
    return answer.values if answer.code == codes.DATA_FOLLOWS else message.segments[1:]


def add_row(rows: list[tuple[str, ...]], row: tuple[str, ...]) -> None:
    """Keep a data message.

    Raises:
        RemoteProtocolError: more than ROWS_LIMIT of them.
    """
    if len(rows) >= ROWS_LIMIT:
        raise RemoteProtocolError(f"more than {ROWS_LIMIT} data messages for one command")
    rows.append(row)


def check_room(waiting: int, limit: int) -> None:
    """Refuse another command when too many wait.

    Raises:
        LocalProtocolError: ``limit`` commands wait already: their sender does not wait for answers.
    """
    if waiting >= limit:
        raise LocalProtocolError(f"{waiting} commands are waiting for this dialler already")
