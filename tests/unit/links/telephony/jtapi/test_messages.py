"""Every ask and every fact of the port passes between the processes unchanged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from unified_agent.domain import commands, effects, facts
from unified_agent.domain.ids import AgentId, CallId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.states import Direction, LegState, SwitchMode
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.telephony.jtapi import messages

SESSION, STATION, REQUEST = SessionId("s-1"), StationId("2001"), RequestId(7)


def subclasses(root: type) -> set[type]:
    found: set[type] = set(root.__subclasses__())
    return found.union(*(subclasses(each) for each in found))


def example(kind: Any) -> Any:
    """Make one with every field set."""
    values = {
        "session": SESSION,
        "request": REQUEST,
        "agent": AgentId("5001"),
        "password": Secret("1234"),
        "mode": SwitchMode.NOT_READY,
        "pending_mode": SwitchMode.READY,
        "reason": "monitor-ended" if kind is facts.StationUnobserved else 3,
        "pending_reason": 4,
        "may_wait": True,
        "talking": True,
        "fatal": True,
        "incoming": True,
        "since_s": 12.5,
        "old": (CallId("8"), CallId("9")),
        "parties": (facts.PartySeen(number="2002", state=LegState.HELD),),
        "calls": (facts.CallSeen(call=CallId("7"), state=LegState.ACTIVE, direction=Direction.IN),),
    }
    texts = {"call": "77", "held": "78", "active": "79", "number": "2002", "digits": "12#"}
    return kind(
        **{each.name: values.get(each.name, texts.get(each.name, "word")) for each in msgspec.structs.fields(kind)}
    )


ASKS = sorted((subclasses(effects.SwitchAsk) | subclasses(commands.CallCommand)), key=lambda each: each.__name__)


@pytest.mark.parametrize("kind", ASKS, ids=lambda each: each.__name__)
def test_every_ask_passes_unchanged(kind: type) -> None:
    effect = effects.AskSwitch(session=SESSION, station=STATION, request=REQUEST, ask=example(kind))
    message = messages.read_from_server(messages.write(messages.ask_of(3, effect)))
    assert isinstance(message, messages.Ask)
    assert message.generation == 3
    assert messages.effect_of(message) == effect


FACTS = sorted(
    (
        each
        for each in subclasses(facts.CallFact)
        | {
            facts.RequestDone,
            facts.RequestRefused,
            facts.RequestUnknown,
            facts.AgentStateReported,
            facts.ModePending,
            facts.StationUnobserved,
            facts.StationSnapshot,
        }
    ),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("kind", FACTS, ids=lambda each: each.__name__)
def test_every_fact_passes_unchanged(kind: type) -> None:
    fact = example(kind)
    message = messages.read_from_process(messages.write(messages.told_of(5, fact)))
    assert isinstance(message, messages.Told)
    assert messages.fact_of(message) == fact


@pytest.mark.parametrize(
    "message",
    [
        messages.Forget(session=SESSION),
        messages.Ping(number=4),
        messages.Close(),
        messages.Open(
            link="aes-1",
            peer="a.Peer",
            service="S",
            user="cti",
            password=Secret("x"),
            parameters={"servers": "h:450"},
            open_limit_s=1,
            heartbeat_s=2,
            probe_interval_s=3,
            silence_limit_s=4,
            request_limit_s=5,
            poll_interval_s=6,
            threads=7,
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_server_says_passes_unchanged(message: messages.FromServer) -> None:
    assert messages.read_from_server(messages.write(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        messages.Opened(java="17", agents="vendor", missing=("a",)),
        messages.Failed(refused=True, detail="d"),
        messages.Up(generation=2),
        messages.Down(generation=2, reason="silent", detail="d", lost=True),
        messages.Load(overloaded=True, observed=1, in_flight=2, waiting=3),
        messages.Pong(number=4),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_process_says_passes_unchanged(message: messages.FromProcess) -> None:
    assert messages.read_from_process(messages.write(message)) == message


def test_no_password_shows_in_a_repr() -> None:
    ask = effects.LogInAgent(agent=AgentId("1"), password=Secret("geheim"))
    message = messages.ask_of(1, effects.AskSwitch(session=SESSION, station=STATION, request=REQUEST, ask=ask))
    assert "geheim" not in repr(message)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"type":"beep"}', b"[1]", b"\xff"])
def test_what_is_not_understood_is_said_to_be(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        messages.read_from_server(content)
    with pytest.raises(RemoteProtocolError):
        messages.read_from_process(content)


def test_an_ask_or_a_fact_of_another_version_is_said_to_be() -> None:
    raw = msgspec.Raw(b"{}")
    with pytest.raises(RemoteProtocolError, match="Fly"):
        messages.effect_of(
            messages.Ask(generation=1, session=SESSION, station=STATION, request=REQUEST, what="Fly", ask=raw)
        )
    with pytest.raises(RemoteProtocolError, match="Fly"):
        messages.fact_of(messages.Told(generation=1, what="Fly", fact=raw))
    with pytest.raises(RemoteProtocolError):
        messages.fact_of(messages.Told(generation=1, what="CallEnded", fact=raw))
