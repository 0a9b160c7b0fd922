"""Reads that are gathered, against a store that answers when the test says so."""

import asyncio
from collections.abc import Sequence

import pytest

from unified_agent.cluster.stores.base import Entry, Revision, StoreUnavailable
from unified_agent.cluster.stores.etcd_reads import KEYS_A_REQUEST, REQUESTS_AT_ONCE, GatheredReads

pytestmark = pytest.mark.asyncio


def entry(key: str) -> Entry:
    return Entry(key=key, value=key.encode(), created=Revision(1), revision=Revision(1), lease=None)


class Etcd:
    """Requests as they came, each answered by ``answer``."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self._answers: list[asyncio.Future[None]] = []

    async def read_all(self, keys: Sequence[str]) -> list[Entry | None]:
        self.requests.append(list(keys))
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers.append(answered)
        await answered
        return [None if key.startswith("no-") else entry(key) for key in keys]

    def answer(self, number: int) -> None:
        self._answers[number].set_result(None)

    def fail(self, number: int, error: Exception) -> None:
        self._answers[number].set_exception(error)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def reading(reads: GatheredReads, *keys: str) -> list[asyncio.Task[Entry | None]]:
    return [asyncio.ensure_future(reads.get(key)) for key in keys]


async def test_what_is_wanted_at_the_same_time_goes_in_one_request() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)
    asked = reading(reads, "a", "no-b", "a")
    await settle()
    assert etcd.requests == [["a", "no-b"]]
    etcd.answer(0)
    assert await asyncio.gather(*asked) == [entry("a"), None, entry("a")]
    assert reads.waiting == 0


async def test_what_is_wanted_while_all_requests_are_on_their_way_goes_in_the_next_one() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)
    asked = []
    for key in ("a", "b", "c", "a"):
        asked += reading(reads, key)
        await settle()
    assert REQUESTS_AT_ONCE == 2
    assert etcd.requests == [["a"], ["b"]]
    etcd.answer(1)
    await settle()
    assert etcd.requests == [["a"], ["b"], ["c", "a"]], "the second read of a is newer than the first, and goes again"
    etcd.answer(0)
    etcd.answer(2)
    assert [each.key for each in await asyncio.gather(*asked) if each is not None] == ["a", "b", "c", "a"]


async def test_a_request_has_a_limit() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=1_000)
    asked = reading(reads, *(f"k{number}" for number in range(KEYS_A_REQUEST + 1)))
    await settle()
    etcd.answer(0)
    await settle()
    etcd.answer(1)
    await asyncio.gather(*asked)
    assert sorted(map(len, etcd.requests)) == [1, KEYS_A_REQUEST]


async def test_all_that_were_in_a_request_hear_that_it_failed_and_the_next_one_goes() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)
    asked = reading(reads, "a", "b")
    await settle()
    etcd.fail(0, StoreUnavailable("etcd does not answer"))
    for error in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(error, StoreUnavailable)
    (again,) = reading(reads, "a")
    await settle()
    etcd.answer(1)
    assert await again == entry("a")


async def test_whoever_is_cancelled_takes_nobody_along_and_is_not_asked_for() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)
    on_their_way = reading(reads, "a", "b")
    await settle()
    on_their_way[0].cancel()
    etcd.answer(0)
    assert await on_their_way[1] == entry("b")
    (alone,) = reading(reads, "c")
    await asyncio.sleep(0)
    alone.cancel()
    await settle()
    assert etcd.requests == [["a", "b"]]
    assert reads.waiting == 0


async def test_too_many_that_wait_are_turned_away() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=2)
    asked = reading(reads, "a", "b")
    await settle()
    with pytest.raises(StoreUnavailable, match="2 reads wait"):
        await reads.get("c")
    etcd.answer(0)
    await asyncio.gather(*asked)


async def test_closing_cancels_whoever_waits() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)
    asked = []
    for key in ("a", "b", "c"):
        asked += reading(reads, key)
        await settle()
    await reads.close()
    for error in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(error, asyncio.CancelledError)


async def test_whoever_reads_on_as_soon_as_all_requests_are_answered_is_not_left_waiting() -> None:
    etcd = Etcd()
    reads = GatheredReads(etcd.read_all, waiting_limit=10)

    async def twice(key: str) -> Entry | None:
        await reads.get(key)
        return await reads.get(f"{key}2")

    first = asyncio.ensure_future(twice("a"))
    await settle()
    second = asyncio.ensure_future(reads.get("b"))
    await settle()
    etcd.answer(0)
    etcd.answer(1)  # both end in the same turn of the loop, and the first reader reads on in the next
    await settle()
    assert await second == entry("b")
    assert etcd.requests[2:] == [["a2"]]
    etcd.answer(2)
    assert await first == entry("a2")
