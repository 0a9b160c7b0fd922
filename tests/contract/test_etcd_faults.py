"""What only a real etcd can say: members killed and frozen, the majority lost, TLS, certificates and passwords."""

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from tests.contract.etcd_servers import PROGRAM, Servers

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import (
    ABSENT,
    Changes,
    Committed,
    Entry,
    LeaseId,
    PutValue,
    Revision,
    Snapshot,
    Store,
    StoreUnavailable,
    WriteUnknown,
)
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_settings import EtcdSettings

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.timeout(90),
    pytest.mark.skipif(PROGRAM is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"),
]


@pytest.fixture
def three() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as folder:
        servers = Servers(Path(folder), count=3)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


def connect(settings: EtcdSettings) -> EtcdStore:
    return EtcdStore(settings, LoopClock(asyncio.get_running_loop()), random.Random(1))


@pytest_asyncio.fixture
async def store(three: Servers) -> AsyncIterator[EtcdStore]:
    store = connect(EtcdSettings(endpoints=three.endpoints, request_limit_s=1.0, total_limit_s=2.0))
    yield store
    await store.close()


async def surely_put(store: Store, key: str) -> None:
    """Put a new key through an election: a write that got no answer is tried again under its condition."""
    async with asyncio.timeout(15):
        while True:
            try:
                await store.put_if(key, b"", ABSENT)
            except StoreUnavailable:
                continue
            return


