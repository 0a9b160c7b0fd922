import asyncio
import os
import pty
import select
import termios
from collections.abc import Iterator

import pytest

from unified_agent.tools.demo.keyboard import is_ours, single_keys


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    person, ours = pty.openpty()
    yield person, ours
    os.close(person)
    os.close(ours)


async def keys_of(person: int, ours: int, *bursts: bytes) -> list[str]:
    told: asyncio.Queue[str] = asyncio.Queue()
    seen = []
    with single_keys(ours, told.put_nowait):
        for burst in bursts:
            os.write(person, burst)
            await asyncio.sleep(0)
            seen.append(await asyncio.wait_for(told.get(), 5))
    return seen


@pytest.mark.asyncio
async def test_each_key_is_told_as_it_is_pressed_also_ctrl_c(terminal: tuple[int, int]) -> None:
    assert await keys_of(*terminal, b"x", b"S", b"\x03") == ["x", "S", "\x03"]


@pytest.mark.asyncio
async def test_an_arrow_key_is_no_key_of_ours(terminal: tuple[int, int]) -> None:
    person, ours = terminal
    told: asyncio.Queue[str] = asyncio.Queue()
    with single_keys(ours, told.put_nowait):
        os.write(person, b"\x1b[A")
        assert select.select([ours], [], [], 5)[0]  # the terminal hands it over in its own time
        for _ in range(3):  # the loop looks, reads, and is here again
            await asyncio.sleep(0)
        assert not select.select([ours], [], [], 0)[0]
        os.write(person, b"q")
        assert await asyncio.wait_for(told.get(), 5) == "q"


@pytest.mark.asyncio
async def test_the_terminal_is_as_before_afterwards(terminal: tuple[int, int]) -> None:
    _, ours = terminal
    before = termios.tcgetattr(ours)
    with single_keys(ours, print):
        assert termios.tcgetattr(ours) != before
    assert termios.tcgetattr(ours) == before


def test_what_is_no_terminal_or_not_our_foreground_has_no_keys_for_us(terminal: tuple[int, int]) -> None:
    reading, writing = os.pipe()
    try:
        assert not is_ours(reading)
        assert not is_ours(terminal[1])  # a terminal, but not the one of our process group
    finally:
        os.close(reading)
        os.close(writing)
