"""Our own command as processes of a test: started until ready, each with a log, ended by process id."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

#: How ``unified-agent`` is called here.
COMMAND: Final = (sys.executable, "-c", "import sys; from unified_agent.tools.cli import main; sys.exit(main())")
#: Each process must be ready within this, seconds; two shared cores may be busy.
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 10.0


class Program:
    """One process of ours.

    Attributes:
        pid: its id.
        told: the addresses it told until it was ready: ``plain``, ``control``, ``http``.
    """

    def __init__(self, name: str, arguments: tuple[str, ...], log: Path) -> None:
        """Start ``unified-agent ARGUMENTS``; what it says on standard error is added to the log."""
        self.told: Final[dict[str, str]] = {}
        self._name = name
        self._log = log
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [*COMMAND, *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.pid: Final = self._process.pid
        assert self._process.stdout is not None
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=_read_all, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Read what it tells until it says ``ready``.

        Raises:
            AssertionError: it does not; with the end of its log.
        """
        limit_s = time.monotonic() + START_LIMIT_S
        while (left_s := limit_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s).strip()
            except queue.Empty:
                break
            if line == "ready":
                return
            if not line:
                break
            word, _, rest = line.partition(" ")
            self.told[word] = rest
        raise AssertionError(f"{self._name} did not start: {self._log.read_text()[-2000:]}")

    def port(self, word: str) -> int:
        """Return the port of an address that it told."""
        return int(self.told[word].rpartition(":")[2])

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it in order, or by force when it does not."""
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)  # of a guardian, which cannot see to it any more
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_LIMIT_S)


class Programs:
    """The processes of one test.

    Attributes:
        folder: where their settings and logs are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self._begun: Final[list[Program]] = []

    def begin(self, name: str, *arguments: str) -> Program:
        """Start one; it is not ready yet."""
        program = Program(name, arguments, self.folder / f"{name}.log")
        self._begun.append(program)
        return program

    def start(self, name: str, *arguments: str) -> Program:
        """Start one and wait until it is ready.

        Raises:
            AssertionError: it does not become ready.
        """
        program = self.begin(name, *arguments)
        program.wait_until_ready()
        return program

    def stop(self) -> None:
        """End all, the last one first."""
        for program in reversed(self._begun):
            program.stop()


@contextlib.contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Have processes, and none of them left at the end, whatever happens."""
    held = Programs(folder)
    try:
        yield held
    finally:
        held.stop()


def _read_all(output: TextIO, lines: queue.Queue[str]) -> None:
    """Read to the end, so that the process never waits for somebody to listen."""
    with output:
        for line in output:
            lines.put(line)
    lines.put("")
