"""One dialled link to one other instance, kept up: what we tell it and ask it goes this way."""

from __future__ import annotations

import asyncio
import ssl
from typing import ClassVar, Final

from msgspec import Struct

from unified_agent.cluster.peer_answers import PeerAnswers, reply_over
from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Chance
from unified_agent.errors import LinkNotReady, LinkRefused, UnifiedAgentError
from unified_agent.network import Address, Network
from unified_agent.observe import get_logger, log_event
from unified_agent.pump import Pump
from unified_agent.wire.peer.connection import PeerConnection, Phase
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
from unified_agent.wire.peer.framing import LAST_NUMBER
from unified_agent.wire.peer.handshake import RefusalReason, Role

LOGGER = get_logger("cluster.peers")

#: From dialling until the transport is there, TLS included.
DIAL_LIMIT_S: Final = 2.0
#: Between two tries, drawn anew each time. Whoever asks does not wait for it.
RETRY_S: Final = (0.1, 1.0)
#: Between two tries at an instance that refuses us, which a person must mend.
REFUSED_RETRY_S: Final = (5.0, 10.0)
#: Questions to one instance that may wait for their answers.
QUESTIONS_LIMIT: Final = 256


class PeerUnreachable(UnifiedAgentError):
    """Another instance gave no answer: nobody must act, the caller goes on without it or asks again.

    Attributes:
        may_be_done: the question left us, and nothing says that it was not acted upon.
    """

    code: ClassVar[str] = "peer-unreachable"

    def __init__(self, words: str, *, may_be_done: bool = False) -> None:
        super().__init__(words)
        self.may_be_done = may_be_done


class _End(Struct, frozen=True, kw_only=True):
    """How a try, or a link that was up, ended.

    Attributes:
        words: for people.
        is_refusal: the same will happen again until a person changes something.
        is_deaf: the other side takes nothing more, so nothing is written to it.
    """

    words: str
    is_refusal: bool = False
    is_deaf: bool = False


