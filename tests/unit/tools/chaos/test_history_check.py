"""Each rule broken on purpose, and what only looks like it."""

from __future__ import annotations

from tests.unit.tools.chaos.stories import Story, station_of

from unified_agent.domain.session_state import Outcome
from unified_agent.tools.chaos.history_check import Kind, check


def begun() -> Story:
    """Two instances of east and one of west; a1 owns agent 5001 in term 1."""
    story = Story()
    for instance, incarnation in (("a1", 11), ("a2", 12), ("b1", 13)):
        story.registered(instance, incarnation)
    for instance in ("a1", "a2"):
        story.serving(instance, "east", 1)
    story.claimed("a1", 1, 11)
    story.deed("a1", 1, 11)
    return story


# --- what is in order


def test_nothing_is_wrong_with_nothing() -> None:
    assert check([]) == []


def test_an_owner_that_acts_and_gives_up_is_in_order_and_so_is_the_next() -> None:
    story = begun()
    story.released("a1", 1)
    story.claimed("a2", 2, 12)
    story.deed("a2", 2, 12)
    assert story.check() == []


def test_a_killed_owner_closes_nothing_and_has_broken_nothing() -> None:
    story = begun()
    story.claimed("a2", 2, 12)
    story.deed("a2", 2, 12)
    story.registered("a1", 40)
    story.released("a2", 2)
    story.claimed("a1", 3, 40)
    story.deed("a1", 3, 40)
    assert story.check() == []


def test_an_owner_that_stepped_down_may_say_so_late() -> None:
    story = begun()
    story.claimed("a2", 2, 12)
    story.stepped_down("a1", 11)
    story.lost("a1", 1)
    assert story.check() == []


def test_a_new_incarnation_may_claim_again_what_it_still_held() -> None:
    story = begun()
    story.registered("a1", 40)
    story.claimed("a1", 2, 40)
    story.deed("a1", 2, 40)
    assert story.check() == []


def test_an_agent_who_moves_to_another_station_is_in_order() -> None:
    story = begun()
    story.claimed("a1", 2, 11, station="2099")
    story.deed("a1", 2, 11, station="2099")
    assert story.check() == []


def test_a_station_that_its_agent_has_left_may_be_claimed_while_the_agent_is_served() -> None:
    story = begun()
    story.claimed("a1", 2, 11, station="2099")
    story.claimed("a2", 3, 12, agent="5002", station=station_of("5001"))
    story.deed("a2", 3, 12, agent="5002", station=station_of("5001"))
    story.deed("a1", 2, 11, station="2099")
    assert story.check() == []


def test_a_datacentre_that_takes_over_claims_in_its_own_epoch() -> None:
    story = begun()
    story.serving("b1", "west", 2)
    story.claimed("b1", 2, 13, epoch=2)
    story.deed("b1", 2, 13)
    story.registered("a1", 40)
    assert story.check() == []


def test_a_datacentre_that_was_handed_over_and_back_acts_under_new_claims() -> None:
    story = begun()
    for instance in ("a1", "a2"):
        story.stood_down(instance, 2)
    story.serving("b1", "west", 3)
    story.claimed("b1", 2, 13, epoch=3)
    story.stood_down("b1", 4)
    story.serving("a1", "east", 5)
    story.claimed("a1", 3, 11, epoch=5)
    story.deed("a1", 3, 11)
    assert story.check() == []


def test_an_instance_alone_acts_without_a_claim() -> None:
    story = Story()
    story.deed("ua-1", 1, 0, command="d-1", what="make-call")
    story.deed("ua-1", 1, 0)
    assert story.check() == []


def test_a_command_may_be_unknown_for_a_while_and_then_be_done() -> None:
    story = begun()
    story.received("a1", "d-1", 1)
    story.tells("d-1", Outcome.ACCEPTED)
    story.deed("a1", 1, 11, command="d-1", what="make-call")
    story.settled("a1", "d-1", Outcome.DONE)
    story.tells("d-1", Outcome.UNKNOWN)
    story.tells("d-1", Outcome.DONE)
    assert story.check() == []


def test_a_command_that_was_accepted_may_be_refused_by_the_switch() -> None:
    story = begun()
    story.tells("d-1", Outcome.ACCEPTED)
    story.settled("a1", "d-1", Outcome.REFUSED)
    story.tells("d-1", Outcome.REFUSED)
    assert story.check() == []


