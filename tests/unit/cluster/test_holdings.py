"""A claim that is held counts only while everything that it rests on is so, at that very moment."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.cluster.holdings import Held, Holdings, Serving
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.ownership import Claimer, Record
from unified_agent.cluster.registration import Place
from unified_agent.cluster.stores.base import LeaseId
from unified_agent.cluster.tenure import Tenure, TenureSettings
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId

ME, OTHER = InstanceId("a1"), InstanceId("b1")
SESSION = SessionId("s1")
EPOCH = 3
#: Two thirds of the lease.
ENDS_S = 4.0


class Standing:
    """What holdings ask of the members."""

    def __init__(self) -> None:
        self.lives = Lives()
        self.fresh = True
        self.place = Place(
            instance=ME,
            datacentre="east",
            other="west",
            process="p",
            url="",
            peer_address="",
            version="1",
            capacity=1,
        )

    def is_fresh(self) -> bool:
        return self.fresh

    def begin(self, incarnation: int) -> Life:
        state = Tenure(settings=TenureSettings(lease_s=6.0), renewed_s=0.0, asked=frozenset({OTHER}))
        life = Life(incarnation=incarnation, lease=LeaseId(incarnation), tenure=state)
        self.lives.begin(life)
        return life


def held(agent: str = "5001", incarnation: int = 7, epoch: int = EPOCH) -> Held:
    record = Record(
        agent=AgentId(agent),
        station=StationId("2001"),
        owner=ME,
        datacentre="east",
        incarnation=incarnation,
        term=2,
        epoch=epoch,
        session=SESSION,
    )
    return Held(record=record, revisions=(9, 9))


def holdings() -> tuple[Holdings, Standing, ManualClock]:
    members, clock = Standing(), ManualClock(0.0)
    return Holdings(cast("Any", members), clock), members, clock


@pytest.mark.parametrize(
    ("is_held", "serves", "same_epoch", "lives", "in_time"), list(itertools.product([True, False], repeat=5))
)
def test_something_may_be_done_only_when_all_of_it_is_so(
    is_held: bool, serves: bool, same_epoch: bool, lives: bool, in_time: bool
):
    these, members, clock = holdings()
    members.begin(7 if lives else 8)
    if is_held:
        these.put(SESSION, held(epoch=EPOCH if same_epoch else EPOCH - 1))
    these.serving = Serving(EPOCH, 5) if serves else None
    clock.advance(ENDS_S - 0.01 if in_time else ENDS_S)
    assert these.may_act(SESSION) is (is_held and serves and same_epoch and lives and in_time)


def test_a_stop_of_the_clock_between_two_deeds_is_seen():
    these, members, clock = holdings()
    members.begin(7)
    these.put(SESSION, held())
    these.serving = Serving(EPOCH, 5)
    assert these.may_act(SESSION)
    clock.advance(3_600)
    assert not these.may_act(SESSION)


def test_what_is_held_is_known_until_it_is_taken():
    these, _, _ = holdings()
    these.put(SESSION, held())
    these.put(SessionId("s2"), held("5002"))
    assert these.get(SESSION) == held()
    assert these.agents() == {"5001", "5002"}
    for session, each in these.items():
        assert these.take(session) is each
    assert these.take(SESSION) is None
    assert (these.get(SESSION), these.agents()) == (None, frozenset())


def test_who_claims_is_said_as_it_is_now():
    these, members, clock = holdings()
    assert these.claimer() is None
    life = members.begin(7)
    these.put(SESSION, held())
    these.serving = Serving(EPOCH, 5)
    sound = Claimer(
        instance=ME,
        datacentre="east",
        incarnation=7,
        may_act=True,
        view_is_fresh=True,
        serves=True,
        epoch=EPOCH,
        active_revision=5,
        acts_for=frozenset({AgentId("5001")}),
    )
    assert these.claimer() == sound
    clock.advance(ENDS_S)
    members.fresh = False
    these.serving = None
    claimer = these.claimer()
    assert claimer is not None
    assert (claimer.may_act, claimer.view_is_fresh, claimer.serves, claimer.epoch) == (False, False, False, 0)
    life.lease = None
    assert these.claimer() is None, "without a lease nothing new is claimed"


def test_a_release_is_made_in_the_incarnation_that_claimed_or_not_at_all():
    these, members, _ = holdings()
    members.begin(7)
    assert these.claimer(of=7) is not None
    assert these.claimer(of=6) is None
    members.begin(8)
    assert these.claimer(of=7) is None
