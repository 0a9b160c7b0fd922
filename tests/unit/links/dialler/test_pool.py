"""Which dialler serves whom, and what happens when one fails."""

from __future__ import annotations

import pytest
from tests.unit.links.dialler.pool_world import World

from unified_agent.domain.commands import JoinJob, SendMessage, TakeItems
from unified_agent.domain.effects import DropDialler, LogOffDialler, LogOnDialler
from unified_agent.domain.facts import (
    DiallerLoggedOff,
    DiallerLoggedOn,
    DiallerLost,
    DiallerStepped,
    Fact,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import JobName, Secret, SessionId
from unified_agent.links.dialler.pool_state import Health
from unified_agent.settings import PoolSettings
from unified_agent.wire.apc import server_connection as server

pytestmark = pytest.mark.asyncio


async def test_the_first_dialler_in_order_serves():
    world = await World().logged_on()
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "a"
    assert world.pool.agents_on(world["a"].name) == 1


async def test_a_logon_before_the_first_probe_has_ended_is_tried():
    world = World()
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "a"


async def test_both_diallers_are_told_up_once():
    world = World()
    world.pool.start()
    await world.run(60.0)
    assert world.news() == ["up a", "up b"]


async def test_a_dialler_that_does_not_answer_is_passed_over():
    world = World()
    world["a"].mode = "refuse"
    world.pool.start()
    await world.run()
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"
    assert world.news()[:2] == ["down a: not-reached", "up b"]


@pytest.mark.parametrize(("mode", "seconds"), [("refuse", 0.0), ("mute", 5.0)])
async def test_a_dialler_that_fails_at_the_logon_is_passed_over_in_the_same_ask(mode: str, seconds: float):
    world = await World().logged_on()
    world["a"].mode = mode
    request = world.log_on("s1")
    await world.run(seconds)
    assert world.where(request) == "b"
    steps = [(each.dialler, each.step) for each in world.facts if isinstance(each, DiallerStepped)]
    assert steps[:2] == [("a", "connecting"), ("b", "connecting")]


async def test_a_full_dialler_is_passed_over_and_not_called_down():
    world = await World().logged_on()
    world["a"].mode = "full"
    first = world.log_on("s1")
    await world.run()
    dials = world["a"].dials
    second = world.log_on("s2")
    await world.run()
    assert (world.where(first), world.where(second)) == ("b", "b")
    assert world["a"].dials == dials, "it is left alone while it is held off"
    assert world.pool.health(world["a"].name) is Health.UP
    assert "passed over" in world.pool.status[0]
    world["a"].mode = "up"
    await world.run(world.settings.hold_off_s)
    third = world.log_on("s3")
    await world.run()
    assert world.where(third) == "a"


async def test_a_probe_that_finds_a_dialler_full_holds_it_off():
    world = World()
    world["a"].mode = "full"
    world.pool.start()
    await world.run()
    assert world.news() == ["up a", "up b"]
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"


@pytest.mark.parametrize(
    ("keyword", "code"), [("AGTLogon", "E50100"), ("AGTReserveHeadset", "E50612"), ("AGTListJobs", "E28884")]
)
async def test_a_dialler_that_cannot_serve_is_passed_over_in_the_same_ask(keyword: str, code: str):
    world = await World().logged_on()
    world["a"].refusals[keyword] = [code]
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"


@pytest.mark.parametrize(
    ("keyword", "code", "expected", "fatal"),
    [
        ("AGTLogon", "E28926", "dialler.wrong-password", True),
        ("AGTLogon", "E28812", "dialler.logged-on-elsewhere", False),
        ("AGTReserveHeadset", "E28923", "dialler.headset-in-use", False),
    ],
)
async def test_a_persons_mistake_is_refused_without_failover(keyword: str, code: str, expected: str, fatal: bool):
    world = await World().logged_on()
    world["a"].refusals[keyword] = [code]
    request = world.log_on("s1")
    await world.run()
    assert (world.refusal(request).id, world.refusal(request).fatal) == (expected, fatal)
    assert not world["b"].agents
    assert not world["a"].agents, "nothing half open is left behind"
    again = world.log_on("s1")
    await world.run()
    assert world.where(again) == "a"


async def test_when_none_is_up_the_refusal_says_so_and_a_dialler_that_is_back_is_told():
    world = World()
    world["a"].mode = world["b"].mode = "refuse"
    world.pool.start()
    await world.run()
    request = world.log_on("s1")
    await world.run()
    assert (world.refusal(request).id, world.refusal(request).fatal) == ("dialler.none-up", False)
    world.news()
    world["b"].mode = "up"
    await world.run(world.settings.probe_down_interval_s)
    assert world.news() == ["up b"]


async def test_when_all_fail_within_one_ask_the_refusal_says_none_is_up():
    world = await World().logged_on()
    world["a"].mode = world["b"].mode = "refuse"
    request = world.log_on("s1")
    await world.run()
    assert world.refusal(request).id == "dialler.none-up"


async def test_when_all_are_full_the_refusal_says_so():
    world = await World().logged_on()
    world["a"].mode = world["b"].mode = "full"
    first = world.log_on("s1")
    await world.run()
    second = world.log_on("s2")
    await world.run()
    assert world.refusal(first).id == "dialler.full"
    assert world.refusal(second).id == "dialler.full"
    assert not world.refusal(second).fatal


# --- losing a session


async def test_a_lost_session_is_told_and_tried_once_more_at_the_same_dialler():
    world = await World().logged_on("s1")
    world["a"].agents[0].cut()
    await world.run()
    assert world.news() == ["lost s1 at a: closed"]
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "a"


async def test_a_session_lost_twice_goes_to_the_next():
    world = await World().logged_on("s1")
    for _ in range(2):
        world["a"].agents[0].cut()
        await world.run(3.0)
        request = world.log_on("s1")
        await world.run()
    assert world.where(request) == "b"
    assert world.pool.health(world["a"].name) is Health.UP


async def test_a_session_lost_twice_stays_when_there_is_no_other():
    world = await World("a").logged_on("s1")
    for _ in range(2):
        world["a"].agents[0].cut()
        await world.run(3.0)
        request = world.log_on("s1")
        await world.run()
    assert world.where(request) == "a"


async def test_a_session_lost_elsewhere_is_tried_there_again_and_not_moved_to_a_better_one():
    world = World()
    world["a"].mode = "refuse"
    await world.logged_on("s1")
    world["a"].mode = "up"
    await world.run(world.settings.probe_down_interval_s)
    world["b"].agents[0].cut()
    await world.run()
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"


async def test_a_connection_lost_during_the_logon_is_tried_once_more_then_elsewhere():
    world = await World().logged_on()
    world["a"].unanswered.add("AGTConnHeadset")
    request = world.log_on("s1")
    await world.run()
    world["a"].agents[0].cut()
    await world.run()
    assert len(world["a"].agents) == 1, "the same dialler once more"
    world["a"].agents[0].cut()
    await world.run()
    assert world.where(request) == "b"


async def test_a_name_the_dialler_still_holds_after_a_loss_is_waited_for():
    world = await World().logged_on("s1")
    world["a"].agents[0].cut()
    await world.run()
    world["a"].refusals["AGTLogon"] = ["E28812", "E28812"]
    request = world.log_on("s1")
    await world.run(5.9)
    assert world.answers(request) == []
    await world.run(0.2)
    assert world.where(request) == "a"
    assert "ua_link_relogins_total" in world.metrics.render().decode()


async def test_a_name_that_another_instance_lost_is_waited_for():
    world = World()
    await world.run()
    world["a"].refusals["AGTLogon"] = ["E28812"]
    ask = LogOnDialler(name="s1", password=Secret("pw"), headset="52001", after_loss=True)
    request = world.ask("s1", ask)
    await world.run(5.0)
    assert world.where(request) == "a"


async def test_a_name_that_was_given_back_is_not_waited_for():
    world = await World().logged_on("s1")
    world.ask("s1", LogOffDialler())
    await world.run()
    world["a"].refusals["AGTLogon"] = ["E28812"]
    request = world.log_on("s1")
    await world.run()
    assert world.refusal(request).id == "dialler.logged-on-elsewhere"


async def test_a_name_is_not_waited_for_when_the_loss_is_long_ago():
    world = await World().logged_on("s1", "s2")
    world["a"].agents[0].cut()
    await world.run(world.settings.stale_logon_limit_s + 1.0)
    world["a"].agents[0].cut()
    await world.run()
    world["a"].refusals["AGTLogon"] = ["E28812"]
    request = world.log_on("s1")
    await world.run()
    assert world.refusal(request).id == "dialler.logged-on-elsewhere"


async def test_a_silent_dialler_is_noticed_by_its_idle_agents():
    world = await World().logged_on("s1")
    world["a"].mode = "mute"
    await world.run(world.settings.idle_probe_s + 5.0)
    assert "lost s1 at a: silent" in world.news()


# --- losing a dialler


async def test_several_sessions_lost_at_once_take_the_dialler_down_with_all_its_agents():
    world = await World().logged_on("s1", "s2", "s3", "s4", "s5")
    for line in world["a"].agents[:3]:
        line.cut()
    await world.run()
    assert sorted(world.news()) == [
        "down a: closed",
        *(f"lost s{number} at a: closed" for number in range(1, 6)),
    ]
    assert not world["a"].agents


async def test_sessions_are_told_before_the_dialler_is_called_down():
    world = await World().logged_on("s1", "s2", "s3", "s4")
    world["a"].die()
    await world.run()
    assert world.news()[-1].startswith("down a")


async def test_sessions_lost_one_after_another_say_nothing_of_the_dialler():
    world = await World().logged_on("s1", "s2", "s3", "s4")
    for line in world["a"].agents[:3]:
        line.cut()
        await world.run(1.1)
    assert [each for each in world.news() if each.startswith("down")] == []


async def test_a_dialler_that_says_it_goes_down_is_down_at_once():
    world = await World().logged_on("s1", "s2")
    world["a"].mode = "refuse"
    world["a"].agents[0].say(server.notice("AGTSystemError", "1", "E28921"))
    await world.run()
    news = world.news()
    assert sorted(news[:2]) == ["lost s1 at a: shutting-down", "lost s2 at a: shutting-down"]
    assert news[2:] == ["down a: shutting-down"]
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"


async def test_agents_of_a_dead_dialler_find_the_next_when_they_ask_at_once():
    world = World()
    asked = {}

    def again(fact: Fact) -> None:
        if isinstance(fact, DiallerLost):
            asked[fact.session] = world.log_on(fact.session)

    await world.logged_on(*(f"s{number}" for number in range(10)))
    world.on_fact = again
    world["a"].die()
    await world.run(6.0)
    assert len(asked) == 10
    assert {world.where(request) for request in asked.values()} == {"b"}
    news = world.news()
    assert news.count("down a: closed") == 1
    assert len(world["b"].agents) == 10


async def test_logons_under_way_at_a_dying_dialler_go_on_elsewhere():
    world = await World().logged_on("s1", "s2", "s3")
    world["a"].unanswered.add("AGTConnHeadset")
    request = world.log_on("s4")
    await world.run()
    world["a"].die()
    await world.run()
    assert world.where(request) == "b"
    down = next(index for index, fact in enumerate(world.facts) if type(fact).__name__ == "DiallerDown")
    moved = next(
        index
        for index, fact in enumerate(world.facts)
        if isinstance(fact, DiallerStepped) and (fact.session, fact.dialler) == ("s4", "b")
    )
    assert moved < down, "a session must not take the news for its own"


async def test_a_dialler_that_is_back_serves_new_logons_and_moves_nobody():
    world = await World().logged_on("s1", "s2", "s3")
    world["a"].die()
    await world.run()
    for session in ("s1", "s2", "s3"):
        world.log_on(session)
    await world.run()
    world.news()
    world["a"].mode = "up"
    await world.run(world.settings.probe_down_interval_s)
    assert world.news() == ["up a"]
    assert len(world["b"].agents) == 3
    request = world.log_on("s4")
    await world.run()
    assert world.where(request) == "a"


async def test_a_failed_probe_takes_nobody_off_a_dialler_that_serves_them():
    world = await World().logged_on("s1", "s2")
    world["a"].mode = "refuse"
    await world.run(world.settings.probe_interval_s)
    assert world.news() == []
    assert world.pool.health(world["a"].name) is Health.SUSPECT
    request = world.log_on("s3")
    await world.run()
    assert world.where(request) == "b"
    world.ask("s1", LogOffDialler())
    world.ask("s2", LogOffDialler())
    await world.run()
    assert world.news()[-1] == "down a: not-reached"


async def test_a_suspect_dialler_that_answers_again_is_up():
    world = await World().logged_on("s1")
    world["a"].mode = "refuse"
    await world.run(world.settings.probe_interval_s)
    world["a"].mode = "up"
    await world.run(world.settings.probe_down_interval_s)
    assert world.pool.health(world["a"].name) is Health.UP
    assert world.news() == ["up a"]


async def test_an_unusable_dialler_is_left_for_another():
    world = await World().logged_on("s1")
    world["a"].refusals["AGTAvailWork"] = ["E29952"]
    join = world.ask("s1", JoinJob(job=JobName("SPRING25")))
    await world.run()
    assert world.news() == ["lost s1 at a: full", "unknown s1"]
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "b"
    assert world.answers(join) == []


async def test_an_unusable_dialler_is_kept_when_there_is_no_other():
    world = await World("a").logged_on("s1")
    world["a"].refusals["AGTAvailWork"] = ["E29952"]
    world.ask("s1", JoinJob(job=JobName("SPRING25")))
    await world.run()
    assert world.news() == ["refused s1: dialler.unusable"]
    assert world.pool.agents_on(world["a"].name) == 1


# --- the port


async def test_asks_of_a_session_without_a_dialler_are_refused():
    world = await World().logged_on()
    request = world.ask("s1", TakeItems())
    assert world.refusal(request).id == "dialler.not-logged-on"


async def test_log_off_without_a_dialler_is_done_at_once():
    world = await World().logged_on()
    world.ask("s1", LogOffDialler())
    assert world.facts == [DiallerLoggedOff(session=SessionId("s1"))]


async def test_log_off_gives_everything_back():
    world = await World().logged_on("s1")
    line = world["a"].agents[0]
    world.ask("s1", LogOffDialler())
    await world.run()
    assert world.facts == [DiallerLoggedOff(session=SessionId("s1"))]
    assert line.heard[-3:] == ["AGTDisconnHeadset", "AGTFreeHeadset", "AGTLogoff"]
    assert line.closed == "closed"
    assert world.pool.agents_on(world["a"].name) == 0


async def test_log_off_while_connecting_calls_the_logon_off():
    world = await World().logged_on()
    request = world.log_on("s1")
    world.ask("s1", LogOffDialler())
    await world.run()
    assert world.refusal(request).id == "dialler.called-off"
    assert [type(each) for each in world.facts if not isinstance(each, DiallerStepped)] == [
        RequestRefused,
        DiallerLoggedOff,
    ]
    assert not world["a"].agents


async def test_dropping_closes_at_once_and_answers_what_is_open():
    world = await World().logged_on("s1")
    world["a"].unanswered.add("AGTSendMessage")
    request = world.ask("s1", SendMessage(text="hello"))
    world.ask("s1", DropDialler())
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]
    assert world["a"].lines[-1].closed
    assert "lost s1" not in " ".join(world.news())


