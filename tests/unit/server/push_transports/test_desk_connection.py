"""What a desktop sees over its connection, without a network."""

import asyncio

import pytest
from tests.unit.server.serving import Desktop, World
from tests.unit.sessions.rooms import Claims

from unified_agent.domain.facts import ClaimRefused, RequestDone, StationSnapshot, TelephonyUp
from unified_agent.domain.ids import AgentId, InstanceId, LinkId, SessionId
from unified_agent.domain.states import Presence, SwitchMode
from unified_agent.domain.topology import Next
from unified_agent.server.tickets import LIFETIME_S

pytestmark = pytest.mark.asyncio


async def greeted(world: World, **login) -> tuple[Desktop, SessionId, str]:
    session, token = await world.log_in(**login)
    desktop = Desktop(world)
    desktop.hello(token)
    return desktop, session, token


def stream(desktop: Desktop) -> list[tuple[int, int]]:
    return [(each["epoch"], each["seq"]) for each in desktop.envelopes]


async def test_a_first_hello_is_answered_with_welcome_and_snapshot():
    desktop, _, _ = await greeted(World())
    welcome, snapshot = desktop.frames
    assert welcome["type"] == "welcome"
    assert welcome["outcome"] == "snapshot"
    assert (welcome["beat_s"], welcome["silent_s"]) == (1.0, 15.0)
    assert snapshot["type"] == "snapshot"
    assert snapshot["data"]["reason"] == "hello"
    assert snapshot["data"]["view"]["session"]["presence"] == "connected"
    assert (snapshot["epoch"], snapshot["seq"]) == (welcome["epoch"], welcome["seq"])


async def test_notices_follow_without_a_gap():
    world = World()
    desktop, session, _ = await greeted(world)
    for number in range(5):
        world.tell(session, f"message {number}")
    first = desktop.envelopes[0]["seq"]
    assert stream(desktop) == [(1, first + number) for number in range(6)]
    assert [each["data"]["message"]["text"] for each in desktop.of_type("message-arrived")][-1] == "message 4"


async def test_a_desktop_that_comes_back_gets_what_it_missed_and_nothing_twice():
    world = World()
    desktop, session, token = await greeted(world)
    world.tell(session, "seen")
    desktop.gone()
    world.tell(session, "missed")
    back = Desktop(world)
    back.hello(token, *stream(desktop)[-1])
    assert back.frames[0]["outcome"] == "resumed"
    assert back.of_type("snapshot") == []
    told = stream(desktop) + stream(back)
    assert told == sorted(set(told))
    assert [seq for _, seq in told] == list(range(told[0][1], told[-1][1] + 1))
    assert [each["data"]["message"]["text"] for each in back.of_type("message-arrived")] == ["missed"]


@pytest.mark.parametrize("position", [(1, 9_999), (2, 1), (1, -1), (0, 0), (None, 3)])
async def test_a_position_that_cannot_be_resumed_gets_a_snapshot(position):
    world = World()
    _, _, token = await greeted(world)
    back = Desktop(world)
    back.hello(token, *position)
    assert back.frames[0]["outcome"] == "snapshot"
    assert back.envelopes[0]["type"] == "snapshot"


async def test_a_desktop_away_for_more_than_is_kept_gets_a_snapshot():
    world = World()
    desktop, session, token = await greeted(world)
    position = stream(desktop)[-1]
    desktop.gone()
    for number in range(600):
        world.tell(session, str(number))
    back = Desktop(world)
    back.hello(token, *position)
    assert back.envelopes[0]["type"] == "snapshot"
    assert back.envelopes[0]["data"]["reason"] == "gap"


async def test_presence_follows_the_connection():
    world = World()
    desktop, session, token = await greeted(world)

    def presence() -> Presence:
        state = world.host.state(session)
        assert state is not None
        return state.presence

    assert presence() is Presence.CONNECTED
    desktop.gone()
    assert presence() is Presence.SUSPECT
    back = Desktop(world)
    back.hello(token)
    assert presence() is Presence.CONNECTED


async def test_the_same_page_back_before_we_missed_it_replaces_its_old_connection():
    world = World()
    desktop, session, token = await greeted(world)
    back = Desktop(world)
    back.hello(token, *stream(desktop)[-1])
    assert desktop.close_code == 1000
    assert desktop.of_type("refused") == []
    desktop.gone()
    state = world.host.state(session)
    assert state is not None
    assert state.presence is Presence.CONNECTED
    world.tell(session)
    assert len(back.of_type("message-arrived")) == 1
    assert desktop.of_type("message-arrived") == []


