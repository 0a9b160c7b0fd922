"""One agent's desktop without a page: logged in over HTTP, told by WebSocket, and kept attached whatever fails."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from unified_agent.client.attachment import Keys, Place
from unified_agent.client.commands import Commands, Settled
from unified_agent.client.connection import Opener, open_websocket
from unified_agent.client.errors import SessionOver
from unified_agent.client.lifeline import Lifeline
from unified_agent.client.login import DiallerLogin, Login
from unified_agent.client.moves import ConnectionListener, ConnectionStatus, Move
from unified_agent.client.opening import open_session
from unified_agent.client.rest import Refusal, Rest, Standing
from unified_agent.client.servers import Servers
from unified_agent.client.stream import Stream, Taken
from unified_agent.client.waiters import Predicate, Waiters
from unified_agent.domain.ports import Chance

Json = dict[str, Any]
#: Told of each envelope that was applied, and how many seconds after its ``at`` it came; None when it was resent.
NoticeListener = Callable[[Json, float | None], None]

#: One instance's answer about a command, seconds.
RESOLVE_LIMIT_S: Final = 3.0

#: The jitter of all desks of this process.
_CHANCE: Final = random.Random()  # noqa: S311 - jitter, no secret


class Desk:
    """One agent's desktop. Made by ``log_in``; for one event loop.

    Attributes:
        agent: the agent's id at the switch.
    """

    def __init__(
        self,
        servers: Servers,
        keys: Keys,
        *,
        agent: str,
        rest: Rest | None = None,
        opener: Opener = open_websocket,
        chance: Chance = _CHANCE,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """Take a session over that is logged in already; ``start`` connects.

        Args:
            servers: which there are.
            keys: what came with the session.
            agent: the agent's id, for people.
            rest: asks servers over HTTP, shared by many desks; None for one of its own.
            opener: opens connections; tests bring their own.
            chance: where the jitter of coming back comes from.
            wall_s: the wall clock, Unix seconds, that notices' delays are measured with.
        """
        self.agent: Final = agent
        self._rest = Rest() if rest is None else rest
        self._owns_rest = rest is None
        self._wall_s = wall_s
        client = secrets.token_urlsafe(9)
        self._stream = Stream()
        self._commands = Commands(client)
        self._listeners: list[NoticeListener] = []
        self._waiters = Waiters()
        self._keys = keys
        self._resent_until = 0
        self._resolving: asyncio.Task[None] | None = None
        self._lifeline = Lifeline(self, keys, servers, client=client, opener=opener, rest=self._rest, chance=chance)

    @classmethod
    async def log_in(
        cls,
        urls: str | Sequence[str],
        *,
        agent: str,
        station: str,
        password: str,
        dialler: DiallerLogin | None = None,
        limit_s: float = 15.0,
        rest: Rest | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Desk:
        """Open a session, or take one's own over, and wait for its first snapshot.

        Whether the switch takes the password is told later, by the view: see ``until``.

        Args:
            urls: of one instance or several, ``http://HOST:PORT`` or ``https://…``: whoever answers tells of the
                others. A list that was learned over ``https`` never leads to ``http``.
            agent: the agent's id at the switch, digits.
            station: the telephone's number.
            password: the agent's at the switch.
            dialler: how to log on to the dialler, None for an agent without.
            limit_s: for the answer to the login, and again for the snapshot.
            rest: shared by many desks, and closed by whoever made it; None for one of its own.
            tls: whom to trust, None for the system's choice.

        Raises:
            LoginRefused: no instance takes the login.
            InstanceUnreachable: none can be asked.
            SessionOver: the session ended before its first snapshot.
            TimeoutError: no snapshot within the limit.
        """
        servers = Servers([urls] if isinstance(urls, str) else urls, agent)
        login = Login(agent=agent, station=station, password=password, dialler=dialler)
        asking = Rest(tls=tls) if rest is None else rest
        try:
            url, opened = await open_session(asking, servers, login, limit_s)
        finally:
            if rest is None:
                await asking.close()  # it is seldom needed again, and opens itself anew
        keys = Keys(number=0, url=url, session=opened.session, token=opened.token, ticket=opened.ticket)
        opener: Opener = open_websocket if tls is None else partial(open_websocket, tls=tls)
        desk = cls(servers, keys, agent=agent, rest=asking, opener=opener)
        desk._owns_rest = rest is None
        desk.start()
        try:
            await desk.until(lambda _: True, limit_s)
        except BaseException:
            await desk.close()
            raise
        return desk

    # --- what is so

    @property
    def session(self) -> str:
        """Id of the session."""
        return self._keys.session

    @property
    def server(self) -> str:
        """URL of the server that serves us, or did last."""
        return self._lifeline.whereabouts.server

    @property
    def moves(self) -> Sequence[Move]:
        """Changes to another connection so far, oldest first: to another server, or back to the same one."""
        return self._lifeline.whereabouts.moves

    @property
    def connection(self) -> ConnectionStatus:
        """How we stand with the server."""
        return self._lifeline.whereabouts.status

    @property
    def connected(self) -> bool:
        """Whether a server serves us, and the view is in step."""
        return self._lifeline.live

    @property
    def connections(self) -> int:
        """How many connections brought the view into step so far."""
        return self._lifeline.whereabouts.connections

    @property
    def over(self) -> SessionOver | None:
        """Why the session is over, None while it is not."""
        return self._lifeline.over

    @property
    def view(self) -> Json:
        """Everything the desktop may see, as in JSON; empty before the first snapshot."""
        return self._stream.view

    @property
    def position(self) -> tuple[int, int] | None:
        """Epoch and number of the last envelope; None before the first snapshot."""
        epoch, seq = self.place
        return None if epoch is None or seq is None else (epoch, seq)

    @property
    def term(self) -> int:
        """The highest term seen: it counts the owners of the session."""
        return self._stream.term

    @property
    def duplicates(self) -> int:
        """How many envelopes came twice."""
        return self._stream.duplicates

    @property
    def gaps(self) -> int:
        """How many times something was missing."""
        return self._stream.gaps

    @property
    def stale(self) -> int:
        """How many envelopes a former owner of the session sent."""
        return self._stream.stale

    @property
    def headers(self) -> dict[str, str]:
        """What a request to the server's REST interface for this session carries."""
        return {"Authorization": f"Bearer {self._keys.token}"}

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

    def on_connection(self, listener: ConnectionListener) -> Callable[[], None]:
        """Have a listener told each time that ``connection`` changes, and of each of ``moves``. It must not raise.

        Returns:
            A function that ends it; harmless when called twice.
        """
        return self._lifeline.whereabouts.listen(listener)

    # --- what can be done

    def start(self) -> None:
        """Connect, and stay connected until the session is over or the desk is closed."""
        self._lifeline.start(f"desk-{self.agent}")

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
        if self.over is not None:
            raise self.over
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
        if self.over is not None:
            raise self.over
        command_id, frame, future = self._commands.ask(command)
        if self._lifeline.send(frame):
            self._commands.sent(command_id, self._keys.number)
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
        assert self.over is not None
        return self.over

    def cut(self) -> None:
        """Cut the connection as a lost network would; it is made again."""
        self._lifeline.cut()

    async def close(self) -> None:
        """Go away without logging out. Who still waits gets ``SessionOver``."""
        self._lifeline.end(SessionOver("closed"))
        await self._lifeline.close()
        if self._resolving is not None:
            await asyncio.gather(self._resolving, return_exceptions=True)
        if self._owns_rest:
            await self._rest.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- told by the lifeline

    @property
    def place(self) -> Place:
        """Epoch and number of the last envelope, each None before the first snapshot."""
        return self._stream.epoch, self._stream.seq

    def take(self, envelope: Json, first: Callable[[], None] | None = None) -> Taken:
        """Take an envelope; see ``Tenant``."""
        taken = self._stream.take(envelope, fresh=first is not None)
        if taken is not Taken.APPLIED:
            return taken
        if first is not None:
            first()
        word = envelope["type"]
        if word == "command-settled":
            self._commands.settled(envelope["data"])
        elif word == "snapshot":
            self._resent_until = 0
            if first is None:
                self._catch_up()
        delayed_s = self._delay_s(envelope)
        for listener in tuple(self._listeners):
            listener(envelope, delayed_s)
        self._waiters.look(self.view)
        if word == "session-ended":
            self._lifeline.end(SessionOver(envelope["data"]["reason"], envelope["data"]["detail"]))
        return taken

    def answered(self, answer: Json) -> None:
        """Take an answer to a command."""
        self._commands.answered(answer)

    def attached(self, keys: Keys, resent_until: int) -> None:
        """Know that a server serves us; it is told of open commands, or asked about them."""
        self._keys = keys
        self._resent_until = resent_until
        self._catch_up()
        if self._commands.to_resolve(keys.number):
            self._stop_resolving()
            self._resolving = asyncio.get_running_loop().create_task(
                self._commands.resolve(keys.number, partial(self._ask_about, keys)), name=f"resolve-{self.agent}"
            )

    def detached(self) -> None:
        """Know that no server serves us."""
        self._stop_resolving()

    def ended(self, over: SessionOver) -> None:
        """Know that there is no session any more."""
        self._stop_resolving()
        self._commands.fail(over)
        self._waiters.fail(over)

    # --- inside

    def _catch_up(self) -> None:
        """Say what has not been said yet, and what may have been settled while nothing was heard."""
        for frame in self._commands.to_send(self._keys.number):
            self._lifeline.send(frame)

    async def _ask_about(self, keys: Keys, command_id: str, command: Json) -> Standing | Refusal:
        return await self._rest.resolve(keys.url, keys.token, command_id, command, RESOLVE_LIMIT_S)

    def _stop_resolving(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()

    def _delay_s(self, envelope: Json) -> float | None:
        if envelope["seq"] <= self._resent_until:
            return None
        return self._wall_s() - datetime.fromisoformat(envelope["at"]).timestamp()
