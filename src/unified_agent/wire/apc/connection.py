"""The agent's end of one connection to a dialler: commands out, answers and announcements in.

    wait for the greeting ──▶ send, one command at a time ──▶ match answers ──▶ events
                                  │ no answer in time
                                  ▼
                             ask for the state ──answered──▶ only that command failed
                                  └──────silence──▶ session lost

One connection is one agent. Commands go out one after another, except those that may stay open
(``pending.OPEN_ENDED``). The dialler has no heartbeat: a question for the state, sent when nothing was heard
for a while, stands in for it. Source: Agent API guide; the time limits of its own library; failure classes of
our reference, which are a recommendation.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from unified_agent.errors import LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.apc import codes, events
from unified_agent.wire.apc.codec import (
    MESSAGE_LIMIT_BYTES,
    CodePage,
    MessageDecoder,
    encode_message,
)
from unified_agent.wire.apc.commands import Command, check_parameters
from unified_agent.wire.apc.events import LossReason, Outcome
from unified_agent.wire.apc.messages import Answer, Message, MessageType, NoticeName, read_answer
from unified_agent.wire.apc.notices import NoticeAssembler
from unified_agent.wire.apc.pending import PendingCommand, PendingTable, add_row, check_room, row_of
from unified_agent.wire.apc.readings import read_state

_NAMED_COMMAND: Final = re.compile(r"AGT[A-Za-z]+")
_UNASKED_LIMIT: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConnectionSettings:
    """How one agent's connection behaves.

    Attributes:
        client_name: third header field, up to 20 characters; diallers ignore it, their logs show it.
        process_id: fourth header field, up to 6 characters; likewise.
        code_page: how the site writes customers' data. A superset of ASCII.
        greeting_limit_s: without a greeting for this long the dialler counts as down.
        command_limit_s: without an answer for this long the dialler is doubted. The vendor's own library
            allows 2 to 200 and uses 20 in its examples.
        headset_limit_s: the same for commands that ring a phone, the agent's or a customer's; it must be picked up.
        probe_limit_s: a doubted dialler must answer a question for the state within this.
        idle_probe_after_s: ask for the state when nothing was heard for this long and no ordinary command is
            on its way; None never asks. A dead peer is noticed within this plus ``probe_limit_s``, at the
            price of one small question per agent and interval.
        busy_pause_s: how long to wait before the one retry of a command answered "busy".
        queue_limit: commands that may wait their turn; more are refused.
        message_limit_bytes: a longer message ends the connection.
    """

    client_name: str = "UAgent"
    process_id: str = "0"
    code_page: str = "latin-1"
    greeting_limit_s: float = 10.0
    command_limit_s: float = 20.0
    headset_limit_s: float = 60.0
    probe_limit_s: float = 5.0
    idle_probe_after_s: float | None = 5.0
    busy_pause_s: float = 0.5
    queue_limit: int = 32
    message_limit_bytes: int = MESSAGE_LIMIT_BYTES

    def __post_init__(self) -> None:
        limits = [self.greeting_limit_s, self.command_limit_s, self.headset_limit_s, self.probe_limit_s]
        if self.idle_probe_after_s is not None:
            limits.append(self.idle_probe_after_s)
        if min(limits) <= 0 or self.busy_pause_s < 0:
            raise SettingsError("time limits of a dialler connection must be greater than zero")
        if self.queue_limit < 1 or self.message_limit_bytes < 1024:
            raise SettingsError("queue_limit must be at least 1 and message_limit_bytes at least 1024")
        CodePage(self.code_page)


class AgentConnection:
    """One agent at one dialler; the doors are those of ``wire.doors.Connection``."""

    def __init__(self, settings: AgentConnectionSettings, now_s: float) -> None:
        """Begin with a transport that has just been opened; the dialler speaks first."""
        self._settings = settings
        self._code_page = CodePage(settings.code_page)
        self._decoder = MessageDecoder(
            from_server=True, code_page=self._code_page, limit_bytes=settings.message_limit_bytes
        )
        self._notices = NoticeAssembler()
        self._queue: deque[PendingCommand] = deque()
        self._sent = PendingTable()
        self._unasked: dict[str, list[tuple[str, ...]]] = {}
        self._out = bytearray()
        self._events: deque[events.Event] = deque()
        self._greeting_due_s: float | None = now_s + settings.greeting_limit_s
        self._heard_at_s = now_s
        self._logged_on = False
        self._ended = False

    # -- the doors ---------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take bytes from the dialler. After the last event they are ignored.

        Raises:
            RemoteProtocolError: as in ``wire.doors``; ``SessionLost`` is among the events then.
        """
        if self._ended or not data:
            return
        self._heard_at_s = now_s
        self._decoder.feed(data)
        try:
            while not self._ended and (message := self._decoder.next_message()) is not None:
                self._take(message, now_s)
        except RemoteProtocolError as error:
            self._end(events.SessionLost(reason=LossReason.PROTOCOL, detail=str(error)))
            raise
        self._send_waiting(now_s)

    def receive_eof(self, now_s: float) -> None:
        """Take the news that the dialler, or the network, closed the connection."""
        self._lose(LossReason.CLOSED_BY_PEER, "the dialler closed the connection")

    def data_to_send(self) -> bytes:
        """Return what is to be written, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_event(self) -> events.Event | None:
        """Return the oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """Return when ``handle_timer`` wants to be called next."""
        if self._ended:
            return None
        times = [self._greeting_due_s, self._idle_due_s()]
        for pending in self._sent:
            times += (pending.deadline_s, pending.retry_at_s)
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now_s: float) -> None:
        """Do what is due: doubt, probe, retry, give up."""
        if self._ended:
            return
        if self._greeting_due_s is not None and now_s >= self._greeting_due_s:
            self._lose(LossReason.NO_GREETING, f"no greeting within {self._settings.greeting_limit_s:g} s")
            return
        for pending in self._sent:
            if pending.retry_at_s is not None and now_s >= pending.retry_at_s:
                self._sent.remove(pending)
                self._send(pending, now_s)
            elif pending.deadline_s is not None and now_s >= pending.deadline_s:
                if pending.is_probe:
                    self._lose(LossReason.SILENT, f"no answer to a question within {self._settings.probe_limit_s:g} s")
                    return
                pending.deadline_s, pending.doubted = None, True
                self._probe(now_s)
        idle_due_s = self._idle_due_s()
        if idle_due_s is not None and now_s >= idle_due_s:
            self._probe(now_s)

    # -- commands ----------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the last event has been reported, or waits to be taken."""
        return self._ended

    def send_command(self, command: Command, *segments: str, token: str = "", now_s: float) -> None:
        """Send a command as soon as it is its turn; ``Replied`` with this token tells how it ended.

        Args:
            command: what to ask for.
            segments: its parameters, in order. ``""`` is an empty parameter, which is not the same as none.
            token: comes back with every event about this command.
            now_s: the caller's clock.

        Raises:
            LocalProtocolError: a parameter is missing, too many, too long, holds a control byte or cannot be
                written in the code page; too many commands wait; or the session is over.
        """
        if self._ended:
            raise LocalProtocolError(f"{command}: the session is over")
        check_parameters(command, segments)
        check_room(len(self._queue) + len(self._sent), self._settings.queue_limit)
        pending = PendingCommand(token=token, command=command, segments=segments)
        self._encode(pending)  # refuses here, where the sender is, and not when its turn has come
        self._queue.append(pending)
        self._send_waiting(now_s)

    def _send_waiting(self, now_s: float) -> None:
        if self._greeting_due_s is not None or self._ended:
            return
        while self._queue and not any(pending.holds_the_line for pending in self._sent):
            self._send(self._queue.popleft(), now_s)

    def _send(self, pending: PendingCommand, now_s: float) -> None:
        pending.retry_at_s = None
        self._sent.add(pending)
        if pending.is_probe:
            pending.deadline_s = now_s + self._settings.probe_limit_s
        elif pending.command in {Command.CONN_HEADSET, Command.LOGON_ACD, Command.MANAGED_CALL}:
            pending.deadline_s = now_s + self._settings.headset_limit_s
        elif pending.command is not Command.NO_FURTHER_WORK:
            pending.deadline_s = now_s + self._settings.command_limit_s
        self._out += self._encode(pending)

    def _encode(self, pending: PendingCommand) -> bytes:
        message = Message(
            keyword=pending.command,
            type=MessageType.COMMAND,
            segments=pending.segments,
            client=self._settings.client_name,
            process_id=self._settings.process_id,
            invoke_id=str(pending.invoke_id),
        )
        return encode_message(message, code_page=self._code_page)

    def _probe(self, now_s: float) -> None:
        if not any(pending.is_probe for pending in self._sent):
            probe = PendingCommand(token="", command=Command.LIST_STATE, segments=(), is_probe=True)
            self._send(probe, now_s)

    def _idle_due_s(self) -> float | None:
        """When silence has lasted long enough to ask, unless somebody else is waiting for an answer."""
        after_s = self._settings.idle_probe_after_s
        if after_s is None or not self._logged_on:
            return None
        if any(pending.is_probe or pending.holds_the_line for pending in self._sent):
            return None
        return self._heard_at_s + after_s

    # -- what the dialler says ---------------------------------------------------------------------------

    def _take(self, message: Message, now_s: float) -> None:
        answer = read_answer(message)
        if message.type is not MessageType.NOTICE:
            self._take_answer(message, answer, now_s)
        elif message.keyword == NoticeName.START and self._greeting_due_s is not None:
            self._take_greeting(message, answer)
        elif message.keyword == NoticeName.SYSTEM_ERROR:
            self._take_system_error(answer)
        elif (event := self._notices.add(message)) is not None:
            self._events.append(event)

    def _take_greeting(self, message: Message, answer: Answer) -> None:
        self._greeting_due_s = None
        if answer.ok:
            self._events.append(events.Greeted(process_id=message.process_id))
            return
        self._events.append(events.GreetingRefused(code=answer.code, detail=answer.detail))
        self._lose(LossReason.GREETING_REFUSED, codes.error_meaning(answer.code).meaning, dialler_code=answer.code)

    def _take_system_error(self, answer: Answer) -> None:
        fatal = answer.code in codes.FATAL_SYSTEM_ERRORS
        killed = None
        if answer.code == codes.LOG_ON_FIRST:
            killed = self._sent.newest()
        elif (named := _NAMED_COMMAND.search(answer.detail)) is not None:
            killed = self._sent.oldest_of(named.group())
        if killed is not None and not fatal:
            self._finish(killed, Outcome.KILLED, answer)
        told = killed.command if killed is not None and not fatal and not killed.is_probe else None
        self._events.append(
            events.SystemErrorReported(code=answer.code, detail=answer.detail, fatal=fatal, killed=told)
        )
        if fatal:
            meaning = codes.error_meaning(answer.code).meaning
            self._lose(LossReason.SYSTEM_ERROR, meaning, dialler_code=answer.code)

    def _take_answer(self, message: Message, answer: Answer, now_s: float) -> None:
        pending = self._sent.match(message, answer)
        if pending is None:
            self._take_unasked(message, answer)
        elif message.type is MessageType.DATA:
            add_row(pending.rows, row_of(answer, message))
        elif message.type is MessageType.BUSY:
            self._take_busy(pending, answer, now_s)
        elif message.type is MessageType.PENDING or answer.code == codes.PENDING:
            if not pending.is_probe:
                self._events.append(events.CommandPending(token=pending.token, command=pending.command))
        elif answer.ok and answer.code != codes.TRANSFER_IN_PROGRESS:
            self._finish(pending, Outcome.ANSWERED, answer)
        else:
            self._finish(pending, Outcome.REFUSED, answer)

    def _take_busy(self, pending: PendingCommand, answer: Answer, now_s: float) -> None:
        if pending.busy or pending.is_probe:
            self._finish(pending, Outcome.BUSY, answer)
            return
        pending.busy = True
        pending.deadline_s, pending.doubted = None, False
        pending.rows.clear()
        pending.retry_at_s = now_s + self._settings.busy_pause_s

    def _take_unasked(self, message: Message, answer: Answer) -> None:
        if message.type is MessageType.DATA:
            if message.keyword not in self._unasked and len(self._unasked) >= _UNASKED_LIMIT:
                raise RemoteProtocolError(f"data of more than {_UNASKED_LIMIT} commands that were never sent")
            add_row(self._unasked.setdefault(message.keyword, []), row_of(answer, message))
        elif message.type is MessageType.RESPONSE and answer.code != codes.PENDING:
            self._sent.forget_abandoned(message)
            self._events.append(
                events.UnaskedReply(
                    keyword=message.keyword,
                    ok=answer.ok,
                    code=answer.code,
                    detail=answer.detail,
                    data=tuple(self._unasked.pop(message.keyword, ())),
                )
            )

    # -- ends --------------------------------------------------------------------------------------------

    def _finish(self, pending: PendingCommand, outcome: Outcome, answer: Answer) -> None:
        """One command has ended. A probe that ended in whatever way shows that the dialler lives."""
        self._sent.remove(pending)
        if pending.is_probe:
            if outcome is Outcome.ANSWERED and pending.rows:
                # Whatever it says, it lives: a state we do not know is no reason to end the session.
                with suppress(RemoteProtocolError):
                    self._events.append(events.StateProbed(state=read_state(pending.rows[0])))
            for other in self._sent:
                if other.doubted:
                    self._sent.abandon(other)
                    self._report(other, Outcome.TIMED_OUT, Answer(ok=False, code="", detail="", values=()))
            return
        self._report(pending, outcome, answer)
        if pending.command is Command.LOGON and outcome is Outcome.ANSWERED:
            self._logged_on = True
        if pending.command is Command.LOGOFF and outcome is Outcome.ANSWERED:
            self._end(events.SessionClosed())

    def _report(self, pending: PendingCommand, outcome: Outcome, answer: Answer) -> None:
        self._events.append(
            events.Replied(
                token=pending.token,
                command=pending.command,
                outcome=outcome,
                code=answer.code,
                detail=answer.detail,
                data=tuple(pending.rows),
                final_values=answer.values,
            )
        )

    def _lose(self, reason: LossReason, detail: str, *, dialler_code: str = "") -> None:
        self._end(events.SessionLost(reason=reason, code=dialler_code, detail=detail))

    def _end(self, last: events.Event) -> None:
        """Fail what is on its way, oldest first, and report the last event. Only the first end counts."""
        if self._ended:
            return
        self._ended = True
        nothing = Answer(ok=False, code="", detail="", values=())
        for pending in [*self._sent.clear(), *self._queue]:
            if not pending.is_probe:
                self._report(pending, Outcome.LOST, nothing)
        self._queue.clear()
        self._out.clear()
        self._events.append(last)
