"""JTAPI's desk under any pieces that events come in, and any outcomes and losses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.links.telephony.jtapi.desk_world import (
    IN_SERVICE,
    OUT_OF_SERVICE,
    DeskWorld,
    ScriptedProvider,
    dials,
    leaves,
    on,
    over,
    rings,
    talks,
)

from unified_agent.domain import commands
from unified_agent.domain.call import Calls
from unified_agent.domain.effects import ChangeMode, LogInAgent, Observe, QueryAgent, ReleaseStation, Snapshot
from unified_agent.domain.ids import AgentId, CallId, Secret, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.call_book import CallBook
from unified_agent.links.telephony.jtapi.call_telling import Teller
from unified_agent.links.telephony.jtapi.constants import CallEventId, Cause, Meta, ProviderState
from unified_agent.links.telephony.jtapi.provider import CallEvent, OperationFailed

Events = tuple[CallEvent, ...]
STATIONS = ("2001", "2002", "2003")
OUTSIDE = ("3001", "3002")
TRANSFER: dict[str, Any] = {"meta": Meta.CALL_TRANSFERRING, "control_cause": Cause.TRANSFER}
CONFERENCE: dict[str, Any] = {"meta": Meta.CALL_MERGING, "control_cause": Cause.CONFERENCE}


class LittleSwitch:
    """Calls of two or more parties, and the deliveries that tell of what happens to them."""

    def __init__(self) -> None:
        self._ids = count(1)
        self.calls: dict[str, dict[str, str]] = {}
        self.who: dict[str, dict[str, str]] = {}

    def step(self, pick: Iterator[int]) -> Events:
        """Do something that is possible, chosen by the numbers."""
        doings = [self._call, self._answer, self._hold, self._retrieve, self._leave, self._join]
        return doings[next(pick) % len(doings)](pick)

    def _legs(self, *states: str) -> list[tuple[str, str]]:
        return [(call, at) for call, legs in self.calls.items() for at, state in legs.items() if state in states]

    def _call(self, pick: Iterator[int]) -> Events:
        everybody = (*STATIONS, *OUTSIDE)
        caller = everybody[next(pick) % len(everybody)]
        callee = STATIONS[next(pick) % len(STATIONS)]
        if caller == callee:
            return ()
        call = str(next(self._ids))
        who = self.who[call] = {"calling": caller, "called": callee, "ucid": f"u{call}"}
        self.calls[call] = {caller: "talking", callee: "ringing"}
        return (*dials(call, caller, **who), *rings(call, callee, **who))

    def _answer(self, pick: Iterator[int]) -> Events:
        if not (found := self._legs("ringing")):
            return ()
        call, at = found[next(pick) % len(found)]
        self.calls[call][at] = "talking"
        return talks(call, at, **self.who[call])

    def _hold(self, pick: Iterator[int]) -> Events:
        return self._turn(pick, "talking", "held", CallEventId.TERMINAL_HELD)

    def _retrieve(self, pick: Iterator[int]) -> Events:
        return self._turn(pick, "held", "talking", CallEventId.TERMINAL_TALKING)

    def _turn(self, pick: Iterator[int], before: str, after: str, number: CallEventId) -> Events:
        found = [each for each in self._legs(before) if "ringing" not in self.calls[each[0]].values()]
        if not found:
            return ()
        call, at = found[next(pick) % len(found)]
        self.calls[call][at] = after
        return (on(call, at, number, **self.who[call]),)

    def _leave(self, pick: Iterator[int]) -> Events:
        if not (found := self._legs("talking", "held", "ringing")):
            return ()
        call, at = found[next(pick) % len(found)]
        legs, who = self.calls[call], self.who[call]
        del legs[at]
        if len(legs) > 1:
            return leaves(call, at, cause=Cause.NORMAL, **who)
        del self.calls[call]
        rest = [event for each in legs for event in leaves(call, each, cause=Cause.NORMAL, **who)]
        return (*leaves(call, at, cause=Cause.NORMAL, **who), *rest, over(call, cause=Cause.NORMAL, **who))

    def _join(self, pick: Iterator[int]) -> Events:
        """Somebody who holds one call and talks in another joins them, and leaves if it is a transfer."""
        found = [
            (held, active, at)
            for held, at in self._legs("held")
            for active, other in self._legs("talking")
            if at == other and held != active
        ]
        found = [
            each
            for each in found
            if "ringing" not in {*self.calls[each[0]].values(), *self.calls[each[1]].values()}
            and set(self.calls[each[0]]) & set(self.calls[each[1]]) == {each[2]}
        ]
        if not found:
            return ()
        old, call, at = found[next(pick) % len(found)]
        how = TRANSFER if next(pick) % 2 else CONFERENCE
        events: list[CallEvent] = []
        moved = self.calls.pop(old)
        for each in moved:
            events += leaves(old, each, **how, **self.who[old])
        events.append(over(old, **how, **self.who[old]))
        for each, state in moved.items():
            if each != at:
                events += talks(call, each, **how, **self.who[call])
                self.calls[call][each] = "talking"
                if state == "held":
                    self.calls[call][each] = "held"
                    events.append(on(call, each, CallEventId.TERMINAL_HELD, **how, **self.who[call]))
        if how is TRANSFER:
            del self.calls[call][at]
            events += leaves(call, at, **how, **self.who[call])
        return tuple(events)


def history(picks: list[int]) -> list[Events]:
    switch, pick = LittleSwitch(), iter([*picks, *[0] * 8])
    return [events for _ in range(len(picks) // 3) if (events := switch.step(pick))]


def believed(deliveries: list[Events]) -> dict[str, Any]:
    """Return what each station's session makes of the facts, in whatever pieces the events came."""
    book = CallBook()
    tellers = {each: Teller(SessionId(each), each) for each in STATIONS}
    for events in deliveries:
        delivery = book.apply(events)
        for each in tellers.values():
            each.tell(book, delivery)
        book.settle(delivery.calls, lambda it: it in STATIONS, len(STATIONS))
    for each in tellers.values():
        each.tell(book, patient=False)
    assert len(book) <= 40 * len(STATIONS) + 512
    return {station: _shape(teller.calls) for station, teller in tellers.items()}