async def test_another_page_with_the_same_token_takes_over():
    world = World()
    desktop, _, token = await greeted(world)
    other = Desktop(world)
    other.hello(token, client="another")
    assert desktop.frames[-1]["id"] == "taken-over"
    assert desktop.close_code == 4409
    assert other.close_code is None


@pytest.mark.parametrize(
    ("frame", "code", "why"),
    [
        (b"not json", 4400, "protocol.hello"),
        (b"{}", 4400, "protocol.hello"),
        (b'{"type":"fly"}', 4400, "protocol.hello"),
        (b'{"type":"beat"}', 4400, "protocol.hello"),
        (b'{"type":"command","id":"c-1","command":{"type":"refresh-jobs"}}', 4400, "protocol.hello"),
        (b'{"type":"hello"}', 4400, "protocol.hello"),
        (b'{"type":"hello","token":5}', 4400, "protocol.hello"),
        (b'{"type":"hello","token":"nonsense"}', 4401, "session.unknown"),
    ],
)
async def test_anything_but_a_good_hello_first_is_refused(frame, code, why):
    desktop = Desktop(World())
    desktop.say(frame)
    assert desktop.frames[-1]["type"] == "refused"
    assert (desktop.frames[-1]["id"], desktop.close_code) == (why, code)


async def test_a_token_of_a_session_taken_over_or_ended_says_so():
    world = World()
    _, old = await world.log_in()
    session, token = await world.log_in()
    desktop = Desktop(world)
    desktop.hello(old)
    assert (desktop.frames[-1]["id"], desktop.close_code) == ("taken-over", 4409)
    world.host.force_log_out(session, "supervisor-logged-out", now=True)
    desktop = Desktop(world)
    desktop.hello(token)
    assert (desktop.frames[-1]["id"], desktop.close_code) == ("session.ended", 4410)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"garbage", "protocol.frame"),
        (b'{"type":"command"}', "protocol.frame"),
        (b'{"type":"command","id":"not good!","command":{}}', "protocol.frame"),
        (b'{"type":"hello","token":"again"}', "protocol.hello"),
    ],
)
async def test_a_bad_frame_later_closes_that_connection_alone(frame, why):
    world = World()
    desktop, _, _ = await greeted(world)
    other, _, _ = await greeted(world, agent="2002", station="4002")
    desktop.say(frame)
    assert (desktop.frames[-1]["id"], desktop.close_code) == (why, 4400)
    assert other.close_code is None
    desktop.say(b"more")  # what still comes after the close is passed over


async def test_a_command_is_answered_at_once_and_its_repeat_from_memory():
    desktop, _, _ = await greeted(World())
    for _ in range(2):
        desktop.press("c1-1", {"type": "set-mode", "mode": "ready"})
    one, two = desktop.of_type("answer")
    assert one == two
    assert (one["id"], one["command_type"], one["outcome"]) == ("c1-1", "set-mode", "refused")
    assert one["error"]


async def test_a_malformed_command_is_answered_and_the_connection_kept():
    desktop, _, _ = await greeted(World())
    desktop.press("c1-1", {"type": "make-call", "number": "no digits"})
    desktop.press("c1-2", {"type": "fly"})
    assert [(each["id"], each["outcome"], each["error"]) for each in desktop.of_type("answer")] == [
        ("c1-1", "refused", "command.invalid"),
        ("c1-2", "refused", "command.invalid"),
    ]
    assert "$.number" in desktop.of_type("answer")[0]["detail"]
    assert desktop.close_code is None


async def test_the_end_of_the_session_is_told_and_the_connection_closed():
    desktop, _, _ = await greeted(World())
    desktop.press("c1-1", {"type": "log-out"})
    assert desktop.of_type("session-ended")[0]["data"]["reason"]
    assert desktop.close_code == 4410


async def test_a_slow_desktop_gets_a_snapshot_and_its_answers_when_it_takes_again():
    world = World()
    desktop, session, _ = await greeted(world)
    desktop.slow = True
    for number in range(2_000):
        world.tell(session, str(number))
    desktop.press("c1-1", {"type": "set-mode", "mode": "ready"})
    told = len(desktop.frames)
    desktop.takes_again()
    snapshot, answer = desktop.frames[told:]
    assert snapshot["type"] == "snapshot"
    assert snapshot["data"]["reason"] == "slow"
    assert snapshot["seq"] > 2_000
    assert answer["id"] == "c1-1"
    world.tell(session, "after")
    assert desktop.envelopes[-1]["seq"] == snapshot["seq"] + 1