async def test_dropping_a_logon_under_way_answers_it():
    world = await World().logged_on()
    world["a"].unanswered.add("AGTLogon")
    request = world.log_on("s1")
    await world.run()
    world.ask("s1", DropDialler())
    await world.run()
    assert world.refusal(request).id == "dialler.called-off"
    assert not world["a"].agents


async def test_a_new_logon_takes_the_place_of_the_old_connection():
    world = await World().logged_on("s1")
    request = world.log_on("s1")
    await world.run()
    assert world.where(request) == "a"
    assert len(world["a"].agents) == 1


async def test_a_forgotten_session_is_logged_off_in_silence():
    world = await World().logged_on("s1")
    line = world["a"].agents[0]
    world.pool.forget(SessionId("s1"))
    await world.run()
    assert world.facts == []
    assert line.heard[-1] == "AGTLogoff"
    assert line.closed


async def test_a_session_forgotten_while_it_logs_on_is_closed():
    world = await World().logged_on()
    world["a"].unanswered.add("AGTLogon")
    world.log_on("s1")
    await world.run()
    world.facts.clear()
    world.pool.forget(SessionId("s1"))
    world.pool.forget(SessionId("nobody"))
    await world.run()
    assert world.facts == []
    assert not world["a"].agents


async def test_a_value_that_cannot_be_written_is_refused_and_the_session_goes_on():
    world = await World().logged_on("s1")
    request = world.ask("s1", SendMessage(text="\u4e16\u754c"))
    assert world.refusal(request).id == "dialler.not-sent"
    good = world.ask("s1", SendMessage(text="hello"))
    await world.run()
    assert [type(each) for each in world.answers(good)] == [RequestDone]