def _shape(calls: Calls) -> Any:
    return {each.id: (each.state, {(it.number, it.state) for it in each.parties}) for each in calls}


PICKS = st.lists(st.integers(0, 59), min_size=12, max_size=150)


@given(PICKS)
def test_belief_is_the_switch_s_truth(picks: list[int]) -> None:
    switch, pick = LittleSwitch(), iter([*picks, *[0] * 8])
    deliveries = [switch.step(pick) for _ in range(len(picks) // 3)]
    told = believed(deliveries)
    for station in STATIONS:
        truth = {call for call, legs in switch.calls.items() if station in legs}
        assert told[station].keys() == truth
        for call in truth:
            legs = switch.calls[call]
            state, parties = told[station][call]
            if "ringing" in legs.values():
                continue
            assert {number for number, _ in parties} == legs.keys() - {station}
            own = {"talking": {"active", "conferenced"}, "held": {"held"}}[legs[station]]
            assert state in own


@given(PICKS, st.lists(st.integers(1, 3), min_size=1, max_size=20))
def test_repeated_events_and_deliveries_change_nothing(picks: list[int], repeats: list[int]) -> None:
    deliveries = history(picks)
    many = [repeats[index % len(repeats)] for index in range(len(deliveries))]
    doubled = [
        tuple(each for each in events for _ in range(times)) for events, times in zip(deliveries, many, strict=True)
    ]
    again = [events for events, times in zip(deliveries, many, strict=True) for _ in range(times)]
    assert believed(doubled) == believed(deliveries) == believed(again)


@given(PICKS, st.lists(st.integers(1, 4), min_size=1, max_size=20))
def test_pieces_that_events_come_in_change_nothing(picks: list[int], sizes: list[int]) -> None:
    deliveries = history(picks)
    single: list[Events] = [(event,) for events in deliveries for event in events]
    joined, rest = [], list(deliveries)
    for index in count():
        if not rest:
            break
        size = sizes[index % len(sizes)]
        joined.append(tuple(event for events in rest[:size] for event in events))
        del rest[:size]
    assert believed(single) == believed(deliveries) == believed(joined)


@given(PICKS, st.lists(st.booleans(), max_size=200))
def test_second_observer_that_is_late_changes_nothing_in_the_end(picks: list[int], turns: list[bool]) -> None:
    deliveries = history(picks)
    first, second, mixed = 0, 0, []
    for turn in turns:
        if turn and first < len(deliveries):
            mixed.append(deliveries[first])
            first += 1
        elif second < first:
            mixed.append(deliveries[second])
            second += 1
    assert believed([*mixed, *deliveries[first:], *deliveries[second:]]) == believed(deliveries)


# --- asks

AGENT = AgentId("5001")
ASKS: tuple[Any, ...] = (
    Observe(),
    Observe(),
    ReleaseStation(),
    Snapshot(agent=AGENT),
    QueryAgent(agent=AGENT),
    LogInAgent(agent=AGENT, password=Secret("1234")),
    ChangeMode(agent=AGENT, mode=SwitchMode.READY),
    ChangeMode(agent=AGENT, mode=SwitchMode.UNKNOWN),
    commands.MakeCall(number="2002"),
    commands.AnswerCall(call=CallId("7")),
)
RESULTS: dict[type[provider.Operation], Any] = {provider.ReadCalls: (), provider.SetState: True}
FAILURES = (
    OperationFailed("InvalidStateException", "no", (2, 22)),
    OperationFailed("ResourceUnavailableException", "no", (2, 34)),
    OperationFailed("StaleAgent", "no"),
    OperationFailed("PlatformException"),
)
LOSS = provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False)


@given(st.lists(st.tuples(st.sampled_from("aaaaaooooofttlleu"), st.integers(0, 999)), max_size=120))
def test_every_ask_has_exactly_one_answer(steps: list[tuple[str, int]]) -> None:
    world = DeskWorld()
    every: list[type[provider.Operation]] = [*(type(each) for each in _operations()), provider.Probe]
    world.provider.replies.update(dict.fromkeys(every, ScriptedProvider.NEVER))
    asked: dict[Any, tuple[int, str, int]] = {}
    forgotten: set[Any] = set()
    for what, number in steps:
        station = STATIONS[number % len(STATIONS)]
        if what == "a":
            generation, place = world.desk.generation, len(world.said)
            request = world.ask(ASKS[number // 3 % len(ASKS)], station)
            asked[request] = (generation, station, place)
        elif what == "o" and world.provider.open:
            submitted = world.provider.open.pop(number % len(world.provider.open))
            kind = type(submitted.operation)
            if kind is provider.Probe:
                submitted.end(ProviderState.IN_SERVICE)
            elif number % 4 == 0:
                submitted.end(FAILURES[number // 4 % len(FAILURES)])
            else:
                submitted.end(RESULTS.get(kind))
        elif what == "f":
            world.desk.forget(SessionId(f"s-{station}"))
            forgotten |= {request for request, (_, at, _) in asked.items() if at == station}
        elif what == "t":
            world.pass_time(number % 7)
        elif what == "l":
            world.tell(LOSS if number % 2 else OUT_OF_SERVICE)
        elif what == "e":
            world.tell(provider.ObservationEnded(station=station))
        elif what == "u":
            world.tell(IN_SERVICE)
    world.provider.replies[provider.Probe] = ProviderState.IN_SERVICE
    world.pass_time(40, 1.0)
    for request, (generation, _, place) in asked.items():
        answers = world.answers(request)
        assert len(answers) <= 1
        down = any(isinstance(each, messages.Down) and each.generation == generation for each in world.said[place:])
        assert answers or down or request in forgotten or world.lost
    stamps = [each.generation for each in world.said if isinstance(each, (messages.Up, messages.Down))]
    assert stamps == sorted(stamps)
    assert world.desk.waiting == 0


def _operations() -> list[provider.Operation]:
    return [
        provider.ObserveStation(station="2001"),
        provider.UnobserveStation(station="2001"),
        provider.ReadCalls(station="2001"),
        provider.ReadAgent(station="2001"),
        provider.LogIn(station="2001", agent="5001", password=Secret("1234")),
        provider.SetState(station="2001", agent="5001", state=4, work_mode=1),
        provider.Dial(station="2001", number="2002"),
        provider.Answer(station="2001", call="7"),
    ]
