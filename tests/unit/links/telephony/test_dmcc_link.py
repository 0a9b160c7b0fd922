from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest
from tests.unit.links.telephony.world import ScriptedAes, World, leg, party, refusal, run_world

from unified_agent.domain.commands import AnswerCall, HoldCall
from unified_agent.domain.effects import LogInAgent, Observe, QueryAgent, Snapshot
from unified_agent.domain.facts import (
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, InstanceId, LinkId, Secret, SessionId
from unified_agent.errors import LinkRefused, SettingsError
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, TelephonySettings
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import MonitorId, SystemStatusValue, TlinkStatus
from unified_agent.wire.csta.values import SessionId as AesSessionId

AES_1 = LinkId("aes-1")
UP = TelephonyUp(link=AES_1)


def down(reason: str, link: LinkId = AES_1) -> TelephonyDown:
    return TelephonyDown(link=link, reason=reason)


def in_world(play: Callable[[World], Awaitable[Any]]) -> Callable[[], None]:
    """Make a play a test, in a world with one scripted AES whose link is up."""

    @wraps(play)
    def test() -> None:
        run_world(play)

    del test.__wrapped__  # or pytest takes ``world`` for a fixture
    return test


# --- the way up


@in_world
async def test_link_is_up_when_session_registration_and_switch_are(world: World) -> None:
    kinds = [type(each) for each in world.aes.requests]
    assert kinds == [csta.StartApplicationSession, csta.SystemRegister, csta.RequestSystemStatus]
    start, register, status = world.aes.requests
    assert isinstance(start, csta.StartApplicationSession)
    assert (start.application_id, start.user_name, start.old_session_id) == ("ua-1", "ctiuser", None)
    assert start.protocol_versions == ("http://www.ecma-international.org/standards/ecma-323/csta/ed3/priv7",)
    assert isinstance(register, csta.SystemRegister)
    assert register.switch_name == "CM1"
    assert status == csta.RequestSystemStatus(register_id="r1", switch_name="CM1")
    assert world.ears.links == [UP]
    assert world.link.is_up
    assert world.metric("ua_link_up", kind="telephony", link="aes-1") == 1
    assert "up on aes-1" in world.link.status


def test_link_is_not_up_while_the_switch_is_gone_and_says_so() -> None:
    aes = ScriptedAes()
    aes.switch_up = False

    async def play(world: World) -> None:
        assert world.ears.links == [down("switch-link-down")]
        assert not world.link.is_up
        assert "has no link to the switch" in world.link.status
        aes.switch_up = True
        await world.run(2.1)
        assert world.ears.links == [down("switch-link-down"), UP]

    run_world(play, aes)


def test_wrong_password_is_told_and_not_hammered() -> None:
    aes = ScriptedAes()
    aes.replies[csta.StartApplicationSession] = csta.StartApplicationSessionNegResponse(error="invalidApplicationInfo")

    async def play(world: World) -> None:
        assert world.ears.links == [down("refused")]
        assert "check user, password, version and licence" in world.link.status
        await world.run(25)
        assert len(aes.of(csta.StartApplicationSession)) == 1
        await world.run(10)
        assert len(aes.of(csta.StartApplicationSession)) == 2
        assert world.ears.links == [down("refused")]

    run_world(play, aes)


def test_unreachable_aes_is_tried_again_with_jitter_until_it_is_there() -> None:
    async def go() -> None:
        world = World()
        listener = world.network.listeners.pop(1)
        await world.start()
        assert world.ears.links == [down("unreachable")]
        await world.run(20)
        tries = len(world.network.dialled)
        assert 5 <= tries <= 9
        world.network.listeners[1] = listener
        await world.run(5.1)
        assert world.ears.links == [down("unreachable"), UP]
        stopping = asyncio.ensure_future(world.link.stop())
        await world.run(1)
        await stopping

    asyncio.run(go())


def test_busy_aes_is_tried_again_soon() -> None:
    aes = ScriptedAes()
    aes.replies[csta.StartApplicationSession] = csta.StartApplicationSessionNegResponse(error="serverResourcesBusy")

    async def play(world: World) -> None:
        assert world.ears.links == [down("unreachable")]
        await world.run(1)
        assert len(aes.of(csta.StartApplicationSession)) >= 2

    run_world(play, aes)


def test_aes_that_refuses_registration_is_asked_for_the_switch_again_and_again() -> None:
    aes = ScriptedAes()
    aes.replies[csta.SystemRegister] = refusal(csta.ErrorClass.OPERATION, "serviceNotSupported")

    async def play(world: World) -> None:
        assert world.link.is_up
        asked = len(aes.of(csta.RequestSystemStatus))
        await world.run(11)
        assert len(aes.of(csta.RequestSystemStatus)) == asked + 2
        aes.switch_up = False
        await world.run(5)
        assert world.ears.links[-1] == down("switch-link-down")

    run_world(play, aes)


def test_aes_that_can_tell_nothing_of_the_switch_counts_as_up() -> None:
    aes = ScriptedAes()
    unsupported = refusal(csta.ErrorClass.OPERATION, "serviceNotSupported")
    aes.replies |= {csta.SystemRegister: unsupported, csta.RequestSystemStatus: unsupported}

    async def play(world: World) -> None:
        assert world.ears.links == [UP]

    run_world(play, aes)


def test_stop_ends_the_session_in_order() -> None:
    world = run_world(_observe_one)
    assert isinstance(world.aes.requests[-1], csta.StopApplicationSession)
    assert world.aes.sockets == []
    assert world.ears.links[-1] == down("closed")


def test_stop_does_not_wait_for_an_aes_that_says_nothing() -> None:
    async def play(world: World) -> None:
        world.aes.replies[csta.StopApplicationSession] = None

    assert run_world(play).aes.sockets == []


# --- first kind of loss: the connection


async def _observe_one(world: World) -> None:
    await world.ask(Observe())


def _cut(world: World) -> None:
    for socket in list(world.aes.sockets):
        socket.transport.abort()


@in_world
async def test_cut_connection_is_told_at_once_and_resumed_with_its_monitors(world: World) -> None:
    await world.ask(Observe())
    _cut(world)
    await world.run(0.01, 0.002)
    assert world.ears.links[-1] == down("closed")
    assert not world.link.is_up
    await world.run(1)
    assert world.ears.links[-1] == TelephonyUp(link=AES_1, resumed=True)
    assert world.aes.of(csta.StartApplicationSession)[-1].old_session_id == "S1"
    before = len(world.aes.requests)
    request = world.ask_now(Observe())
    assert world.answers(request) == [RequestDone(session=SessionId("s-2001"), request=request)]
    await world.run(0.1)
    # Behind that the monitor is replaced, in case the switch ended it unheard.
    assert [type(each) for each in world.aes.requests[before:]] == [csta.MonitorStart, csta.MonitorStop]
    world.aes.tell(_alerting("2"))
    await world.run(0.01)
    assert [type(each).__name__ for each in world.ears.facts[-1:]] == ["CallAlerting"]


@in_world
async def test_monitor_that_ended_unheard_is_found_and_the_station_looked_at_again(world: World) -> None:
    await world.ask(Observe())
    _cut(world)
    await world.run(1)
    world.aes.replies[csta.MonitorStop] = refusal(csta.ErrorClass.OPERATION, "invalidMonitorCrossRefID")
    await world.ask(Observe())
    await world.run(0.1)
    assert world.ears.of(StationUnobserved) == [StationUnobserved(session=SessionId("s-2001"), reason="monitor-ended")]


@in_world
async def test_expired_session_is_replaced_by_a_fresh_one_on_the_same_connection(world: World) -> None:
    await world.ask(Observe())

    def refuse_old(request: csta.StartApplicationSession) -> csta.Message:
        if request.old_session_id is not None:
            return csta.StartApplicationSessionNegResponse(error="invalidSessionID")
        return csta.StartApplicationSessionPosResponse(session_id=request_session, actual_duration_s=180)

    request_session = AesSessionId("S9")
    world.aes.replies[csta.StartApplicationSession] = refuse_old
    dialled = len(world.network.dialled)
    _cut(world)
    await world.run(1)
    assert len(world.network.dialled) == dialled + 1
    assert world.ears.links[-1] == UP
    before = len(world.aes.requests)
    await world.ask(Observe())
    assert [type(each) for each in world.aes.requests[before:]] == [csta.GetThirdPartyDeviceId, csta.MonitorStart]


@in_world
async def test_session_is_not_asked_for_again_after_the_clean_up_delay(world: World) -> None:
    listener = world.network.listeners.pop(1)
    _cut(world)
    await world.run(61)
    world.network.listeners[1] = listener
    await world.run(5.1)
    assert world.aes.of(csta.StartApplicationSession)[-1].old_session_id is None
    assert world.ears.links[-1] == UP


@in_world
async def test_silent_aes_is_found_within_the_silence_limit(world: World) -> None:
    for socket in world.aes.sockets:
        socket.transport.cut_off = True
    await world.run(9.8)
    assert world.link.is_up
    await world.run(0.3)
    assert world.ears.links[-1] == down("silent")
    await world.run(1)
    assert world.ears.links[-1] == TelephonyUp(link=AES_1, resumed=True)


@in_world
async def test_session_ended_by_aes_is_begun_anew(world: World) -> None:
    await world.ask(Observe())
    world.aes.tell(csta.ApplicationSessionTerminated(reason="sessionTimerExpired"))
    await world.run(1)
    assert world.ears.links[-2:] == [down("session-ended"), UP]
    assert world.aes.of(csta.StartApplicationSession)[-1].old_session_id is None
    assert world.aes.of(csta.MonitorStart) == world.aes.of(csta.MonitorStart)[:1]


@in_world
async def test_broken_protocol_closes_and_reports_it(world: World) -> None:
    world.aes.sockets[0].transport.write(b"\x00\x00\x00\x01junk")
    await world.run(0.01)
    assert world.ears.links[-1] == down("protocol")
    await world.run(1)
    assert world.link.is_up


@in_world
async def test_open_asks_are_unknown_after_a_loss_and_the_link_is_told_first(world: World) -> None:
    await world.ask(Observe())
    world.aes.replies |= {csta.HoldCall: None, csta.SnapshotDevice: None, csta.GetThirdPartyDeviceId: None}
    asked = [
        world.ask_now(HoldCall(call=CallId("1"))),
        world.ask_now(Snapshot(agent=AgentId("5001"))),
        world.ask_now(Observe(), "2002"),
    ]
    order: list[str] = []
    world.ears.report_link = lambda fact: order.append("down")  # type: ignore[method-assign]
    world.ears.report = lambda fact: order.append(type(fact).__name__)  # type: ignore[method-assign]
    await world.run(0.1)
    _cut(world)
    await world.run(0.01)
    assert order == ["down", "RequestUnknown", "RequestUnknown", "RequestUnknown"]
    assert len(asked) == 3


@in_world
async def test_asks_while_the_link_is_down_are_refused_at_once(world: World) -> None:
    world.network.listeners.clear()
    _cut(world)
    await world.run(0.01)
    request = world.ask_now(Observe())
    assert world.answers(request) == [
        RequestRefused(
            session=SessionId("s-2001"),
            request=request,
            id="switch.link-down",
            detail="there is no link to the switch",
        )
    ]


# --- second kind of loss: the switch behind AES


@in_world
async def test_disabled_switch_is_a_loss_while_the_socket_stays(world: World) -> None:
    await world.ask(Observe())
    world.aes.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
    await world.run(0.01)
    assert world.ears.links[-1] == down("switch-link-down")
    assert len(world.aes.sockets) == 1
    world.aes.tell(csta.MonitorStop(monitor_id=MonitorId("1")))
    await world.run(1)
    assert world.ears.of(StationUnobserved) == []
    world.aes.tell_status(SystemStatusValue.NORMAL, TlinkStatus.UP)
    await world.run(0.01)
    assert world.ears.links[-1] == UP
    await world.ask(Observe())
    # The device id of this session is still good.
    assert len(world.aes.of(csta.GetThirdPartyDeviceId)) == 1
    assert len(world.aes.of(csta.MonitorStart)) == 2
    assert len(world.aes.of(csta.StartApplicationSession)) == 1


@in_world
async def test_return_of_the_switch_is_found_by_asking_when_nobody_tells(world: World) -> None:
    world.aes.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
    await world.run(5)
    assert not world.link.is_up
    world.aes.switch_up = True
    await world.run(2.1)
    assert world.link.is_up
    asked = len(world.aes.of(csta.RequestSystemStatus))
    await world.run(10)
    assert len(world.aes.of(csta.RequestSystemStatus)) == asked


@in_world
async def test_open_asks_are_unknown_when_the_switch_goes(world: World) -> None:
    await world.ask(Observe())
    world.aes.replies[csta.HoldCall] = None
    request = await world.ask(HoldCall(call=CallId("1")))
    world.aes.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
    await world.run(0.01)
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]
    world.aes.answer_now(csta.HoldCall)
    await world.run(1)
    assert len(world.answers(request)) == 1


