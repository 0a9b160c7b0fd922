from typing import Any

import pytest
from tests.unit.tools.cluster.told import alone, cluster, instance, me

from unified_agent.server.cluster_ports import (
    ActivationStatus,
    ClusterStatus,
    Decision,
    DrainStatus,
    InstanceState,
    InstanceStatus,
    StoreStatus,
    Verdict,
)
from unified_agent.tools.cluster.advice import advise, is_live, version_of


def only(status: ClusterStatus) -> Any:
    (advice,) = advise(status)
    return advice


def with_second(**changed: Any) -> ClusterStatus:
    """A cluster whose second instance is otherwise; a third keeps it from being the only one."""
    return cluster(me(), instance("ua-2", **changed), instance("ua-3"), instance("wa-1"))


def test_nothing_is_to_be_done_about_a_cluster_that_is_well() -> None:
    assert advise(cluster()) == ()
    assert advise(cluster(instance("ua-1"), instance("ua-2"), datacentres=("east",))) == ()


def test_nothing_is_to_be_done_about_an_instance_that_is_alone() -> None:
    assert advise(alone()) == ()


def test_a_dead_instance_is_named_with_where_to_look() -> None:
    told = only(with_second(state=InstanceState.DOWN, verdict=Verdict.DEAD, verdict_reason="its lease ended"))
    assert told.says == "ua-2 (east) is down: its lease ended"
    assert "journalctl -u unified-agent" in told.do
    assert told.is_urgent


def test_an_instance_that_is_called_dead_is_down_whatever_it_said_last() -> None:
    assert only(with_second(verdict=Verdict.DEAD)).says == "ua-2 (east) is down"


def test_a_silent_instance_is_to_be_waited_for() -> None:
    told = only(with_second(verdict=Verdict.SUSPECT, verdict_reason="silent for 1.4 s"))
    assert told.says == "ua-2 (east) is not heard: silent for 1.4 s"
    assert told.do.startswith("Wait some seconds")


def test_a_fenced_instance_is_told_to_have_stepped_down() -> None:
    told = only(with_second(state=InstanceState.FENCED))
    assert told.says.startswith("ua-2 (east) has stepped down")


def test_an_instance_that_is_behind_is_told_with_both_epochs() -> None:
    assert only(with_second(epoch=3)).says == "ua-2 (east) still knows epoch 3, and 4 is in force"


@pytest.mark.parametrize(
    ("without", "up", "says"),
    [
        ((), False, "ua-1 does not reach the store"),
        (("ua-2",), True, "ua-2 does not reach the store"),
        (("ua-2", "wa-1"), True, "ua-2, wa-1 do not reach the store"),
        (("ua-1", "ua-2", "wa-1"), False, "No instance reaches the store (no leader)"),
    ],
)
def test_a_store_that_one_cannot_reach_is_told_apart_from_one_that_is_down_for_all(
    without: tuple[str, ...], up: bool, says: str
) -> None:
    instances = [
        each if each.id not in without else _without_store(each) for each in (me(), instance("ua-2"), instance("wa-1"))
    ]
    if not up and not without:
        instances[0] = _without_store(instances[0])
    told = only(cluster(*instances, store=StoreStatus(up=up, said="no leader", heard_s=9.0)))
    assert told.says.startswith(says)


def _without_store(each: InstanceStatus) -> InstanceStatus:
    return me(has_store=False) if each.is_me else instance(each.id, has_store=False)


def test_a_link_that_one_lacks_is_told_apart_from_one_that_all_lack() -> None:
    one = only(with_second(links_down=("aes-1",)))
    assert one.says == "The link to aes-1 is down at ua-2 and up at others"
    assert "cluster drain ua-2" in one.do
    every = only(cluster(me(links_down=("aes-1",)), instance("ua-2", links_down=("aes-1",)), instance("wa-1")))
    assert every.says == "The link to aes-1 is down at every instance of east"


def test_links_of_the_passive_side_are_nobodys_concern() -> None:
    assert advise(cluster(me(), instance("ua-2"), instance("wa-1", links_down=("aes-1",)))) == ()


