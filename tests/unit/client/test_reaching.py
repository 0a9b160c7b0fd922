"""Which of several servers answers."""

import asyncio

import pytest
from tests.unit.client.fakes import now_s, on_virtual_time

from unified_agent.client.reaching import AT_ONCE, STAGGER_S, Reached, reach


class Asked:
    """Servers that answer after so many seconds; a negative number refuses after so many."""

    def __init__(self, **after_s: float) -> None:
        self.after_s = after_s
        self.began: dict[str, float] = {}
        self.dropped: list[str] = []
        self.under_way = self.most = 0

    async def ask(self, url: str) -> str:
        self.began[url] = now_s()
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(abs(self.after_s[url]))
        finally:
            self.under_way -= 1
        if self.after_s[url] < 0:
            raise ConnectionRefusedError
        return url.upper()

    async def reach(self) -> Reached[str]:
        return await reach(list(self.after_s), self.ask, self.dropped.append)


@on_virtual_time
async def test_the_first_is_taken_when_it_answers_soon():
    asked = Asked(a=0.2, b=0.1)
    assert await asked.reach() == Reached("A", (), ("b",))
    assert asked.began == {"a": 0.0}


@on_virtual_time
async def test_a_refusal_lets_the_next_have_its_turn_at_once():
    asked = Asked(a=-0.1, b=-0.1, c=0.1, d=0.0)
    assert await asked.reach() == Reached("C", ("a", "b"), ("d",))
    assert now_s() == pytest.approx(0.3)


@on_virtual_time
async def test_a_silent_one_costs_no_more_than_the_stagger():
    asked = Asked(a=9.0, b=0.1, c=0.1)
    assert await asked.reach() == Reached("B", (), ("a", "c"))
    assert now_s() == pytest.approx(STAGGER_S + 0.1)
    assert asked.under_way == 0


@on_virtual_time
async def test_no_more_than_two_are_asked_at_a_time():
    asked = Asked(a=-5.0, b=-2.0, c=-2.0, d=0.1)
    assert await asked.reach() == Reached("D", ("b", "c"), ("a",))
    assert asked.most == AT_ONCE
    assert asked.began["c"] == pytest.approx(2.3)


@on_virtual_time
async def test_when_none_answers_all_have_failed():
    assert await Asked(a=-0.1, b=-0.1).reach() == Reached(None, ("a", "b"), ())
    assert await reach([], Asked().ask, print) == Reached(None, (), ())


@on_virtual_time
async def test_an_answer_at_the_same_moment_is_let_go_of():
    asked = Asked(a=0.5, b=0.2)
    assert (await asked.reach()).what == "A"
    assert asked.dropped == ["B"]


@on_virtual_time
async def test_what_is_no_refusal_is_raised_and_nothing_goes_on():
    asked = Asked(a=9.0, b=0.1)
    with pytest.raises(KeyError):
        await reach(["a", "unknown"], asked.ask, print)
    assert asked.under_way == 0


@on_virtual_time
async def test_whoever_is_cancelled_leaves_nothing_behind():
    asked = Asked(a=9.0, b=9.0)
    task = asyncio.create_task(asked.reach())
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asked.under_way == 0
