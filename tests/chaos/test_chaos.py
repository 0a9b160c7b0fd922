"""``unified-agent chaos`` with few agents: a real cluster, killed, frozen, cut off, and its datacentre lost."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from tests.jtapi_peer.build import PEER_CLASS, Family, NoCompilerError, class_path

PROGRAM = "import sys; from unified_agent.tools.cli import main; sys.exit(main())"
AGENTS = 60
#: How long all of it may take; about 100 s on two cores of which nobody else wants anything.
LIMIT_S = 200.0
#: What fails, by the link to the switch. What the process that holds the JVM adds is that an instance's end leaves it.
SCENARIOS = {
    "dmcc": ("kill", "freeze", "host-lost", "datacentre-killed"),
    "jtapi": ("kill", "datacentre-killed"),
}


class Chaos:
    """One run, which ends with the test, whatever becomes of it. What it says goes to a file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        with self.log.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, "chaos", *arguments, stdout=output, stderr=output
            )
        return self.process

    async def ended(self, limit_s: float) -> int:
        """Wait for its end, and bring it about when it takes too long; returns its status."""
        assert self.process is not None
        try:
            async with asyncio.timeout(limit_s):
                return await self.process.wait()
        except TimeoutError:
            self.process.terminate()
            await self.process.wait()
            raise AssertionError(f"not done after {limit_s:.0f} s\n{self.words}") from None

    @property
    def words(self) -> str:
        return self.log.read_text()


@pytest_asyncio.fixture
async def chaos(tmp_path: Path) -> AsyncIterator[Chaos]:
    run = Chaos(tmp_path / "chaos.log")
    yield run
    if run.process is not None and run.process.returncode is None:
        run.process.terminate()
        await run.process.wait()


def by_jtapi() -> tuple[str, ...]:
    try:
        path = class_path(Family.VENDOR)
    except NoCompilerError as error:
        pytest.skip(str(error))
    return ("--telephony", "jtapi", "--peer", PEER_CLASS, "--class-path", ":".join(path))


def namespaces_of(pid: int) -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith(f"ua-chaos-{pid}-")]


@pytest.mark.asyncio
@pytest.mark.timeout(240)
@pytest.mark.parametrize("telephony", SCENARIOS)
async def test_whatever_fails_agents_are_served_again_and_no_rule_is_broken(
    chaos: Chaos, tmp_path: Path, telephony: str
) -> None:
    figures, scenarios = tmp_path / "figures.json", SCENARIOS[telephony]
    process = await chaos.start(
        *("--agents", str(AGENTS), "--seconds", "2", "--calls-per-minute", "4", "--json", str(figures)),
        *(word for name in scenarios for word in ("--scenario", name)),
        *(by_jtapi() if telephony == "jtapi" else ()),
    )
    status = await chaos.ended(LIMIT_S)
    assert figures.exists(), chaos.words
    report = msgspec.json.decode(figures.read_bytes())
    assert report["wrong"] == [], chaos.words
    assert status == 0
    assert [each["scenario"] for each in report["reactions"]] == list(scenarios)
    assert all(each["agents"] >= AGENTS // 3 for each in report["reactions"]), chaos.words
    assert report["reactions"][-1]["agents"] == AGENTS
    assert report["recorded"] > 10 * AGENTS
    assert namespaces_of(process.pid) == []


@pytest.mark.asyncio
async def test_a_run_that_is_told_to_end_leaves_nothing_behind(chaos: Chaos) -> None:
    process = await chaos.start("--agents", "2", "--scenario", "kill", "--seconds", "600")
    async with asyncio.timeout(90.0):
        while "the cluster stands" not in chaos.words:
            assert process.returncode is None, chaos.words
            await asyncio.sleep(0.2)
    assert namespaces_of(process.pid)
    process.send_signal(signal.SIGTERM)
    assert await chaos.ended(30.0) == 143
    assert namespaces_of(process.pid) == []