async def test_a_desktop_that_was_slow_and_missed_nothing_gets_nothing():
    desktop, _, _ = await greeted(World())
    told = len(desktop.frames)
    desktop.slow = True
    desktop.takes_again()
    assert len(desktop.frames) == told


def look_after(world: World, desktop: Desktop) -> None:
    desktop.handler.look_after(world.clock.now_s(), b'{"type":"beat"}')  # type: ignore[attr-defined]


async def test_a_desktop_without_a_hello_is_closed_and_may_come_back():
    world = World()
    desktop = Desktop(world)
    world.clock.advance(4.9)
    look_after(world, desktop)
    assert desktop.frames == []
    world.clock.advance(0.2)
    look_after(world, desktop)
    assert desktop.frames == []
    assert desktop.close_code == 4408


async def test_a_silent_desktop_is_closed_and_a_beat_keeps_it():
    world = World()
    desktop, session, _ = await greeted(world)
    world.clock.advance(14.9)
    desktop.say({"type": "beat"})
    world.clock.advance(14.9)
    look_after(world, desktop)
    assert desktop.of_type("beat")
    world.clock.advance(0.2)
    look_after(world, desktop)
    assert desktop.close_code == 4408
    state = world.host.state(session)
    assert state is not None
    assert state.presence is Presence.SUSPECT


async def test_goodbyes_are_said_to_all_those_on_no_call_first(monkeypatch):
    world = World()
    desktops = [(await greeted(world, agent=f"20{n:02}", station=f"40{n:02}"))[0] for n in range(10)]
    said: list[int] = []
    for number, desktop in enumerate(desktops):
        if number < 3:
            monkeypatch.setattr(type(desktop.handler), "is_on_call", lambda self: self.session in {"s1", "s2", "s3"})

    async def sleep(seconds: float) -> None:
        said.append(sum(bool(each.of_type("goodbye")) for each in desktops))
        world.clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await world.desks.say_goodbye(rate_per_s=20.0, limit_s=60.0)
    assert all(len(each.of_type("goodbye")) == 1 for each in desktops)
    assert said[0] <= 2
    assert len(said) >= 4
    left = [each.of_type("goodbye")[0]["after_ms"] for each in desktops]
    assert max(left[:3]) <= min(left[3:])
    assert desktops[0].of_type("goodbye")[0]["reason"] == "drain"


async def test_goodbyes_are_said_faster_when_time_is_short(monkeypatch):
    world = World()
    desktops = [(await greeted(world, agent=f"20{n:02}", station=f"40{n:02}"))[0] for n in range(10)]

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    began_s = world.clock.now_s()
    await world.desks.say_goodbye(rate_per_s=0.1, limit_s=1.0)
    assert world.clock.now_s() - began_s < 1.2
    assert all(each.of_type("goodbye") for each in desktops)


async def test_connections_are_counted_in_and_out():
    world = World()
    desktop, _, _ = await greeted(world)
    assert b'ua_connections{transport="websocket"} 1.0' in world.metrics.render()
    desktop.gone()
    text = world.metrics.render()
    assert b'ua_connections{transport="websocket"} 0.0' in text
    assert b'ua_disconnects_total{reason="lost",transport="websocket"} 1.0' in text
    assert b'ua_resumes_total{outcome="snapshot"} 1.0' in text


async def test_how_long_a_notice_was_on_its_way_through_us_is_observed_but_not_what_was_missed():
    world = World()
    desktop, session, token = await greeted(world)
    read = world.metrics.registry.get_sample_value
    before = read("ua_event_delay_seconds_count") or 0.0
    world.clock.advance(0.25)
    world.tell(session)
    assert read("ua_event_delay_seconds_count") == before + 1
    assert read("ua_event_delay_seconds_sum") == pytest.approx(0.25)
    desktop.gone()
    world.tell(session, "missed")
    at_the_desk = read("ua_event_delay_seconds_count")
    Desktop(world).hello(token, *stream(desktop)[-1])
    assert read("ua_event_delay_seconds_count") == at_the_desk


# --- one of several instances


THERE = Next(id=InstanceId("ua-2"), url="http://ua-2")


async def served(world: World) -> tuple[Desktop, SessionId, str]:
    """A desktop whose agent is ours."""
    desktop, session, token = await greeted(world)
    world.grant(session, 4)
    return desktop, session, token


async def test_the_welcome_says_who_serves_and_in_which_term():
    world = World(claims=Claims())
    _, session, token = await served(world)
    back = Desktop(world)
    back.hello(token)
    assert (back.frames[0]["term"], back.frames[0]["instance"]) == (4, "ua-1")
    world.tell(session)
    assert {each["term"] for each in back.envelopes} == {4}