def test_one_command_may_need_several_deeds_of_different_kinds() -> None:
    story = begun()
    story.deed("a1", 1, 11, command="d-1", what="consult")
    story.deed("a1", 1, 11, command="d-1", what="transfer-call")
    assert story.check() == []


# --- two owners


def test_an_owner_that_acts_after_another_has_claimed_is_found() -> None:
    story = begun()
    by = story.claimed("a2", 2, 12)
    late = story.deed("a1", 1, 11)
    found = story.check()
    assert {each.kind for each in found} == {Kind.DOUBLE_OWNER}
    assert (by, late) in [each.proof for each in found]


def test_a_claim_taken_from_one_that_goes_on_with_others_is_found() -> None:
    story = begun()
    held = story.entries[-2]
    story.claimed("a1", 1, 11, agent="5002")
    by = story.claimed("a2", 2, 12)
    later = story.deed("a1", 1, 11, agent="5002")
    assert story.only(Kind.DOUBLE_OWNER).proof == (held, by, later)


def test_a_term_that_does_not_grow_is_found() -> None:
    story = begun()
    story.released("a1", 1)
    again = story.claimed("a2", 1, 12)
    found = story.check()
    assert {each.kind for each in found} == {Kind.DOUBLE_OWNER}
    assert found[0].proof[-1] == again


def test_two_that_act_in_one_term_are_found() -> None:
    story = begun()
    story.deed("a1", 4, 11)
    story.deed("a2", 4, 12)
    kinds = [each.kind for each in story.check()]
    assert Kind.DOUBLE_OWNER in kinds


def test_two_incarnations_of_one_instance_in_one_term_are_found() -> None:
    story = begun()
    story.registered("a1", 40)
    story.deed("a1", 1, 40)
    assert Kind.DOUBLE_OWNER in [each.kind for each in story.check()]


def test_two_agents_at_one_station_are_found() -> None:
    story = begun()
    story.claimed("a2", 2, 12, agent="5002", station="2001")
    story.deed("a2", 2, 12, agent="5002", station="2001")
    assert story.check() == []  # a1 may have been killed
    story.deed("a1", 1, 11)
    found = story.check()
    assert {each.kind for each in found} == {Kind.DOUBLE_OWNER}
    assert any("station 2001" in each.sentence for each in found)


def test_two_agents_of_one_instance_at_one_station_are_found() -> None:
    story = begun()
    story.claimed("a1", 2, 11, agent="5002", station="2001")
    story.deed("a1", 1, 11)
    assert story.only(Kind.DOUBLE_OWNER).sentence == (
        "a1 acted for station 2001 in term 1, after a1 had it in term 2"
    )  # fmt: skip


# --- deeds without a claim


def test_a_deed_without_a_claim_is_found() -> None:
    story = begun()
    deed = story.deed("a2", 1, 12, agent="5002")
    assert story.only(Kind.ACTED_UNCLAIMED).proof == (deed,)


def test_a_deed_after_the_release_is_found() -> None:
    story = begun()
    story.released("a1", 1)
    story.deed("a1", 1, 11)
    assert "on whom it had no claim" in story.only(Kind.ACTED_UNCLAIMED).sentence


def test_a_deed_after_the_claim_was_lost_is_found() -> None:
    story = begun()
    story.lost("a1", 1)
    story.deed("a1", 1, 11)
    story.only(Kind.ACTED_UNCLAIMED)


def test_a_deed_after_stepping_down_is_found_with_both_entries() -> None:
    story = begun()
    stop = story.stepped_down("a1", 11)
    deed = story.deed("a1", 1, 11)
    assert story.only(Kind.ACTED_UNCLAIMED).proof == (stop, deed)


def test_a_claim_after_the_end_is_found() -> None:
    story = begun()
    end = story.ended("a1", 11)
    claim = story.claimed("a1", 2, 11)
    assert story.only(Kind.ACTED_UNCLAIMED).proof == (end, claim)


def test_a_deed_after_standing_down_is_found() -> None:
    story = begun()
    story.stood_down("a1", 2)
    story.deed("a1", 1, 11)
    story.only(Kind.ACTED_UNCLAIMED)


def test_a_deed_at_another_station_than_was_claimed_is_found() -> None:
    story = begun()
    story.deed("a1", 1, 11, station="2099")
    story.only(Kind.ACTED_UNCLAIMED)


