"""Sessions start, are kept alive, resumed, ended and refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tools.simulators.aes.client import ANN, BOB, START, Client, error

from unified_agent.tools.simulators.aes.aes import HangUp
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE, SessionError
from unified_agent.wire.csta.values import (
    Secret,
    SessionId,
)


def test_session_starts_with_what_was_asked_for() -> None:
    answer = Client().ask(START)
    assert isinstance(answer, csta.StartApplicationSessionPosResponse)
    assert answer.actual_protocol_version == PROTOCOL_VERSION_BASE + "ed3/priv7"
    assert answer.actual_duration_s == 180


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": Secret("wrong")}, SessionError.INVALID_APPLICATION_INFO),
        ({"user_name": "somebody"}, SessionError.INVALID_APPLICATION_INFO),
        ({"protocol_versions": ("ed9",)}, SessionError.VERSION_NOT_SUPPORTED),
        ({"protocol_versions": ()}, SessionError.VERSION_NOT_SUPPORTED),
        ({"old_session_id": SessionId("gone")}, SessionError.INVALID_APPLICATION_INFO),
    ],
)
def test_start_is_refused_with_its_reason(changes: dict[str, Any], why: SessionError) -> None:
    client = Client()
    values = {name: getattr(START, name) for name in START.__struct_fields__} | changes
    answer = client.ask(csta.StartApplicationSession(**values))
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == why
    assert client.outgoing == []
    assert len(client.simulator.aes.sessions) == 0


def test_refused_start_closes_the_socket_when_set_so() -> None:
    client = Client(close_refused=True, session_limit=0)
    answer = client.ask(START)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == SessionError.TOO_MANY_SESSIONS
    assert client.outgoing == [HangUp(1)]


def test_newer_version_than_known_is_refused_and_an_older_one_taken() -> None:
    client = Client(newest_version="priv4")
    versions = tuple(PROTOCOL_VERSION_BASE + f"ed3/{name}" for name in ("priv7", "priv3"))
    assert client.start(protocol_versions=versions)
    (session,) = client.simulator.aes.sessions
    assert session.version == 4


def test_second_start_on_a_socket_is_refused() -> None:
    client = Client()
    client.start()
    assert isinstance(client.ask(START), csta.StartApplicationSessionNegResponse)


def test_logins_are_refused_while_that_is_wanted() -> None:
    client = Client()
    client.simulator.aes.refuse_logins = SessionError.SERVER_RESOURCES_BUSY
    answer = client.ask(START)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == SessionError.SERVER_RESOURCES_BUSY
    client.simulator.aes.refuse_logins = None
    client.start()


def test_session_without_keep_alive_ends_at_its_time() -> None:
    client = Client()
    name = client.start()
    client.wait(179.9)
    assert client.take() == []
    client.wait(0.2)
    (ended,) = client.take(csta.ApplicationSessionTerminated)
    assert (ended.session_id, ended.reason) == (name, "sessionTimerExpired")
    assert error(client.ask(csta.SnapshotDevice(device=ANN))) == ("security", "generic")


def test_keep_alive_lengthens_the_session_and_duration_is_kept_in_limits() -> None:
    client = Client(duration_limits_s=(20, 60))
    name = client.start()
    client.wait(50)
    answer = client.ask(csta.ResetApplicationSessionTimer(session_id=name, requested_duration_s=5))
    assert isinstance(answer, csta.ResetApplicationSessionTimerPosResponse)
    assert answer.actual_duration_s == 20
    client.wait(19)
    assert len(client.simulator.aes.sessions) == 1
    client.wait(2)
    assert len(client.simulator.aes.sessions) == 0


def test_keep_alive_of_another_session_is_refused() -> None:
    client = Client()
    client.start()
    answer = client.ask(csta.ResetApplicationSessionTimer(session_id=SessionId("other")))
    assert isinstance(answer, csta.ResetApplicationSessionTimerNegResponse)
    assert answer.error == SessionError.INVALID_SESSION_ID


def test_stopped_session_is_gone_with_its_monitors() -> None:
    client = Client()
    client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    answer = client.ask(csta.StopApplicationSession(session_id=session.session_id))
    assert isinstance(answer, csta.StopApplicationSessionPosResponse)
    assert len(client.simulator.aes.monitors) == 0
    answer = client.ask(csta.StopApplicationSession(session_id=session.session_id))
    assert isinstance(answer, csta.StopApplicationSessionNegResponse)


def test_lost_session_is_resumed_with_monitors_and_devices_within_the_cleanup_delay() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    client.wait(59)
    assert client.start(2, old_session_id=session.session_id) == session.session_id
    client.simulator.switch.place_call("5559999", "2001")
    (delivered,) = client.take(csta.DeliveredEvent)
    assert delivered.monitor_id == monitor
    assert isinstance(client.ask(csta.SnapshotDevice(device=ANN), 2), csta.SnapshotDeviceResponse)


def test_lost_session_is_gone_after_the_cleanup_delay() -> None:
    client = Client()
    client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    client.wait(60.1)
    assert len(client.simulator.aes.monitors) == 0
    values = {name: getattr(START, name) for name in START.__struct_fields__}
    answer = client.ask(csta.StartApplicationSession(**values | {"old_session_id": session.session_id}), 2)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)


def test_resuming_takes_the_session_from_a_socket_that_only_seems_alive() -> None:
    client = Client()
    name = client.start(1)
    client.start(2, old_session_id=name)
    assert client.outgoing == [HangUp(1)]
    client.simulator.aes.lose(1, client.now_s)
    client.wait(100)
    assert len(client.simulator.aes.sessions) == 1


def test_server_can_end_a_session_by_itself() -> None:
    client = Client()
    name = client.start()
    assert client.simulator.aes.terminate(name, "maintenance")
    (ended,) = client.take(csta.ApplicationSessionTerminated)
    assert ended.text == "maintenance"
    assert not client.simulator.aes.terminate(name, "again")


def test_monitors_move_to_a_new_session_when_asked() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    (old,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    new = client.start(2)
    move = csta.TransferMonitorObjects(from_session_id=old.session_id, to_session_id=new)
    assert isinstance(client.ask(move, 2), csta.TransferMonitorObjectsResponse)
    assert error(client.ask(move, 2)) == ("operation", "invalidParameterValue")
    client.simulator.switch.place_call("5559999", "2001")
    assert client.take(csta.DeliveredEvent)[0].monitor_id == monitor


def test_monitors_have_a_limit_over_all_sessions() -> None:
    client = Client(monitor_limit=1)
    client.ready(ANN)
    answer = client.ask(csta.MonitorStart(device=BOB))
    assert error(answer) == ("systemResourceAvailibility", "overallMonitorLimitExceeded")