def parse_address(text: str, tls: ssl.SSLContext | None) -> Address:
    """Read ``host:port``; the host may be an IPv6 address in brackets.

    Raises:
        LinkRefused: it is not that.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise LinkRefused(f"{text!r} is not host:port")
    return Address(host=host.removeprefix("[").removesuffix("]"), port=int(port), tls=tls)


class PeerLink:
    """Keeps one link up until it is stopped.

    Args:
        peer: who is to answer there; another one is refused.
        address: ``host:port``.
        identity: who we are.
        network: how it is dialled.
        tls: None for plain TCP.
        chance: for the waits.
        answers: takes what the other side asks or tells on this link.
    """

    def __init__(
        self,
        peer: InstanceId,
        address: str,
        *,
        identity: PeerIdentity,
        network: Network,
        tls: ssl.SSLContext | None,
        chance: Chance,
        answers: PeerAnswers,
    ) -> None:
        self.address: Final = address
        self._peer = peer
        self._identity = identity
        self._network = network
        self._tls = tls
        self._chance = chance
        self._answers = answers
        self._connection: PeerConnection | None = None
        self._pump: Pump[Event] | None = None
        self._was_up = False
        self._over: asyncio.Future[_End] | None = None
        self._hurry = asyncio.Event()
        self._refused = ""
        self._stopped = ""
        self._complained = ""
        self._number = 0
        self._asking = 0
        #: Who waits for the link, each told "" when it is up, or why it is not.
        self._waiting: dict[asyncio.Future[str], None] = {}
        #: Who waits for an answer, by the question's number; told None when the link is lost.
        self._asked: dict[int, asyncio.Future[bytes | None]] = {}

    @property
    def is_up(self) -> bool:
        """Whether something can be told now."""
        return self._connection is not None and self._connection.phase is Phase.READY

    async def keep_up(self) -> None:
        """Dial, serve, and dial again; to be cancelled after ``stop``."""
        while not self._stopped:
            await self._wait(self._after(await self._try()))

    def stop(self, why: str) -> None:
        """Close the link at once; whoever waits for it or for an answer is told why."""
        self._stopped = why
        self._hang_up(_End(words=why))
        self._tell_waiting(why)

    def hurry(self) -> None:
        """Try now, if it waits for the next try: there is a sign that the other instance is there."""
        self._hurry.set()

    def tell(self, payload: bytes) -> bool:
        """Send a notice.

        Returns:
            False when the link is not up; nothing is kept for later.
        """
        if self._connection is None or self._pump is None or not self.is_up:
            return False
        self._connection.send_notice(payload)
        self._pump.poke()
        return True

    async def ask(self, payload: bytes, limit_s: float) -> bytes:
        """Send a question and wait for the answer's payload, dialling now if the link is not up.

        Raises:
            PeerUnreachable: there is no link and none can be made now, no answer within the limit, the link was lost
                meanwhile, or too many questions wait already.
        """
        if self._asking >= QUESTIONS_LIMIT:
            raise PeerUnreachable(f"{QUESTIONS_LIMIT} questions to {self._peer} wait for an answer")
        self._asking += 1
        number = 0
        try:
            async with asyncio.timeout(limit_s):
                await self._come_up()
                number = self._send_question(payload)
                answer = await self._asked[number]
        except TimeoutError:
            late = f"{self._peer} did not answer within {limit_s:g} s"
            raise PeerUnreachable(late, may_be_done=number > 0) from None
        finally:
            self._asking -= 1
            self._asked.pop(number, None)
        if answer is None:
            raise PeerUnreachable(f"the link to {self._peer} was lost before it answered", may_be_done=True)
        return answer

    # --- asking

    async def _come_up(self) -> None:
        while not self.is_up:
            if why := self._stopped or self._refused:
                raise PeerUnreachable(why)
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[waiting] = None
            self._hurry.set()
            try:
                why = await waiting
            finally:
                self._waiting.pop(waiting, None)
            if why:
                raise PeerUnreachable(why)

    def _send_question(self, payload: bytes) -> int:
        assert self._connection is not None, "a link that is up has a connection"
        assert self._pump is not None, "a link that is up has a pump"
        self._number = self._number % LAST_NUMBER + 1
        self._connection.send_question(self._number, payload)
        self._asked[self._number] = asyncio.get_running_loop().create_future()
        self._pump.poke()
        return self._number

    def _tell_waiting(self, why: str) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(why)
        self._waiting.clear()

    # --- one try

    async def _try(self) -> _End:
        """Dial and serve until it ends."""
        self._over = asyncio.get_running_loop().create_future()
        self._was_up = False
        end = _End(words="it is no longer wanted")
        try:
            await self._network.dial(self._new_pump, parse_address(self.address, self._tls), DIAL_LIMIT_S)
            end = await self._over
        except LinkRefused as error:
            end = _End(words=str(error), is_refusal=True)
        except LinkNotReady as error:
            end = _End(words=str(error))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not leave us without this link for ever
            log_event(LOGGER, "peer_link_defect", level="error", error=error, peer=self._peer)
            end = _End(words=f"it failed by a defect of ours, see the log: {error!r}")
        finally:
            self._hang_up(end)
        return end

    def _new_pump(self) -> Pump[Event]:
        self._connection = self._identity.connection(Role.DIALLER, expected=self._peer)
        self._pump = Pump(
            self._connection,
            clock=self._identity.clock,
            on_event=self._take,
            on_lost=lambda reason, detail: self._end(_End(words=f"{reason}: {detail}")),
        )
        return self._pump

    def _take(self, event: Event) -> None:
        match event:
            case Ready():
                self._came_up()
            case AnswerReceived(number, payload):
                asked = self._asked.get(number)
                if asked is not None and not asked.done():
                    asked.set_result(payload)
            case NoticeReceived(payload):
                self._answers.take_notice(self._peer, payload)
            case QuestionReceived(number, payload):
                assert self._connection is not None, "a question came over a connection"
                assert self._pump is not None, "a question came through a pump"
                reply = reply_over(self._connection, self._pump, number)
                self._answers.take_question(self._peer, payload, reply)
            case Refused(refusal=refusal, by_us=by_us):
                who = "we refuse it" if by_us else "it refuses us"
                lasting = refusal.reason != RefusalReason.FULL
                self._end(_End(words=f"{who} ({refusal.reason}): {refusal.detail}", is_refusal=lasting))
            case Lost(reason, detail):
                self._end(_End(words=f"{reason.value}: {detail}", is_deaf=reason is not LossReason.CLOSED))

    def _came_up(self) -> None:
        self._was_up = True
        self._refused = self._complained = ""
        self._tell_waiting("")
        log_event(LOGGER, "peer_link_up", peer=self._peer)

    def _end(self, end: _End) -> None:
        self._hang_up(end)
        if self._over is not None and not self._over.done():
            self._over.set_result(end)

    def _hang_up(self, end: _End) -> None:
        pump, self._pump, self._connection = self._pump, None, None
        if pump is not None and end.is_deaf:
            pump.abort()
        elif pump is not None:
            pump.close()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result(None)
        self._asked.clear()

    # --- between two tries

    def _after(self, end: _End) -> float:
        """Note how a try ended, and return how long to wait before the next."""
        if self._was_up:
            self._complain("peer_link_lost", "warning", end)
        elif end.is_refusal:
            self._complain("peer_link_refused", "warning", end)
        else:
            self._complain("peer_link_not_ready", "info", end)
        why = f"{self._peer} cannot be reached: {end.words}"
        self._refused = why if end.is_refusal else ""
        if not self._was_up:  # who began to wait after a loss waits for the next try
            self._tell_waiting(why)
        return self._chance.uniform(*(REFUSED_RETRY_S if end.is_refusal else RETRY_S))

    def _complain(self, event: str, level: str, end: _End) -> None:
        """Say it once, until the link is up again or something else is to be said."""
        said, self._complained = self._complained, event
        if said != event and not (said == "peer_link_lost" and event == "peer_link_not_ready"):
            log_event(LOGGER, event, level=level, peer=self._peer, address=self.address, why=end.words)

    async def _wait(self, seconds: float) -> None:
        """Wait on the clock that was given, or until somebody wants the link."""
        if self._waiting:
            return
        self._hurry.clear()
        clock = self._identity.clock
        timer = clock.call_at(clock.now_s() + seconds, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()
