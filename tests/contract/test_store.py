"""What every store promises, read out to each of them: the in-memory one and a real etcd."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.contract.store_worlds import EtcdWorld, MemoryWorld, World

from unified_agent.cluster.stores.base import (
    ABSENT,
    TRANSACTION_LIMIT,
    VALUE_LIMIT_BYTES,
    Changes,
    Committed,
    Conflict,
    DeleteKey,
    Entry,
    LeaseId,
    Outcome,
    PutValue,
    Removed,
    Revision,
    Snapshot,
    Store,
    Watch,
)
from unified_agent.cluster.stores.view import View
from unified_agent.cluster.transactions import (
    Condition,
    CreatedAt,
    ModifiedAt,
    NoneNewerUnder,
    NoneUnder,
    NotCreatedAt,
)
from unified_agent.errors import LocalProtocolError

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]


@pytest_asyncio.fixture(params=["memory", "etcd"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = MemoryWorld() if request.param == "memory" else EtcdWorld(request.getfixturevalue("etcd"))
    yield world
    await world.close()


@pytest_asyncio.fixture
async def store(world: World) -> Store:
    return world.connect()


def committed(outcome: Outcome) -> Revision:
    assert isinstance(outcome, Committed), outcome
    return outcome.revision


async def put(store: Store, key: str, value: bytes = b"1", lease: LeaseId | None = None) -> Revision:
    return committed(await store.transact([], [PutValue(key, value, lease)]))


async def the_next(watch: Watch) -> Snapshot | Changes:
    async with asyncio.timeout(10):
        return await watch.next()


# --- keys


async def test_a_key_that_was_put_can_be_read_with_its_revision(store: Store) -> None:
    revision = committed(await store.put_if("sess/1", b"one", ABSENT))
    assert await store.get("sess/1") == Entry(key="sess/1", value=b"one", created=revision, revision=revision)
    assert await store.get("sess/2") is None


async def test_a_key_keeps_the_revision_of_its_making_until_it_is_made_again(store: Store) -> None:
    made = committed(await store.put_if("k", b"1", ABSENT))
    changed = committed(await store.put_if("k", b"2", made))
    entry = await store.get("k")
    assert entry is not None
    assert (entry.created, entry.revision) == (made, changed)
    await store.delete_if("k", changed)
    again = await put(store, "k")
    entry = await store.get("k")
    assert entry is not None
    assert made < changed < entry.created == again


async def test_of_two_who_create_a_key_one_is_refused_and_told_what_is_there(world: World) -> None:
    outcomes = await asyncio.gather(
        *(world.connect().put_if("k", str(number).encode(), ABSENT) for number in range(5)),
    )
    won = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Committed)]
    assert len(won) == 1
    for outcome in outcomes:
        if isinstance(outcome, Conflict):
            seen = outcome.seen["k"]
            assert seen is not None
            assert seen.value == str(won[0]).encode()


async def test_a_put_on_an_old_revision_is_refused(store: Store) -> None:
    old = await put(store, "k")
    new = await put(store, "k", b"2")
    assert isinstance(await store.put_if("k", b"3", old), Conflict)
    assert committed(await store.put_if("k", b"3", new)) > new


async def test_a_delete_needs_the_revision_and_tells_when_the_key_is_gone(store: Store) -> None:
    old = await put(store, "k")
    new = await put(store, "k", b"2")
    assert isinstance(await store.delete_if("k", old), Conflict)
    committed(await store.delete_if("k", new))
    assert await store.delete_if("k", new) == Conflict(seen={"k": None})


async def test_what_one_instance_has_confirmed_every_other_reads(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    for number in range(20):
        await put(writer, "k", str(number).encode())
        entry = await reader.get("k")
        assert entry is not None
        assert entry.value == str(number).encode()


async def test_keys_that_are_read_at_the_same_time_are_each_their_own(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    revisions = [await put(writer, f"k{number}", str(number).encode()) for number in range(0, 150, 2)]
    entries = await asyncio.gather(*(reader.get(f"k{number}") for number in range(150)))
    assert [each is None for each in entries] == [number % 2 == 1 for number in range(150)]
    found = [each for each in entries if each is not None]
    assert [(each.key, each.value, each.revision) for each in found] == [
        (f"k{number}", str(number).encode(), revision)
        for number, revision in zip(range(0, 150, 2), revisions, strict=True)
    ]


# --- transactions


async def test_a_transaction_is_made_whole_with_one_revision(store: Store) -> None:
    await put(store, "old")
    revision = committed(await store.transact([], [PutValue("a", b"1"), PutValue("b", b"2"), DeleteKey("old")]))
    snapshot = await store.snapshot("")
    assert snapshot.revision == revision
    assert {key: entry.revision for key, entry in snapshot.entries.items()} == {"a": revision, "b": revision}


async def test_a_transaction_of_which_one_condition_fails_changes_nothing(store: Store) -> None:
    revision = await put(store, "a")
    outcome = await store.transact(
        [ModifiedAt("a", revision), ModifiedAt("b", 999)], [PutValue("a", b"2"), PutValue("b", b"2")]
    )
    assert isinstance(outcome, Conflict)
    assert outcome.seen.keys() == {"a", "b"}
    assert outcome.seen["b"] is None
    snapshot = await store.snapshot("")
    assert {key: entry.value for key, entry in snapshot.entries.items()} == {"a": b"1"}


async def test_conditions_hold_exactly_when_they_say_so(store: Store) -> None:
    made = await put(store, "node/dc1/a")
    changed = await put(store, "node/dc1/a", b"2")
    table: list[tuple[Condition, bool]] = [
        (ModifiedAt("node/dc1/a", changed), True),
        (ModifiedAt("node/dc1/a", made), False),
        (ModifiedAt("node/dc1/a", 0), False),
        (ModifiedAt("gone", 0), True),
        (ModifiedAt("gone", made), False),
        (CreatedAt("node/dc1/a", made), True),
        (CreatedAt("node/dc1/a", changed), False),
        (CreatedAt("gone", made), False),
        (CreatedAt("gone", 0), True),
        (NotCreatedAt("node/dc1/a", made), False),
        (NotCreatedAt("node/dc1/a", changed), True),
        (NotCreatedAt("gone", made), True),
        (NoneUnder("node/dc1/"), False),
        (NoneUnder("node/dc2/"), True),
        (NoneUnder("node/dc1/b"), True),
        (NoneUnder(""), False),
        (NoneNewerUnder("node/dc1/", changed), True),
        (NoneNewerUnder("node/dc1/", changed - 1), False),
        (NoneNewerUnder("node/dc2/", 0), True),
    ]
    for condition, holds in table:
        outcome = await store.transact([condition], [])
        assert isinstance(outcome, Committed if holds else Conflict), condition


async def test_a_claim_is_refused_once_the_claimer_has_died(store: Store) -> None:
    """The claim of a session: my incarnation lives, the old owner's does not, nobody touched the record."""
    mine = await store.grant_lease(5)
    theirs = await store.grant_lease(5)
    me = await put(store, "node/dc1/me", b"", mine.lease)
    they = await put(store, "node/dc1/they", b"", theirs.lease)
    record = await put(store, "sess/4711", b"they")

    def claim() -> list[Condition]:
        return [
            CreatedAt("node/dc1/me", me),
            NotCreatedAt("node/dc1/they", they),
            ModifiedAt("sess/4711", record),
        ]

    assert isinstance(await store.transact(claim(), [PutValue("sess/4711", b"me")]), Conflict)
    await store.revoke(theirs.lease)
    await store.revoke(mine.lease)
    assert isinstance(await store.transact(claim(), [PutValue("sess/4711", b"me")]), Conflict)
    again = await store.grant_lease(5)
    me = await put(store, "node/dc1/me", b"", again.lease)
    committed(await store.transact(claim(), [PutValue("sess/4711", b"me")]))


