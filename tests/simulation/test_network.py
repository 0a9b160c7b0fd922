"""The simulated loop and network behave as the real ones do, where our code can tell."""

from __future__ import annotations

import asyncio
from random import Random
from typing import cast

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.reach import DELAY_S, DISTANCE_S, EVERYWHERE, Delay, Reach
from tests.simulation.virtual_loop import StuckError, run

from unified_agent.errors import LinkNotReady
from unified_agent.network import Address

ADDRESS = Address(host="peer", port=1)


class Recorder(asyncio.Protocol):
    def __init__(self) -> None:
        self.data = b""
        self.lost: list[Exception | None] = []
        self.paused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.paused -= 1


async def connected(network: SimNetwork) -> tuple[Recorder, Recorder]:
    near, far = Recorder(), Recorder()
    network.listen("peer", 1, lambda: far)
    await network.at("us").dial(lambda: near, ADDRESS, 1.0)
    return near, far


def test_an_hour_passes_at_once_and_timers_keep_their_order():
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        seen: list[float] = []
        loop.call_later(1800, lambda: seen.append(loop.time()))
        loop.call_later(5, lambda: seen.append(loop.time()))
        await asyncio.sleep(3600)
        return [*seen, loop.time()]

    assert run(main()) == [5.0, 1800.0, 3600.0]


def test_a_program_that_waits_for_nothing_is_an_error_and_not_a_hang():
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        run(main())


def test_an_exception_that_nobody_awaits_fails_the_run():
    async def main() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(ZeroDivisionError):
        run(main())


def test_bytes_arrive_in_order_and_both_ends_learn_of_a_close():
    async def main() -> tuple[bytes, list[Exception | None], list[Exception | None]]:
        near, far = await connected(SimNetwork(Random(1)))
        for each in range(100):
            near.transport.write(bytes([each]))
        await asyncio.sleep(0.1)
        near.transport.close()
        await asyncio.sleep(0.1)
        return far.data, near.lost, far.lost

    data, near_lost, far_lost = run(main())
    assert data == bytes(range(100))
    assert near_lost == [None]
    assert far_lost == [None]


def test_silence_holds_bytes_back_and_healing_delivers_them():
    async def main() -> tuple[bytes, bytes]:
        network = SimNetwork(Random(1))
        near, far = await connected(network)
        network.silence("us", "peer", both_ways=False)
        near.transport.write(b"held")
        far.transport.write(b"other way")
        await asyncio.sleep(60)
        during = far.data
        assert near.data == b"other way"
        network.heal()
        await asyncio.sleep(1)
        return during, far.data

    assert run(main()) == (b"", b"held")


def test_a_cut_resets_both_ends_and_a_silent_or_refusing_host_cannot_be_dialled():
    async def main() -> None:
        network = SimNetwork(Random(1))
        near, far = await connected(network)
        network.cut("us", "peer")
        await asyncio.sleep(0)
        assert isinstance(near.lost[0], ConnectionResetError)
        assert isinstance(far.lost[0], ConnectionResetError)
        network.silence("us", "peer")
        before = asyncio.get_running_loop().time()
        with pytest.raises(LinkNotReady):
            await network.at("us").dial(Recorder, ADDRESS, 3.0)
        assert asyncio.get_running_loop().time() - before == pytest.approx(3.0)
        network.heal()
        network.refuse("peer")
        with pytest.raises(LinkNotReady, match="refused"):
            await network.at("us").dial(Recorder, ADDRESS, 3.0)

    run(main())


def test_a_peer_that_does_not_read_makes_the_writer_pause():
    async def main() -> tuple[int, int, int]:
        near, far = await connected(SimNetwork(Random(1)))
        far.transport.pause_reading()
        near.transport.write(b"x" * 100_000)
        await asyncio.sleep(1)
        paused = near.paused
        far.transport.resume_reading()
        await asyncio.sleep(1)
        return paused, near.paused, len(far.data)

    assert run(main()) == (1, 0, 100_000)


def test_streams_work_on_it():
    async def main() -> bytes:
        network = SimNetwork(Random(1))

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data.upper())
                await writer.drain()

        network.serve_streams("peer", 1, echo)
        near = Recorder()
        await network.at("us").dial(lambda: near, ADDRESS, 1.0)
        near.transport.write(b"hello")
        await asyncio.sleep(1)
        near.transport.close()
        await asyncio.sleep(1)
        return near.data

    assert run(main()) == b"HELLO"


# --- who reaches whom