async def test_stopping_closes_everything_and_probes_no_more():
    world = await World().logged_on("s1", "s2")
    world.log_on("s3")
    await world.pool.stop()
    dials = world["a"].dials + world["b"].dials
    await world.run(60.0)
    assert world["a"].dials + world["b"].dials == dials
    assert not world["a"].agents


async def test_what_is_so_is_counted():
    world = await World().logged_on("s1")
    world.ask("s1", SendMessage(text="hello"))
    await world.run()
    text = world.metrics.render().decode()
    assert 'ua_link_requests_total{kind="dialler",link="a",outcome="done"} 2.0' in text
    assert 'ua_link_request_seconds_count{kind="dialler"} 1.0' in text
    assert 'ua_dialler_agents{dialler="a"} 1.0' in text
    assert 'ua_link_up{kind="dialler",link="b"} 1.0' in text
    world["b"].mode = "refuse"
    await world.run(world.settings.probe_interval_s)
    text = world.metrics.render().decode()
    assert 'ua_link_up{kind="dialler",link="b"} 0.0' in text
    assert 'ua_link_transitions_total{kind="dialler",link="b",to="down"} 1.0' in text
    assert "b: down (not-reached)" in world.pool.status[1]


async def test_probes_come_at_the_intervals_of_the_settings():
    world = World("a", settings=PoolSettings(probe_interval_s=20.0, probe_down_interval_s=4.0))
    world.pool.start()
    await world.run(60.0)
    assert world["a"].dials == 4  # at 0, 20, 40 and 60
    world["a"].mode = "refuse"
    await world.run(40.0)
    assert world["a"].dials == 4 + 1 + 5  # at 80 it fails, then every 4 s


async def test_a_mute_dialler_fails_its_probe_within_the_greeting_limit():
    world = World("a")
    world["a"].mode = "mute"
    world.pool.start()
    await world.run(world.settings.greeting_limit_s)
    assert world.news() == ["down a: no-greeting"]


async def test_what_a_session_asks_when_it_hears_of_its_logon_is_sent_at_once():
    world = await World().logged_on()

    def join_at_once(fact: Fact) -> None:
        if isinstance(fact, DiallerLoggedOn):
            world.ask("s1", JoinJob(job=JobName("SPRING25")))

    world.on_fact = join_at_once
    world.log_on("s1")
    await world.run()
    assert "AGTAttachJob" in world["a"].agents[0].heard
    assert "JobJoined" in world.news()
