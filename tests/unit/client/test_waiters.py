"""Who waits for something to be so."""

import asyncio

import pytest

from unified_agent.client.waiters import Waiters

pytestmark = pytest.mark.asyncio


async def waiting(waiters: Waiters, predicate, limit_s: float = 5.0) -> "asyncio.Task[None]":
    task = asyncio.create_task(waiters.wait(predicate, limit_s))
    await asyncio.sleep(0)
    return task


async def test_only_those_for_whom_it_is_so_go_on():
    waiters = Waiters()
    one = await waiting(waiters, lambda view: view["n"] == 1)
    two = await waiting(waiters, lambda view: view["n"] == 2)
    waiters.look({"n": 1})
    await one
    assert not two.done()
    waiters.look({"n": 2})
    await two


async def test_a_predicate_that_raises_fails_its_owner_alone():
    waiters = Waiters()
    bad = await waiting(waiters, lambda view: view["absent"])
    good = await waiting(waiters, lambda view: view["n"])
    waiters.look({"n": 1})
    with pytest.raises(KeyError):
        await bad
    await good


async def test_a_limit_that_passes_is_told():
    with pytest.raises(TimeoutError):
        await Waiters().wait(lambda _: True, 0)


async def test_all_who_wait_get_the_error():
    waiters = Waiters()
    task = await waiting(waiters, lambda _: False)
    waiters.fail(ValueError("over"))
    with pytest.raises(ValueError, match="over"):
        await task
