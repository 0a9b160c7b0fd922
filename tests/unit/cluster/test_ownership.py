"""Who may claim an agent and a station: every way a record may stand, for every wish."""

from __future__ import annotations

import msgspec
import pytest

from unified_agent.cluster import ownership
from unified_agent.cluster.ownership import (
    NEVER,
    AskOwner,
    Claim,
    Claimer,
    Holding,
    OwnerView,
    Record,
    Refusal,
    Refuse,
    Request,
    Seen,
    Wait,
    decide_claim,
)
from unified_agent.cluster.transactions import CreatedAt, ModifiedAt, NotCreatedAt
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish

ME, OTHER = InstanceId("a1"), InstanceId("a2")
AGENT, OTHER_AGENT = AgentId("100"), AgentId("200")
STATION, OTHER_STATION = StationId("7000"), StationId("7001")
SESSION, LATER = SessionId("s1"), SessionId("s2")
NOW_S = 1000.0
CLAIMER = Claimer(
    instance=ME,
    datacentre="east",
    incarnation=40,
    may_act=True,
    view_is_fresh=True,
    serves=True,
    epoch=3,
    active_revision=50,
)
OWN = (
    CreatedAt("cluster/node/east/a1", 40),
    ModifiedAt("cluster/active", 50),
    ModifiedAt("agent/100", 61),
    ModifiedAt("station/7000", 62),
)
HELD = Record(
    agent=AGENT, station=STATION, owner=OTHER, datacentre="east", incarnation=30, term=7, epoch=3, session=SESSION
)
LIVES = OwnerView(is_live=True)
GONE = OwnerView(is_live=False, listing=frozenset({ME}), listing_revision=55)
ENDED = NotCreatedAt("cluster/node/east/a2", 30)
LISTING = ModifiedAt("cluster/listing/east/a2", 55)


def changed(struct, **changes):
    return msgspec.structs.replace(struct, **changes)


def decide(agent=HELD, station=HELD, *, owner=LIVES, wish=Wish.RESUME, claimer=CLAIMER, former=NEVER, **request):
    return decide_claim(
        Request(wish=wish, agent=AGENT, station=STATION, **{"session": SESSION, **request}),
        Seen(agent, 61) if agent else NEVER,
        Seen(station, 62) if station else NEVER,
        {(OTHER, 30): owner},
        claimer,
        NOW_S,
        former_station=former,
    )


@pytest.mark.parametrize("wish", Wish)
def test_what_nobody_ever_had_is_claimed_in_term_one(wish):
    said = decide(None, None, wish=wish)
    assert isinstance(said, Claim)
    assert said.term == 1
    assert said.transaction.conditions == (*OWN[:2], ModifiedAt("agent/100", 0), ModifiedAt("station/7000", 0))
    record = said.transaction.writes[0].value
    assert record == changed(HELD, owner=ME, incarnation=40, term=1)
    assert [write.key for write in said.transaction.writes] == ["agent/100", "station/7000"]
    assert said.transaction.writes[1].value == record


@pytest.mark.parametrize(("agent_term", "station_term", "term"), [(7, 7, 8), (2, 9, 10), (9, 2, 10)])
def test_a_term_is_above_both_it_follows(agent_term, station_term, term):
    said = decide(changed(HELD, owner=None, term=agent_term), changed(HELD, owner=None, term=station_term))
    assert isinstance(said, Claim)
    assert said.term == term
    assert said.transaction.conditions == OWN


#: (wish, term in the ticket) → what a live owner's agent gets.
LIVING = {
    (Wish.LOGIN, 0): AskOwner,
    (Wish.LOGIN, 7): AskOwner,
    (Wish.RESUME, 7): AskOwner,
    (Wish.RESUME, 8): AskOwner,
    (Wish.RESUME, 6): AskOwner,  # the same session, whose desktop has missed a ticket
    (Wish.SPREAD, 0): Refusal.OWNER_LIVES,
    (Wish.SPREAD, 7): Refusal.OWNER_LIVES,
}


