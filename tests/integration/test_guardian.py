"""The guardian with a real process and a real etcd: whatever ends the process, the others know at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.contract.etcd_servers import PROGRAM, Servers
from tests.integration import guarded_instance
from tests.integration.guarded_instance import DATACENTRE, INSTANCE, LEASE_S, STUCK_S, settings_of

from unified_agent.clock import LoopClock
from unified_agent.cluster.guarded import ALIVE_S
from unified_agent.cluster.stores.base import Changes, Entry, Snapshot, Store, Watch
from unified_agent.cluster.stores.open import store_from
from unified_agent.cluster.transactions import ended_key, instance_key

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

NODE, PROOF = instance_key(DATACENTRE, INSTANCE), ended_key(DATACENTRE, INSTANCE)
#: From the end of the process to its proof. 0.02 s alone on the machine; others use it too.
SOON_S = 1.0
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def etcd() -> Iterator[Servers]:
    if PROGRAM is None:
        pytest.skip("there is no etcd here: `packaging/setup/system.sh etcd` installs it")
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as folder:
        servers = Servers(Path(folder))
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


class House:
    """A guardian, its instance, and somebody else with the same store."""

    def __init__(self, guardian: asyncio.subprocess.Process, store: Store, watch: Watch) -> None:
        self.guardian = guardian
        self.store = store
        self.watch = watch
        self.instance_pid = 0
        self.incarnation = 0

    async def line(self) -> list[str]:
        assert self.guardian.stdout is not None
        return (await asyncio.wait_for(self.guardian.stdout.readline(), 15.0)).decode().split()

    async def registered(self) -> None:
        word, pid, incarnation, _ = await self.line()
        assert word == "registered"
        self.instance_pid, self.incarnation = int(pid), int(incarnation)
        node = await self.store.get(NODE)
        assert node is not None
        assert node.created == self.incarnation
        seen = await self.watch.next()
        assert isinstance(seen, Snapshot)
        assert seen.entries == {}

    def kill_instance(self) -> float:
        os.kill(self.instance_pid, signal.SIGKILL)
        return time.monotonic()

    async def proof(self, limit_s: float) -> tuple[Entry, float]:
        """Wait for the proof; returns it, and when it was seen. The key must be gone by then."""
        async with asyncio.timeout(limit_s):
            assert isinstance(await self.watch.next(), Changes)
        seen_s = time.monotonic()
        proof = await self.store.get(PROOF)
        assert proof is not None
        assert await self.store.get(NODE) is None
        assert json.loads(proof.value) == {"incarnation": self.incarnation}
        assert proof.lease is None
        return proof, seen_s

    async def end(self) -> tuple[int, list[dict[str, object]], str]:
        """Wait for the guardian's end; returns its status, the log, and what else was printed."""
        out, log = await asyncio.wait_for(self.guardian.communicate(), 30.0)
        assert self.guardian.returncode is not None
        return self.guardian.returncode, [json.loads(line) for line in log.splitlines()], out.decode()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.asynccontextmanager
async def guarded(etcd: Servers) -> AsyncIterator[House]:
    prefix = f"/ua/guardian-{next(_NUMBERS)}/"
    endpoints = ",".join(etcd.endpoints)
    store = store_from(settings_of(endpoints, prefix), LoopClock(asyncio.get_running_loop()), random.Random(1))
    guardian = await asyncio.create_subprocess_exec(
        sys.executable,
        guarded_instance.__file__,
        "guard",
        endpoints,
        prefix,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        process_group=0,
    )
    watch = store.watch(PROOF)
    house = House(guardian, store, watch)
    try:
        await house.registered()
        yield house
    finally:
        await watch.close()
        await store.close()
        if house.instance_pid and lives(house.instance_pid):
            os.kill(house.instance_pid, signal.SIGKILL)
        if guardian.returncode is None:
            guardian.kill()
            await guardian.wait()


async def test_a_killed_instance_is_proven_ended_and_its_key_gone_at_once(etcd):
    async with guarded(etcd) as house:
        killed_s = house.kill_instance()
        _, seen_s = await house.proof(SOON_S)
        status, log, _ = await house.end()
    print(f"proven {seen_s - killed_s:.3f} s after the kill")
    assert status == 137
    assert [line["event"] for line in log] == ["guarded_started", "guarded_ended", "end_proven"]


async def test_a_stopped_instance_is_killed_and_then_proven_ended(etcd):
    async with guarded(etcd) as house:
        await asyncio.sleep(1.0)
        os.kill(house.instance_pid, signal.SIGSTOP)
        stopped_s = time.monotonic()
        _, seen_s = await house.proof(STUCK_S + SOON_S)
        assert not lives(house.instance_pid)
        status, log, _ = await house.end()
    assert seen_s - stopped_s >= STUCK_S - ALIVE_S - 0.1
    assert status == 137
    assert [line["event"] for line in log] == ["guarded_started", "guarded_stuck", "guarded_ended", "end_proven"]


async def test_an_instance_that_leaves_in_order_proves_its_end_itself(etcd):
    async with guarded(etcd) as house:
        house.guardian.send_signal(signal.SIGTERM)
        proof, _ = await house.proof(15.0)
        status, log, out = await house.end()
        assert await house.store.get(PROOF) == proof
    assert status == 0
    assert out == "asked to leave\n"
    assert [line["event"] for line in log] == ["guarded_started", "guarded_ended"]


async def test_an_end_is_proven_when_the_store_comes_back(etcd):
    (member,) = etcd.members
    async with guarded(etcd) as house:
        member.kill()
        house.kill_instance()
        await asyncio.sleep(2.0)
        member.start()
        await asyncio.to_thread(etcd.wait_until_healthy)
        back_s = time.monotonic()
        # Its lease had a whole time to go again, so it is the proof that removed the key.
        _, seen_s = await house.proof(LEASE_S)
        status, log, _ = await house.end()
    assert seen_s - back_s < LEASE_S - 1.0
    assert status == 137
    assert [line["event"] for line in log][-2:] == ["guarded_ended", "end_proven"]


async def test_signals_and_statuses_are_passed_on_and_a_silent_end_is_proven(etcd):
    async with guarded(etcd) as house:
        house.guardian.send_signal(signal.SIGHUP)
        await house.proof(SOON_S)
        status, _, _ = await house.end()
    assert status == 3


async def test_a_ctrl_c_at_the_terminal_reaches_the_instance_once(etcd):
    async with guarded(etcd) as house:
        os.killpg(house.guardian.pid, signal.SIGINT)
        status, _, out = await house.end()
    assert status == 0
    assert out == "asked to leave\n"


async def test_an_instance_whose_guardian_is_killed_serves_on_and_says_so_once(etcd):
    async with guarded(etcd) as house:
        house.guardian.kill()
        await asyncio.sleep(LEASE_S + 1.0)
        assert lives(house.instance_pid)
        assert await house.store.get(NODE) is not None
        assert await house.store.get(PROOF) is None
        os.kill(house.instance_pid, signal.SIGTERM)
        await house.proof(15.0)
        _, log, out = await house.end()
    assert out == "asked to leave\n"
    assert [line["event"] for line in log] == ["guarded_started", "guardian_lost"]