async def test_a_datacentre_is_activated_only_over_an_empty_other_side(store: Store) -> None:
    lease = await store.grant_lease(5)
    active = await put(store, "dc/active", b"dc1")
    me = await put(store, "node/dc2/me")
    await put(store, "node/dc1/last", b"", lease.lease)
    conditions: list[Condition] = [
        ModifiedAt("dc/active", active),
        NoneUnder("node/dc1/"),
        CreatedAt("node/dc2/me", me),
    ]
    assert isinstance(await store.transact(conditions, [PutValue("dc/active", b"dc2")]), Conflict)
    await store.revoke(lease.lease)
    committed(await store.transact(conditions, [PutValue("dc/active", b"dc2")]))


async def test_removing_what_is_not_there_is_no_change(store: Store) -> None:
    revision = await put(store, "a")
    assert await store.transact([], [DeleteKey("gone")]) == Committed(revision=revision)


async def test_a_full_transaction_is_taken_and_a_longer_one_is_our_own_mistake(store: Store) -> None:
    keys = [f"k{number:03}" for number in range(TRANSACTION_LIMIT)]
    committed(await store.transact([ModifiedAt(key, 0) for key in keys], [PutValue(key, b"") for key in keys]))
    outcome = await store.transact([ModifiedAt(key, 0) for key in keys], [])
    assert isinstance(outcome, Conflict)
    assert list(outcome.seen) == keys
    with pytest.raises(LocalProtocolError):
        await store.transact([], [PutValue(key, b"") for key in [*keys, "more"]])


