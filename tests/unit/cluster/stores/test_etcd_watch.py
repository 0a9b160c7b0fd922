"""What a good etcd never sends and an old one did: duplicates, overtaking answers, fragments; and a dumb member."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from grpc.aio import EOF
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import Changes, Revision, Snapshot, StoreRefused, StoreUnavailable
from unified_agent.cluster.stores.etcd_keys import Keys
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.cluster.stores.etcd_watch import EtcdWatch

PREFIX = "/ua/x/"


class FakeStream:
    """One stream: hands out what the member "sends"; then is silent."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.written: list[Any] = []
        self.cancelled = False

    async def write(self, request: Any) -> None:
        self.written.append(request)

    async def read(self) -> Any:
        while not self.answers:  # noqa: ASYNC110 - a list that tests fill, on virtual time
            await asyncio.sleep(3600)
        return self.answers.pop(0)

    def cancel(self) -> None:
        self.cancelled = True


class FakeMember:
    """Stands for Rpc, its lane of watches, the endpoint and the channel."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.streams = [FakeStream(list(script)) for script in scripts]
        self.opened: list[FakeStream] = []
        self.left: list[str] = []
        self.token = ""
        self.watches = self
        self.channel = self
        self.clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 0.0)

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def ready(self, _: float) -> Any:
        return self

    def turn_away(self, _: Any, reason: str) -> None:
        self.left.append(reason)

    def heard(self) -> float:
        return self.clock.now_s()

    def forget_token(self, _: str) -> bool:
        return False

    def stream_stream(self, *_: Any, **__: Any) -> Callable[..., FakeStream]:
        def open_one(**_: Any) -> FakeStream:
            self.opened.append(self.streams.pop(0))
            return self.opened[-1]

        return open_one

    def started_at(self) -> list[int]:
        return [stream.written[0].create_request.start_revision for stream in self.opened]


def answer(*revisions: int, header: int = 0, cluster: int = 1, **fields: Any) -> Any:
    response = pb.WatchResponse(**fields)
    response.header.cluster_id = cluster
    response.header.revision = header
    for revision in revisions:
        event = response.events.add()
        event.kv.key = f"{PREFIX}k{revision}".encode()
        event.kv.mod_revision = event.kv.create_revision = revision
    return response


CREATED = answer(created=True, header=50)


def play(
    scripts: list[list[Any]],
    test: Callable[[EtcdWatch, FakeMember], Awaitable[None]],
    *,
    snapshot: Callable[[], Snapshot] | None = None,
) -> None:
    async def main() -> None:
        member = FakeMember(*scripts)

        async def take_snapshot(prefix: str) -> Snapshot:
            if snapshot is None:
                raise StoreUnavailable("no snapshot in this test")
            return snapshot()

        watch = EtcdWatch(
            prefix="",
            after=Revision(10),
            take_snapshot=take_snapshot,
            rpc=member,  # type: ignore[arg-type]
            keys=Keys(PREFIX),
            settings=EtcdSettings(endpoints=("a:1", "b:1")),
            clock=member.clock,
            chance=random.Random(1),
        )
        await test(watch, member)
        await watch.close()

    run(main())


def revisions_of(told: Snapshot | Changes) -> list[int]:
    assert isinstance(told, Changes)
    return [event.revision for event in told.events]


def test_events_from_before_the_place_to_go_on_are_dropped() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        assert revisions_of(await watch.next()) == [11]
        assert revisions_of(await watch.next()) == [12, 13]
        assert member.started_at() == [11]

    play([[CREATED, answer(9, 10, 11), answer(11), answer(10, 12, 13)]], test)


def test_after_a_cut_it_goes_on_behind_the_last_event_and_not_behind_a_sign_of_life() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        assert revisions_of(await watch.next()) == [11]
        assert revisions_of(await watch.next()) == [12]
        # The sign of life said 40, an event of 12 was still to come.
        assert member.started_at() == [11, 12]
        assert len(member.left) == 1

    play([[CREATED, answer(11), answer(header=40), EOF], [CREATED, answer(12)]], test)


def test_fragments_are_told_only_when_they_are_whole_and_thrown_away_when_they_are_cut() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        assert revisions_of(await watch.next()) == [11, 11, 11]
        assert member.started_at() == [11, 11]

    play(
        [
            [CREATED, answer(11, fragment=True), EOF],
            [CREATED, answer(11, fragment=True), answer(11, fragment=True), answer(11)],
        ],
        test,
    )


def test_a_silent_member_is_asked_for_a_sign_of_life_and_then_left() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        began_s = member.clock.now_s()
        assert revisions_of(await watch.next()) == [11]
        assert 2.5 <= member.clock.now_s() - began_s < 3.7
        first = member.opened[0]
        assert [request.WhichOneof("union") for request in first.written[1:]] == ["progress_request"] * 2
        assert first.cancelled
        assert "silent" in member.left[0]

    play([[CREATED], [CREATED, answer(11)]], test)


def test_a_store_that_was_set_up_anew_is_read_from_the_start() -> None:
    fresh = Snapshot(prefix="", revision=Revision(3), entries={})

    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        assert revisions_of(await watch.next()) == [11]
        assert await watch.next() == fresh
        assert revisions_of(await watch.next()) == [4]
        assert member.started_at() == [11, 12, 4]

    scripts = [[CREATED, answer(11), EOF], [answer(created=True, cluster=2)], [answer(4, cluster=2)]]
    play(scripts, test, snapshot=lambda: fresh)


def test_now_and_then_a_fresh_snapshot_is_taken_and_the_stream_goes_on() -> None:
    fresh = Snapshot(prefix="", revision=Revision(20), entries={})

    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        member.streams[0].answers = [CREATED]
        member.streams[0].read = talkative  # type: ignore[method-assign]
        told = await watch.next()
        assert told == fresh
        assert 300 <= member.clock.now_s() <= 602
        assert len(member.opened) == 1

    async def talkative() -> Any:
        await asyncio.sleep(0.9)
        return answer(header=15)

    play([[]], test, snapshot=lambda: fresh)


def test_a_snapshot_for_safety_that_fails_is_no_failure() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        async def talkative() -> Any:
            await asyncio.sleep(0.9)
            return answer(header=15) if member.clock.now_s() < 700 else answer(11)

        member.streams[0].read = talkative  # type: ignore[method-assign]
        assert revisions_of(await watch.next()) == [11]
        assert len(member.opened) == 1

    play([[]], test)


def test_missing_rights_are_told_and_asking_again_tries_again() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        with pytest.raises(StoreRefused):
            await watch.next()
        assert revisions_of(await watch.next()) == [11]

    refusal = answer(canceled=True, cancel_reason="rpc error: etcdserver: permission denied")
    play([[refusal], [CREATED, answer(11)]], test)


def test_a_reader_that_gives_up_waiting_loses_nothing() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await watch.next()
        member.opened[0].answers.append(answer(11))
        # The fake looks again after an hour; the watchdog leaves it before, and the next stream tells it.
        assert revisions_of(await watch.next()) == [11]

    play([[CREATED], [CREATED, answer(11)]], test)


def test_a_watch_that_etcd_ends_for_want_of_a_leader_goes_elsewhere() -> None:
    async def test(watch: EtcdWatch, member: FakeMember) -> None:
        assert revisions_of(await watch.next()) == [11]
        assert "no leader" in member.left[0]

    play([[answer(canceled=True, cancel_reason="etcdserver: no leader")], [CREATED, answer(11)]], test)
