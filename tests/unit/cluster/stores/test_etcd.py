"""What a real etcd does not do on demand: being slow beyond every limit, and compacting under a snapshot's pages."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.cluster.stores.fake_channels import on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import Snapshot, StoreUnavailable
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_errors import Compacted
from unified_agent.cluster.stores.etcd_settings import EtcdSettings

Answering = Callable[[Any], Coroutine[Any, Any, Any]]


def connect(answering: Answering, **limits: Any) -> EtcdStore:
    """Return a store whose requests are answered by a function."""
    settings = EtcdSettings(endpoints=("a:1",), prefix="/ua/x/", **limits)
    store = EtcdStore(settings, LoopClock(asyncio.get_running_loop()), random.Random(1))

    async def read(_: str, request: Any, __: Any, **___: Any) -> Any:
        return await answering(request)

    store._rpc.read = read  # type: ignore[method-assign, assignment]
    return store


def page(*keys: str, revision: int, more: bool = False) -> Any:
    answer = pb.RangeResponse(more=more)
    answer.header.revision = revision
    for key in keys:
        answer.kvs.add(key=f"/ua/x/{key}".encode(), mod_revision=revision, create_revision=revision)
    return answer


@on_virtual_time
async def test_requests_on_their_way_are_bounded_and_so_are_those_that_wait() -> None:
    on_their_way = most = 0

    async def slow(_: Any) -> Any:
        nonlocal on_their_way, most
        on_their_way += 1
        most = max(most, on_their_way)
        await asyncio.sleep(1)
        on_their_way -= 1
        return page(revision=1)

    store = connect(slow, in_flight_limit=3, waiting_limit=5)
    answers = await asyncio.gather(*(store.snapshot("k") for _ in range(10)), return_exceptions=True)
    assert most == 3
    assert [type(each) for each in answers] == [Snapshot] * 8 + [StoreUnavailable] * 2
    assert store.health().waiting == 0


@on_virtual_time
async def test_who_waits_too_long_for_a_turn_is_told_that_nothing_was_done() -> None:
    async def stuck(_: Any) -> Any:
        await asyncio.sleep(60)

    store = connect(stuck, in_flight_limit=1, total_limit_s=2.0)
    first = asyncio.ensure_future(store.snapshot("k"))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="wait for etcd"):
        await store.snapshot("k")
    first.cancel()
    await asyncio.wait({first})
    assert store.health().waiting == 0


@on_virtual_time
async def test_every_page_of_a_snapshot_is_asked_at_the_revision_of_the_first() -> None:
    asked: list[tuple[bytes, int]] = []

    async def answer(request: Any) -> Any:
        asked.append((request.key, request.revision))
        return page("a", "b", revision=7, more=True) if len(asked) == 1 else page("c", revision=9)

    snapshot = await connect(answer).snapshot("")
    assert asked == [(b"/ua/x/", 0), (b"/ua/x/b\0", 7)]
    assert snapshot.revision == 7
    assert list(snapshot.entries) == ["a", "b", "c"]


@on_virtual_time
async def test_a_snapshot_whose_history_is_compacted_between_pages_begins_anew() -> None:
    asked = 0

    async def answer(request: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise Compacted("gone")
        return page("a", revision=asked, more=asked == 1)

    snapshot = await connect(answer).snapshot("")
    assert (snapshot.revision, list(snapshot.entries)) == (3, ["a"])


@on_virtual_time
async def test_a_history_that_is_always_compacted_is_given_up() -> None:
    async def answer(_: Any) -> Any:
        raise Compacted("gone")

    with pytest.raises(StoreUnavailable):
        await connect(answer).snapshot("")


@on_virtual_time
async def test_before_anything_was_asked_nobody_says_that_it_is_up() -> None:
    async def never(_: Any) -> Any:
        raise AssertionError

    health = connect(never).health()
    assert not health.up
    assert health.heard_at_s is None
