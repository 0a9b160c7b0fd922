"""What outlives an instance: all that the next one needs, nothing that it must not know."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.domain.desk import AES, DIALLER, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.carry import adopt, adopt_unread, carry_of, pack, unpack
from unified_agent.domain.ids import AgentId, CallId, CommandId, Secret, StationId
from unified_agent.domain.job import RecordField
from unified_agent.domain.limits import CARRIED_COMMANDS
from unified_agent.domain.session import new_session, step
from unified_agent.domain.session_state import (
    ClaimState,
    CommandRecord,
    DiallerLogin,
    Identity,
    Outcome,
    Policy,
    SessionState,
    TelephonyState,
)
from unified_agent.domain.states import (
    ClaimStage,
    DiallerStage,
    ItemKind,
    Phase,
    Presence,
    Side,
    SwitchMode,
    TelephonyStage,
    Wish,
)
from unified_agent.errors import RemoteProtocolError

LATER_S = 1_000_900.0


def busy() -> Desk:
    """An agent in the middle of everything: ready, on a call, with a record open and something typed."""
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)
    desk.command(c.TakeItems())
    desk.done("take-items")
    fields = (RecordField(name="NAME", value="PAT"), RecordField(name="BAL", value="1", editable=True, length=5))
    desk.give(
        f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True, ucid="0000100001"),
        f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False, key="NAME", fields=fields),
        f.MessageReceived(session=SESSION, text="good work", sender="supervisor"),
    )
    desk.command(c.SaveDraft(notes="called twice", code="20"))
    return desk


def opened_elsewhere(identity: Identity | None = None, **changes: Any) -> SessionState:
    """The session as another instance opens it, with a ticket."""
    known = busy().state.identity
    claim = ClaimState(stage=ClaimStage.ASKED, wish=Wish.RESUME, term=0, ticket_term=4)
    state = new_session(SESSION, identity or known, Policy(hold_s=7.0), LATER_S, claim)
    return replace(state, **{"presence": Presence.CONNECTED, **changes})


def command(number: int, outcome: Outcome) -> CommandRecord:
    return CommandRecord(id=CommandId(f"c-{number}"), type="make-call", outcome=outcome)


# --- written and read


def test_a_carry_survives_its_bytes():
    carry = carry_of(busy().state)
    assert carry.item is not None
    assert carry.calls
    assert unpack(pack(carry)) == carry


def test_no_password_is_in_the_bytes():
    login = DiallerLogin(name="agent1", password=Secret("dialler-secret"), headset="2001")
    identity = Identity(
        agent=AgentId("5001"), station=StationId("2001"), password=Secret("switch-secret"), dialler=login
    )
    data = pack(carry_of(replace(busy().state, identity=identity)))
    assert b"secret" not in data
    assert b"5001" in data
    assert b"agent1" in data, "the logon name is no secret"


def test_what_others_know_better_or_must_not_know_stays_behind():
    desk = busy()
    desk.command(c.MakeCall(number="3002"))
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=c.MakeCall(number="1")))
    carry = carry_of(replace(desk.state, dialler_queued=True, dialler_turn_at_s=5.0))
    assert (carry.requests, carry.doubts, carry.dialler.jobs, carry.dialler.keys) == ((), (), (), ())
    assert (carry.dialler_queued, carry.dialler_turn_at_s, carry.telephony.turn_at_s) == (False, None, None)
    assert carry.policy == Policy()
    assert carry.next_request == desk.state.next_request, "numbers are never given twice"


def test_what_need_not_be_written_again_leaves_the_carry_as_it_was():
    desk = Desk(dialler=True)
    before = carry_of(desk.state)
    desk.give(f.TurnPlanned(session=SESSION, side=Side.TELEPHONY, at_s=desk.now_s + 5))
    desk.give(f.TurnPlanned(session=SESSION, side=Side.DIALLER, at_s=desk.now_s + 5))
    assert carry_of(desk.state) == before


def test_only_the_latest_outcomes_of_commands_are_carried():
    commands = tuple(command(number, Outcome.DONE) for number in range(CARRIED_COMMANDS + 5))
    assert carry_of(replace(busy().state, commands=commands)).commands == commands[5:]


def test_a_command_without_an_outcome_is_carried_however_old():
    under_way = command(0, Outcome.ACCEPTED)
    others = tuple(command(number, Outcome.DONE) for number in range(1, CARRIED_COMMANDS + 5))
    carry = carry_of(replace(busy().state, commands=(under_way, *others)))
    assert carry.commands == (under_way, *others[-CARRIED_COMMANDS:])


# --- neighbouring versions


def as_map(carry: SessionState) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.msgpack.decode(pack(carry))
    return plain


def test_what_a_newer_version_added_is_passed_over():
    carry = carry_of(busy().state)
    plain = as_map(carry)
    plain["mood"] = "good"
    plain["telephony"]["loudness"] = 11
    assert unpack(msgspec.msgpack.encode(plain)) == carry


def test_what_an_older_version_did_not_know_has_its_default():
    carry = carry_of(busy().state)
    plain = as_map(carry)
    for name in ("left_item", "orphaned", "claim", "dialler_queued", "close_detail"):
        del plain[name]
    del plain["telephony"]["detail"]
    assert unpack(msgspec.msgpack.encode(plain)) == replace(carry, claim=ClaimState())


def test_every_field_but_who_it_is_has_a_default():
    plain = {name: value for name, value in as_map(carry_of(busy().state)).items() if name in {"id", "identity"}}
    assert unpack(msgspec.msgpack.encode(plain)).phase is Phase.LOGGING_IN


@given(st.binary(max_size=200) | st.integers(0, 300).map(lambda cut: pack(carry_of(busy().state))[:cut]))
def test_any_bytes_either_are_a_carry_or_are_refused(data: bytes):
    with pytest.raises(RemoteProtocolError):
        unpack(data)


def test_a_word_of_a_version_that_is_no_neighbour_is_refused():
    plain = as_map(carry_of(busy().state))
    plain["phase"] = "meditating"
    with pytest.raises(RemoteProtocolError, match="not a session's carry"):
        unpack(msgspec.msgpack.encode(plain))


# --- adopted


def test_to_be_adopted_is_to_have_lost_both_links():
    desk = busy()
    lost, _ = step(desk.state, f.TelephonyDown(link=AES, reason="instance-lost"), LATER_S)
    lost, _ = step(lost, f.DiallerLost(session=SESSION, dialler=DIALLER, reason="instance-lost"), LATER_S)
    here = opened_elsewhere()
    adopted = adopt(unpack(pack(carry_of(desk.state))), here, LATER_S)
    assert adopted == replace(
        lost, claim=here.claim, policy=here.policy, presence=here.presence, presence_since_s=here.presence_since_s
    )


def test_the_record_that_was_open_stays_with_the_notes_to_be_read():
    adopted = adopt(carry_of(busy().state), opened_elsewhere(), LATER_S)
    assert adopted.item is None
    assert adopted.left_item is not None
    assert (adopted.left_item.title, adopted.left_item.draft.notes) == ("PAT", "called twice")


def test_calls_are_not_shown_and_not_forgotten():
    adopted = adopt(carry_of(busy().state), opened_elsewhere(), LATER_S)
    assert adopted.calls == ()
    assert [each.ucid for each in adopted.calls_before] == ["0000100001"]
    assert not adopted.agent.known


def test_passwords_and_policy_are_those_of_the_ticket_and_of_this_site():
    known = busy().state.identity
    fresh = replace(known, password=Secret("new"))
    adopted = adopt(carry_of(busy().state), opened_elsewhere(fresh), LATER_S)
    assert adopted.identity == fresh
    assert adopted.policy.hold_s == 7.0


def test_the_present_link_is_known_but_not_believed_to_be_observed():
    here = opened_elsewhere()
    adopted = adopt(carry_of(busy().state), replace(here, telephony=replace(here.telephony, link=AES)), LATER_S)
    assert (adopted.telephony.link, adopted.telephony.stage.value) == (AES, "waiting")
    assert adopted.telephony.lost_s == LATER_S


def test_an_outage_counts_from_the_first_time_that_a_session_is_adopted():
    carry = replace(carry_of(busy().state), claim=ClaimState(term=4))
    first = adopt(carry, opened_elsewhere(), LATER_S)
    granted, _ = step(first, f.ClaimGranted(session=SESSION, term=5, carried=carry), LATER_S + 40)
    assert (granted.telephony.lost_s, granted.dialler_lost_s) == (LATER_S, LATER_S)


def test_an_outage_counts_on_although_the_carry_could_not_be_read_at_first():
    carry = replace(carry_of(busy().state), claim=ClaimState(term=4))
    first = adopt_unread(opened_elsewhere(telephony=TelephonyState(verified=True, link=AES)), LATER_S)
    assert (first.phase, first.telephony.trouble, first.agent.known) == (Phase.RESETTING, "instance-lost", False)
    granted, _ = step(first, f.ClaimGranted(session=SESSION, term=5, carried=carry), LATER_S + 40)
    assert granted.telephony.lost_s == LATER_S
    assert granted.agent.mode is SwitchMode.READY


def test_until_a_link_is_back_it_is_told_that_the_instance_is_another_one():
    desk = Desk(dialler=True, job=JOB)
    carry = carry_of(busy().state)
    desk.state = adopt(carry, opened_elsewhere(dialler_proved=True), LATER_S)
    desk.now_s = LATER_S
    desk.give(f.ClaimGranted(session=SESSION, term=5, carried=carry), f.TelephonyUp(link=AES))
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    assert (desk.state.telephony.stage, desk.state.telephony.trouble) == (TelephonyStage.OBSERVING, "instance-lost")
    desk.done("observe")
    desk.snapshot(agent="5001", mode=SwitchMode.READY)
    assert desk.state.telephony.trouble == ""
    desk.give(f.TurnGiven(session=SESSION, side=Side.DIALLER))
    assert (desk.state.dialler.stage, desk.state.dialler.trouble) == (DiallerStage.LOGGING_ON, "instance-lost")
    desk.log_on()
    assert desk.state.dialler.trouble == ""


def test_a_link_with_trouble_of_its_own_tells_that_instead():
    adopted = adopt(carry_of(busy().state), opened_elsewhere(), LATER_S)
    lost, _ = step(adopted, f.TelephonyDown(link=AES, reason="silent"), LATER_S)
    back, _ = step(lost, f.TelephonyUp(link=AES), LATER_S + 1)
    assert (lost.telephony.trouble, back.telephony.trouble) == ("silent", "")


@pytest.mark.parametrize(
    ("carried", "ticket", "phase"),
    [
        (True, False, Phase.RESETTING),
        (False, True, Phase.RESETTING),
        (True, True, Phase.RESETTING),
        (False, False, Phase.LOGGING_IN),
    ],
)
def test_a_password_that_was_proved_once_in_the_session_is_proved(carried: bool, ticket: bool, phase: Phase):
    left, here = carry_of(busy().state), opened_elsewhere()
    left = replace(left, telephony=replace(left.telephony, verified=carried))
    here = replace(here, telephony=replace(here.telephony, verified=ticket))
    adopted = adopt(left, here, LATER_S)
    assert (adopted.phase, adopted.telephony.verified) == (phase, carried or ticket)


def test_commands_that_were_under_way_are_unknown_and_stay_so():
    left = replace(
        carry_of(busy().state),
        commands=(command(1, Outcome.ACCEPTED), command(2, Outcome.DONE), command(3, Outcome.REFUSED)),
    )
    here = opened_elsewhere(commands=(command(2, Outcome.UNKNOWN), command(4, Outcome.REFUSED)))
    adopted = adopt(left, here, LATER_S)
    assert [(each.id, each.outcome) for each in adopted.commands] == [
        ("c-1", Outcome.UNKNOWN),
        ("c-2", Outcome.DONE),
        ("c-3", Outcome.REFUSED),
        ("c-4", Outcome.REFUSED),
    ]
    assert adopted.commands[0].error == "instance-lost"


def test_a_log_out_that_waited_waits_on():
    desk = busy()
    desk.command(c.LogOut(reason=3))
    adopted = adopt(carry_of(desk.state), opened_elsewhere(), LATER_S)
    assert (adopted.log_out, adopted.log_out_reason) == ("agent", 3)


def test_why_it_ended_there_is_no_reason_here():
    desk = Desk().log_in()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    adopted = adopt(carry_of(desk.state), opened_elsewhere(), LATER_S)
    assert (adopted.phase, adopted.close_reason) == (Phase.RESETTING, "")


def test_an_agent_who_stood_in_the_dialler_s_queue_is_queued_anew():
    desk = Desk(dialler=True, job=JOB).log_in()
    assert desk.state.dialler_queued
    desk.state = adopt(unpack(pack(carry_of(desk.state))), opened_elsewhere(), LATER_S)
    desk.now_s = LATER_S
    desk.give(f.ClaimGranted(session=SESSION, term=5), f.TelephonyUp(link=AES))
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5001", mode=SwitchMode.NOT_READY)
    assert desk.state.dialler_queued
    desk.log_on()
    assert desk.state.dialler.stage is DiallerStage.JOINING
