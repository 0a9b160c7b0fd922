"""The network of namespaces is as it says: hosts reach each other, and cuts and bad lines do what they are called."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from unified_agent.tools.chaos.namespaces import Network, remove_left_behind
from unified_agent.tools.chaos.places import HOSTS, addresses_of

#: Connects to a port on which nobody listens, and says what came of it and how long it took.
KNOCK = """
import socket, sys, time
began_s = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 9), timeout=0.5)
except OSError as error:
    print(type(error).__name__, time.monotonic() - began_s)
"""
REACHED, SILENT = "ConnectionRefusedError", "TimeoutError"


@pytest_asyncio.fixture
async def network() -> AsyncIterator[Network]:
    made = Network(HOSTS)
    try:
        await made.make()
        yield made
    finally:
        await made.remove()


async def knock(network: Network, origin: str, target: str) -> tuple[str, float]:
    address = addresses_of(target).partition("/")[0]
    process = await asyncio.create_subprocess_exec(
        *network.within(origin), sys.executable, "-c", KNOCK, address, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    word, seconds = out.decode().split()
    return word, float(seconds)


async def heard(network: Network, origin: str, target: str) -> str:
    return (await knock(network, origin, target))[0]


def namespaces() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout


@pytest.mark.asyncio
async def test_all_hosts_reach_each_other_and_nothing_else(network: Network) -> None:
    assert await heard(network, "a1", "b2") == REACHED
    assert await heard(network, "desks", "store-c") == REACHED
    outside = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=0.5)"
    process = await asyncio.create_subprocess_exec(
        *network.within("a1"), sys.executable, "-c", outside, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() != 0


@pytest.mark.asyncio
async def test_a_cut_swallows_one_direction_and_healing_ends_it(network: Network) -> None:
    await network.cut("b1", "a1")  # the answers of b1 are lost
    assert await heard(network, "a1", "b1") == SILENT
    assert await heard(network, "a1", "b2") == REACHED
    await network.mend()
    assert await heard(network, "a1", "b1") == REACHED


@pytest.mark.asyncio
async def test_a_site_can_be_cut_from_another_and_goes_on_within(network: Network) -> None:
    await network.cut_both("east", "west")
    words = await asyncio.gather(
        *(heard(network, *pair) for pair in (("a1", "b1"), ("b2", "store-a1"), ("a1", "a2"), ("a1", "aes")))
    )
    assert words == [SILENT, SILENT, REACHED, REACHED]


@pytest.mark.asyncio
async def test_a_lost_host_hears_nobody_and_is_heard_by_nobody(network: Network) -> None:
    await network.cut_both("a1", "")
    assert await heard(network, "a1", "a2") == SILENT
    assert await heard(network, "desks", "a1") == SILENT


@pytest.mark.asyncio
async def test_a_bad_line_delays_both_ways_and_only_what_goes_over_it(network: Network) -> None:
    await network.spoil_line("east", "west", delay_s=0.05, jitter_s=0.0, loss=0.0)
    word, seconds = await knock(network, "a1", "b1")
    assert word == REACHED
    assert seconds >= 0.1
    _, beside = await knock(network, "a1", "a2")
    assert beside < 0.1
    await network.repair_line()
    _, after = await knock(network, "a1", "b1")
    assert after < 0.1


@pytest.mark.asyncio
async def test_a_line_that_loses_everything_is_a_cut(network: Network) -> None:
    await network.spoil_line("a1", "b1", delay_s=0.0, jitter_s=0.0, loss=1.0)
    assert await heard(network, "a1", "b1") == SILENT


@pytest.mark.asyncio
async def test_nothing_is_left_behind_not_even_what_still_runs() -> None:
    network = Network(HOSTS[:2])
    await network.make()
    sleeper = await asyncio.create_subprocess_exec(*network.within("a1"), "sleep", "600")
    await network.remove()
    assert await sleeper.wait() == -9
    assert f"ua-chaos-{os.getpid()}" not in namespaces()


@pytest.mark.asyncio
async def test_what_a_killed_run_left_is_removed_by_the_next() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    network = Network(HOSTS[:1], owner=process.pid)
    await network.make()
    assert f"ua-chaos-{process.pid}" in await remove_left_behind()
    assert f"ua-chaos-{process.pid}" not in namespaces()
