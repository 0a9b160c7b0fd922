"""A process that holds the JVM: started, talked to, and never left behind.

Only here are processes. The link sees a ``Worker``; in simulations that is something without a process.

The process gets one end of a pair of sockets, which nobody else can reach, and with what to start the JVM: no password,
neither in its arguments nor in its environment. It leads a session of its own, so that Ctrl-C at a terminal ends it by
us, in order. When we are killed it sees the pair's end, and goes too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from unified_agent.domain.ids import LinkId
from unified_agent.domain.ports import Clock
from unified_agent.errors import LinkNotReady, RemoteProtocolError
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.java_options import CommandLine, JavaSettings, arguments_of
from unified_agent.observe import get_logger, log_event
from unified_agent.pump import Pump
from unified_agent.wire.jtapi.framing import FramedStream

LOGGER: Final = get_logger("links.jtapi")

#: The process that is shipped; what is written by ``java_options.arguments_of`` follows.
COMMAND: Final = (sys.executable, "-P", "-m", "unified_agent.links.telephony.jtapi.process")
#: From ``Close`` to SIGTERM, and from there to SIGKILL: shutting a provider down takes a few requests to AES.
CLOSE_LIMIT_S: Final = 3.0
TERMINATE_LIMIT_S: Final = 1.0
#: A killed process that is still there after this long hangs in the kernel: nobody waits for it any longer.
KILL_LIMIT_S: Final = 5.0
#: What the process says, Java too, goes to our log: so much of a line, so many lines in so long.
LINE_LIMIT: Final = 500
READ_LIMIT_BYTES: Final = 16_384
LINES_LIMIT: Final = 100
LINES_WINDOW_S: Final = 10.0
_LEVELS: Final = frozenset({"debug", "info", "warning", "error"})
#: Variables of ours: the process has no use for settings, which may be secrets.
_OUR_VARIABLES: Final = ("UA_", "UNIFIED_AGENT_")


class Worker(Protocol):
    """Holds one provider of one AES server, for as long as it lasts."""

    def send(self, message: messages.FromServer) -> None:
        """Have a message sent. Nothing happens once it is lost or ended."""
        ...

    async def end(self, *, at_once: bool = False) -> str:
        """End it, and return when it is gone. Nothing is told from the first moment on. Harmless when repeated.

        Args:
            at_once: it hangs, so do not ask; otherwise it may shut its provider down first.

        Returns:
            How it ended, in words that follow "the process".
        """
        ...


class StartWorker(Protocol):
    """Starts a worker for a try to connect."""

    async def __call__(
        self,
        link: LinkId,
        *,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> Worker:
        """Start one.

        Args:
            link: name of the AES server, for logs.
            on_message: told what it says.
            on_lost: told once that it can be talked to no more, with the reason (``closed``, ``protocol``,
                ``stalled``) and words; ``end`` is still to be called.

        Raises:
            LinkNotReady: none can be started now.
        """
        ...


class ProcessStarter:
    """Implements ``StartWorker`` with processes.

    Args:
        clock: where time comes from.
        java: with what the JVM is started.
        log_level: least urgent line that the process writes.
        command: the program, to which its arguments are added.
        close_limit_s, terminate_limit_s: see ``CLOSE_LIMIT_S``.
    """

    def __init__(
        self,
        clock: Clock,
        java: JavaSettings,
        *,
        log_level: str = "info",
        command: Sequence[str] = COMMAND,
        close_limit_s: float = CLOSE_LIMIT_S,
        terminate_limit_s: float = TERMINATE_LIMIT_S,
    ) -> None:
        self._clock = clock
        self._java = java
        self._log_level = log_level
        self._command = tuple(command)
        self._limits_s = (close_limit_s, terminate_limit_s)

    async def __call__(
        self,
        link: LinkId,
        *,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> ProcessWorker:
        """See ``StartWorker``."""
        starting = asyncio.ensure_future(self._start(link, on_message, on_lost))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:  # what has been started is not left behind
            with contextlib.suppress(LinkNotReady):
                await (await starting).end(at_once=True)
            raise

    async def _start(
        self,
        link: LinkId,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> ProcessWorker:
        ours, its = socket.socketpair()
        line = CommandLine(descriptor=its.fileno(), java=self._java, log_level=self._log_level)
        with its:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    *arguments_of(line),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(its.fileno(),),
                    env=environment_of(os.environ),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise LinkNotReady(f"no process for JTAPI can be started: {error}") from error
        worker = ProcessWorker(link, process, self._clock, on_message, on_lost, self._limits_s)
        ours.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker.pump, sock=ours)
        log_event(LOGGER, "jtapi_process_started", link=link, pid=process.pid)
        return worker


class ProcessWorker:
    """A running process; see ``Worker``. Made by ``ProcessStarter``.

    Attributes:
        pump: carries our end of the pair.
        pid: of the process.
    """

    def __init__(
        self,
        link: LinkId,
        process: asyncio.subprocess.Process,
        clock: Clock,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
        limits_s: tuple[float, float],
    ) -> None:
        self.pid: Final = process.pid
        self._link = link
        self._process = process
        self._on_message = on_message
        self._on_lost = on_lost
        self._limits_s = limits_s
        self._stream = FramedStream()
        self.pump: Final = Pump(self._stream, clock=clock, on_event=self._take, on_lost=self._lose)
        self._lost = False
        self._words = Words(link, clock)
        self._reading = asyncio.ensure_future(self._read_words())
        self._gone = asyncio.ensure_future(process.wait())

    def send(self, message: messages.FromServer) -> None:
        """See ``Worker``."""
        if self._lost:
            return
        if isinstance(message, messages.Open):
            self._words.hide(message.password.value)
        self._stream.send(messages.write(message))
        self.pump.poke()

    async def end(self, *, at_once: bool = False) -> str:
        """See ``Worker``."""
        was_lost, self._lost = self._lost, True
        try:
            if not (at_once or was_lost):
                self._stream.send(messages.write(messages.Close()))
            self.pump.close()
            if not at_once:
                await self._end_in_order()
            if not self._gone.done():
                self._signal(signal.SIGKILL)
                await asyncio.wait([self._gone], timeout=KILL_LIMIT_S)
            return await self._say_end()
        finally:  # also when this is cancelled
            self._signal(signal.SIGKILL)
            self._reading.cancel()

    async def _end_in_order(self) -> None:
        """Give it time to end by itself, then ask it by a signal, which also reaches one that does not read."""
        close_limit_s, terminate_limit_s = self._limits_s
        await asyncio.wait([self._gone], timeout=close_limit_s)
        if not self._gone.done():
            self._signal(signal.SIGTERM)
            await asyncio.wait([self._gone], timeout=terminate_limit_s)

    async def _say_end(self) -> str:
        if not self._gone.done():
            log_event(LOGGER, "jtapi_process_lingers", level="error", link=self._link, pid=self.pid)
            return "does not end although it was killed"
        await asyncio.wait([self._reading], timeout=KILL_LIMIT_S)
        said = f"; its last words: {self._words.last}" if self._words.last and self._gone.result() > 0 else ""
        how = how_it_ended(self._gone.result())
        log_event(LOGGER, "jtapi_process_ended", link=self._link, pid=self.pid, how=how)
        return f"{how}{said}"

    def _signal(self, number: signal.Signals) -> None:
        if not self._gone.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _take(self, content: bytes) -> None:
        try:
            message = messages.read_from_process(content)
        except RemoteProtocolError as error:
            self._lose("protocol", str(error))
        else:
            self._on_message(message)

    def _lose(self, reason: str, detail: str) -> None:
        if not self._lost:
            self._lost = True
            self.pump.abort()
            self._on_lost(reason, detail)

    async def _read_words(self) -> None:
        assert self._process.stdout is not None, "it was asked for"
        while data := await self._process.stdout.read(65_536):
            self._words.take(data)
        self._words.take(b"\n")


class Words:
    """What a process says, as lines of our log: bounded, and without its password.

    Attributes:
        last: the last line.
    """

    def __init__(self, link: LinkId, clock: Clock) -> None:
        self.last = ""
        self._link = link
        self._clock = clock
        self._secret = ""
        self._rest = b""
        self._until_s = 0.0
        self._lines = 0

    def hide(self, secret: str) -> None:
        """Never write this."""
        self._secret = secret

    def take(self, data: bytes) -> None:
        """Take what it said."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[:READ_LIMIT_BYTES]
        for line in lines:
            text = line.decode(errors="replace").strip()
            if text:
                self._write(text.replace(self._secret, "(hidden)") if self._secret else text)

    def _write(self, line: str) -> None:
        level, words = _as_logged(line)
        self.last = words
        now_s = self._clock.now_s()
        if now_s >= self._until_s:
            if self._lines > LINES_LIMIT:
                log_event(LOGGER, "jtapi_lines_left_out", link=self._link, lines=self._lines - LINES_LIMIT)
            self._until_s, self._lines = now_s + LINES_WINDOW_S, 0
        self._lines += 1
        if self._lines <= LINES_LIMIT:
            log_event(LOGGER, "jtapi_process_said", level=level, link=self._link, words=words)


def _as_logged(line: str) -> tuple[str, str]:
    """Take our process's own lines, which are JSON, for their level and words; any other line is Java's."""
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return "info", line[:LINE_LIMIT]
    if not isinstance(fields, dict) or fields.get("level") not in _LEVELS or "event" not in fields:
        return "info", line[:LINE_LIMIT]
    rest = (f"{name}={value}" for name, value in fields.items() if name not in {"at", "level", "event", "room", "link"})
    return fields["level"], " ".join([str(fields["event"]), *rest])[:LINE_LIMIT]


def environment_of(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what of our environment the process gets: all but what is about us."""
    return {name: value for name, value in ours.items() if not name.startswith(_OUR_VARIABLES)}


def how_it_ended(status: int) -> str:
    """Say how a process ended, in words that follow "the process"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