@in_world
async def test_end_of_nearly_all_monitors_is_a_loss_even_if_nothing_else_is_told(world: World) -> None:
    stations = [str(2001 + each) for each in range(10)]
    for station in stations:
        await world.ask(Observe(), station)
    for monitor in range(1, 10):
        world.aes.tell(csta.MonitorStop(monitor_id=MonitorId(str(monitor))))
    await world.run(0.5)
    assert world.ears.of(StationUnobserved) == []
    assert world.ears.links[-2:] == [down("switch-link-down"), UP]


@in_world
async def test_end_of_all_monitors_with_the_switch_gone_is_told_before_any_status(world: World) -> None:
    for station in ("2001", "2002"):
        await world.ask(Observe(), station)
    world.aes.switch_up = False
    for monitor in ("1", "2"):
        world.aes.tell(csta.MonitorStop(monitor_id=MonitorId(monitor)))
    await world.run(0.05, 0.01)
    assert world.ears.links[-1] == down("switch-link-down")
    await world.run(1)
    assert world.ears.of(StationUnobserved) == []


@in_world
async def test_end_of_one_monitor_concerns_its_station_only(world: World) -> None:
    for station in ("2001", "2002", "2003"):
        await world.ask(Observe(), station)
    world.aes.tell(csta.MonitorStop(monitor_id=MonitorId("2")))
    await world.run(0.5)
    assert world.ears.of(StationUnobserved) == [StationUnobserved(session=SessionId("s-2002"), reason="monitor-ended")]
    assert world.link.is_up
    await world.ask(Observe(), "2002")
    assert len(world.aes.of(csta.MonitorStart)) == 4


