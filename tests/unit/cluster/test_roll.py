from msgspec import Struct

from unified_agent.cluster.activation import Active
from unified_agent.cluster.roll import Departed, Roll
from unified_agent.cluster.stores.base import Changes, Entry, Removed, Revision, Snapshot
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import ACTIVE_KEY, CLUSTER_PREFIX, Ended, ended_key, instance_key, listing_key
from unified_agent.cluster.values import Node, write_value
from unified_agent.domain.ids import InstanceId

UA_1, UA_2, UA_3 = InstanceId("ua-1"), InstanceId("ua-2"), InstanceId("ua-3")


def entry(key: str, value: Struct | bytes, revision: int, created: int = 0) -> Entry:
    content = value if isinstance(value, bytes) else write_value(value)
    return Entry(key=key, value=content, created=Revision(created or revision), revision=Revision(revision))


def node(name: InstanceId, revision: int, created: int = 0, *, datacentre: str = "dc1", url: str = "") -> Entry:
    value = Node(process="p", url=url or f"http://{name}", peer_address=f"{name}:1", version="1", capacity=10)
    return entry(instance_key(datacentre, name), value, revision, created)


def gone(key: str, revision: int) -> Removed:
    return Removed(key=key, revision=Revision(revision))


def read(*entries: Entry) -> Roll:
    roll = Roll()
    revision = max((each.revision for each in entries), default=Revision(1))
    snapshot = Snapshot(prefix=CLUSTER_PREFIX, revision=revision, entries={each.key: each for each in entries})
    assert roll.take(snapshot) == ()
    return roll


def tell(roll: Roll, *events: Entry | Removed) -> tuple[Departed, ...]:
    return roll.take(Changes(revision=events[-1].revision, events=events))


def names(roll: Roll) -> list[str]:
    return [each.instance for each in roll.registered()]


def test_nobody_is_registered_before_it_was_read_and_nothing_follows_from_that() -> None:
    roll = Roll()
    assert names(roll) == []
    assert not roll.is_complete
    assert read().is_complete


def test_all_that_are_registered_are_told_in_the_order_of_datacentre_and_name() -> None:
    roll = read(node(UA_2, 3), node(UA_1, 4, datacentre="dc2"), node(UA_1, 5))
    assert [(each.datacentre, each.instance) for each in roll.registered()] == [
        ("dc1", UA_1),
        ("dc1", UA_2),
        ("dc2", UA_1),
    ]


def test_the_incarnation_is_the_revision_of_the_making_and_stays_when_the_node_says_something_else() -> None:
    roll = read(node(UA_1, 3))
    assert tell(roll, node(UA_1, 7, created=3, url="http://other")) == ()
    found = roll.find("dc1", UA_1)
    assert found is not None
    assert (found.incarnation, found.revision, found.node.url) == (3, 7, "http://other")
    assert roll.registered() == (found,)


def test_one_that_joins_and_one_that_leaves_are_told_at_once() -> None:
    roll = read(node(UA_1, 3))
    assert tell(roll, node(UA_2, 4), node(UA_3, 5)) == ()
    assert names(roll) == [UA_1, UA_2, UA_3]
    assert tell(roll, gone(instance_key("dc1", UA_2), 6)) == (Departed(UA_2, "dc1", 4),)
    assert names(roll) == [UA_1, UA_3]
    assert roll.find("dc1", UA_2) is None


def test_an_incarnation_that_was_followed_by_another_has_departed() -> None:
    roll = read(node(UA_1, 3))
    again = Snapshot(prefix=CLUSTER_PREFIX, revision=Revision(9), entries={each.key: each for each in [node(UA_1, 8)]})
    assert roll.take(again) == (Departed(UA_1, "dc1", 3),)
    found = roll.find("dc1", UA_1)
    assert found is not None
    assert found.incarnation == 8


def test_listings_of_others_leave_the_roll_of_instances_as_it_is() -> None:
    roll = read(node(UA_1, 3), node(UA_2, 4))
    before = roll.registered()
    tell(roll, entry(listing_key("dc1", UA_2), Listing(4, (UA_1,)), 5))
    assert roll.registered() is before
    assert roll.listing("dc1", UA_2) == (Listing(4, (UA_1,)), 5)
    assert roll.listing("dc1", UA_1) == (None, 0)
    assert list(roll.listings("dc1")) == [(UA_2, Listing(4, (UA_1,)))]
    assert list(roll.listings("dc2")) == []


def test_what_cannot_be_read_counts_as_not_there_and_what_is_unknown_is_passed_over() -> None:
    roll = read(node(UA_1, 3), entry("cluster/later/x", b"?", 4))
    tell(roll, entry(instance_key("dc1", UA_1), b"nonsense", 5, created=3))
    assert names(roll) == []
    assert roll.find("dc1", UA_1) is None
    tell(roll, node(UA_1, 6, created=3))
    assert names(roll) == [UA_1]


def test_proofs_and_the_active_datacentre_are_read() -> None:
    active = Active(datacentre="dc1", epoch=2, reason="", by=UA_1)
    roll = read(entry(ended_key("dc1", UA_1), Ended(7), 8), entry(ACTIVE_KEY, active, 9))
    assert (roll.ended("dc1", UA_1), roll.ended("dc1", UA_2)) == (7, 0)
    assert roll.active() == (active, 9)
    assert roll.revision == 9
    assert read().active() == (None, 0)
