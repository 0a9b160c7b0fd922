"""Connections that other instances make to us: bounded, and worth nothing until the other has proved who it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from unified_agent.cluster.peer_answers import PeerAnswers, reply_over
from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.domain.ids import InstanceId
from unified_agent.network import Listener, TwoWayNetwork, set_socket_options
from unified_agent.observe import get_logger, log_event
from unified_agent.pump import Pump
from unified_agent.wire.peer.events import (
    AnswerReceived,
    Event,
    LossReason,
    Lost,
    NoticeReceived,
    QuestionReceived,
    Ready,
    Refused,
)
from unified_agent.wire.peer.handshake import RefusalReason, Role

LOGGER = get_logger("cluster.peers")

#: Connections taken, one of each instance; several times the 100 instances that we are tested with.
VISITORS_LIMIT: Final = 256
#: Of these, connections that have not proved anything yet: after an outage all others dial at the same moment.
UNPROVED_LIMIT: Final = 128
#: The same complaint is logged once in this time, and so many different ones at most: names are not proved then.
COMPLAINT_INTERVAL_S: Final = 600.0
COMPLAINTS_LIMIT: Final = 100


class PeerDoor:
    """Takes connections, and lets instances of the cluster ask and tell.

    Args:
        identity: who we are.
        answers: takes what they ask and tell.
        arrived: told the name of each that has proved itself.
    """

    def __init__(self, identity: PeerIdentity, answers: PeerAnswers, *, arrived: Callable[[InstanceId], None]) -> None:
        self.identity: Final = identity
        self.answers: Final = answers
        self._arrived = arrived
        self._listener: Listener | None = None
        self._visitors: dict[_Visitor, None] = {}
        self._proved: dict[InstanceId, _Visitor] = {}
        self._complaints = _Complaints(identity)

    @property
    def visitors(self) -> int:
        """Connections that are open."""
        return len(self._visitors)

    async def listen(self, network: TwoWayNetwork, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Take connections from now on.

        Returns:
            The port taken.

        Raises:
            SettingsError: see ``TwoWayNetwork.listen``.
        """
        assert self._listener is None, "there is one door"
        self._listener = await network.listen(lambda: _Visitor(self), host, port, tls)
        return self._listener.port

    def close(self) -> None:
        """Take no more connections, and close those that there are."""
        if self._listener is not None:
            self._listener.close()
        for visitor in tuple(self._visitors):
            self.forget(visitor)
            visitor.close()

    # --- told by visitors

    def admit(self, visitor: _Visitor) -> bool:
        """Count a visitor whose transport is there; False when there are too many."""
        unproved = len(self._visitors) - len(self._proved)
        if len(self._visitors) >= VISITORS_LIMIT or unproved >= UNPROVED_LIMIT:
            return False
        self._visitors[visitor] = None
        return True

    def greet(self, visitor: _Visitor, peer: InstanceId) -> None:
        """Let in a visitor that has proved to be this instance; its older connection is dead, though not to us yet."""
        older = self._proved.get(peer)
        if older is not None:
            self.forget(older)
            older.abort()
        self._proved[peer] = visitor
        self._arrived(peer)

    def forget(self, visitor: _Visitor) -> None:
        """Uncount a visitor."""
        self._visitors.pop(visitor, None)
        self._proved.pop(visitor.peer, None)

    def complain(self, peer: str, reason: str, detail: str) -> None:
        """Log what is wrong with a visitor, who may not be the one it says."""
        self._complaints.say(peer, reason, detail)


class _Visitor(Pump[Event]):
    """One connection that was made to us."""

    def __init__(self, door: PeerDoor) -> None:
        self._door = door
        self._link = door.identity.connection(Role.ACCEPTOR)
        #: Whose connection it is; empty until that is proved.
        self.peer = InstanceId("")
        super().__init__(self._link, clock=door.identity.clock, on_event=self._take, on_lost=self._was_lost)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``Pump``."""
        set_socket_options(transport)
        if not self._door.admit(self):
            self._link.refuse(RefusalReason.FULL, f"{self._door.identity.me} has {self._door.visitors} connections")
        super().connection_made(transport)

    def _take(self, event: Event) -> None:
        match event:
            case Ready(peer, _):
                self.peer = InstanceId(peer)
                self._door.greet(self, self.peer)
            case NoticeReceived(payload):
                self._door.answers.take_notice(self.peer, payload)
            case QuestionReceived(number, payload):
                self._door.answers.take_question(self.peer, payload, reply_over(self._link, self, number))
            case AnswerReceived():
                pass  # we ask on connections that we have made ourselves
            case Refused(refusal=refusal, by_us=by_us, peer=peer):
                if by_us:
                    self._door.complain(peer, refusal.reason, refusal.detail)
                self._door.forget(self)
                self.close()
            case Lost(reason):
                self._door.forget(self)
                if reason is LossReason.CLOSED:
                    self.close()
                else:
                    self.abort()

    def _was_lost(self, reason: str, detail: str) -> None:
        if self.peer:
            self._door.complain(self.peer, reason, detail)
        self._door.forget(self)


class _Complaints:
    """Says each thing once in a while, however often it happens."""

    def __init__(self, identity: PeerIdentity) -> None:
        self._clock = identity.clock
        self._said_s: dict[tuple[str, str], float] = {}

    def say(self, peer: str, reason: str, detail: str) -> None:
        """Log it, unless it was said just now or too much was."""
        now_s = self._clock.now_s()
        self._said_s = {key: at_s for key, at_s in self._said_s.items() if now_s - at_s < COMPLAINT_INTERVAL_S}
        if (peer, reason) in self._said_s or len(self._said_s) >= COMPLAINTS_LIMIT:
            return
        self._said_s[peer, reason] = now_s
        log_event(LOGGER, "peer_visitor_refused", level="warning", peer=peer, reason=reason, why=detail)