@in_world
async def test_overload_is_no_loss_but_slows_us_down(world: World) -> None:
    world.aes.tell_status(SystemStatusValue.OVERLOAD_REACHED, TlinkStatus.UP)
    await world.run(0.01)
    assert world.link.is_up
    assert "AES is overloaded" in world.link.status
    world.aes.replies[csta.GetThirdPartyDeviceId] = None
    for number in range(50):
        world.ask_now(Observe(), str(3000 + number))
    await world.run(0.01)
    assert len(world.aes.of(csta.GetThirdPartyDeviceId)) == 10
    assert "10 requests under way, 40 waiting" in world.link.status
    world.aes.tell_status(SystemStatusValue.OVERLOAD_RELIEVED, TlinkStatus.UP)
    await world.run(0.01)
    assert len(world.aes.of(csta.GetThirdPartyDeviceId)) == 50
    assert "overloaded" not in world.link.status


@in_world
async def test_overload_without_a_word_on_the_transport_link_changes_nothing(world: World) -> None:
    asked = len(world.aes.of(csta.RequestSystemStatus))
    world.aes.tell_status(SystemStatusValue.OVERLOAD_IMMINENT, None)
    await world.run(0.1)
    assert world.link.is_up
    assert len(world.aes.of(csta.RequestSystemStatus)) == asked


