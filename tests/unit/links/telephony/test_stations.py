from __future__ import annotations

from unified_agent.domain.ids import AgentId, CallId, SessionId, StationId
from unified_agent.links.telephony.stations import Stations
from unified_agent.wire.csta.values import DeviceId, MonitorId

ONE, TWO = SessionId("s1"), SessionId("s2")


def test_a_session_keeps_its_station_and_what_is_known_of_it() -> None:
    stations = Stations()
    station = stations.take(ONE, StationId("2001"))
    station.agent = AgentId("5001")
    assert stations.take(ONE, StationId("2001")) is station
    assert station.agent == "5001"
    assert stations.of_session(ONE) is station


def test_a_session_that_takes_a_station_ends_what_the_one_before_had_there() -> None:
    stations = Stations()
    station = stations.take(ONE, StationId("2001"))
    station.agent = AgentId("5001")
    station.answered.add(CallId("7"))
    assert stations.take(TWO, StationId("2001")) is station
    assert (station.session, station.agent, station.answered) == (TWO, None, set())
    assert stations.of_session(ONE) is None


def test_a_session_has_one_station_at_a_time() -> None:
    stations = Stations()
    first = stations.take(ONE, StationId("2001"))
    second = stations.take(ONE, StationId("2002"))
    assert first.session is None
    assert stations.of_session(ONE) is second


def test_leaving_frees_the_station_but_what_is_open_for_it_stays() -> None:
    stations = Stations()
    station = stations.take(ONE, StationId("2001"))
    station.device = DeviceId("2001:CM1::0")
    stations.monitor_started(station, MonitorId("m1"))
    assert stations.leave(ONE) is station
    assert stations.leave(ONE) is None
    stations.drop_if_unused(station)
    assert list(stations) == [station]
    assert stations.of_monitor(MonitorId("m1")) is station


def test_a_fresh_monitor_takes_the_place_of_the_old_one_and_of_its_doubt() -> None:
    stations = Stations()
    station = stations.take(ONE, StationId("2001"))
    stations.monitor_started(station, MonitorId("m1"))
    station.doubtful = True
    stations.monitor_started(station, MonitorId("m2"))
    assert not station.doubtful
    assert stations.of_monitor(MonitorId("m1")) is None
    assert stations.of_monitor(MonitorId("m2")) is station
    assert stations.monitored == 1
    assert stations.monitor_ended(station) == "m2"
    assert stations.monitor_ended(station) is None
    assert stations.monitored == 0


def test_a_station_is_forgotten_once_nobody_uses_it_and_nothing_is_open_for_it() -> None:
    stations = Stations()
    station = stations.take(ONE, StationId("2001"))
    stations.drop_if_unused(station)
    assert len(stations) == 1
    stations.leave(ONE)
    station.set_ups.append(lambda: None)
    stations.drop_if_unused(station)
    assert len(stations) == 1
    station.set_ups.clear()
    stations.drop_if_unused(station)
    assert len(stations) == 0


def test_ended_monitors_leave_device_ids_but_the_end_of_the_aes_session_takes_both() -> None:
    stations = Stations()
    used, unused = stations.take(ONE, StationId("2001")), stations.take(TWO, StationId("2002"))
    for number, station in enumerate((used, unused)):
        station.device = DeviceId(f"{station.number}:CM1::0")
        stations.monitor_started(station, MonitorId(str(number)))
    stations.leave(TWO)
    stations.all_monitors_ended()
    assert (stations.monitored, used.monitor) == (0, None)
    assert used.device is not None
    stations.aes_session_ended()
    assert used.device is None
    assert list(stations) == [used]
