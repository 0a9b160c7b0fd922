"""One agent's desktop without a page: logged in over HTTP, told by WebSocket, connected again whenever that is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from unified_agent.client.commands import Commands, Settled
from unified_agent.client.connection import Connection, Opener, open_websocket
from unified_agent.client.errors import SessionOver
from unified_agent.client.login import DiallerLogin, ask_for_session
from unified_agent.client.stream import Stream, Taken
from unified_agent.client.waiters import Predicate, Waiters
from unified_agent.domain.backoff import delay_s

Json = dict[str, Any]
#: Told of each envelope that was applied, and how many seconds after its ``at`` it came; None when it was resent.
NoticeListener = Callable[[Json, float | None], None]

#: One try to connect, handshake included, seconds.
CONNECT_LIMIT_S: Final = 5.0
#: A sign of life is sent when nothing was said for so long, seconds.
BEAT_S: Final = 5.0
#: The instance is called silent when nothing came for so many of the beats that it promised.
BEATS_MISSED: Final = 4
#: The promise, until the welcome has told it, seconds.
SERVER_BEAT_S: Final = 2.0
#: How long the instance may take to answer our close, seconds.
CLOSE_LIMIT_S: Final = 1.0
#: Close codes after which connecting again is no use: bad token, taken over, session over, protocol broken by us.
FINAL_CODES: Final = {4400: "protocol.frame", 4401: "session.unknown", 4409: "taken-over", 4410: "session.ended"}

_BEAT_FRAME: Final = b'{"type":"beat"}'


class Desk:
    """One agent's desktop. Made by ``log_in``; for one event loop.

    Attributes:
        agent: the agent's id at the switch.
        session: id of the session at the instance.
        connections: how many connections were welcomed so far.
    """

    def __init__(
        self,
        url: str,
        *,
        agent: str,
        session: str,
        token: str,
        opener: Opener = open_websocket,
        chance: random.Random | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """Take a session over that is logged in already; ``start`` connects.

        Args:
            url: of the instance, ``http://`` or ``https://``.
            agent: the agent's id, for people.
            session: the session's id.
            token: the secret that came with it.
            opener: opens connections; tests bring their own.
            chance: where the jitter of reconnecting comes from.
            wall_s: the wall clock, Unix seconds, that notices' delays are measured with.
        """
        self.agent: Final = agent
        self.session: Final = session
        self.connections = 0
        self._events_url = f"ws{url.rstrip('/').removeprefix('http')}/v1/events"
        self._url = url.rstrip("/")
        self._token = token
        self._client = secrets.token_urlsafe(9)
        self._open = opener
        self._chance = chance or random.Random()  # noqa: S311 - jitter, no secret
        self._wall_s = wall_s
        self._stream = Stream()
        self._commands = Commands(self._client)
        self._listeners: list[NoticeListener] = []
        self._waiters = Waiters()
        self._connection: Connection | None = None
        self._welcomed = False
        self._lost = asyncio.Event()
        self._over: SessionOver | None = None
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._server_beat_s = SERVER_BEAT_S
        self._resent_until = 0
        self._heard_s = self._said_s = 0.0

    @classmethod
    async def log_in(
        cls,
        url: str,
        *,
        agent: str,
        station: str,
        password: str,
        dialler: DiallerLogin | None = None,
        limit_s: float = 15.0,
        http: httpx.AsyncClient | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Desk:
        """Open a session, or take one's own over, and wait for its first snapshot.

        Whether the switch takes the password is told later, by the view: see ``until``.

        Args:
            url: of the instance, ``http://HOST:PORT`` or ``https://…``.
            agent: the agent's id at the switch, digits.
            station: the telephone's number.
            password: the agent's at the switch.
            dialler: how to log on to the dialler, None for an agent without.
            limit_s: for the answer to the login, and again for the snapshot.
            http: shared by many desks; making one of its own costs about 20 ms of CPU.
            tls: whom to trust, None for the system's choice.

        Raises:
            LoginRefused: the instance does not take the login.
            InstanceUnreachable: it cannot be asked.
            SessionOver: the session ended before its first snapshot.
            TimeoutError: no snapshot within the limit.
        """
        async with contextlib.AsyncExitStack() as stack:
            if http is None:
                http = await stack.enter_async_context(httpx.AsyncClient(verify=tls if tls is not None else True))
            opened = await ask_for_session(
                http,
                url.rstrip("/"),
                agent=agent,
                station=station,
                password=password,
                dialler=dialler,
                limit_s=limit_s,
            )
        opener: Opener = open_websocket if tls is None else partial(open_websocket, tls=tls)
        desk = cls(url, agent=agent, session=opened["session"], token=opened["token"], opener=opener)
        desk.start()
        try:
            await desk.until(lambda _: True, limit_s)
        except BaseException:
            await desk.close()
            raise
        return desk

    # --- what is so

    @property
    def view(self) -> Json:
        """Everything the desktop may see, as in JSON; empty before the first snapshot."""
        return self._stream.view

    @property
    def position(self) -> tuple[int, int] | None:
        """Epoch and number of the last envelope; None before the first snapshot."""
        epoch, seq = self._stream.epoch, self._stream.seq
        return None if epoch is None or seq is None else (epoch, seq)

    @property
    def connected(self) -> bool:
        """Whether a connection is open and was welcomed."""
        return self._connection is not None and self._welcomed

    @property
    def over(self) -> SessionOver | None:
        """Why the session is over, None while it is not."""
        return self._over

    @property
    def duplicates(self) -> int:
        """How many envelopes came twice."""
        return self._stream.duplicates

    @property
    def gaps(self) -> int:
        """How many times something was missing."""
        return self._stream.gaps

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the instance's REST interface for this session carries."""
        return {"Authorization": f"Bearer {self._token}"}

    def on_notice(self, listener: NoticeListener) -> Callable[[], None]:
        """Have a listener told of each envelope, after it was applied. It must not raise.

        Returns:
            A function that ends it; harmless when called twice.
        """
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    # --- what can be done

    def start(self) -> None:
        """Connect, and stay connected until the session is over or the desk is closed."""
        assert self._task is None, "started twice"
        self._task = asyncio.get_running_loop().create_task(self._stay_connected(), name=f"desk-{self.agent}")

    async def until(self, predicate: Predicate, limit_s: float) -> Json:
        """Wait until something is so in the view; looked at after each envelope.

        Returns:
            The view in which it is so.

        Raises:
            TimeoutError: it did not come to be so within the limit.
            SessionOver: the session ended before.
        """
        if self._stream.epoch is not None and predicate(self.view):
            return self.view
        if self._over is not None:
            raise self._over
        await self._waiters.wait(predicate, limit_s)
        return self.view

    async def command(self, command: Json, limit_s: float = 20.0) -> Settled:
        """Ask for something and wait for how it ends.

        Args:
            command: ``{"type": "set-mode", "mode": "ready"}`` and so on, as in ``domain.commands``.
            limit_s: to wait; the command itself may still be performed after it.

        Raises:
            TimeoutError: no end within the limit.
            SessionOver: the session has ended, and with it the command.
        """
        if self._over is not None:
            raise self._over
        command_id, frame, future = self._commands.ask(command)
        self._send(frame)
        try:
            async with asyncio.timeout(limit_s):
                return await future
        finally:
            self._commands.forget(command_id)

    async def log_out(self, limit_s: float = 20.0) -> SessionOver:
        """Ask for the log-out and wait until the session is over; with a call or item open that waits for its end.

        Raises:
            TimeoutError: the session is not over within the limit.
        """
        with contextlib.suppress(SessionOver):
            settling = asyncio.create_task(self.command({"type": "log-out"}, limit_s))
            try:
                await self.until(lambda _: False, limit_s)
            finally:
                settling.cancel()
                await asyncio.gather(settling, return_exceptions=True)
        assert self._over is not None
        return self._over

    def cut(self) -> None:
        """Cut the connection as a lost network would; it is made again."""
        if self._connection is not None:
            self._connection.abort()

    async def close(self) -> None:
        """Go away without logging out. Who still waits gets ``SessionOver``."""
        self._end(SessionOver("closed"))
        if self._task is not None:
            if self._connection is None:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- told by the connection

    def text_received(self, data: bytes) -> None:
        """Take one frame of the instance."""
        self._heard_s = asyncio.get_running_loop().time()
        try:
            frame: Json = msgspec.json.decode(data, type=dict[str, Any])
            word = frame["type"]
        except (msgspec.DecodeError, KeyError):
            self.cut()
            return
        if "seq" in frame and word != "welcome":
            self._take(frame)
        elif word == "answer":
            self._commands.answered(frame)
        elif word == "welcome":
            self.connections += 1
            self._welcomed = True
            self._server_beat_s = frame["beat_s"]
            self._resent_until = frame["seq"] if frame["outcome"] == "resumed" else 0
            if frame["outcome"] == "resumed":
                self._send_again()
        elif word == "refused":
            self._end(SessionOver(frame.get("reason") or frame["id"], frame.get("detail", "")))

    def connection_lost(self, code: int, reason: str) -> None:
        """Know that the connection is gone."""
        self._connection = None
        self._welcomed = False
        self._lost.set()
        if code in FINAL_CODES:
            self._end(SessionOver(reason or FINAL_CODES[code]))

    # --- inside

    def _take(self, envelope: Json) -> None:
        taken = self._stream.take(envelope)
        if taken is Taken.GAP:
            if self._connection is not None:
                self._connection.close()
            return
        if taken is Taken.DUPLICATE:
            return
        word = envelope["type"]
        if word == "snapshot":
            self._resent_until = 0
            self._send_again()
        elif word == "command-settled":
            self._commands.settled(envelope["data"])
        delayed_s = self._delay_s(envelope)
        for listener in tuple(self._listeners):
            listener(envelope, delayed_s)
        self._waiters.look(self.view)
        if word == "session-ended":
            self._end(SessionOver(envelope["data"]["reason"], envelope["data"]["detail"]))

    def _delay_s(self, envelope: Json) -> float | None:
        if envelope["seq"] <= self._resent_until:
            return None
        return self._wall_s() - datetime.fromisoformat(envelope["at"]).timestamp()

    def _send(self, frame: bytes) -> None:
        if self._connection is not None:
            self._said_s = asyncio.get_running_loop().time()
            self._connection.send(frame)

    def _send_again(self) -> None:
        for frame in self._commands.frames():
            self._send(frame)

    def _end(self, over: SessionOver) -> None:
        if self._over is not None:
            return
        self._over = over
        connection = self._connection
        if connection is not None:
            asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, connection.abort)
            connection.close()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._commands.fail(over)
        self._waiters.fail(over)

    async def _stay_connected(self) -> None:
        attempt = 0
        while self._over is None:
            if attempt:
                await asyncio.sleep(delay_s(attempt, self._chance))
            attempt += 1
            self._lost.clear()
            try:
                self._connection = await self._open(self._events_url, self, CONNECT_LIMIT_S)
            except (OSError, TimeoutError):
                continue
            before = self.connections
            self._greet()
            try:
                await self._lost.wait()
            except asyncio.CancelledError:
                self.cut()
                raise
            self._connection = None
            if self.connections > before:
                attempt = 1

    def _greet(self) -> None:
        stream = self._stream
        place = {"epoch": stream.epoch, "seq": stream.seq}
        hello = {"type": "hello", "token": self._token, **place, "client": self._client}
        loop = asyncio.get_running_loop()
        self._heard_s = loop.time()
        self._send(msgspec.json.encode(hello))
        if self._watch is None:
            self._watch = loop.call_later(SERVER_BEAT_S, self._look_after)

    def _look_after(self) -> None:
        """Send a sign of life when it is time, and cut a connection on which the instance is silent."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._connection is not None:
            if now_s - self._heard_s > BEATS_MISSED * self._server_beat_s:
                self._connection.abort()
            elif now_s - self._said_s > BEAT_S - SERVER_BEAT_S:
                self._send(_BEAT_FRAME)
        self._watch = loop.call_later(SERVER_BEAT_S, self._look_after)
