"""Child processes of a run: started with their ports told, killed on purpose or ended in order, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from unified_agent.errors import UnifiedAgentError

#: How long a child may take to be ready, and to end after SIGTERM before it is killed, seconds.
READY_LIMIT_S: Final = 30.0
END_LIMIT_S: Final = 15.0
#: Lines of a child's log that are shown when it fails.
_TAIL_LINES: Final = 12
_PIECE_BYTES: Final = 65_536
_COMMAND: Final = (sys.executable, "-c", "import sys; from unified_agent.tools.cli import main; sys.exit(main())")


class ChildFailed(UnifiedAgentError):
    """A process that the run needs did not start, or has ended by itself. The message carries the end of its log."""

    code: ClassVar[str] = "load.child-failed"


class Child:
    """One process of ours.

    Attributes:
        name: for people.
        pid: its id.
        log: where its standard error goes.
        told: what it said on standard output until it was ready, by first word: ``{"http": "http://…"}``.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path, told: dict[str, str]) -> None:
        self.name: Final = name
        self.pid: Final = process.pid
        self.log: Final = log
        self.told: Final = told
        self._process = process
        self._reading = asyncio.get_running_loop().create_task(_read_on(process), name=f"output of {name}")

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: list[str],
        folder: Path,
        limit_s: float = READY_LIMIT_S,
        within: Sequence[str] = (),
    ) -> Child:
        """Run ``unified-agent ARGUMENTS`` and wait until it says ``ready``.

        Args:
            name: for people; its log is NAME.log, and begins anew.
            arguments: of the command line.
            folder: where its log goes.
            limit_s: to be ready.
            within: a command that runs ours elsewhere, ``ip netns exec NAME``.

        Raises:
            ChildFailed: it ended, or was not ready in time.
        """
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *within,
                *_COMMAND,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
            )
        try:
            async with asyncio.timeout(limit_s):
                told = await _read_until_ready(process)
        except TimeoutError as error:
            await _end(process)
            raise ChildFailed(f"{name} was not ready within {limit_s:.0f} s\n{_tail(log)}") from error
        except BaseException:
            await _end(process)
            raise
        if told is None:
            await _end(process)
            raise ChildFailed(f"{name} ended with status {process.returncode} before it was ready\n{_tail(log)}")
        return cls(name, process, log, told)

    def address(self, word: str) -> tuple[str, int]:
        """Return a ``HOST:PORT`` that it told as host and port."""
        host, _, port = self.told[word].rpartition(":")
        return host, int(port)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    @property
    def status(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.returncode

    def check(self) -> None:
        """Raise when it has ended.

        Raises:
            ChildFailed: it has.
        """
        if not self.alive:
            raise ChildFailed(f"{self.name} ended with status {self._process.returncode}\n{_tail(self.log)}")

    async def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        if self.alive:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def end(self) -> None:
        """Ask it to end, and kill it when it does not within ``END_LIMIT_S``. Harmless when it has ended."""
        await _end(self._process)
        await self._reading


async def _read_until_ready(process: asyncio.subprocess.Process) -> dict[str, str] | None:
    assert process.stdout is not None
    told: dict[str, str] = {}
    async for line in process.stdout:
        word, _, rest = line.decode(errors="replace").strip().partition(" ")
        if word == "ready":
            return told
        told[word] = rest
    await process.wait()
    return None


async def _read_on(process: asyncio.subprocess.Process) -> None:
    """Read what it still says, so that it never waits for us."""
    assert process.stdout is not None
    while await process.stdout.read(_PIECE_BYTES):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(END_LIMIT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
