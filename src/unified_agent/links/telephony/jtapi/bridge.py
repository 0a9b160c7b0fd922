"""Between the server's socket and the desk: reads messages, opens the provider, says how it goes, ends.

What the process is there for is over when the server says so, when its end of the socket closes, when it breaks the
protocol, when no provider can be had, and when the one there was is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final, Protocol

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import LinkNotReady, LinkRefused, LocalProtocolError, RemoteProtocolError
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.desk import DeskSettings, JtapiDesk
from unified_agent.links.telephony.jtapi.operation_pool import OperationPool
from unified_agent.links.telephony.jtapi.provider import Event, OperationFailed, Provider
from unified_agent.observe import get_logger, log_event
from unified_agent.pump import Pump
from unified_agent.wire.jtapi.framing import FramedStream

LOGGER = get_logger("links.jtapi.bridge")

#: How it goes is said at most this often.
LOAD_INTERVAL_S: Final = 1.0
#: Signs of life that may wait for the JVM; the server counts those that come.
PINGS_LIMIT: Final = 4
#: What is left to be said may take this long when the process ends.
LAST_WORDS_S: Final = 1.0


class OpenProvider(Protocol):
    """Opens a provider."""

    async def __call__(self, opening: messages.Open, on_event: Callable[[Event], None]) -> Provider:
        """Open one; see ``java_provider.open_provider``."""
        ...


#: Makes a desk; see ``JtapiDesk``.
MakeDesk = Callable[[DeskSettings, Clock, Callable[[messages.FromProcess], None], Callable[[], None]], JtapiDesk]


class _Line(Pump[bytes]):
    """A pump that tells when its transport is gone.

    Attributes:
        gone: set then; what was written last is written then.
    """

    def __init__(
        self,
        stream: FramedStream,
        clock: Clock,
        on_event: Callable[[bytes], None],
        on_lost: Callable[[str, str], None],
    ) -> None:
        super().__init__(stream, clock=clock, on_event=on_event, on_lost=on_lost)
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``Pump``."""
        super().connection_lost(exc)
        self.gone.set()