def test_a_release_of_an_earlier_term_closes_nothing() -> None:
    story = begun()
    story.claimed("a1", 2, 11)
    story.released("a1", 1)
    story.deed("a1", 2, 11)
    assert story.check() == []


# --- two datacentres


def test_one_epoch_served_by_two_datacentres_is_found() -> None:
    story = begun()
    first = story.entries[3]
    second = story.serving("b1", "west", 1)
    assert story.only(Kind.TWO_DATACENTRES).proof == (first, second)


def test_an_epoch_that_the_other_side_has_passed_is_found() -> None:
    story = begun()
    later = story.serving("b1", "west", 3)
    stale = story.serving("a2", "east", 2)
    assert story.only(Kind.TWO_DATACENTRES).proof == (later, stale)


def test_a_datacentre_that_acts_after_the_other_serves_is_found() -> None:
    story = begun()
    later = story.serving("b1", "west", 2)
    deed = story.deed("a1", 1, 11)
    assert story.only(Kind.TWO_DATACENTRES).proof == (later, deed)


def test_a_datacentre_that_claims_after_the_other_serves_is_found() -> None:
    story = begun()
    story.serving("b1", "west", 2)
    story.claimed("a2", 1, 12, agent="5002", epoch=1)
    story.only(Kind.TWO_DATACENTRES)


# --- commands


def test_a_command_performed_by_two_instances_is_found() -> None:
    story = begun()
    first = story.deed("a1", 1, 11, command="d-1", what="make-call")
    story.claimed("a2", 2, 12)
    second = story.deed("a2", 2, 12, command="d-1", what="make-call")
    assert story.only(Kind.REPEATED_COMMAND).proof == (first, second)


def test_a_command_that_was_done_and_then_refused_is_found() -> None:
    story = begun()
    done = story.tells("d-1", Outcome.DONE)
    refused = story.tells("d-1", Outcome.REFUSED)
    assert story.only(Kind.LOST_ACKNOWLEDGEMENT).proof == (done, refused)


def test_a_command_that_one_instance_performed_may_be_refused_by_another_if_nobody_heard_that_it_was_done() -> None:
    story = begun()
    story.deed("a1", 1, 11, command="d-1", what="take-items")
    story.settled("a1", "d-1", Outcome.DONE)
    story.claimed("a2", 2, 12)
    story.settled("a2", "d-1", Outcome.REFUSED)
    story.tells("d-1", Outcome.REFUSED)
    assert story.check() == []


def test_a_command_that_one_instance_settled_and_another_refuses_is_found_where_no_desktop_was_asked() -> None:
    story = begun()
    done = story.settled("a1", "d-1", Outcome.DONE)
    story.claimed("a2", 2, 12)
    refused = story.settled("a2", "d-1", Outcome.REFUSED)
    assert story.only(Kind.LOST_ACKNOWLEDGEMENT).proof == (done, refused)


def test_a_command_that_was_refused_and_then_done_is_found() -> None:
    story = begun()
    story.tells("d-1", Outcome.REFUSED)
    story.settled("a1", "d-1", Outcome.DONE)
    assert story.only(Kind.LOST_ACKNOWLEDGEMENT).sentence == "command d-1 was refused, then done"


def test_a_command_that_was_accepted_and_is_not_known_any_more_is_found() -> None:
    story = begun()
    accepted = story.tells("d-1", Outcome.ACCEPTED)
    gone = story.tells("d-1", None)
    assert story.only(Kind.LOST_ACKNOWLEDGEMENT).proof == (accepted, gone)


def test_a_command_that_is_not_known_at_first_but_is_found_again_is_in_order() -> None:
    story = begun()
    story.tells("d-1", Outcome.ACCEPTED)
    story.tells("d-1", None)
    story.tells("d-1", Outcome.DONE)
    assert story.check() == []


def test_a_desktop_left_not_knowing_of_what_was_done_is_found() -> None:
    story = begun()
    done = story.settled("a1", "d-1", Outcome.DONE)
    unknown = story.tells("d-1", Outcome.UNKNOWN)
    assert story.only(Kind.LOST_ACKNOWLEDGEMENT).proof == (done, unknown)


def test_entries_are_looked_at_in_the_order_of_time_whoever_recorded_them() -> None:
    story = begun()
    story.claimed("a2", 2, 12)
    story.deed("a1", 1, 11)
    by_instance = sorted(story.entries, key=lambda entry: entry.instance)
    assert check(by_instance) == check(story.entries) != []