@pytest.mark.parametrize(("wish", "ticket_term"), LIVING)
def test_nothing_is_taken_from_the_living(wish, ticket_term):
    said = decide(wish=wish, ticket_term=ticket_term)
    expected = LIVING[wish, ticket_term]
    if expected is AskOwner:
        assert said == AskOwner(OTHER, "a2 serves agent 100 in term 7")
    else:
        assert isinstance(said, Refuse)
        assert said.code is expected


def test_of_a_login_that_was_granted_nothing_an_owner_that_lives_knows_whether_it_is_overtaken():
    assert isinstance(decide(owner=LIVES, session=LATER, ticket_term=0), AskOwner)
    assert isinstance(decide(owner=GONE, session=LATER, ticket_term=0), Claim)


@pytest.mark.parametrize("owner", [LIVES, GONE, changed(GONE, is_proven_ended=True)])
def test_a_desktop_after_whose_session_another_has_begun_is_overtaken(owner):
    said = decide(owner=owner, session=LATER, ticket_term=6)
    assert isinstance(said, Refuse)
    assert said.code is Refusal.TAKEN_OVER
    assert not isinstance(decide(owner=owner, session=LATER, ticket_term=7), Refuse), (
        "its ticket is as new as the record"
    )
    assert not isinstance(decide(owner=owner, session=SESSION, ticket_term=0), Refuse), "it is the same session"


def test_an_owner_of_whom_nothing_is_known_counts_as_living():
    said = decide_claim(
        Request(wish=Wish.LOGIN, agent=AGENT, station=STATION), Seen(HELD, 61), Seen(HELD, 62), {}, CLAIMER, NOW_S
    )
    assert isinstance(said, AskOwner)


@pytest.mark.parametrize("wish", Wish)
def test_from_the_dead_it_is_taken_on_the_proof_of_their_end(wish):
    said = decide(owner=GONE, wish=wish)
    assert isinstance(said, Claim)
    assert said.term == 8
    assert said.transaction.conditions == (*OWN, ENDED, LISTING)


@pytest.mark.parametrize(
    ("owner", "request_more", "conditions"),
    [
        (changed(GONE, listing=None, listing_revision=0), {}, (ENDED, ModifiedAt("cluster/listing/east/a2", 0))),
        (changed(GONE, listing=frozenset(), is_proven_ended=True), {}, (ENDED,)),
        (changed(GONE, is_proven_ended=True, bound_until_s=2000.0), {}, (ENDED,)),
        (changed(GONE, listing=frozenset()), {"is_ordered": True}, (ENDED,)),
        (changed(GONE, bound_until_s=NOW_S), {}, (ENDED, LISTING)),
    ],
)
def test_a_proof_a_person_or_no_listing_makes_it_simpler(owner, request_more, conditions):
    said = decide(owner=owner, **request_more)
    assert isinstance(said, Claim)
    assert said.transaction.conditions == (*OWN, *conditions)


def test_who_is_not_in_the_owners_listing_is_told_who_is():
    said = decide(owner=changed(GONE, listing=frozenset({InstanceId("b2"), InstanceId("b1")})))
    assert isinstance(said, Refuse)
    assert (said.code, said.ask) == (Refusal.NOT_LISTED, ("b1", "b2"))


def test_who_has_promised_waits():
    assert decide(owner=changed(GONE, bound_until_s=1001.5)) == Wait(1001.5, "a2 was promised that we wait")


def test_a_claim_of_an_earlier_epoch_is_nobodys():
    said = decide(changed(HELD, epoch=2), changed(HELD, epoch=2))
    assert isinstance(said, Claim)
    assert said.term == 8
    assert said.transaction.conditions == OWN


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"serves": False}, Refuse), ({"may_act": False}, Wait), ({"view_is_fresh": False}, Wait)],
)
def test_who_does_not_serve_or_does_not_see_claims_nothing(changes, kind):
    for record in (None, HELD):
        said = decide(record, record, owner=GONE, claimer=changed(CLAIMER, **changes))
        assert isinstance(said, kind)


OURS = changed(HELD, owner=ME, incarnation=40)


def test_what_we_hold_we_hold():
    assert decide(OURS, OURS, held_term=7) == Holding(7)


