import pytest
from tests.unit.tools.cluster.told import URL, cluster, instance, me, plan

from unified_agent.server.cluster_ports import ClusterStatus, DrainStatus, InstanceState, Kind, Verdict
from unified_agent.tools.cluster.course import follow_activation, follow_drain, write_plan


def draining(left: int, moved: int = 0, waiting: int = 0) -> ClusterStatus:
    drain = DrainStatus(left=left, moved=moved, waiting_for_items=waiting)
    return cluster(me(), instance("ua-2", state=InstanceState.DRAINING, drain=drain))


def test_a_drain_is_told_until_nobody_is_left() -> None:
    step = follow_drain(draining(120, 180, 3), "ua-2", has_begun=True)
    assert step.says == "ua-2: 120 left, 3 of them with a dialler's record open; 180 moved"
    assert not step.is_over
    over = follow_drain(draining(0, 300), "ua-2", has_begun=True)
    assert (over.says, over.is_over, over.has_failed) == ("ua-2 has no agents any more", True, False)
    assert over.then.endswith("unified-agent cluster resume ua-2")


def test_a_drain_that_has_nowhere_to_go_says_so() -> None:
    drain = DrainStatus(left=2, moved=0, waiting_for_items=0)
    draining_too = me(state=InstanceState.DRAINING)
    status = cluster(draining_too, instance("ua-2", state=InstanceState.DRAINING, drain=drain), instance("wa-1"))
    assert follow_drain(status, "ua-2", has_begun=True).says == "ua-2: 2 left; 0 moved; no other instance takes agents"


def test_without_the_counts_of_a_drain_its_agents_are_counted() -> None:
    one = instance("ua-2", state=InstanceState.DRAINING, sessions=7)
    assert follow_drain(cluster(me(), one), "ua-2", has_begun=True).says == "ua-2: 7 left"


def test_an_instance_that_has_only_been_told_is_waited_for() -> None:
    step = follow_drain(cluster(), "ua-2", has_begun=False)
    assert (step.says, step.is_over) == ("ua-2 has been told", False)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (cluster(), "somebody had ua-2 take agents again"),
        (cluster(me()), "ua-2 is no longer known: it was stopped"),
        (
            cluster(me(), instance("ua-2", state=InstanceState.DOWN, verdict_reason="its lease ended")),
            "ua-2 is down: its lease ended",
        ),
        (cluster(me(), instance("ua-2", state=InstanceState.DRAINING, verdict=Verdict.DEAD)), "ua-2 is down"),
    ],
)
def test_a_drain_that_somebody_or_something_ended_has_failed(status: ClusterStatus, says: str) -> None:
    step = follow_drain(status, "ua-2", has_begun=True)
    assert (step.says, step.is_over, step.has_failed) == (says, True, True)
    assert step.then


def test_a_switch_is_told_until_the_other_side_is_active() -> None:
    ordered = follow_activation(cluster(), "west")
    assert (ordered.says, ordered.is_over) == ("east is active; west has the order", False)
    handed = cluster(me(sessions=0), instance("ua-2"), active="", handed_to="west", epoch=5)
    assert follow_activation(handed, "west").says == "west is taking over (epoch 5); ua-2 still has agents"
    idle = cluster(me(sessions=0), active="", handed_to="west", epoch=5)
    assert follow_activation(idle, "west").says == "west is taking over (epoch 5)"
    over = follow_activation(cluster(active="west", epoch=6), "west")
    assert (over.says, over.is_over, over.has_failed) == ("west is active in epoch 6", True, False)


def test_an_order_where_none_is_active_is_waited_for() -> None:
    assert follow_activation(cluster(active=""), "west").says == "no datacentre is active; west has the order"


def test_a_plan_says_what_would_happen_and_ends_with_the_command() -> None:
    lines = write_plan(plan(), URL)
    assert lines[0] == "east stands down, west takes over."
    assert "Now: east is active, epoch 4. 300 agents would be logged in anew." in lines
    assert "  ua-1  east, ready, 300 agents: closes its sessions and stands down" in lines
    assert lines[-1] == f"  unified-agent cluster activate west --confirm west-4-abcdef01 --url {URL}"


def test_a_plan_that_is_hindered_has_no_command() -> None:
    text = "\n".join(write_plan(plan(hinders=("the store has no quorum", "ua-2 lives")), URL))
    assert "It cannot be ordered now:\n- the store has no quorum\n- ua-2 lives" in text
    assert "--confirm" not in text


def test_a_plan_of_nothing_says_so_and_no_more() -> None:
    nothing = plan(kind=Kind.NOTHING, says="west is active already", confirm="", instances=(), agents=1, active="")
    assert write_plan(nothing, URL) == [
        "west is active already.",
        "",
        "Now: no datacentre is active, epoch 4. 1 agent would be logged in anew.",
    ]