def sites(seed: int = 1) -> Reach:
    """Two datacentres of two hosts each, and an office."""
    reach = Reach(Random(seed))
    for host, site in (("a1", "east"), ("a2", "east"), ("b1", "west"), ("b2", "west"), ("desk", "office")):
        reach.place(host, site)
    return reach


HOSTS = ("a1", "a2", "b1", "b2", "desk")


def closed(reach: Reach) -> set[tuple[str, str]]:
    return {(one, other) for one in HOSTS for other in HOSTS if reach.is_silent(one, other)}


def test_a_partition_of_two_sites_closes_both_ways_between_them_and_nothing_within():
    reach = sites()
    trouble = reach.silence("east", "west")
    between = {(a, b) for a in ("a1", "a2") for b in ("b1", "b2")}
    assert closed(reach) == between | {(b, a) for a, b in between}
    assert reach.are_apart("a1", "b1")
    trouble.end()
    trouble.end()
    assert closed(reach) == set()


def test_a_partition_may_be_one_way_or_between_a_single_pair():
    reach = sites()
    reach.silence("a1", "west", both_ways=False)
    assert closed(reach) == {("a1", "b1"), ("a1", "b2")}
    reach.heal()
    reach.silence("a2", "b1")
    assert closed(reach) == {("a2", "b1"), ("b1", "a2")}


def test_a_host_or_a_site_that_is_cut_off_from_everywhere_still_reaches_itself():
    reach = sites()
    one = reach.silence("a1", EVERYWHERE)
    assert closed(reach) == {("a1", other) for other in HOSTS[1:]} | {(other, "a1") for other in HOSTS[1:]}
    one.end()
    reach.silence("east", EVERYWHERE)
    outside = {(a, b) for a in ("a1", "a2") for b in ("b1", "b2", "desk")}
    assert closed(reach) == outside | {(b, a) for a, b in outside}


def test_troubles_overlap_and_each_ends_by_itself():
    reach = sites()
    told: list[int] = []
    reach.changed.append(lambda: told.append(len(closed(reach))))
    first, second = reach.silence("east", "west"), reach.silence("a1", "b1")
    first.end()
    second.end()
    assert told == [8, 8, 2, 0]


def test_a_distance_between_sites_a_slow_way_and_stalls_add_up():
    reach = sites()
    assert reach.delay_s("a1", "a2") <= DELAY_S[1]
    assert DISTANCE_S[0] < reach.delay_s("a1", "b1") <= DELAY_S[1] + DISTANCE_S[1]
    reach.slow("east", "west", Delay(extra_s=(0.5, 0.6)))
    assert 0.5 < reach.delay_s("b1", "a1") < 0.7
    assert reach.delay_s("a1", "desk") < 0.1
    reach.heal()
    reach.slow("a1", "a2", Delay(stall_share=0.5, stall_s=(1.0, 2.0)))
    delays = [reach.delay_s("a1", "a2") for _ in range(100)]
    assert 20 < sum(delay > 1.0 for delay in delays) < 80


def test_what_follows_a_stalled_packet_waits_behind_it():
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        network = SimNetwork(Random(1))
        near, far = await connected(network)
        trouble = network.slow("us", "peer", Delay(stall_share=1.0, stall_s=(2.0, 2.0)))
        near.transport.write(b"stalled")
        trouble.end()
        near.transport.write(b"behind")
        seen = []
        while far.data != b"stalledbehind":
            await asyncio.sleep(0.5)
            seen.append(loop.time())
            assert far.data in {b"", b"stalledbehind"}
        return seen

    assert 2.0 <= run(main())[-1] <= 3.0


def test_a_cut_between_sites_resets_the_connections_between_them_only():
    async def main() -> tuple[list[Exception | None], list[Exception | None]]:
        network = SimNetwork(Random(1))
        network.reach.place("us", "east")
        network.reach.place("peer", "west")
        near, _ = await connected(network)
        network.listen("us", 2, Recorder)
        inside = Recorder()
        await network.at("us").dial(lambda: inside, Address(host="us", port=2), 1.0)
        network.cut("west", "east")
        await asyncio.sleep(0.1)
        return near.lost, inside.lost

    near_lost, inside_lost = run(main())
    assert isinstance(near_lost[0], ConnectionResetError)
    assert inside_lost == []


def test_a_way_that_is_slower_than_the_limit_cannot_be_dialled():
    async def main() -> float:
        network = SimNetwork(Random(1))
        network.listen("peer", 1, Recorder)
        network.slow("us", "peer", Delay(extra_s=(2.0, 2.0)))
        with pytest.raises(LinkNotReady, match="did not answer"):
            await network.at("us").dial(Recorder, ADDRESS, 3.0)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(3.0)
