"""``unified-agent load`` with a few agents: real processes, real sockets."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from tests.jtapi_peer.build import PEER_CLASS, Family, NoCompilerError, class_path

from unified_agent.tools.load.processes import Child, ChildFailed

pytestmark = pytest.mark.integration

PROGRAM = "import sys; from unified_agent.tools.cli import main; sys.exit(main())"


async def load(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        "load",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def is_running(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(each) for each in (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()]


@pytest.mark.asyncio
async def test_a_small_run_loses_the_switch_and_a_dialler_and_all_truths_agree_again(tmp_path):
    figures = tmp_path / "figures.json"
    process = await load(
        *("--agents", "6", "--minutes", "0.05", "--settle-s", "1", "--outage-s", "0.5"),
        *("--scenario", "aes-cut", "--scenario", "dialler-kill", "--json", str(figures), "--folder", str(tmp_path)),
    )
    out, err = await process.communicate()
    report = msgspec.json.decode(figures.read_bytes())
    assert report["agreed_while_working"] == report["agreed_at_rest"] == 6, err.decode()
    assert [(each["scenario"], each["agents"], each["truthful"]) for each in report["recoveries"]] == [
        ("aes-cut", 6, 6),
        ("dialler-kill", 3, 3),
    ]
    assert report["gaps"] == 0
    assert "6 agents, 3 of them at the dialler" in out.decode()
    assert process.returncode == (1 if report["missed_aims"] else 0)


@pytest.mark.asyncio
async def test_a_small_run_by_jtapi_loses_the_switch_and_all_truths_agree_again(tmp_path):
    try:
        folders = class_path(Family.VENDOR)
    except NoCompilerError as error:
        pytest.skip(str(error))
    figures = tmp_path / "figures.json"
    process = await load(
        *("--agents", "6", "--minutes", "0.05", "--settle-s", "1", "--outage-s", "0.5", "--scenario", "aes-cut"),
        *("--telephony", "jtapi", "--peer", PEER_CLASS, "--class-path", ":".join(folders)),
        *("--json", str(figures), "--folder", str(tmp_path)),
    )
    out, err = await process.communicate()
    report = msgspec.json.decode(figures.read_bytes())
    assert report["agreed_while_working"] == report["agreed_at_rest"] == 6, err.decode()
    assert [(each["scenario"], each["agents"], each["truthful"]) for each in report["recoveries"]] == [
        ("aes-cut", 6, 6)
    ]
    assert report["gaps"] == 0
    assert "java" in out.decode(), "what the JVM needs is told beside the others"
    assert process.returncode == (1 if report["missed_aims"] else 0)


@pytest.mark.asyncio
async def test_a_run_that_is_told_to_end_leaves_no_process_behind():
    process = await load("--agents", "2", "--minutes", "5")
    assert process.stderr is not None
    async with asyncio.timeout(60.0):
        while b"working" not in await process.stderr.readline():
            pass
    children = children_of(process.pid)
    assert len(children) == 4
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(40.0):
        await process.communicate()
    assert process.returncode == 143
    assert not any(is_running(pid) for pid in children)


@pytest.mark.asyncio
async def test_a_child_that_ends_before_it_is_ready_fails_with_its_own_words(tmp_path):
    with pytest.raises(ChildFailed, match="no-such-file"):
        await Child.start("instance", ["serve", str(tmp_path / "no-such-file.toml")], tmp_path)


@pytest.mark.asyncio
async def test_a_child_that_is_not_ready_in_time_is_ended(tmp_path):
    with pytest.raises(ChildFailed, match="was not ready within 0 s"):
        await Child.start("aes", ["simulate", "aes", "--port", "0", "--control-port", "0"], tmp_path, limit_s=0.01)


@pytest.mark.asyncio
async def test_a_child_tells_its_ports_and_can_be_killed(tmp_path):
    child = await Child.start("aes", ["simulate", "aes", "--port", "0", "--control-port", "0"], tmp_path)
    host, port = child.address("plain")
    assert host == "127.0.0.1"
    assert port > 0
    assert child.told["control"].startswith("http://127.0.0.1:")
    child.check()
    os.kill(child.pid, 0)
    await child.kill()
    assert not child.alive
    with pytest.raises(ChildFailed, match="ended with status -9"):
        child.check()
    await child.end()