async def test_a_key_written_twice_and_a_value_too_long_are_our_own_mistakes(store: Store) -> None:
    with pytest.raises(LocalProtocolError):
        await store.transact([], [PutValue("a", b"1"), DeleteKey("a")])
    with pytest.raises(LocalProtocolError):
        await put(store, "a", bytes(VALUE_LIMIT_BYTES + 1))
    with pytest.raises(LocalProtocolError):
        await put(store, "")
    await put(store, "a", bytes(VALUE_LIMIT_BYTES))


# --- leases


async def test_a_key_goes_with_its_lease_and_others_stay(store: Store) -> None:
    lease = await store.grant_lease(5)
    assert lease.ttl_s >= 5
    assert lease.ends_at_s == lease.sent_at_s + lease.ttl_s
    await put(store, "node/dc1/a", b"", lease.lease)
    await put(store, "st/a/1", b"", lease.lease)
    await put(store, "sess/1")
    entry = await store.get("node/dc1/a")
    assert entry is not None
    assert entry.lease == lease.lease
    await store.revoke(lease.lease)
    assert list((await store.snapshot("")).entries) == ["sess/1"]
    await store.revoke(lease.lease)


async def test_a_lease_that_is_not_renewed_ends_and_one_that_is_lives(store: Store) -> None:
    dying, living = await store.grant_lease(1), await store.grant_lease(1)
    await put(store, "dying", b"", dying.lease)
    await put(store, "living", b"", living.lease)
    renewed_at_s = living.sent_at_s
    async with asyncio.timeout(10):
        while await store.get("dying") is not None:
            await asyncio.sleep(0.2)
            renewed = await store.keep_alive(living.lease)
            assert renewed is not None
            assert renewed.ttl_s == living.ttl_s
            assert renewed.sent_at_s > renewed_at_s
            renewed_at_s = renewed.sent_at_s
    assert await store.get("living") is not None
    assert await store.keep_alive(dying.lease) is None


async def test_a_lease_never_ends_before_its_holder_must_have_stopped(store: Store) -> None:
    clock = asyncio.get_running_loop()
    began_s = clock.time()
    lease = await store.grant_lease(1)
    await put(store, "k", b"", lease.lease)
    async with store.watch("") as watch:
        assert isinstance(await the_next(watch), Snapshot)
        told = await the_next(watch)
    assert isinstance(told, Changes)
    assert [event.key for event in told.events] == ["k"]
    assert clock.time() - began_s >= lease.ttl_s


async def test_a_put_on_a_lease_that_ended_is_refused_as_a_value(store: Store) -> None:
    lease = await store.grant_lease(5)
    await store.revoke(lease.lease)
    assert await store.put_if("k", b"", ABSENT, lease.lease) == Conflict(seen={}, lease_ended=True)
    assert await store.get("k") is None


async def test_a_put_without_a_lease_takes_the_key_off_its_lease(store: Store) -> None:
    lease = await store.grant_lease(5)
    await put(store, "k", b"", lease.lease)
    await put(store, "k", b"kept")
    await store.revoke(lease.lease)
    entry = await store.get("k")
    assert entry is not None
    assert entry.lease is None


# --- snapshots


