"""One loss, measured."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from tests.unit.tools.load.fakes import FakeCrowd, FakeWorld, at_switch, lost
from tests.unit.tools.load.views import NAME, call, diallers, on_call, seat, switch, view

from unified_agent.domain.states import Side
from unified_agent.tools.load import recovery
from unified_agent.tools.load.recovery import LossWatch, become_truthful, measure
from unified_agent.tools.load.scenarios import SCENARIOS
from unified_agent.tools.load.world import Truths

pytestmark = pytest.mark.asyncio

AGREED = Truths(switch(), diallers(None))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "LOOK_S", 0.0)
    monkeypatch.setattr(recovery, "ASK_S", 0.0)
    monkeypatch.setattr(recovery, "TOLD_LIMIT_S", 0.05)
    monkeypatch.setattr(recovery, "BACK_LIMIT_S", 0.05)


async def test_a_desktop_is_told_when_it_shows_the_loss_and_back_when_all_is_known_again():
    watch = LossWatch(Side.TELEPHONY, {0})
    watch.saw(0, at_switch(), 1.0)
    assert not watch.all_told
    watch.saw(0, lost(), 2.0)
    watch.saw(0, lost(), 3.0)
    watch.saw(0, at_switch(agent__known=False), 4.0)
    assert (watch.all_told, watch.all_back) == (True, False)
    watch.saw(0, at_switch(), 5.0)
    watch.saw(0, at_switch(), 6.0)
    assert (watch.told_s, watch.back_s, watch.all_back) == ({0: 2.0}, {0: 5.0}, True)
    assert watch.lost_s == datetime(2026, 11, 22, 15, 40, 51, 123_000, UTC).timestamp()


async def test_the_earliest_loss_counts_and_a_second_loss_takes_back_what_was_back():
    watch = LossWatch(Side.TELEPHONY, {0, 1})
    watch.saw(0, lost("2026-11-22T15:40:52.000Z"), 1.0)
    watch.saw(1, lost("2026-11-22T15:40:51.000Z"), 1.0)
    assert watch.lost_s == datetime(2026, 11, 22, 15, 40, 51, tzinfo=UTC).timestamp()
    watch.saw(0, at_switch(), 2.0)
    watch.saw(0, lost(), 3.0)
    assert watch.back_s == {}


async def test_an_agent_is_truthful_when_all_four_agree():
    crowd = FakeCrowd(at_switch(), at_switch())
    agreement = await become_truthful(FakeWorld(AGREED).as_world(), crowd.as_crowd(), [0, 1], time.time() + 5)
    assert agreement.truthful_s.keys() == {0, 1}
    assert agreement.open == []


async def test_it_is_asked_again_until_they_agree():
    world = FakeWorld(Truths(on_call(), diallers(None)), AGREED)
    agreement = await become_truthful(world.as_world(), FakeCrowd(at_switch()).as_crowd(), [0], time.time() + 5)
    assert agreement.truthful_s.keys() == {0}
    assert agreement.open == []
    assert agreement.late == ["agent 0: call 7: switch says connected, desktop shows none"]


async def test_what_the_desktop_showed_before_the_asking_counts_too():
    crowd = FakeCrowd(at_switch())
    world = FakeWorld(AGREED)

    async def answered_late() -> Truths:
        crowd.show(0, at_switch(calls=[call("alerting")]))
        return AGREED

    world.truths = answered_late  # type: ignore[method-assign]
    agreement = await become_truthful(world.as_world(), crowd.as_crowd(), [0], 0.0)
    assert agreement.truthful_s.keys() == {0}


@pytest.mark.parametrize(
    ("session_view", "position", "sentence"),
    [
        (at_switch(agent__known=False), (1, 1), "agent: desktop and session differ in known"),
        (None, (1, 2), "the session is elsewhere in the stream"),
        ({}, (1, 1), "the session does not answer: no"),
    ],
)
async def test_a_session_that_does_not_say_the_same_is_not_agreement(session_view, position, sentence):
    world = FakeWorld(AGREED)
    world.session_view, world.session_position = session_view, position
    agreement = await become_truthful(world.as_world(), FakeCrowd(at_switch()).as_crowd(), [0], 0.0)
    assert agreement.truthful_s == {}
    assert agreement.open == [f"agent 0: {sentence}"]


async def test_those_who_never_agree_are_named_with_their_differences():
    crowd = FakeCrowd(at_switch(calls=[call()]), lost(), at_switch())
    crowd.agents[2].desk = None
    agreement = await become_truthful(FakeWorld(AGREED).as_world(), crowd.as_crowd(), [0, 1, 2], 0.0)
    assert agreement.truthful_s == {}
    assert agreement.open == [
        "agent 0: call 7: desktop says active, switch has none",
        "agent 1: not back at work",
        "agent 2: logged out",
    ]


async def test_a_loss_that_is_healed_is_measured_from_both_moments():
    crowd = FakeCrowd(at_switch(), at_switch())
    world = FakeWorld(AGREED)

    def happens(path: str, body: dict[str, object]) -> None:
        for index in range(2):
            if body == {"up": False}:
                at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                crowd.show(index, lost(at))
            else:
                crowd.show(index, at_switch())

    world.on_act = happens
    figures = await measure(SCENARIOS["aes-link-down"], world.as_world(), crowd.as_crowd(), 0.01)
    assert world.asked == [("/link", {"up": False}), ("/link", {"up": True})]
    assert (figures.agents, figures.told, figures.truthful) == (2, 2, 2)
    assert figures.noticed_after_s is not None
    assert abs(figures.noticed_after_s) < 5
    assert figures.outage_s >= 0.01
    assert figures.back_after_s.count == 2
    assert figures.notice_delay.count == 2
    assert crowd.listeners == []


async def test_a_loss_that_nobody_is_told_of_is_given_up():
    crowd = FakeCrowd(at_switch())
    figures = await measure(SCENARIOS["aes-blip"], FakeWorld(AGREED).as_world(), crowd.as_crowd(), 0.0)
    assert (figures.noticed_after_s, figures.told, figures.outage_s) == (None, 0, 0.0)
    assert figures.truthful == 1


async def test_a_killed_dialler_concerns_those_who_were_there():
    here = view()
    crowd = FakeCrowd(here, view(dialler__dialler="dialler-2"), dialler_name=NAME)
    world = FakeWorld(Truths(switch(), diallers(seat())), Truths(switch(), diallers(None, seat())))

    def happens(path: str, body: dict[str, object]) -> None:
        gone = view(dialler__stage="waiting", links__dialler__state="down", dialler__known=False)
        gone["links"]["dialler"]["lost"] = "2026-11-22T15:40:51.123Z"
        crowd.show(0, gone)
        asyncio.get_running_loop().call_soon(crowd.show, 0, view(dialler__dialler="dialler-2"))

    world.on_act = happens
    figures = await measure(SCENARIOS["dialler-kill"], world.as_world(), crowd.as_crowd(), 0.0)
    assert world.killed == ["dialler-1"]
    assert (figures.agents, figures.told, figures.truthful) == (1, 1, 1)
