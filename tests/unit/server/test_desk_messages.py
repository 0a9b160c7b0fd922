"""What a desktop's JSON must look like, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from unified_agent.domain.commands import MakeCall
from unified_agent.domain.ids import CommandId, InstanceId
from unified_agent.domain.selection import Standing
from unified_agent.domain.session_state import CommandRecord, Outcome
from unified_agent.domain.topology import InstanceEntry, Next
from unified_agent.server import desk_messages as messages
from unified_agent.server.desk_messages import (
    COMMANDS,
    FRAMES,
    Answer,
    CommandBody,
    CommandFrame,
    DesktopBeat,
    Goodbye,
    Hello,
    LoginBody,
    ResolveBody,
    ResumeBody,
    TicketFrame,
    TopologyFrame,
    Welcome,
    standing,
)


def read(kind: type[Any], **fields: Any) -> Any:
    return msgspec.json.decode(json.dumps(fields), type=kind)


LOGIN: dict[str, Any] = {"agent": "2001", "station": "4001", "password": "1234"}
DIALLER: dict[str, Any] = {"name": "smith", "password": "pw", "headset": "4001"}


def test_a_login_with_and_without_a_dialler_is_read() -> None:
    assert read(LoginBody, **LOGIN).dialler is None
    assert read(LoginBody, **LOGIN, dialler=DIALLER).dialler.job == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"agent": ""},
        {"agent": "20a1"},
        {"agent": "2001\n"},
        {"agent": "1" * 16},
        {"station": "x"},
        {"password": "p" * 65},
        {"dialler": {**DIALLER, "name": ""}},
        {"dialler": {**DIALLER, "name": "n" * 33}},
        {"dialler": {**DIALLER, "headset": ""}},
        {"dialler": {**DIALLER, "job": "j" * 33}},
    ],
)
def test_a_login_out_of_bounds_is_not(changed: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(LoginBody, **{**LOGIN, **changed})


@pytest.mark.parametrize("press", ["", "a b", "é", "x" * 81, "a/b", "a\n"])
def test_the_id_of_a_command_has_a_bound_and_no_odd_characters(press: str) -> None:
    command = {"type": "make-call", "number": "3001"}
    assert read(CommandBody, id="c-1.a_b:2", command=command).command == MakeCall(number="3001")
    with pytest.raises(msgspec.ValidationError):
        read(CommandBody, id=press, command=command)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"type": "hello", "token": "t"}, Hello),
        ({"type": "hello", "token": "t", "epoch": None, "seq": None, "client": "c"}, Hello),
        ({"type": "command", "id": "c-1", "command": {"type": "fly"}}, CommandFrame),
        ({"type": "beat"}, DesktopBeat),
    ],
)
def test_a_frame_is_known_by_its_type(frame: dict[str, Any], kind: type[Any]) -> None:
    assert type(FRAMES.decode(json.dumps(frame))) is kind


@pytest.mark.parametrize(
    "frame",
    [{}, {"type": "welcome"}, {"type": "hello"}, {"type": "hello", "token": "t" * 129}, {"type": "command", "id": "c"}],
)
def test_what_is_no_frame_of_a_desktop_is_refused(frame: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        FRAMES.decode(json.dumps(frame))


def test_a_command_within_a_frame_is_checked_apart() -> None:
    frame = FRAMES.decode(b'{"type":"command","id":"c-1","command":{"type":"make-call","number":"3001"}}')
    assert isinstance(frame, CommandFrame)
    assert COMMANDS.decode(frame.command) == MakeCall(number="3001")


def test_a_record_is_told_in_full_but_for_its_time() -> None:
    record = CommandRecord(
        id=CommandId("c-1"), type="make-call", outcome=Outcome.REFUSED, error="e", detail="d", at_s=5.0
    )
    told = json.loads(msgspec.json.encode(standing(record)))
    assert told == {"id": "c-1", "type": "make-call", "outcome": "refused", "error": "e", "detail": "d"}


def test_frames_to_the_desktop_carry_their_type_first() -> None:
    answer = Answer(id="c-1", command_type="make-call", outcome=Outcome.DONE, error="", detail="")
    assert msgspec.json.encode(answer).startswith(b'{"type":"answer","id":"c-1"')


FRAMES_OUT: list[tuple[Any, dict[str, Any]]] = [
    (
        Welcome(outcome="resumed", epoch=3, seq=19, now="…", beat_s=1.0, silent_s=15.0, term=2, instance="ua-1"),
        {
            "type": "welcome",
            "outcome": "resumed",
            "epoch": 3,
            "seq": 19,
            "now": "…",
            "beat_s": 1.0,
            "silent_s": 15.0,
            "term": 2,
            "instance": "ua-1",
        },
    ),
    (
        Goodbye(reason="move", next=Next(id=InstanceId("ua-2"), url="http://ua-2"), after_ms=5_000),
        {"type": "goodbye", "reason": "move", "next": {"id": "ua-2", "url": "http://ua-2"}, "after_ms": 5_000},
    ),
    (
        Goodbye(reason="drain", next=None, after_ms=0),
        {"type": "goodbye", "reason": "drain", "next": None, "after_ms": 0},
    ),
    (TicketFrame(ticket="t"), {"type": "ticket", "ticket": "t"}),
    (
        TopologyFrame(
            cluster="c",
            epoch=2,
            version=9,
            active="dc1",
            reconnect_window_ms=2_000,
            instances=(
                InstanceEntry(
                    id=InstanceId("ua-1"), url="http://ua-1", datacentre="dc1", state=Standing.DRAINING, weight=0
                ),
            ),
        ),
        {
            "type": "topology",
            "cluster": "c",
            "epoch": 2,
            "version": 9,
            "active": "dc1",
            "reconnect_window_ms": 2_000,
            "instances": [{"id": "ua-1", "url": "http://ua-1", "datacentre": "dc1", "state": "draining", "weight": 0}],
        },
    ),
]


@pytest.mark.parametrize(("frame", "plain"), FRAMES_OUT, ids=lambda each: type(each).__name__)
def test_frames_about_instances_have_the_form_that_desktops_know(frame: Any, plain: dict[str, Any]) -> None:
    assert json.loads(msgspec.json.encode(frame)) == plain


@pytest.mark.parametrize(("ticket", "token"), [("", "t"), ("t", ""), ("t" * 8_193, "t"), ("t", "t" * 129)])
def test_a_ticket_and_its_token_have_bounds(ticket: str, token: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(ResumeBody, ticket=ticket, token=token)


def test_whose_end_is_asked_for_is_a_command_like_any_other() -> None:
    command = {"type": "make-call", "number": "3001"}
    assert read(ResolveBody, command=command).command == MakeCall(number="3001")
    with pytest.raises(msgspec.ValidationError):
        read(ResolveBody, command={**command, "number": "not a number"})


def test_each_close_code_is_of_the_range_left_to_applications_and_means_one_thing() -> None:
    codes = [value for name, value in vars(messages).items() if name.startswith("CLOSED_")]
    assert len(codes) == len(set(codes)) == 6
    assert all(4000 <= code < 5000 for code in codes)
