"""One desktop's connection, whatever carries it: hello first, then notices one way and commands the other; described
in ``docs/reference/desktop-protocol.md``.

No queue here: what a slow desktop does not take is left in the session's outbox, and when it takes again it gets a
snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from unified_agent.domain.claim_steps import MOVED
from unified_agent.domain.commands import kebab
from unified_agent.domain.ids import AgentId, CommandId, SessionId
from unified_agent.domain.session_state import Outcome, SessionState
from unified_agent.domain.topology import Topology
from unified_agent.domain.view import rfc3339
from unified_agent.observe import get_logger, log_event
from unified_agent.server.auth import TokenRefusal
from unified_agent.server.desk_messages import (
    CLOSED_BAD_FRAME,
    CLOSED_ENDED,
    CLOSED_MOVED,
    CLOSED_SILENT,
    CLOSED_TAKEN_OVER,
    CLOSED_TOKEN,
    COMMANDS,
    FRAMES,
    Answer,
    CommandFrame,
    Goodbye,
    Hello,
    Refused,
    TicketFrame,
    TopologyFrame,
    Welcome,
)
from unified_agent.server.text_connection import TextConnection

if TYPE_CHECKING:
    from unified_agent.server.push_transports.desks import Desks

LOGGER: Final = get_logger("server.push")
#: Commands whose answer a slow desktop could not be given, kept until it takes again.
ANSWERS_KEPT: Final = 64

_ENCODER: Final = msgspec.json.Encoder()
#: Words of a goodbye for the reasons for which a session goes on elsewhere.
_GOODBYES: Final = {MOVED: "move"}
_CLOSE_CODES: Final = {
    TokenRefusal.UNKNOWN: CLOSED_TOKEN,
    TokenRefusal.TAKEN_OVER: CLOSED_TAKEN_OVER,
    TokenRefusal.ENDED: CLOSED_ENDED,
    TokenRefusal.MOVED: CLOSED_MOVED,
}


class DeskConnection:
    """One desktop's connection: hello first, then notices one way and commands the other.

    Attributes:
        session: the one shown, None before the hello.
        client: what the page calls itself.
        portion: which of ``Desks``' portions it is looked after with.
        transport: what carries it, as counters call it.
    """

    __slots__ = (
        "_agent",
        "_connection",
        "_desks",
        "_ending",
        "_heard_s",
        "_opened_s",
        "_ticket",
        "_ticket_of",
        "_token",
        "_unanswered",
        "_unsubscribe",
        "client",
        "portion",
        "session",
        "transport",
    )

    def __init__(self, desks: Desks, transport: str) -> None:
        self._desks = desks
        self._connection: TextConnection | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._unanswered: list[CommandId] = []
        self._opened_s = self._heard_s = 0.0
        self._ending = ""
        self._agent = AgentId("")
        self._token = self._ticket = ""
        self._ticket_of = (0, False)
        self.session: SessionId | None = None
        self.client = ""
        self.portion = 0
        self.transport: Final = transport

    # --- told by what carries it

    def opened(self, connection: TextConnection) -> None:
        """Take the connection and wait for the hello."""
        self._connection = connection
        self._opened_s = self._heard_s = self._desks.clock.now_s()
        self.portion = self._desks.began(self)
        if self._desks.stopped is not None:
            self.end(*self._desks.stopped)

    def heard(self) -> None:
        """Know that the desktop lives."""
        self._heard_s = self._desks.clock.now_s()

    def text_received(self, data: bytes) -> None:
        """Act on a frame."""
        self.heard()
        if self._ending:
            return
        try:
            frame = FRAMES.decode(data)
        except msgspec.DecodeError as error:
            self.refuse("protocol.frame" if self.session else "protocol.hello", CLOSED_BAD_FRAME, str(error))
            return
        if isinstance(frame, CommandFrame) and self.session is not None:
            self._submit(self.session, frame)
        elif isinstance(frame, Hello) and self.session is None:
            self._greet(frame)
        elif self.session is None or isinstance(frame, Hello):
            self.refuse("protocol.hello", CLOSED_BAD_FRAME, "the first frame, and only that, is a hello")

    def writable_again(self, skipped: int) -> None:
        """Make good what was not written while the desktop took nothing."""
        outbox = self._desks.host.outbox(self.session) if self.session is not None else None
        if not skipped or outbox is None or self.session is None:
            return
        self._deliver(outbox.snapshot("slow"))
        unanswered, self._unanswered = self._unanswered, []
        for command_id in unanswered:
            self._answer_from_memory(self.session, command_id)

    def closed(self, code: int, *, slow: bool) -> None:
        """Let everything go."""
        self._stop_delivery()
        self._connection = None
        reason = "slow" if slow else self._ending or ("closed" if code in {1000, 1001, 1005} else "lost")
        if slow:
            self._desks.metrics.slow_clients_closed.inc()
            log_event(LOGGER, "slow_desktop_cut_off", level="warning", session=self.session)
        self._desks.ended(self, reason)

    # --- told by Desks

    def look_after(self, now_s: float, beat: bytes) -> None:
        """Say something, or close a desktop that says nothing."""
        settings = self._desks.settings
        if self._connection is None or self._ending:
            return
        if self.session is None:
            if now_s - self._opened_s > settings.hello_limit_s:
                self.end(CLOSED_SILENT, "silent")  # most likely one of us is busy, which is no reason to give up
        elif now_s - self._heard_s > settings.silent_s:
            log_event(LOGGER, "silent_desktop_closed", session=self.session, silent_s=now_s - self._heard_s)
            self.end(CLOSED_SILENT, "silent")
        else:
            self._connection.beat(beat)
            if self._desks.tickets.is_stale(self._ticket):
                self._hand_ticket()

    def is_on_call(self) -> bool:
        """Say whether the agent has a call or a record open."""
        state = self._state()
        return state is not None and (bool(state.calls) or state.item is not None)

    def say(self, message: bytes) -> bool:
        """Write one message; False when the desktop takes nothing now."""
        return self._connection is not None and self._connection.send(message)

    def refuse(self, why: str, code: int, detail: str = "") -> None:
        """Say why, and close."""
        if not self._ending:
            self.say(_ENCODER.encode(Refused(id=why, detail=detail)))
            self.end(code, why)

    def send_after(self, reason: str) -> None:
        """The session goes on elsewhere: say where, and close."""
        if self._ending:
            return
        desks = self._desks
        following = desks.whereabouts.best_for(self._agent, without=frozenset({desks.instance}))
        self.say(_ENCODER.encode(Goodbye(reason=_GOODBYES.get(reason, reason), next=following, after_ms=0)))
        self.end(CLOSED_MOVED, reason)

    def end(self, code: int, why: str) -> None:
        """Close, and stop showing the session at once."""
        if self._ending:
            return
        self._ending = why
        self._stop_delivery()
        self._desks.release(self)
        if self._connection is not None:
            self._connection.close(code, why)

    # --- inside

    def _greet(self, hello: Hello) -> None:
        desks = self._desks
        found = desks.tokens.find(hello.token)
        outbox = None if isinstance(found, TokenRefusal) else desks.host.outbox(SessionId(found))
        if isinstance(found, TokenRefusal) or outbox is None:
            why = found if isinstance(found, TokenRefusal) else TokenRefusal.ENDED
            desks.metrics.resumes.labels(outcome="refused").inc()
            self._refuse_token(hello.token, why)
            return
        self.session, self.client, self._token = found, hello.client, hello.token
        state = desks.host.state(found)
        assert state is not None, "a session with an outbox has a state"
        self._agent, self._ticket_of = state.identity.agent, _ticket_of(state)
        desks.show(found, self)
        missed = None if hello.epoch is None or hello.seq is None else outbox.since(hello.epoch, hello.seq)
        outcome = "snapshot" if missed is None else "resumed"
        desks.metrics.resumes.labels(outcome=outcome).inc()
        welcome = Welcome(
            outcome=outcome,
            epoch=outbox.epoch,
            seq=outbox.seq,
            now=rfc3339(desks.clock.now_s()),
            beat_s=desks.settings.beat_s,
            silent_s=desks.settings.silent_s,
            term=state.claim.term,
            instance=desks.instance,
        )
        self.say(_ENCODER.encode(welcome))
        for envelope in [outbox.snapshot("hello" if hello.epoch is None else "gap")] if missed is None else missed:
            self._deliver(envelope)
        self._unsubscribe = outbox.subscribe(self._tell)
        self.say(topology_frame(desks.whereabouts.topology()))
        self._hand_ticket()

    def _refuse_token(self, token: str, why: TokenRefusal) -> None:
        reason, detail = self._desks.tokens.ending(token)
        self.say(_ENCODER.encode(Refused(id=why, reason=reason, detail=detail)))
        self.end(_CLOSE_CODES[why], why)

    def _deliver(self, envelope: bytes) -> None:
        if self.say(envelope):
            self._desks.events_sent[self.transport].inc()

    def _tell(self, envelope: bytes) -> None:
        """Deliver what has just come about, and observe how long it was on its way through us."""
        self._deliver(envelope)
        received_s = self._desks.host.received_s(self.session) if self.session is not None else None
        if received_s is not None:
            self._desks.metrics.event_delay.observe(self._desks.clock.now_s() - received_s)
        state = self._state()
        if state is not None and _ticket_of(state) != self._ticket_of:
            self._hand_ticket()

    def _hand_ticket(self) -> None:
        """Give the desktop a ticket that says what is so now: the term, and that the password is proved."""
        state = self._state()
        if state is None:
            return
        self._ticket_of = _ticket_of(state)
        self._ticket = self._desks.tickets.write(
            state.identity,
            session=state.id,
            token=self._token,
            term=state.claim.term,
            epoch=self._desks.whereabouts.epoch,
            verified=state.telephony.verified,
        )
        self.say(_ENCODER.encode(TicketFrame(ticket=self._ticket)))

    def _stop_delivery(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _submit(self, session: SessionId, frame: CommandFrame) -> None:
        try:
            command = COMMANDS.decode(frame.command)
        except msgspec.DecodeError as error:
            self._answer(CommandId(frame.id), "", Outcome.REFUSED, "command.invalid", str(error))
            return
        record = self._desks.host.submit(session, CommandId(frame.id), command)
        if record is None:
            word = kebab(type(command).__name__)
            self._answer(CommandId(frame.id), word, Outcome.REFUSED, "session-ending", "")
        else:
            self._answer(record.id, record.type, record.outcome, record.error, record.detail)

    def _answer_from_memory(self, session: SessionId, command_id: CommandId) -> None:
        record = self._desks.host.command(session, command_id)
        if record is not None:
            self._answer(record.id, record.type, record.outcome, record.error, record.detail)

    def _answer(self, command_id: CommandId, word: str, outcome: Outcome, error: str, detail: str) -> None:
        answer = Answer(id=command_id, command_type=word, outcome=outcome, error=error, detail=detail)
        if not self.say(_ENCODER.encode(answer)):
            self._unanswered = [*self._unanswered, command_id][-ANSWERS_KEPT:]

    def _state(self) -> SessionState | None:
        return self._desks.host.state(self.session) if self.session is not None else None


def topology_frame(topology: Topology) -> bytes:
    """Write the frame that tells desktops where they may go."""
    return _ENCODER.encode(TopologyFrame(**structs.asdict(topology)))


def _ticket_of(state: SessionState) -> tuple[int, bool]:
    """Return what a ticket says that may change."""
    return state.claim.term, state.telephony.verified