@in_world
async def test_lost_messages_have_every_station_looked_at_again(world: World) -> None:
    for station in ("2001", "2002"):
        await world.ask(Observe(), station)
    world.aes.tell_status(SystemStatusValue.MESSAGES_LOST, TlinkStatus.UP)
    await world.run(0.01)
    assert [each.reason for each in world.ears.of(StationUnobserved)] == ["messages-lost"] * 2
    request = world.ask_now(Observe())
    assert [type(each) for each in world.answers(request)] == [RequestDone]


@in_world
async def test_refusal_that_smells_of_a_lost_link_makes_us_ask(world: World) -> None:
    await world.ask(Observe())
    world.aes.replies[csta.HoldCall] = refusal(csta.ErrorClass.SYSTEM_RESOURCE, "resourceOutOfService")
    world.aes.switch_up = False
    request = await world.ask(HoldCall(call=CallId("1")))
    assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == ["switch.link-down"]
    assert world.ears.links[-1] == down("switch-link-down")


@in_world
async def test_partly_disabled_aes_is_asked_for_our_own_switch(world: World) -> None:
    world.aes.tell_status(SystemStatusValue.PARTIALLY_DISABLED, None)
    world.aes.switch_up = True
    await world.run(0.1)
    assert world.link.is_up
    world.aes.tell_status(SystemStatusValue.PARTIALLY_DISABLED, TlinkStatus.DOWN)
    await world.run(0.1)
    assert not world.link.is_up


