"""The demo as a person starts it: everything in processes of its own, on free ports, worked in and broken."""

import asyncio
import contextlib
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unified_agent.client import Desk, DiallerLogin
from unified_agent.server.pages import STATIC

pytestmark = pytest.mark.skipif(
    not (STATIC / "desktop" / "index.html").is_file(), reason="the pages are not built: make setup"
)
COMMAND = (sys.executable, "-c", "import sys; from unified_agent.tools.cli import main; sys.exit(main())", "demo")


class Shown:
    """A demo that runs, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.text = ""

    async def until(self, words: str, limit_s: float = 30.0) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(limit_s):
            while words not in self.text:
                line = await self.process.stdout.readline()
                assert line, f"it ended before it said {words!r}:\n{self.text}"
                self.text += line.decode()

    async def to_the_end(self, limit_s: float = 20.0) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(limit_s):
            self.text += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    @property
    def url(self) -> str:
        return self.found(r"Open +(\S+)/ ")

    @property
    def folder(self) -> Path:
        return Path(self.found(r"Settings and logs: (\S+)"))

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.text)
        assert match, self.text
        return match[1]

    async def copy_command(self, title: str) -> None:
        """Run the command that is printed under a title."""
        lines = self.text.splitlines()
        at = next(index for index, line in enumerate(lines) if title in line)
        command = shlex.split(lines[at + 1])
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0


@contextlib.asynccontextmanager
async def started(*options: str) -> AsyncIterator[Shown]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--free-ports", *options, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    shown = Shown(process)
    try:
        await shown.until("Settings and logs")
        yield shown
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await shown.to_the_end()


@pytest.mark.asyncio
async def test_an_agent_works_and_every_link_is_lost_and_found_by_the_printed_commands() -> None:
    job = DiallerLogin(name="agent5002", password="secret", headset="2002", job="SPRING25")
    async with (
        started() as demo,
        await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as caller,
        await Desk.log_in(demo.url, agent="5002", station="2002", password="1234", dialler=job) as worker,
    ):
        await caller.until(lambda view: view["session"]["phase"] == "active", limit_s=10)
        await caller.command({"type": "set-mode", "mode": "ready"})
        await demo.copy_command("a caller rings")
        await caller.until(lambda view: bool(view["calls"]), limit_s=10)

        await worker.until(lambda view: view["dialler"]["stage"] == "joined", limit_s=20)
        await worker.command({"type": "take-items"})
        await worker.until(lambda view: view["item"] is not None, limit_s=45)

        await demo.copy_command("cut the link to AES")
        await caller.until(lambda view: view["session"]["phase"] == "resetting", limit_s=5)
        await caller.until(lambda view: view["session"]["phase"] == "active", limit_s=20)
        await demo.copy_command("AES loses its switch")
        await caller.until(lambda view: view["session"]["phase"] == "resetting", limit_s=5)
        await demo.copy_command("the switch is back")
        await caller.until(lambda view: view["session"]["phase"] == "active", limit_s=20)

        await demo.copy_command("dialler-1 crashes")
        await worker.until(lambda view: view["dialler"]["dialler"] == "dialler-2", limit_s=20)
        await worker.until(lambda view: view["dialler"]["stage"] in {"joined", "ready", "working"}, limit_s=20)


@pytest.mark.asyncio
async def test_sigterm_ends_every_process_and_leaves_nothing() -> None:
    async with started() as demo:
        pids = [int(pid) for pid in re.findall(r"kill -9 (\d+)", demo.text)]
        folder = demo.folder
        assert len(pids) == 3
        assert {file.name for file in folder.iterdir()} >= {"instance.toml", "instance.log", "aes.log"}
        demo.process.send_signal(signal.SIGTERM)
        assert await demo.to_the_end() == 0
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.asyncio
async def test_it_ends_by_itself_when_its_time_is_over() -> None:
    async with started("--exit-after", "0.2") as demo:
        assert await demo.to_the_end() == 0
        assert "All ended." in demo.text


@pytest.mark.asyncio
async def test_a_simulator_that_is_killed_is_named_with_its_log_and_comes_back() -> None:
    async with started() as demo:
        pid = int(demo.found(r"kill -9 (\d+) +# dialler-2"))
        os.kill(pid, signal.SIGKILL)
        await demo.until("dialler-2 ended with status -9")
        await demo.until("dialler-2 is back.")
        assert "simulator_started" in demo.text


@pytest.mark.asyncio
async def test_a_port_that_is_taken_is_said_and_replaced() -> None:
    async with started() as first:
        port = first.url.rpartition(":")[2]
        async with started("--port", port) as second:
            assert f"Port {port} is taken" in second.text
            assert second.url != first.url