class Diary:
    """Writes numbers one after the other, knows which were acknowledged, and reads them back on a watch."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.acknowledged: list[int] = []
        self.told: list[int] = []
        self.longest_silence_s = 0.0
        self.snapshots = 0
        self.stopped = False

    async def write(self) -> None:
        number = 0
        while not self.stopped:
            number += 1
            try:
                outcome = await self.store.put_if(f"n/{number:06}", b"", ABSENT)
            except StoreUnavailable:
                continue
            if isinstance(outcome, Committed):
                self.acknowledged.append(number)
            await asyncio.sleep(0.01)

    async def follow(self, after: Revision) -> None:
        loop = asyncio.get_running_loop()
        heard_s = loop.time()
        async with self.store.watch("n/", after) as watch:
            while True:
                told = await watch.next()
                self.longest_silence_s = max(self.longest_silence_s, loop.time() - heard_s)
                heard_s = loop.time()
                if isinstance(told, Changes):
                    self.told += [int(event.key[2:]) for event in told.events]
                else:
                    self.snapshots += 1

    async def finish(self, writing: asyncio.Future[None], following: asyncio.Future[None]) -> None:
        so_far = len(self.acknowledged)
        async with asyncio.timeout(20):
            while len(self.acknowledged) < so_far + 20:  # noqa: ASYNC110 - what is waited for is real time
                await asyncio.sleep(0.05)
        self.stopped = True
        await writing
        truth = [int(key[2:]) for key in (await self.store.snapshot("n/")).entries]
        async with asyncio.timeout(10):
            while len(self.told) < len(truth):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.wait({following})
        assert set(self.acknowledged) <= set(truth), "an acknowledged write was lost"
        assert self.told == truth, "the watch lost or repeated something"
        assert self.snapshots == 0


async def test_a_killed_and_a_frozen_member_cost_seconds_and_no_event_and_no_lease(
    three: Servers, store: EtcdStore
) -> None:
    diary = Diary(store)
    lease = await store.grant_lease(3)
    await store.transact([], [PutValue("node/me", b"", lease.lease)])
    longest_renewal_s = 0.0

    async def renew() -> None:
        nonlocal longest_renewal_s
        last = lease
        while True:
            await asyncio.sleep(0.5)
            try:
                renewed = await store.keep_alive(lease.lease)
            except StoreUnavailable:
                continue
            assert renewed is not None, "a lease that was renewed has ended"
            longest_renewal_s = max(longest_renewal_s, renewed.sent_at_s - last.sent_at_s)
            last = renewed

    start = (await store.snapshot("")).revision
    tasks = [asyncio.ensure_future(task) for task in (renew(), diary.follow(start), diary.write())]
    renewing, following, writing = tasks
    await asyncio.sleep(0.5)
    # The first endpoint is the one in use by every lane.
    three.members[0].signal(signal.SIGSTOP)
    await asyncio.sleep(5)
    three.members[0].signal(signal.SIGCONT)
    await asyncio.sleep(1)
    in_use = next(member for member in three.members if member.endpoint == store.health().server)
    in_use.kill()
    await asyncio.sleep(2)
    in_use.start()
    await diary.finish(writing, following)
    assert not renewing.done(), "a lease that was renewed has ended"
    renewing.cancel()
    await asyncio.wait({renewing})
    assert await store.get("node/me") is not None
    assert diary.longest_silence_s < 5.0
    assert longest_renewal_s < 2.5, "an instance would have fenced itself for nothing"
    assert store.health().failovers >= 2


async def test_an_outage_of_everything_is_survived_with_a_clear_word(three: Servers, store: EtcdStore) -> None:
    revision = (await store.snapshot("")).revision
    watch = store.watch("", revision)
    waiting = asyncio.ensure_future(watch.next())
    await store.put_if("before", b"", ABSENT)
    first = await waiting
    assert isinstance(first, Changes)
    waiting = asyncio.ensure_future(watch.next())
    for member in three.members:
        member.kill()
    with pytest.raises(StoreUnavailable):
        await store.get("before")
    with pytest.raises(StoreUnavailable):
        await store.put_if("during", b"", ABSENT)
    assert not store.health().up
    await asyncio.sleep(1)
    assert not waiting.done()
    for member in three.members:
        member.start()
    await asyncio.to_thread(three.wait_until_healthy)
    await surely_put(store, "after")
    async with asyncio.timeout(15):
        told = await waiting
    assert isinstance(told, Changes)
    assert [event.key for event in told.events] == ["after"]
    assert store.health().up
    await watch.close()


async def test_without_a_majority_nothing_is_written_and_the_watch_goes_silent(
    three: Servers, store: EtcdStore
) -> None:
    await store.put_if("k", b"", ABSENT)
    watch = store.watch("")
    assert isinstance(await watch.next(), Snapshot)
    waiting = asyncio.ensure_future(watch.next())
    for member in three.members[1:]:
        member.kill()
    await asyncio.sleep(2)
    with pytest.raises(StoreUnavailable):
        await store.get("k")
    with pytest.raises((StoreUnavailable, WriteUnknown)):
        await store.transact([], [PutValue("k", b"2")])
    await asyncio.sleep(2.5)
    clock_s = LoopClock(asyncio.get_running_loop()).now_s()
    assert clock_s - watch.heard_at_s > 2.5, "a member without a majority must not pass for alive"
    for member in three.members[1:]:
        member.start()
    await asyncio.to_thread(three.wait_until_healthy)
    await store.transact([], [PutValue("k", b"3")])
    values = []
    while b"3" not in values:
        async with asyncio.timeout(15):
            told = await waiting
        assert isinstance(told, Changes)
        values += [event.value for event in told.events if isinstance(event, Entry)]
        waiting = asyncio.ensure_future(watch.next())
    waiting.cancel()
    await asyncio.wait({waiting})
    await watch.close()


async def test_a_watch_that_was_away_while_history_was_compacted_takes_a_snapshot(
    three: Servers, store: EtcdStore
) -> None:
    start = (await store.snapshot("")).revision
    other = connect(EtcdSettings(endpoints=three.endpoints[1:]))
    lonely = connect(EtcdSettings(endpoints=three.endpoints[:1]))
    try:
        watch = lonely.watch("", start)
        waiting = asyncio.ensure_future(watch.next())
        await asyncio.sleep(0.3)
        three.members[0].kill()
        await surely_put(other, "missed")
        await other.compact()
        three.members[0].start()
        await asyncio.to_thread(three.wait_until_healthy)
        async with asyncio.timeout(15):
            told = await waiting
        if isinstance(told, Changes):
            # The member had not compacted yet when the watch came back: then it must have told the change itself.
            assert [event.key for event in told.events] == ["missed"]
        else:
            assert list(told.entries) == ["missed"]
        await watch.close()
    finally:
        await other.close()
        await lonely.close()


async def test_a_write_to_a_frozen_member_is_unknown_and_not_sent_again(three: Servers) -> None:
    lonely = connect(EtcdSettings(endpoints=three.endpoints[:1], request_limit_s=0.5))
    others = connect(EtcdSettings(endpoints=three.endpoints[1:]))
    try:
        await lonely.get("k")
        three.members[0].signal(signal.SIGSTOP)
        with pytest.raises(WriteUnknown):
            await lonely.transact([], [PutValue("k", b"late")])
        three.members[0].signal(signal.SIGCONT)
        await asyncio.sleep(1)
        entry = await others.get("k")
        assert entry is None or entry.created == entry.revision, "it was made twice"
    finally:
        three.members[0].signal(signal.SIGCONT)
        await lonely.close()
        await others.close()


async def test_the_endpoints_at_the_head_of_the_list_are_gone_back_to(three: Servers) -> None:
    store = connect(replace(EtcdSettings(endpoints=three.endpoints), prefer_after_s=0.5))
    try:
        three.members[0].kill()
        await store.get("k")
        assert store.health().server != three.endpoints[0]
        three.members[0].start()
        await asyncio.to_thread(three.wait_until_healthy)
        async with asyncio.timeout(10):
            while store.health().server != three.endpoints[0]:
                await asyncio.sleep(0.2)
                await store.get("k")
    finally:
        await store.close()


async def test_a_wrong_address_is_unavailable_within_the_limit() -> None:
    store = connect(replace(EtcdSettings(endpoints=("127.0.0.1:1",)), total_limit_s=0.5))
    try:
        with pytest.raises(StoreUnavailable):
            await store.get("k")
        with pytest.raises(StoreUnavailable) as failed:
            await store.put_if("k", b"", ABSENT)
        assert not isinstance(failed.value, WriteUnknown), "it is certain that nothing was sent"
        with pytest.raises(StoreUnavailable):
            await store.keep_alive(LeaseId(1))
    finally:
        await store.close()


async def test_a_connection_without_requests_is_left_standing(three: Servers, capfd) -> None:
    store = connect(EtcdSettings(endpoints=three.endpoints[:1]))
    await store.get("k")
    await asyncio.sleep(22.0)  # three pings of 6 s, if there were any, and a little
    assert store._rpc.requests._endpoints[0].ready
    await store.close()
    assert "too_many_pings" not in capfd.readouterr().err
