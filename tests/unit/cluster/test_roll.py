"""What a watch has told, typed: who is registered, whom each would ask, who has ended, which datacentre is active."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.cluster.activation import Active
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.roll import Departed, Registered, Roll
from unified_agent.cluster.stores.base import Changes, Entry, Removed, Revision, Snapshot
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import ACTIVE_KEY, CLUSTER_PREFIX, Ended, ended_key, instance_key, listing_key
from unified_agent.cluster.values import Node, write_value
from unified_agent.domain.ids import InstanceId

A1, A2, W1 = InstanceId("a1"), InstanceId("a2"), InstanceId("w1")


def node(name: InstanceId, stage: Stage = Stage.READY) -> Node:
    return Node(process="p", url=f"http://{name}", peer_address=f"{name}:7000", version="1", capacity=10, stage=stage)


def entry(key: str, value: Struct | bytes, created: int, revision: int = 0) -> Entry:
    data = value if isinstance(value, bytes) else write_value(value)
    return Entry(key=key, value=data, created=Revision(created), revision=Revision(revision or created))


def here(
    name: InstanceId, created: int, revision: int = 0, stage: Stage = Stage.READY, datacentre: str = "east"
) -> Entry:
    return entry(instance_key(datacentre, name), node(name, stage), created, revision)


def snapshot(revision: int, *entries: Entry) -> Snapshot:
    return Snapshot(prefix=CLUSTER_PREFIX, revision=Revision(revision), entries={each.key: each for each in entries})


def changes(revision: int, *events: Entry | Removed) -> Changes:
    return Changes(revision=Revision(revision), events=events)


def roll(*entries: Entry, revision: int = 10) -> Roll:
    made = Roll()
    made.take(snapshot(revision, *entries))
    return made


def test_before_it_is_read_nothing_follows_from_an_absence():
    empty = Roll()
    assert not empty.is_complete
    assert tuple(empty.registered()) == ()
    empty.take(snapshot(1))
    assert empty.is_complete


def test_those_registered_are_told_in_the_order_of_their_keys_with_their_incarnations():
    read = roll(here(W1, 5, datacentre="west"), here(A2, 4, 9), here(A1, 3))
    assert tuple(read.registered()) == (
        Registered(instance=A1, datacentre="east", incarnation=3, revision=3, node=node(A1)),
        Registered(instance=A2, datacentre="east", incarnation=4, revision=9, node=node(A2)),
        Registered(instance=W1, datacentre="west", incarnation=5, revision=5, node=node(W1)),
    )
    assert read.find("west", W1) is not None
    assert read.find("east", W1) is None
    assert read.revision == 10


def test_a_key_that_changes_is_the_same_incarnation():
    read = roll(here(A1, 3))
    assert read.take(changes(11, here(A1, 3, 11, Stage.DRAINING))) == ()
    found = read.find("east", A1)
    assert found is not None
    assert (found.incarnation, found.revision, found.node.stage) == (3, 11, Stage.DRAINING)


def test_a_key_that_goes_ends_its_incarnation():
    read = roll(here(A1, 3))
    gone = changes(11, Removed(key=instance_key("east", A1), revision=Revision(11)))
    assert read.take(gone) == (Departed(A1, "east", 3),)
    assert read.take(gone) == (), "it is told once"
    assert tuple(read.registered()) == ()


def test_a_key_that_was_made_anew_ends_the_one_before_though_nobody_saw_it_go():
    read = roll(here(A1, 3), here(A2, 4))
    assert read.take(snapshot(20, here(A1, 12), here(A2, 4))) == (Departed(A1, "east", 3),)
    found = read.find("east", A1)
    assert found is not None
    assert found.incarnation == 12


def test_a_fresh_snapshot_tells_every_leave_that_a_watch_would_have_told():
    read = roll(here(A1, 3), here(A2, 4))
    assert read.take(snapshot(20)) == (Departed(A1, "east", 3), Departed(A2, "east", 4))


def test_listings_proofs_and_the_active_datacentre_are_read_with_their_revisions():
    active = Active(datacentre="east", epoch=2, reason="first start", by=A1)
    read = roll(
        entry(listing_key("east", A1), Listing(3, (A2,)), 6),
        entry(listing_key("west", W1), Listing(5, (A1, A2)), 7),
        entry(ended_key("east", A2), Ended(4), 8),
        entry(ACTIVE_KEY, active, 2, 9),
    )
    assert read.listing("east", A1) == (Listing(3, (A2,)), 6)
    assert tuple(read.listings("west")) == ((W1, Listing(5, (A1, A2))),)
    assert read.ended("east", A2) == 4
    assert read.active() == (active, 9)


def test_others_serve_when_the_record_names_another_datacentre_and_is_not_handed_over():
    active = Active(datacentre="east", epoch=2, reason="first start", by=A1)
    read = roll(entry(ACTIVE_KEY, active, 2, 9))
    assert (read.others_serve("west"), read.others_serve("east")) == (True, False)
    read = roll(entry(ACTIVE_KEY, replace(active, handed_to="west"), 2, 9))
    assert (read.others_serve("west"), roll().others_serve("west")) == (False, False)


def test_what_is_not_there_is_said_not_to_be():
    read = roll()
    assert read.listing("east", A1) == (None, 0)
    assert (read.ended("east", A1), read.active(), tuple(read.listings("west"))) == (0, (None, 0), ())


def test_one_value_that_cannot_be_read_is_not_there_and_harms_no_other():
    read = roll(
        entry(instance_key("east", A1), b"nonsense", 3),
        entry(listing_key("east", A1), b"nonsense", 6),
        entry(ACTIVE_KEY, b"nonsense", 2, 9),
        here(A2, 4),
    )
    assert [each.instance for each in read.registered()] == [A2]
    assert read.listing("east", A1) == (None, 6), "its revision stands, for a transaction that replaces it"
    assert read.active() == (None, 9)
    read.take(changes(12, here(A1, 3, 12)))
    assert [each.instance for each in read.registered()] == [A1, A2]


def test_a_value_that_became_unreadable_is_not_believed_any_more():
    read = roll(entry(listing_key("east", A1), Listing(3, (A2,)), 6), here(A2, 4))
    read.take(
        changes(
            12,
            entry(listing_key("east", A1), b"nonsense", 6, 12),
            entry(instance_key("east", A2), b"nonsense", 4, 12),
        )
    )
    assert read.listing("east", A1) == (None, 12)
    assert tuple(read.registered()) == ()


def test_keys_of_a_later_version_are_passed_over():
    read = roll(entry("cluster/weather/east", b"{}", 3), here(A2, 4))
    assert [each.instance for each in read.registered()] == [A2]


def test_old_news_changes_nothing():
    read = roll(here(A1, 3), revision=10)
    assert read.take(changes(9, Removed(key=instance_key("east", A1), revision=Revision(9)))) == ()
    assert read.find("east", A1) is not None


def test_news_of_other_things_leave_those_registered_as_they_were_put_together():
    read = roll(here(A1, 3), here(A2, 4))
    before = read.registered()
    read.take(changes(11, entry(listing_key("east", A2), Listing(4, (A1,)), 11)))
    assert read.registered() is before
