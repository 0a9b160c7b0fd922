from __future__ import annotations

import pytest
from tests.unit.links.telephony.world import device, leg, party

from unified_agent.domain.facts import CallSeen, PartySeen
from unified_agent.domain.ids import CallId
from unified_agent.domain.states import Direction, LegState
from unified_agent.links.telephony.snapshots import call_seen
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import LocalState

I, A, C, H, Q, F = (  # noqa: E741 - one letter for each, in a table
    LocalState.INITIATED,
    LocalState.ALERTING,
    LocalState.CONNECTED,
    LocalState.HOLD,
    LocalState.QUEUED,
    LocalState.FAIL,
)


def entry(*states: LocalState, simple: str | None = None) -> csta.SnapshotDeviceEntry:
    return csta.SnapshotDeviceEntry(connection=leg("7", "2001"), states=states, simple_state=simple)


def parties(*each: tuple[str | None, LocalState | None]) -> tuple[csta.SnapshotCallEntry, ...]:
    return tuple(
        csta.SnapshotCallEntry(device=party(number), connection=leg("7", number or "T9"), local_state=state)
        for number, state in each
    )


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ((I,), LegState.DIALLING),
        ((C, I), LegState.DIALLING),
        ((C, A), LegState.DIALLING),
        ((C, Q), LegState.DIALLING),
        ((A, C), LegState.ALERTING),
        ((C, C), LegState.ACTIVE),
        ((C, H), LegState.ACTIVE),
        ((H, C), LegState.HELD),
        ((C, C, H), LegState.CONFERENCED),
        ((C, C, A), LegState.CONFERENCED),
        ((C, F), LegState.FAILED),
        ((C, C, F), LegState.ACTIVE),
        ((Q, C), LegState.DIALLING),
        ((F, C), LegState.FAILED),
        ((C,), LegState.ACTIVE),
        ((), LegState.ACTIVE),
    ],
)
def test_own_leg_is_read_from_the_states_of_the_call(states: tuple[LocalState, ...], state: LegState) -> None:
    assert call_seen(entry(*states), None, device("2001")) == CallSeen(call=CallId("7"), state=state)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("callReceived", LegState.ALERTING),
        ("callDelivered", LegState.DIALLING),
        ("callEstablished", LegState.ACTIVE),
        ("callFailed", LegState.FAILED),
        ("callOfTheWild", LegState.ACTIVE),
    ],
)
def test_simple_state_is_understood_too(word: str, state: LegState) -> None:
    assert call_seen(entry(simple=word), None, device("2001")).state is state


def test_snapshot_of_the_call_names_the_others_and_knows_best() -> None:
    answer = csta.SnapshotCallResponse(
        parties=parties(("2001", H), ("3001", C), (None, A)), calling=party("3001"), called=party("8000")
    )
    assert call_seen(entry(C, C), answer, device("2001")) == CallSeen(
        call=CallId("7"),
        state=LegState.HELD,
        direction=Direction.IN,
        parties=(
            PartySeen(number="3001", state=LegState.ACTIVE),
            PartySeen(number="T9", state=LegState.ALERTING),
        ),
    )


def test_direction_is_out_when_the_station_called_and_none_when_nobody_says() -> None:
    out = csta.SnapshotCallResponse(parties=parties(("2001", C), ("2002", A)), calling=party("2001"))
    seen = call_seen(entry(C, A), out, device("2001"))
    assert (seen.direction, seen.state) == (Direction.OUT, LegState.DIALLING)
    silent = csta.SnapshotCallResponse(parties=parties(("2001", C), ("2002", None)), calling=party(None))
    assert call_seen(entry(C), silent, device("2001")).direction is None


def test_conference_is_seen_from_the_number_of_others() -> None:
    answer = csta.SnapshotCallResponse(parties=parties(("2001", C), ("3001", C), ("2002", C)))
    assert call_seen(entry(), answer, device("2001")).state is LegState.CONFERENCED