@in_world
async def test_monitor_answered_after_the_loss_is_ended(world: World) -> None:
    world.aes.replies[csta.MonitorStart] = None
    await world.ask(Observe())
    world.aes.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
    await world.run(0.01)
    world.aes.tell_status(SystemStatusValue.NORMAL, TlinkStatus.UP)
    await world.run(0.01)
    world.aes.answer_now(csta.MonitorStart, csta.MonitorStartResponse(monitor_id=MonitorId("77")))
    await world.run(0.05)
    assert world.aes.of(csta.MonitorStop) == [csta.MonitorStop(monitor_id=MonitorId("77"))]


# --- several servers


def test_next_server_serves_when_the_first_cannot_and_keeps_its_agents() -> None:
    first, second = ScriptedAes(), ScriptedAes()

    async def play(world: World) -> None:
        assert world.ears.links == [UP]
        world.network.listeners.pop(1)
        _cut(world)
        await world.run(1)
        assert world.ears.links[-1] == TelephonyUp(link=LinkId("aes-2"))
        # Another server knows nothing of the old session.
        assert second.of(csta.StartApplicationSession)[-1].old_session_id is None
        world.listen(1, first)
        await world.run(60)
        assert world.ears.links[-1] == TelephonyUp(link=LinkId("aes-2"))

    run_world(play, first, second)


def test_server_whose_switch_stays_away_is_left_for_the_next() -> None:
    first, second = ScriptedAes(), ScriptedAes()

    async def play(world: World) -> None:
        first.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
        await world.run(9)
        assert not world.link.is_up
        await world.run(2)
        assert world.ears.links[-1] == TelephonyUp(link=LinkId("aes-2"))
        assert isinstance(first.requests[-1], csta.StopApplicationSession)

    run_world(play, first, second)


