"""Each effect goes to its port, in the order given, and what ends is counted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.links.fakes import ManualClock
from tests.unit.sessions.rooms import AskedPort, Claims, identity

from unified_agent.domain.commands import MakeCall
from unified_agent.domain.effects import (
    AskClaim,
    AskDialler,
    AskSwitch,
    AskTurn,
    CloseSession,
    CountUnexpected,
    Effect,
    LogOffDialler,
    RestartOutbox,
    Settle,
    Tell,
)
from unified_agent.domain.facts import TurnGiven
from unified_agent.domain.ids import AgentId, CommandId, InstanceId, RequestId, SessionId, StationId
from unified_agent.domain.notices import MessageArrived
from unified_agent.domain.session import new_session
from unified_agent.domain.session_state import CommandRecord, OpenRequest, Outcome, Policy
from unified_agent.domain.states import Side, Wish
from unified_agent.domain.view import MessageView
from unified_agent.history import CommandSettled, HistoryList, LinkDeed
from unified_agent.observe import Metrics
from unified_agent.sessions.live import LiveSession
from unified_agent.sessions.login_pacer import LoginPacer
from unified_agent.sessions.performer import Performer

SESSION = SessionId("s1")


class Bench:
    def __init__(
        self, *commands: CommandRecord, claims: Claims | None = None, history: HistoryList | None = None
    ) -> None:
        self.clock = ManualClock(1_000.0)
        self.switch, self.dialler, self.metrics = AskedPort(), AskedPort(), Metrics()
        self.turns: list[object] = []
        self.closed: list[CloseSession] = []
        state = new_session(SESSION, identity(), Policy(), 1_000.0)
        self.live = LiveSession(type(state)(id=SESSION, identity=state.identity, commands=commands), self.clock.now_s)
        self.performer = Performer(
            telephony=self.switch,
            dialler=self.dialler,
            pacer=LoginPacer(self.clock, self.turns.append, rate_per_s=10.0),
            clock=self.clock,
            metrics=self.metrics,
            closed=self.closed.append,
            registry=claims,
            history=history,
        )

    def perform(self, *effects: Effect) -> None:
        self.performer.perform(self.live, effects)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


def call(number: int) -> AskSwitch:
    ask = MakeCall(number=str(number))
    return AskSwitch(session=SESSION, station=StationId("2001"), request=RequestId(number), ask=ask)


def hello(text: str) -> Tell:
    return Tell(session=SESSION, notice=MessageArrived(message=MessageView(text=text, sender="", at="")))


def test_asks_reach_their_own_port_in_the_order_given():
    bench = Bench()
    leave = AskDialler(session=SESSION, request=RequestId(3), ask=LogOffDialler())
    bench.perform(call(1), leave, call(2))
    assert bench.switch.asked == [call(1), call(2)]
    assert bench.dialler.asked == [leave]


def test_notices_are_numbered_in_order_and_a_restart_voids_those_before_it():
    bench = Bench()
    bench.perform(hello("one"), hello("two"), RestartOutbox(session=SESSION, reason="telephony-lost"), hello("three"))
    assert (bench.live.outbox.epoch, bench.live.outbox.seq) == (2, 1)
    assert b"three" in (bench.live.outbox.since(2, 0) or [b""])[0]


def test_a_turn_to_log_in_comes_from_the_line_and_never_at_once():
    bench = Bench()
    bench.perform(AskTurn(session=SESSION, side=Side.DIALLER))
    assert bench.turns == []
    bench.clock.turn()
    assert bench.turns == [TurnGiven(session=SESSION, side=Side.DIALLER)]


def test_the_end_of_a_session_is_handed_on():
    bench = Bench()
    end = CloseSession(session=SESSION, reason="agent")
    bench.perform(end)
    assert bench.closed == [end]


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN])
def test_a_command_that_ended_is_counted_with_its_outcome_and_the_time_it_took(outcome):
    bench = Bench(CommandRecord(id=CommandId("c1"), type="make-call", outcome=outcome, at_s=1_000.0))
    bench.clock.advance(0.3)
    bench.perform(Settle(session=SESSION, command=CommandId("c1")))
    assert bench.value("ua_commands_total", command="make-call", outcome=outcome.value) == 1.0
    assert bench.value("ua_command_seconds_sum", command="make-call") == pytest.approx(0.3)


def test_a_command_forgotten_meanwhile_is_not_counted():
    bench = Bench()
    bench.perform(Settle(session=SESSION, command=CommandId("c1")))
    assert bench.value("ua_command_seconds_count", command="make-call") is None


@pytest.mark.parametrize(("what", "kind"), [("item:offered", "dialler"), ("agent:ready", "telephony")])
def test_a_report_that_did_not_fit_is_counted_for_its_side(what, kind):
    bench = Bench()
    bench.perform(CountUnexpected(session=SESSION, what=what))
    assert bench.value("ua_link_unexpected_reports_total", kind=kind) == 1.0


def test_an_effect_of_no_known_kind_is_a_defect_and_not_passed_over():
    with pytest.raises(AssertionError, match="nobody performs Effect"):
        Bench().perform(Effect())


# --- one of several instances


def test_a_deed_without_the_claim_at_that_moment_is_not_done_and_counted():
    claims = Claims()
    bench = Bench(claims=claims)
    leave = AskDialler(session=SESSION, request=RequestId(3), ask=LogOffDialler())
    bench.perform(call(1), leave)
    assert bench.switch.asked == bench.dialler.asked == []
    assert bench.value("ua_fenced_writes_total") == 2.0
    claims.held[SESSION] = 7
    bench.perform(call(2), leave)
    assert (bench.switch.asked, bench.dialler.asked) == ([call(2)], [leave])


def test_the_claim_is_looked_at_before_each_deed_and_not_once_for_all():
    class Losing(Claims):
        def may_act(self, session: SessionId) -> bool:
            return not bench.switch.asked

    bench = Bench(claims=Losing())
    bench.perform(call(1), call(2))
    assert bench.switch.asked == [call(1)]


def test_a_wish_for_a_claim_goes_to_the_registry():
    claims = Claims()
    wish = AskClaim(session=SESSION, agent=AgentId("5001"), station=StationId("2001"), wish=Wish.LOGIN)
    Bench(claims=claims).perform(wish)
    assert claims.asked == [wish]
    with pytest.raises(AssertionError, match="alone asks for no claim"):
        Bench().perform(wish)


def test_what_is_handed_to_a_link_is_recorded_just_before_with_the_claim_it_rests_on():
    claims, history = Claims(), HistoryList(InstanceId("a1"), ManualClock())
    bench = Bench(claims=claims, history=history)
    bench.perform(call(1))
    assert history.entries == [], "it was not handed over"
    claims.held[SESSION] = 7
    bench.live.state = replace(
        bench.live.state,
        requests=(
            OpenRequest(
                id=RequestId(1), side=Side.TELEPHONY, what="make-call", command=CommandId("c-1"), asked_s=1_000.0
            ),
        ),
    )
    bench.perform(call(1))
    (entry,) = history.entries
    assert entry.event == LinkDeed(
        agent=AgentId("5001"),
        station=StationId("2001"),
        term=1,
        incarnation=7,
        side=Side.TELEPHONY,
        what="make-call",
        command=CommandId("c-1"),
        request=RequestId(1),
    )


def test_a_command_that_ends_is_recorded():
    record = CommandRecord(id=CommandId("c-1"), type="make-call", outcome=Outcome.DONE, at_s=1_000.0)
    history = HistoryList(InstanceId("a1"), ManualClock())
    Bench(record, history=history).perform(Settle(session=SESSION, command=CommandId("c-1")))
    assert [each.event for each in history.entries] == [CommandSettled(command=CommandId("c-1"), outcome=Outcome.DONE)]
