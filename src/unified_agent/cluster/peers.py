"""Links between instances: each dials every other, tells and asks on the connection it made, and hears them on theirs.

So there are two connections between any two instances, and a cut that only one direction notices is noticed. Nothing is
queued for an instance that cannot be reached: what is told is lost, what is asked fails.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

from unified_agent.cluster.peer_answers import PeerAnswers
from unified_agent.cluster.peer_door import PeerDoor
from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.cluster.peer_link import PeerLink, PeerUnreachable
from unified_agent.cluster.peer_messages import (
    ANSWERS,
    Answer,
    NotAnswered,
    Notice,
    NotUnderstood,
    Question,
    Unanswered,
    read_answer,
    write,
)
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Chance, Clock
from unified_agent.errors import RemoteProtocolError
from unified_agent.network import TwoWayNetwork
from unified_agent.observe import Metrics
from unified_agent.wire.peer.connection import TIMES, LinkTimes
from unified_agent.wire.peer.handshake import OUR_VERSIONS, Versions

__all__ = ["PeerUnreachable", "Peers"]


class Peers:
    """The links of one instance to all others.

    Args:
        me: our name.
        secret: what proves that we belong to the cluster; or what gives all secrets that are good at the moment, the
            one to prove with first.
        network: how others are dialled, and dial us.
        clock, chance: time, and the jitter of waits.
        answer: gives the answer to a question. It runs in a task of its own, and may be cancelled by ``close``.
        heard: takes a notice; it must not wait.
        server_tls, client_tls: from ``peer_tls_contexts``; None for plain TCP.
        metrics: None for some that nobody reads.
        make_nonce: gives random bytes.
        versions, times: of the protocol; see ``wire.peer``.

    Raises:
        SettingsError: the secret is too short.
    """

    def __init__(
        self,
        me: InstanceId,
        *,
        secret: bytes | Callable[[], Sequence[bytes]],
        network: TwoWayNetwork,
        clock: Clock,
        chance: Chance,
        answer: Callable[[InstanceId, Question], Awaitable[Answer]],
        heard: Callable[[InstanceId, Notice], None],
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
        metrics: Metrics | None = None,
        make_nonce: Callable[[int], bytes] = secrets.token_bytes,
        versions: Versions = OUR_VERSIONS,
        times: LinkTimes = TIMES,
    ) -> None:
        all_secrets = (lambda: (secret,)) if isinstance(secret, bytes) else secret
        self._me = me
        self._network = network
        self._chance = chance
        self._server_tls = server_tls
        self._client_tls = client_tls
        self._metrics = metrics if metrics is not None else Metrics()
        self._metrics.before_render(self._count)
        self._identity = PeerIdentity(
            me, secrets=all_secrets, clock=clock, make_nonce=make_nonce, versions=versions, times=times
        )
        self._answers = PeerAnswers(answer, heard)
        self._door = PeerDoor(self._identity, self._answers, arrived=self._hurry)
        self._links: dict[InstanceId, PeerLink] = {}
        self._tasks: dict[PeerLink, asyncio.Task[None]] = {}
        self._is_closed = False

    async def listen(self, host: str, port: int) -> int:
        """Take connections of other instances, once.

        Args:
            host: an address of this machine; empty for all.
            port: 0 takes a free one.

        Returns:
            The port taken.

        Raises:
            SettingsError: the port cannot be had.
        """
        return await self._door.listen(self._network, host, port, self._server_tls)

    def know(self, addresses: Mapping[InstanceId, str]) -> None:
        """Keep a link to each of these instances and to no others. Nothing happens after ``close``.

        Args:
            addresses: ``host:port`` of every instance that there is; our own is left out.
        """
        if self._is_closed:
            return
        for peer, link in tuple(self._links.items()):
            if addresses.get(peer) != link.address:
                del self._links[peer]
                self._stop(link, f"{peer} is no longer at {link.address}")
        for peer, address in addresses.items():
            if peer != self._me and peer not in self._links:
                self._links[peer] = self._start(peer, address)

    def tell(self, to: InstanceId, notice: Notice) -> bool:
        """Send a notice.

        Returns:
            False when there is no link to that instance now. Nothing is kept for later. True promises nothing either: a
            link may be dead for two seconds before it is known to be.
        """
        link = self._links.get(to)
        return link is not None and link.is_up and link.tell(write(notice))

    async def ask(self, to: InstanceId, question: Question, limit_s: float) -> Answer:
        """Ask, and wait for the answer. If there is no link one is dialled now, unless that instance refuses us.

        Args:
            to: an instance that is known.
            question: what to ask.
            limit_s: for all of it.

        Returns:
            The answer that belongs to the question, or ``NotUnderstood``: the other is of another version.

        Raises:
            PeerUnreachable: there is no answer to be had; its sentence says why.
            LocalProtocolError: the question is longer than a frame may be.
        """
        outcome = "unreachable"
        try:
            answer = await self._answer_to(to, question, limit_s)
            outcome = "not-understood" if isinstance(answer, NotUnderstood) else "answered"
        finally:
            self._metrics.peer_questions.labels(question=type(question).__name__, outcome=outcome).inc()
        return answer

    def connected(self) -> frozenset[InstanceId]:
        """Return the instances to which something can be told now."""
        return frozenset(peer for peer, link in self._links.items() if link.is_up)

    async def close(self) -> None:
        """Close everything; returns when all that ran has ended. Who waits for an answer gets ``PeerUnreachable``."""
        self._is_closed = True
        for peer, link in self._links.items():
            self._stop(link, f"{peer} is not asked any more: {self._me} is closing")
        self._links.clear()
        self._door.close()
        await self._answers.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # --- inside

    def _start(self, peer: InstanceId, address: str) -> PeerLink:
        link = PeerLink(
            peer,
            address,
            identity=self._identity,
            network=self._network,
            tls=self._client_tls,
            chance=self._chance,
            answers=self._answers,
        )
        task = asyncio.get_running_loop().create_task(link.keep_up(), name=f"link to {peer}")
        self._tasks[link] = task
        task.add_done_callback(lambda _: self._tasks.pop(link))
        return link

    def _stop(self, link: PeerLink, why: str) -> None:
        link.stop(why)
        self._tasks[link].cancel()

    def _hurry(self, peer: InstanceId) -> None:
        """Dial an instance that has just dialled us: it is there, and it has the secret."""
        link = self._links.get(peer)
        if link is not None and not link.is_up:
            link.hurry()

    async def _answer_to(self, to: InstanceId, question: Question, limit_s: float) -> Answer:
        link = self._links.get(to)
        if link is None:
            raise PeerUnreachable(f"no other instance {to} is known")
        payload = await link.ask(write(question), limit_s)
        try:
            answer = read_answer(payload)
        except RemoteProtocolError as error:
            raise PeerUnreachable(f"the answer of {to} is {error}", may_be_done=True) from error
        if isinstance(answer, NotAnswered):
            may_be_done = answer.reason != Unanswered.BUSY
            raise PeerUnreachable(f"{to} gave no answer ({answer.reason}): {answer.detail}", may_be_done=may_be_done)
        if not isinstance(answer, NotUnderstood | ANSWERS[type(question)]):
            odd = f"{to} answered {type(question).__name__} with {type(answer).__name__}"
            raise PeerUnreachable(odd, may_be_done=True)
        return answer

    def _count(self) -> None:
        self._metrics.peer_links.set(len(self.connected()))
