"""A CSTA client on a real socket, for tests: the product's own wire connection, awaited."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TypeVar

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection import ClientConnection
from unified_agent.wire.csta.connection_events import (
    Answered,
    ClientEvent,
    EventReceived,
    Failed,
    LinkLost,
    RequestTimedOut,
    SessionEnded,
    SessionRefused,
    SessionStarted,
)
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import (
    CallId,
    ConnectionId,
    DeviceId,
    RequestedAgentState,
    Secret,
    SessionId,
    WorkMode,
)

EventT = TypeVar("EventT", bound=Message)
#: Real time that a test waits for anything; loopback needs milliseconds.
LIMIT_S = 10.0


class Refusal(Exception):
    """A request was refused."""


class AesClient:
    """One session. ``events``: what monitors and the server told, oldest first."""

    def __init__(self, *, user: str = "ctiuser", password: str = "secret", silence_limit_s: float = 30.0) -> None:
        self.settings = SessionSettings(user=user, password=Secret(password), silence_limit_s=silence_limit_s)
        self.wire = ClientConnection(self.settings)
        self.events: list[Message] = []
        self.outcomes: dict[int, ClientEvent] = {}
        self.over: ClientEvent | None = None
        self.news = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._pump: asyncio.Task[None] | None = None

    async def connect(
        self, port: int, *, tls: ssl.SSLContext | None = None, old_session_id: SessionId | None = None
    ) -> ClientEvent:
        """Connect and start the session; return SessionStarted or SessionRefused."""
        reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
        )
        self._pump = asyncio.create_task(self._read(reader))
        self.wire.start(self._now_s(), old_session_id=old_session_id)
        self._flush()
        return await self._outcome(-1)

    async def ask(self, request: Message) -> Message:
        """Send a request and return its answer.

        Raises:
            Refusal: it was refused; the text is class and value.
        """
        token = self.wire.send(request, self._now_s())
        self._flush()
        outcome = await self._outcome(token)
        if isinstance(outcome, Failed):
            raise Refusal(f"{outcome.error_class} {outcome.error_value}")
        assert isinstance(outcome, Answered), outcome
        return outcome.message

    async def told(self, kind: type[EventT]) -> EventT:
        """Wait for an event of this kind, and forget it."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        self.events.remove(event)
                        return event
                await self._more()

    async def ended(self) -> ClientEvent:
        """Wait for the end of the link or session."""
        async with asyncio.timeout(LIMIT_S):
            while self.over is None:
                await self._more()
            return self.over

    async def close(self) -> None:
        """Close the socket."""
        if self._writer is not None:
            self._writer.close()
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump

    async def observe(self, number: str) -> DeviceId:
        """Get the id of a device and monitor it."""
        answer = await self.ask(csta.GetThirdPartyDeviceId(switch_name="CM1", extension=number))
        assert isinstance(answer, csta.GetThirdPartyDeviceIdResponse)
        await self.ask(csta.MonitorStart(device=answer.device))
        return answer.device

    async def log_on(self, device: DeviceId, agent: str, mode: WorkMode = WorkMode.AUTO_IN) -> None:
        """Log an agent on."""
        await self.ask(
            csta.SetAgentState(
                device=device,
                state=RequestedAgentState.LOGGED_ON,
                agent_id=agent,
                password=Secret("1234"),
                work_mode=mode,
            )
        )

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _flush(self) -> None:
        assert self._writer is not None
        self._writer.write(self.wire.data_to_send())

    async def _outcome(self, token: int) -> ClientEvent:
        async with asyncio.timeout(LIMIT_S):
            while token not in self.outcomes:
                assert self.over is None, self.over
                await self._more()
        return self.outcomes.pop(token)

    async def _more(self) -> None:
        self.news.clear()
        await self.news.wait()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(65_536):
                self.wire.receive_data(data, self._now_s())
                self._take()
        except (ConnectionError, ssl.SSLError):
            pass
        self.wire.receive_eof(self._now_s())
        self._take()

    def _take(self) -> None:
        while (event := self.wire.next_event()) is not None:
            match event:
                case EventReceived(message=message):
                    self.events.append(message)
                case SessionStarted() | SessionRefused():
                    self.outcomes[-1] = event
                case Answered(token=token) | Failed(token=token) | RequestTimedOut(token=token):
                    self.outcomes[token] = event
                case SessionEnded() | LinkLost():
                    self.over = event
        self.news.set()
        self._flush()


def part(call_id: str, device: DeviceId) -> ConnectionId:
    """Name a device's part in a call."""
    return ConnectionId(CallId(call_id), device)