async def test_after_what_it_sees_a_desktop_is_told_where_it_may_go_and_with_what():
    world = World(claims=Claims())
    desktop, session, token = await greeted(world)
    assert desktop.order == ["welcome", "snapshot", "topology", "ticket"]
    topology, ticket = desktop.of_house
    assert topology["instances"][0]["url"] == "http://ua.test"
    assert world.server.tickets.read(ticket["ticket"], token).session == session


async def test_a_ticket_is_handed_anew_when_it_would_say_something_else_and_only_then():
    world = World(claims=Claims())
    desktop, session, token = await served(world)

    def tickets() -> list[tuple[int, bool]]:
        handed = [each["ticket"] for each in desktop.of_house if each["type"] == "ticket"]
        read = [world.server.tickets.read(each, token) for each in handed]
        return [(each.term, each.verified) for each in read]

    assert tickets() == [(0, False), (4, False)]
    world.tell(session)
    assert len(tickets()) == 2
    world.grant(session, 5)
    world.tell(session)
    assert tickets()[-1] == (5, False)
    log_in_at_the_switch(world, session)
    assert tickets()[-1] == (5, True)
    assert len(tickets()) == 4


def log_in_at_the_switch(world: World, session: SessionId) -> None:
    world.host.report_link(TelephonyUp(link=LinkId("aes-1")))
    world.clock.advance(0.01)
    for what in ("observe", "snapshot", "log-in-agent"):
        request = next(each.id for each in world.state(session).requests if each.what == what)
        done = RequestDone(session=session, request=request)
        seen = StationSnapshot(session=session, request=request, calls=(), agent=None, mode=SwitchMode.LOGGED_OUT)
        world.host.report(seen if what == "snapshot" else done)


async def test_a_ticket_is_handed_anew_before_it_ends():
    world = World(claims=Claims())
    desktop, _, _ = await served(world)
    first = desktop.ticket
    look_after(world, desktop)
    assert desktop.ticket == first
    desktop.say({"type": "beat"})
    world.clock.advance(LIFETIME_S / 2)
    desktop.say({"type": "beat"})
    look_after(world, desktop)
    assert desktop.ticket != first
    second = desktop.ticket
    look_after(world, desktop)
    assert desktop.ticket == second


@pytest.mark.parametrize("reason", ["moved", "stepped-down", "passive"])
@pytest.mark.parametrize("others", [[THERE], []])
async def test_a_desktop_goes_after_its_session(reason: str, others: list[Next]):
    world = World(claims=Claims())
    world.where.others = others
    desktop, session, token = await served(world)
    if reason == "moved":
        world.host.let_go(AgentId("2001"), "move", "")
    else:
        world.host.lose([session], reason)
    (goodbye,) = desktop.of_type("goodbye")
    assert goodbye["reason"] == ("move" if reason == "moved" else reason)
    assert goodbye["next"] == ({"id": "ua-2", "url": "http://ua-2"} if others else None)
    assert desktop.close_code == 4420
    assert desktop.of_type("session-ended") == []
    late = Desktop(world)
    late.hello(token)
    assert (late.frames[-1]["type"], late.frames[-1]["id"], late.close_code) == ("refused", "session.moved", 4420)


async def test_whoever_was_taken_over_elsewhere_does_not_go_after_it():
    world = World(claims=Claims())
    desktop, session, token = await served(world)
    world.host.lose([session], "taken-over")
    assert desktop.of_type("goodbye") == []
    assert (desktop.frames[-1]["id"], desktop.close_code) == ("taken-over", 4409)
    late = Desktop(world)
    late.hello(token)
    assert (late.frames[-1]["id"], late.close_code) == ("taken-over", 4409)


async def test_a_session_that_is_refused_its_claim_ends_for_its_desktop():
    world = World(claims=Claims())
    desktop, session, _ = await greeted(world)
    world.host.report(ClaimRefused(session=session, id="station.in-use", detail="agent 2002"))
    (ended,) = desktop.of_type("session-ended")
    assert (ended["data"]["reason"], ended["data"]["detail"]) == ("station.in-use", "agent 2002")
    assert desktop.close_code == 4410


async def test_nothing_is_told_after_a_goodbye():
    world = World(claims=Claims())
    desktop, session, _ = await served(world)
    world.host.lose([session], "passive")
    assert desktop.order[-1] == "goodbye"
    desktop.press("c-1", {"type": "log-out"})
    assert desktop.order[-1] == "goodbye"