async def test_a_snapshot_of_many_pages_is_of_one_revision(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    keys = [f"sess/{number:03}" for number in range(50)]
    await writer.transact([], [PutValue(key, b"0") for key in keys])
    stop = asyncio.Event()

    async def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await writer.transact([], [PutValue(key, str(number).encode()) for key in keys])

    writing = asyncio.ensure_future(keep_writing())
    try:
        for _ in range(5):
            snapshot = await reader.snapshot("sess/")
            assert list(snapshot.entries) == keys
            assert len({entry.value for entry in snapshot.entries.values()}) == 1, "pages of different revisions"
            await asyncio.sleep(0)
    finally:
        stop.set()
        await writing


async def test_a_snapshot_holds_what_is_below_its_prefix_and_no_neighbour(store: Store) -> None:
    for key in ("node/a", "node/b", "node", "nodes/c", "nodf", "node/é"):
        await put(store, key)
    assert list((await store.snapshot("node/")).entries) == ["node/a", "node/b", "node/é"]
    assert len((await store.snapshot("")).entries) == 6
    assert (await store.snapshot("none/")).entries == {}


# --- watches


async def test_a_watch_begins_with_a_snapshot_and_tells_what_follows(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    before = await put(writer, "sess/1")
    async with reader.watch("sess/") as watch:
        first = await the_next(watch)
        assert isinstance(first, Snapshot)
        assert (first.revision, list(first.entries)) == (before, ["sess/1"])
        await put(writer, "other/1")
        changed = await put(writer, "sess/1", b"2")
        assert await the_next(watch) == Changes(
            revision=changed, events=(Entry(key="sess/1", value=b"2", created=before, revision=changed),)
        )
        gone = committed(await writer.delete_if("sess/1", changed))
        assert await the_next(watch) == Changes(revision=gone, events=(Removed(key="sess/1", revision=gone),))


async def test_a_watch_from_a_revision_tells_everything_since_in_order(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    start = await put(writer, "k", b"0")
    revisions = [await put(writer, "k", str(number).encode()) for number in range(1, 30)]
    told: list[int] = []
    async with reader.watch("", after=start) as watch:
        while len(told) < len(revisions):
            changes = await the_next(watch)
            assert isinstance(changes, Changes)
            told += [event.revision for event in changes.events]
    assert told == revisions


async def test_a_transaction_is_told_whole(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    async with reader.watch("") as watch:
        await the_next(watch)
        await writer.transact([], [PutValue(f"k{number:02}", bytes(5_000)) for number in range(TRANSACTION_LIMIT)])
        changes = await the_next(watch)
        assert isinstance(changes, Changes)
        assert len(changes.events) == TRANSACTION_LIMIT


async def test_the_end_of_a_lease_is_told_as_one_change(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    lease = await writer.grant_lease(5)
    await writer.transact([], [PutValue("a", b"", lease.lease), PutValue("b", b"", lease.lease)])
    async with reader.watch("") as watch:
        await the_next(watch)
        await writer.revoke(lease.lease)
        changes = await the_next(watch)
        assert isinstance(changes, Changes)
        assert sorted(event.key for event in changes.events) == ["a", "b"]
        assert all(isinstance(event, Removed) for event in changes.events)


async def test_a_watch_that_was_cut_short_by_its_reader_loses_nothing(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    async with reader.watch("") as watch:
        await the_next(watch)
        told: list[bytes] = []
        for number in range(20):
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0.001 * (number % 5))
            if waiting.cancel():
                await asyncio.wait({waiting})
            if not waiting.cancelled():
                changes = waiting.result()
                told += [event.value for event in changes.events if isinstance(event, Entry)]  # type: ignore[union-attr]
            await put(writer, "k", str(number).encode())
        while len(told) < 20:
            changes = await the_next(watch)
            assert isinstance(changes, Changes)
            told += [event.value for event in changes.events if isinstance(event, Entry)]
    assert told == [str(number).encode() for number in range(20)]


async def test_a_watch_whose_history_is_gone_takes_a_snapshot_which_tells_what_left(world: World) -> None:
    writer, reader = world.connect(), world.connect()
    view = View()
    start = await put(writer, "stays")
    doomed = await put(writer, "leaves")
    view.apply(await reader.snapshot(""))
    await writer.delete_if("leaves", doomed)
    await put(writer, "comes")
    await world.compact()
    async with reader.watch("", after=start) as watch:
        told = await the_next(watch)
        assert isinstance(told, Snapshot)
        differences = {each.key: each.after is None for each in view.apply(told)}
        assert differences == {"leaves": True, "comes": False}
        last = await put(writer, "later")
        changes = await the_next(watch)
        assert isinstance(changes, Changes)
        assert changes.revision == last


async def test_a_watch_on_something_quiet_still_hears_from_the_store(store: Store) -> None:
    async with store.watch("quiet/") as watch:
        await the_next(watch)
        before_s = watch.heard_at_s
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await watch.next()
        assert watch.heard_at_s > before_s + 0.5


async def test_many_watchers_with_a_busy_writer_all_end_with_the_same_view(world: World) -> None:
    writer = world.connect()
    readers = [world.connect() for _ in range(3)]
    views = [View() for _ in readers]
    final = b"final"

    async def follow(reader: Store, view: View) -> None:
        async with reader.watch("") as watch:
            while (last := view.get("end")) is None or last.value != final:
                view.apply(await the_next(watch))

    following = [asyncio.ensure_future(follow(reader, view)) for reader, view in zip(readers, views, strict=True)]
    for number in range(60):
        await writer.transact([], [PutValue(f"k{number % 7}", str(number).encode()), DeleteKey(f"k{(number + 3) % 7}")])
    await put(writer, "end", final)
    await asyncio.gather(*following)
    truth = (await writer.snapshot("")).entries
    for view in views:
        assert view.entries == truth


async def test_health_says_that_the_store_answers(store: Store) -> None:
    await store.get("k")
    health = store.health()
    assert health.up
    assert health.heard_at_s is not None
    assert health.said