@pytest.mark.parametrize("held_term", [0, 6])
def test_a_record_that_names_us_is_not_holding_it(held_term):
    said = decide(OURS, OURS, held_term=held_term)
    assert isinstance(said, Claim)
    assert said.term == 8


def test_what_our_earlier_incarnation_had_is_claimed_anew():
    before = changed(HELD, owner=ME, incarnation=20)
    said = decide(before, before, held_term=7)
    assert isinstance(said, Claim)
    assert said.transaction.conditions == OWN


@pytest.mark.parametrize(
    ("station", "owner", "acts_for", "kind"),
    [
        (changed(HELD, agent=OTHER_AGENT), LIVES, (), Refusal.STATION_IN_USE),
        (changed(OURS, agent=OTHER_AGENT), LIVES, (OTHER_AGENT,), Refusal.STATION_IN_USE),
        (changed(OURS, agent=OTHER_AGENT, incarnation=20), LIVES, (OTHER_AGENT,), Refusal.STATION_IN_USE),
        (changed(OURS, agent=OTHER_AGENT), LIVES, (), Claim),
        (changed(HELD, agent=OTHER_AGENT), GONE, (), Claim),
        (changed(HELD, agent=OTHER_AGENT, owner=None), LIVES, (), Claim),
    ],
)
def test_a_station_serves_one_agent_at_a_time(station, owner, acts_for, kind):
    for wish in Wish:
        said = decide(None, station, owner=owner, wish=wish, claimer=changed(CLAIMER, acts_for=frozenset(acts_for)))
        assert (said.code if isinstance(said, Refuse) else type(said)) == kind


SAT_THERE = changed(OURS, station=OTHER_STATION)


@pytest.mark.parametrize(
    ("former", "is_given_up"),
    [
        (Seen(SAT_THERE, 70), True),
        (Seen(changed(SAT_THERE, agent=OTHER_AGENT, term=8), 70), False),
        (Seen(changed(SAT_THERE, owner=None), 70), False),
        (NEVER, False),
    ],
)
def test_the_station_that_an_agent_leaves_is_given_up_in_the_same_step(former, is_given_up):
    said = decide(SAT_THERE, None, former=former)
    assert isinstance(said, Claim)
    written = {write.key: write.value for write in said.transaction.writes}
    assert ("station/7001" in written) is is_given_up
    assert (ModifiedAt("station/7001", 70) in said.transaction.conditions) is is_given_up
    if is_given_up:
        assert written["station/7001"] == changed(SAT_THERE, owner=None)


def test_release_keeps_the_term_and_rests_on_our_incarnation():
    change = ownership.release(OURS, (61, 62), CLAIMER)
    assert change.conditions == (OWN[0], OWN[2], OWN[3])
    assert {write.key: write.value for write in change.writes} == dict.fromkeys(
        ("agent/100", "station/7000"), changed(OURS, owner=None)
    )


def test_only_an_owner_releases():
    with pytest.raises(AssertionError):
        ownership.release(HELD, (61, 62), CLAIMER)


def test_a_claim_of_an_earlier_life_is_wanted_again_under_the_term_that_is_held():
    mine = changed(HELD, owner=ME)
    wanted = ownership.request_anew(mine)
    assert (wanted.agent, wanted.station, wanted.session, wanted.held_term) == (AGENT, STATION, SESSION, 7)
    said = decide_claim(wanted, Seen(mine, 61), Seen(mine, 62), {}, CLAIMER, NOW_S)
    assert isinstance(said, Claim)
    assert said.term == 8


@pytest.mark.parametrize(
    ("changes", "is_anew"),
    [
        ({}, True),
        ({"term": 7}, False),
        ({"incarnation": 41}, False),
        ({"owner": OTHER}, False),
        ({"epoch": 4}, False),
        ({"session": LATER}, False),
    ],
)
def test_a_record_is_known_as_the_claim_that_was_made_anew(changes, is_anew):
    made = changed(HELD, **{"owner": ME, "incarnation": 40, "term": 8, **changes})
    assert ownership.is_anew(made, changed(HELD, owner=ME), CLAIMER) is is_anew