def test_server_whose_switch_comes_back_in_time_is_kept() -> None:
    first, second = ScriptedAes(), ScriptedAes()

    async def play(world: World) -> None:
        first.tell_status(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
        await world.run(5)
        first.tell_status(SystemStatusValue.NORMAL, TlinkStatus.UP)
        await world.run(20)
        assert second.requests == []
        assert world.link.is_up

    run_world(play, first, second)


# --- asks and limits


@in_world
async def test_request_without_answer_is_unknown_after_its_limit(world: World) -> None:
    await world.ask(Observe())
    world.aes.replies[csta.AnswerCall] = None
    request = world.ask_now(AnswerCall(call=CallId("1")))
    await world.run(9.9)
    assert world.answers(request) == []
    await world.run(0.2)
    assert [each.detail for each in world.answers(request) if isinstance(each, RequestUnknown)] == [
        "the switch did not answer AnswerCall within 10 s"
    ]
    assert world.link.is_up


@in_world
async def test_forgotten_session_is_told_nothing_and_released(world: World) -> None:
    await world.ask(Observe())
    world.aes.replies[csta.SetAgentState] = None
    world.ask_now(LogInAgent(agent=AgentId("5001"), password=Secret("1")))
    await world.run(0.05)
    world.link.forget(SessionId("s-2001"))
    world.ears.take()
    world.aes.tell(_alerting("1"))
    await world.run(0.05)
    world.aes.answer_now(csta.SetAgentState)
    await world.run(0.1)
    assert world.ears.take() == []
    assert [type(each) for each in world.aes.requests[-2:]] == [csta.MonitorStop, csta.ReleaseDeviceId]


@in_world
async def test_session_forgotten_while_down_is_released_after_the_resumption(world: World) -> None:
    await world.ask(Observe())
    _cut(world)
    await world.run(0.01)
    world.link.forget(SessionId("s-2001"))
    await world.run(1)
    assert world.link.is_up
    assert [type(each) for each in world.aes.requests[-2:]] == [csta.MonitorStop, csta.ReleaseDeviceId]
    assert world.link.status.count("0 stations observed") == 1


@in_world
async def test_snapshot_after_resumption_is_asked_on_the_old_device_id(world: World) -> None:
    await world.ask(Observe())
    _cut(world)
    await world.run(1)
    await world.ask(Observe())
    request = await world.ask(Snapshot(agent=AgentId("5001")))
    assert [type(each) for each in world.answers(request)] == [StationSnapshot]
    assert len(world.aes.of(csta.GetThirdPartyDeviceId)) == 1


@in_world
async def test_ask_for_a_station_that_is_not_observed_is_refused(world: World) -> None:
    request = await world.ask(QueryAgent(agent=AgentId("5001")))
    assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == ["switch.invalid-state"]


# --- settings


def test_password_file_that_cannot_be_read_stops_the_start(tmp_path: Any) -> None:
    settings = TelephonySettings(servers=(AesServerSettings(name=AES_1, host="aes"),), password_file=tmp_path / "none")
    with pytest.raises(SettingsError, match=r"telephony\.password_file .* cannot be read"):
        _make(settings)


def test_password_is_read_from_its_file(tmp_path: Any) -> None:
    file = tmp_path / "password"
    file.write_text("from-file\n")

    async def play(world: World) -> None:
        assert world.aes.of(csta.StartApplicationSession)[0].password.value == "from-file"

    run_world(play, password_file=file)


def test_tls_refusal_is_told_as_refused() -> None:
    async def go() -> None:
        world = World()
        world.network.failures.append(LinkRefused("the certificate of aes:1 is not trusted"))
        await world.start()
        assert world.ears.links == [down("refused")]
        await world.link.stop()

    asyncio.run(go())


def _make(settings: TelephonySettings) -> DmccLink:
    world = World()
    return DmccLink(
        settings,
        InstanceId("ua-1"),
        world.ears,
        network=world.network,
        clock=world.clock,
        chance=None,  # type: ignore[arg-type]
        metrics=Metrics(),
    )


def _alerting(monitor: str) -> csta.DeliveredEvent:
    return csta.DeliveredEvent(
        monitor_id=MonitorId(monitor),
        connection=leg("7", "2001"),
        alerting=party("2001"),
        calling=party("3001"),
        called=party("8000"),
        last_redirection=party(None),
        cause="newCall",
    )
