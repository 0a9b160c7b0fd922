"""Who gets the session that an agent has here already."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import Desk
from tests.unit.sessions.rooms import identity

from unified_agent.domain.ids import AgentId, Secret, StationId
from unified_agent.domain.session_state import Identity, SessionState
from unified_agent.domain.states import Phase
from unified_agent.sessions.admission import OpenRefused, refusal_to_take_over


def asks(password: str = "1234", station: str = "2001") -> Identity:
    return replace(identity(), agent=AgentId("5001"), station=StationId(station), password=Secret(password))


def running(*, verified: bool = True, phase: Phase = Phase.ACTIVE) -> SessionState:
    state = Desk().log_in().state
    return replace(state, phase=phase, telephony=replace(state.telephony, verified=verified))


@pytest.mark.parametrize(
    ("state", "who", "refused", "detail"),
    [
        (running(), asks(), None, ""),
        (running(verified=False, phase=Phase.LOGGING_IN), asks(), None, ""),
        (running(phase=Phase.RESETTING), asks(), None, ""),
        (running(), asks("9999"), "agent.wrong-password", ""),
        (running(), asks("12345"), "agent.wrong-password", ""),
        (running(), asks("ő9"), "agent.wrong-password", ""),
        (running(verified=False), asks("9999"), "agent.already-logging-in", ""),
        (running(phase=Phase.CLOSING), asks(), "agent.logging-out", ""),
        (running(phase=Phase.CLOSED), asks(), "agent.logging-out", ""),
        (running(phase=Phase.CLOSING), asks("9999"), "agent.wrong-password", ""),
        (running(), asks(station="2002"), "agent.already-logged-in", "2001"),
        (running(), asks("9999", station="2002"), "agent.wrong-password", ""),
    ],
)
def test_the_right_password_at_the_same_station_gets_it(
    state: SessionState, who: Identity, refused: str | None, detail: str
):
    refusal = refusal_to_take_over(state, who)
    assert (refusal.id if refusal is not None else None) == refused
    assert refusal is None or refusal.detail == detail


def test_a_refusal_says_what_it_is_and_no_password():
    assert str(OpenRefused("station.in-use", "2001")) == "station.in-use 2001"
    assert str(OpenRefused("instance.draining")) == "instance.draining"
    assert "9999" not in repr(refusal_to_take_over(running(), asks("9999")))