def test_nobody_active_is_urgent_and_comes_with_the_command() -> None:
    stays = ActivationStatus(decision=Decision.STAY, reason="the store has no quorum")
    told = advise(cluster(active="", activation=stays))[0]
    assert told.says == "No datacentre is active, so nobody is served: the store has no quorum"
    assert told.do.endswith("unified-agent cluster activate east --dry-run")


def test_a_handing_over_says_whom_it_waits_for() -> None:
    told = only(cluster(me(sessions=0), instance("ua-2"), instance("wa-1"), active="", handed_to="west"))
    assert told.says == "west is taking over: nobody is served meanwhile; ua-2 still has agents"


def test_a_lost_active_side_is_taken_over_by_itself_only_with_a_witness() -> None:
    gone = (
        instance("ua-1", state=InstanceState.DOWN, verdict=Verdict.DEAD),
        instance("wa-1", is_me=True),
    )
    by_itself = advise(cluster(*gone, datacentre="west"))[0]
    assert "west takes over by itself" in by_itself.says
    by_person = advise(cluster(*gone, datacentre="west", has_witness=False))[0]
    assert by_person.says == "east is active and has no live instance, so nobody is served"
    assert by_person.do.endswith("unified-agent cluster activate west --dry-run")


def test_an_instance_that_stays_in_the_active_side_says_why() -> None:
    stays = ActivationStatus(decision=Decision.STAY, reason="it could not renew its lease")
    told = only(cluster(activation=stays))
    assert told.says == "ua-1 is in the active datacentre and does not serve: it could not renew its lease"


def test_the_last_one_that_takes_agents_is_told_to_be_so() -> None:
    told = only(cluster(me(), instance("wa-1")))
    assert told.says.startswith("ua-1 is the only one that takes agents in east")


@pytest.mark.parametrize(
    ("sessions", "says", "is_urgent"),
    [
        (1_100, "east is nearly full: 2,200 of 2,400 agents", True),
        (700, "If one instance of east is lost, 200 of its agents find no room", False),
    ],
)
def test_room_that_is_short_is_told_before_it_is_needed(sessions: int, says: str, is_urgent: bool) -> None:
    told = only(cluster(me(sessions=sessions), instance("ua-2", sessions=sessions), instance("wa-1")))
    assert (told.says, told.is_urgent) == (says, is_urgent)


def test_versions_that_differ_are_listed_oldest_first() -> None:
    told = only(cluster(me(version="0.10.0"), instance("ua-2", version="0.9.1"), instance("wa-1", version="0.10.0")))
    assert told.says == "Versions differ: ua-2 on 0.9.1; ua-1, wa-1 on 0.10.0"
    assert not told.is_urgent


def test_the_version_of_a_dead_one_does_not_count() -> None:
    told = only(with_second(verdict=Verdict.DEAD, version="0.0.9"))
    assert "Versions" not in told.says


def test_a_drain_that_is_through_says_what_comes_next() -> None:
    drained = DrainStatus(left=0, moved=300, waiting_for_items=0)
    status = cluster(me(), instance("ua-2", state=InstanceState.DRAINING, sessions=0, drain=drained), instance("ua-3"))
    told = only(status)
    assert told.says == "ua-2 is drained and has no agents any more"
    assert told.do.endswith("unified-agent cluster resume ua-2")


def test_what_is_urgent_comes_first() -> None:
    status = cluster(me(version="0.2.0"), instance("ua-2", verdict=Verdict.SUSPECT), instance("ua-3"), instance("wa-1"))
    assert [each.is_urgent for each in advise(status)] == [True, False]


def test_an_instance_that_joins_lives_and_one_that_is_gone_does_not() -> None:
    assert is_live(instance("ua-1", state=InstanceState.JOINING))
    assert not is_live(instance("ua-1", state=InstanceState.DOWN))


def test_versions_are_compared_by_their_numbers() -> None:
    assert version_of("0.10.0") > version_of("0.9.12")
    assert version_of("") == ()
