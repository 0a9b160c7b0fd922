"""What the cluster asks of this instance: to serve, to stand down, to take agents over, to obey operators' orders."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from unified_agent import __version__
from unified_agent.cluster.activation import Order
from unified_agent.cluster.heartbeats import Report, Stage
from unified_agent.cluster.peer_messages import (
    AdoptAnswer,
    AdoptQuestion,
    Answer,
    OrderAnswer,
    OrderQuestion,
    StatusAnswer,
    StatusQuestion,
)
from unified_agent.domain.ids import AgentId, Secret, SessionId
from unified_agent.domain.session_state import SessionState
from unified_agent.sealing import Keyring
from unified_agent.server.failures import RequestRefused
from unified_agent.sessions.admission import OpenRefused

if TYPE_CHECKING:
    from unified_agent.assembly.instance import Instance

#: What the key is for that passwords are compared under.
PROOF_PURPOSE = "login-proof"


class House:
    """The ports ``House`` and ``Service`` of ``cluster``."""

    def __init__(self, instance: Instance, keyring: Keyring) -> None:
        self._instance = instance
        self._prove = prover(keyring)

    # --- serving

    async def begin(self, epoch: int) -> None:
        """See ``Service``."""
        if self._instance.listeners is not None:
            self._instance.listeners.look_again()
        self._instance.start_links(epoch)

    async def stand_down(self, reason: str) -> None:
        """See ``Service``; the sessions have lost their claims already."""
        del reason
        await self._instance.stop_links()

    # --- what is so

    def report(self) -> Report:
        """See ``House``."""
        instance = self._instance
        cluster = instance.cluster
        assert cluster is not None, "an instance alone reports to nobody"
        serves = cluster.holdings.serving is not None
        stage = Stage.DRAINING if instance.draining else Stage.READY
        if not serves or not instance.started:
            stage = Stage.JOINING
        return Report(
            stage=stage,
            address=instance.place.url,
            peer_address=instance.place.peer_address,
            version=__version__,
            sessions=len(instance.host),
            capacity=instance.settings.sessions.capacity,
            has_store=cluster.members.has_store(),
            links_down=instance.links_down() if serves else (),
            epoch=cluster.activator.epoch,
        )

    def prove(self, session: SessionId) -> str:
        """See ``House``."""
        state = self._instance.host.state(session)
        return self._prove(state.identity.agent, state.identity.password) if state is not None else ""

    # --- what others ask

    def adopt_orphan(self, carried: SessionState) -> None:
        """See ``House``."""
        self._instance.host.adopt_orphan(carried)

    async def adopt(self, question: AdoptQuestion) -> Answer:
        """See ``House``. The ticket comes with the token that it was written for, ``TOKEN.TICKET``."""
        token, _, ticket = question.ticket.partition(".")
        server = self._instance.server
        try:
            content = server.tickets.read(ticket, token)
            server.entry.adopt(content, await self._instance.whereabouts.carried(content.agent))
        except (RequestRefused, OpenRefused) as refused:
            return AdoptAnswer(done=False, id=refused.id, detail=refused.detail)
        return AdoptAnswer(done=True)

    async def obey(self, question: OrderQuestion) -> Answer:
        """See ``House``."""
        instance = self._instance
        match question.order:
            case "drain":
                instance.drain_by_order(question.rate_per_s or instance.settings.http.drain_rate_per_s)
            case "resume":
                instance.resume()
            case "move":
                try:
                    target = await instance.moving.move(question.agent, question.to or None)
                except RequestRefused as refused:
                    return OrderAnswer(done=False, id=refused.id, detail=refused.detail)
                return OrderAnswer(done=True, detail=target.id)
            case "switch" | "take":
                assert instance.cluster is not None, "asked by another instance"
                instance.cluster.order(Order(question.order))
        return OrderAnswer(done=True)

    async def tell(self, question: StatusQuestion) -> Answer:
        """See ``House``: how far our drain is, which heartbeats do not say."""
        del question
        moving = self._instance.moving.status()
        draining = self._instance.draining
        status = {"left": moving.left, "moved": moving.moved, "waiting_for_items": moving.waiting_for_items}
        return StatusAnswer(status={"draining": draining, **status})


def prover(keyring: Keyring) -> Callable[[AgentId, Secret], str]:
    """Return what turns a password into something that two instances can compare and nobody else can use."""

    def prove(agent: AgentId, password: Secret) -> str:
        words = f"{agent}\0{password.value}".encode()
        return hmac.new(keyring.secret(PROOF_PURPOSE), words, hashlib.sha256).hexdigest()

    return prove
