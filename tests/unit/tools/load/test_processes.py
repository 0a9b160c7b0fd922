"""Child processes: small programs in place of ours."""

import asyncio
import sys
from pathlib import Path

import pytest

from unified_agent.tools.load import processes
from unified_agent.tools.load.processes import Child, ChildFailed

pytestmark = pytest.mark.asyncio

READY = "import sys, time; print('http http://127.0.0.1:1/'); print('plain 127.0.0.1:2'); print('ready', flush=True); "
WAIT = "time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_COMMAND", (sys.executable, "-c"))


async def start(program: str, folder: Path, limit_s: float = 30.0) -> Child:
    return await Child.start("child", [program], folder, limit_s)


async def test_what_a_child_tells_until_it_is_ready_is_known(tmp_path):
    child = await start(READY + WAIT, tmp_path)
    assert child.told == {"http": "http://127.0.0.1:1/", "plain": "127.0.0.1:2"}
    assert child.address("plain") == ("127.0.0.1", 2)
    assert child.alive
    assert child.status is None
    child.check()
    await child.end()
    assert not child.alive
    await child.end()


async def test_a_child_can_be_run_by_another_command(tmp_path):
    program = "import os; print('mark', os.environ['MARK']); print('ready', flush=True)"
    child = await Child.start("child", [program], tmp_path, within=("env", "MARK=here"))
    assert child.told == {"mark": "here"}
    await child.end()


async def test_a_killed_child_is_gone_and_told_with_its_status(tmp_path):
    child = await start(READY + WAIT, tmp_path)
    await child.kill()
    with pytest.raises(ChildFailed, match="child ended with status -9"):
        child.check()
    assert child.status == -9
    await child.kill()


async def test_a_child_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path):
    with pytest.raises(ChildFailed, match="status 3 before it was ready\nno such file"):
        await start("import sys; print('no such file', file=sys.stderr); sys.exit(3)", tmp_path)


async def test_a_child_that_is_never_ready_is_ended(tmp_path):
    with pytest.raises(ChildFailed, match="was not ready within 0 s"):
        await start("import time; time.sleep(60)", tmp_path, limit_s=0.05)


async def test_a_child_that_does_not_end_when_asked_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "END_LIMIT_S", 0.05)
    child = await start(DEAF + READY + WAIT, tmp_path)
    await child.end()
    assert not child.alive


async def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path):
    task = asyncio.create_task(start(f"open({str(tmp_path / 'began')!r}, 'w'); import time; time.sleep(60)", tmp_path))
    async with asyncio.timeout(30.0):
        while not (tmp_path / "began").exists():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_child_that_says_much_after_it_is_ready_never_waits_for_us(tmp_path):
    child = await start(READY + "print('x' * 1_000_000, flush=True)", tmp_path)
    async with asyncio.timeout(30.0):
        while child.alive:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)
    await child.end()