class Bridge:
    """The server's end of the process's life. Made in the running loop.

    Args:
        clock: for limits.
        open_provider: opens the one provider.
        sign_of_life: has Java do something; called in a thread of its own, where it may hang.
        java: version of the JVM.
        make_desk: makes the desk.
    """

    def __init__(
        self,
        clock: Clock,
        open_provider: OpenProvider,
        sign_of_life: Callable[[int], object],
        java: str,
        *,
        make_desk: MakeDesk = JtapiDesk,
    ) -> None:
        self._clock = clock
        self._open_provider = open_provider
        self._java = java
        self._make_desk = make_desk
        self._loop = asyncio.get_running_loop()
        self._stream = FramedStream()
        self._pump = _Line(self._stream, clock, self._take, self._on_lost)
        self._life = OperationPool(
            sign_of_life, threads=1, limit=PINGS_LIMIT, patience_s=float("inf"), name="jtapi-life"
        )
        self._desk: JtapiDesk | None = None
        self._provider: Provider | None = None
        self._opening: asyncio.Task[None] | None = None
        self._limit: Timer | None = None
        self._load_timer: Timer | None = None
        self._said: messages.Load | None = None
        self._why = ""
        self._secret = ""
        self._ended = asyncio.Event()

    async def run(self, descriptor: int) -> Provider | None:
        """Serve the server until it is over.

        Args:
            descriptor: of the socket to the server.

        Returns:
            The provider, if there was one; it is the caller's to close.
        """
        await self._loop.create_connection(lambda: self._pump, sock=socket.socket(fileno=descriptor))
        try:
            await self._ended.wait()
        finally:
            log_event(LOGGER, "bridge_ended", why=self._why)
            if self._desk is not None:
                self._desk.close()
            for timer in (self._limit, self._load_timer):
                if timer is not None:
                    timer.cancel()
            self._life.close()
            self._pump.close()
            if self._opening is not None:
                self._opening.cancel()
                await asyncio.wait([self._opening])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._pump.gone.wait()
        return self._provider

    def end(self, why: str) -> None:
        """End it; ``run`` returns. Harmless when repeated."""
        self._why = self._why or why
        self._ended.set()

    # --- from the server

    def _take(self, content: bytes) -> None:
        if self._ended.is_set():
            return
        try:
            self._obey(messages.read_from_server(content))
        except RemoteProtocolError as error:
            log_event(LOGGER, "server_not_understood", level="error", why=str(error))
            self.end(f"the server broke the protocol: {error}")

    def _obey(self, message: messages.FromServer) -> None:
        if isinstance(message, messages.Open):
            self._begin(message)
            return
        if isinstance(message, messages.Close):
            self.end("the server closed it")
            return
        if isinstance(message, messages.Ping):
            self._show_life(message.number)
            return
        if self._desk is None:
            raise RemoteProtocolError(f"{type(message).__name__} before Open")
        if isinstance(message, messages.Ask):
            self._desk.ask(message)
        else:
            self._desk.forget(message.session)
        self._plan_load()

    def _on_lost(self, reason: str, detail: str) -> None:
        self.end(f"the socket to the server is lost: {reason}, {detail}")

    # --- opening

    def _begin(self, opening: messages.Open) -> None:
        if self._desk is not None:
            raise RemoteProtocolError("Open came twice")
        if opening.version != messages.VERSION:
            raise RemoteProtocolError(f"version {opening.version} is not {messages.VERSION}")
        self._secret = opening.password.value
        settings = DeskSettings(
            request_limit_s=opening.request_limit_s,
            probe_interval_s=opening.probe_interval_s,
            silence_limit_s=opening.silence_limit_s,
            poll_interval_s=opening.poll_interval_s,
            in_flight_limit=opening.threads,
        )
        desk = self._desk = self._make_desk(settings, self._clock, self._say, lambda: self.end("the provider is dead"))
        log_event(LOGGER, "provider_opening", link=opening.link, service=opening.service, epoch=opening.epoch)
        self._limit = self._clock.call_at(
            self._clock.now_s() + opening.open_limit_s,
            lambda: self._fail_unless_up(desk, opening.open_limit_s),
        )
        self._opening = self._loop.create_task(self._open(opening, desk), name="open provider")

    async def _open(self, opening: messages.Open, desk: JtapiDesk) -> None:
        try:
            provider = self._provider = await self._open_provider(opening, self._take_event)
        except (LinkRefused, LinkNotReady) as error:
            self._fail(str(error), refused=isinstance(error, LinkRefused))
        except Exception as error:  # noqa: BLE001 - a task's boundary: the server must hear of it
            log_event(LOGGER, "open_broke", level="error", error=error)
            self._fail(f"opening failed: {error}", refused=False)
        else:
            log_event(LOGGER, "provider_opened", link=opening.link, agents=provider.agents, missing=provider.missing)
            self._say(messages.Opened(java=self._java, agents=provider.agents, missing=provider.missing))
            desk.open(provider)
            self._plan_load()

    def _fail_unless_up(self, desk: JtapiDesk, limit_s: float) -> None:
        if desk.generation > 0:
            return
        reached = self._provider is not None
        how = "AES is reached, but its link to the switch is not in service" if reached else "AES has not answered"
        self._fail(f"{how} after {limit_s:g} s", refused=False)

    def _fail(self, detail: str, *, refused: bool) -> None:
        """Say that there is no provider. What Java says may hold the provider string, and so the password."""
        if not self._ended.is_set():
            detail = detail.replace(self._secret, "(hidden)") if self._secret else detail
            log_event(LOGGER, "provider_failed", level="warning", refused=refused, why=detail)
            self._say(messages.Failed(refused=refused, detail=detail))
            self.end("there is no provider")

    # --- what is said

    def _take_event(self, event: Event) -> None:
        if self._desk is not None and not self._ended.is_set():
            self._desk.take_event(event)
            self._plan_load()

    def _say(self, message: messages.FromProcess) -> None:
        try:
            self._stream.send(messages.write(message))
        except LocalProtocolError as error:
            log_event(LOGGER, "message_too_long", level="error", what=type(message).__name__, why=str(error))
            return
        self._pump.poke()

    def _show_life(self, number: int) -> None:
        """Answer a ping, by way of Java; while it hangs, pings go unanswered."""
        try:
            self._life.submit("", number, lambda outcome: self._hand_over(number, outcome))
        except OperationFailed as failure:
            log_event(LOGGER, "ping_dropped", level="warning", why=str(failure))

    def _hand_over(self, number: int, outcome: object) -> None:
        if isinstance(outcome, OperationFailed):
            log_event(LOGGER, "java_failed", level="error", why=str(outcome))
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._say, messages.Pong(number=number))

    def _plan_load(self) -> None:
        if self._load_timer is None and not self._ended.is_set():
            self._load_timer = self._clock.call_at(self._clock.now_s() + LOAD_INTERVAL_S, self._say_load)

    def _say_load(self) -> None:
        self._load_timer = None
        desk = self._desk
        if desk is None or self._provider is None:
            return
        load = messages.Load(
            overloaded=desk.is_overloaded, observed=desk.observed, in_flight=desk.in_flight, waiting=desk.waiting
        )
        if load != self._said:
            self._said = load
            self._say(load)
            self._plan_load()  # what is under way ends without a message of the server's
