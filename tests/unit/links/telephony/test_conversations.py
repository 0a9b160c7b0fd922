"""Conversations, each played against answers that come in order."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from tests.unit.links.telephony.world import device, leg

from unified_agent.domain.effects import ChangeMode
from unified_agent.domain.ids import AgentId, SessionId, StationId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony import conversations as subject
from unified_agent.links.telephony.exchange import Conversation, Refused
from unified_agent.links.telephony.stations import Station, Stations
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import Failed
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.values import AgentState, DeviceId, MonitorId

ResultT = TypeVar("ResultT")
OWN = device("2001")


def failed(value: str, error_class: str = "operation") -> Refused:
    return Refused(Failed(Token(0), error_class, value))


def play(conversation: Conversation[ResultT], *answers: csta.Message | Refused) -> tuple[list[csta.Message], ResultT]:
    """Return what was asked and what came of it; every answer must be used."""
    asked: list[csta.Message] = []
    left = list(answers)
    try:
        asked.append(next(conversation))
        while True:
            answer = left.pop(0)
            step = conversation.throw(answer) if isinstance(answer, Refused) else conversation.send(answer)
            asked.append(step)
    except StopIteration as end:
        assert left == []
        result: ResultT = end.value
        return asked, result


def taken(stations: Stations, **known: Any) -> Station:
    station = stations.take(SessionId("s1"), StationId("2001"))
    for name, value in known.items():
        setattr(station, name, value)
    return station


def got_device(number: str = "2001") -> csta.GetThirdPartyDeviceIdResponse:
    return csta.GetThirdPartyDeviceIdResponse(device=DeviceId(number))


def started(monitor: str) -> csta.MonitorStartResponse:
    return csta.MonitorStartResponse(monitor_id=MonitorId(monitor))


def kinds(asked: list[csta.Message]) -> list[str]:
    return [type(each).__name__ for each in asked]


def test_observing_asks_for_a_device_id_and_a_monitor_and_nothing_when_both_are_there() -> None:
    stations = Stations()
    station = taken(stations)
    asked, _ = play(subject.observe(stations, station, "CM1"), got_device(), started("m1"))
    assert kinds(asked) == ["GetThirdPartyDeviceId", "MonitorStart"]
    assert stations.of_monitor(MonitorId("m1")) is station
    assert play(subject.observe(stations, station, "CM1")) == ([], None)


def test_a_device_id_that_aes_has_forgotten_is_asked_for_anew_once() -> None:
    stations = Stations()
    station = taken(stations, device=DeviceId("old"))
    asked, _ = play(
        subject.observe(stations, station, "CM1"), failed("invalidDeviceID"), got_device("new"), started("m1")
    )
    assert kinds(asked) == ["MonitorStart", "GetThirdPartyDeviceId", "MonitorStart"]
    assert (station.device, station.monitor) == ("new", "m1")


@pytest.mark.parametrize(("known", "value"), [(None, "invalidDeviceID"), (DeviceId("old"), "privilegeViolation")])
def test_any_other_refusal_of_a_monitor_is_told(known: DeviceId | None, value: str) -> None:
    stations = Stations()
    conversation = subject.observe(stations, taken(stations, device=known), "CM1")
    answers = [failed(value)] if known else [got_device(), failed(value)]
    with pytest.raises(Refused, match=value):
        play(conversation, *answers)


@pytest.mark.parametrize(
    ("answers", "was_there"),
    [
        ([started("m1")], True),
        ([started("m2"), csta.MonitorStopResponse()], True),
        ([started("m2"), failed("invalidMonitorCrossRefID")], False),
    ],
)
def test_a_renewed_monitor_tells_whether_the_old_one_was_still_there(answers: Any, was_there: bool) -> None:
    stations = Stations()
    station = taken(stations, device=OWN)
    stations.monitor_started(station, MonitorId("m1"))
    _, result = play(subject.renew(stations, station), *answers)
    assert result is was_there
    assert station.monitor == answers[0].monitor_id


def test_a_station_is_given_back_whatever_aes_says_against_it() -> None:
    stations = Stations()
    station = taken(stations, device=OWN)
    stations.monitor_started(station, MonitorId("m1"))
    asked, _ = play(subject.release(stations, station), failed("a"), failed("b"))
    assert kinds(asked) == ["MonitorStop", "ReleaseDeviceId"]
    assert (station.device, station.monitor, stations.monitored) == (None, None, 0)
    assert play(subject.release(stations, station)) == ([], None)


def calls_of(*calls: str) -> csta.SnapshotDeviceResponse:
    return csta.SnapshotDeviceResponse(
        calls=tuple(csta.SnapshotDeviceEntry(connection=leg(each, "2001")) for each in calls)
    )


def test_a_snapshot_leaves_out_a_call_that_ended_meanwhile_but_not_one_that_only_says_little() -> None:
    asked, result = play(
        subject.snapshot(OWN),
        calls_of("1", "2", "3"),
        csta.SnapshotCallResponse(),
        failed("invalidCallID"),
        failed("generic"),
        csta.GetAgentStateResponse(),
    )
    assert kinds(asked) == ["SnapshotDevice", *["SnapshotCall"] * 3, "GetAgentState"]
    assert [each.call for each in result.calls] == ["1", "3"]


def test_a_snapshot_in_segments_is_refused_and_not_taken_for_an_empty_one() -> None:
    with pytest.raises(Refused, match="unsupported"):
        play(subject.snapshot(OWN), csta.SnapshotDeviceResponse(segments_id="7"))


@pytest.mark.parametrize(
    ("answer", "pending"),
    [
        (csta.SetAgentStateResponse(is_pending=False), None),
        (csta.SetAgentStateResponse(is_pending=True), SwitchMode.READY),
        (
            csta.SetAgentStateResponse(is_pending=True, pending_state=AgentState.NOT_READY),
            SwitchMode.NOT_READY,
        ),
    ],
)
def test_a_change_of_mode_is_set_or_pending_as_the_switch_says(answer: csta.Message, pending: SwitchMode) -> None:
    ask = ChangeMode(agent=AgentId("5001"), mode=SwitchMode.READY)
    _, result = play(subject.set_mode(OWN, ask), answer)
    assert result.pending is pending


def test_an_aes_without_registration_is_asked_without() -> None:
    _, register_id = play(subject.register("CM1"), failed("serviceNotSupported"))
    assert register_id is None
    _, register_id = play(subject.register("CM1"), csta.SystemRegisterResponse(register_id="r1"))
    assert register_id == "r1"


def test_an_answer_of_the_wrong_kind_is_a_refusal() -> None:
    with pytest.raises(Refused, match="unexpected"):
        play(subject.agent_state(OWN), csta.MonitorStopResponse())
