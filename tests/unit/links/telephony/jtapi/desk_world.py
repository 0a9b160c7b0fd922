"""A JtapiDesk, a provider that does what the test says, and a clock set by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct
from tests.unit.links.fakes import ManualClock

from unified_agent.domain import call as calls_at_station
from unified_agent.domain.call import Calls
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import AskSwitch, Observe, SwitchAsk
from unified_agent.domain.facts import CallFact, Fact, StationSnapshot
from unified_agent.domain.ids import RequestId, SessionId, StationId
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.constants import CallEventId, ProviderState
from unified_agent.links.telephony.jtapi.desk import DeskSettings, JtapiDesk

MessageT = TypeVar("MessageT")
FactT = TypeVar("FactT", bound=Fact)

SETTINGS = DeskSettings(
    request_limit_s=10.0, probe_interval_s=5.0, silence_limit_s=12.0, poll_interval_s=10.0, in_flight_limit=8
)
IN_SERVICE = provider.ProviderChanged(state=ProviderState.IN_SERVICE)
OUT_OF_SERVICE = provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE)
SHUTDOWN = provider.ProviderChanged(state=ProviderState.SHUTDOWN)


class Submitted(Struct):
    """An operation at the provider whose outcome has not been told."""

    operation: provider.Operation
    end: provider.End


class ScriptedProvider:
    """Does what it is asked at once, if ``replies`` has nothing else for the kind of operation.

    A reply is a result, an OperationFailed, ``None``'s stand-in ``NEVER`` for no outcome yet, or a function of the
    operation that gives any of them.
    """

    NEVER = object()

    def __init__(self) -> None:
        self.agents = "vendor"
        self.missing: tuple[str, ...] = ()
        self.state = ProviderState.IN_SERVICE
        self.replies: dict[type[provider.Operation], Any] = {}
        self.operations: list[provider.Operation] = []
        self.open: list[Submitted] = []

    def submit(self, operation: provider.Operation, end: provider.End) -> None:
        if not isinstance(operation, provider.Probe):
            self.operations.append(operation)
        self.open.append(Submitted(operation, end))

    def close(self) -> None:
        pass

    def turn(self) -> None:
        """Tell the outcomes that there are, and those that follow from them."""
        while (ready := next((each for each in self.open if self._reply(each) is not self.NEVER), None)) is not None:
            self.open.remove(ready)
            ready.end(self._reply(ready))

    def tell(self, kind: type[provider.Operation], result: Any = None) -> None:
        """Tell the outcome of the oldest open operation of a kind."""
        found = next(each for each in self.open if isinstance(each.operation, kind))
        self.open.remove(found)
        found.end(result)
        self.turn()

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        return [each for each in self.operations if isinstance(each, kind)]

    def _reply(self, submitted: Submitted) -> Any:
        operation = submitted.operation
        if type(operation) in self.replies:
            reply = self.replies[type(operation)]
            return reply(operation) if callable(reply) else reply
        return _USUAL.get(type(operation), lambda self: None)(self)


_USUAL: dict[type[provider.Operation], Callable[[ScriptedProvider], Any]] = {
    provider.Probe: lambda it: it.state,
    provider.ReadCalls: lambda it: (),
    provider.SetState: lambda it: False,
}


class DeskWorld:
    """One desk. ``observe`` has a station observed for the session ``s-<station>``."""

    def __init__(self, settings: DeskSettings = SETTINGS, *, is_open: bool = True) -> None:
        self.clock = ManualClock()
        self.provider = ScriptedProvider()
        self.said: list[Any] = []
        self.lost = 0
        self.desk = JtapiDesk(settings, self.clock, self.said.append, self._on_lost)
        self._next_request = 0
        if is_open:
            self.desk.open(self.provider)
            self.provider.turn()
            self.said.clear()

    def _on_lost(self) -> None:
        self.lost += 1

    def ask(
        self,
        ask: SwitchAsk | CallCommand,
        station: str = "2001",
        session: str = "",
        generation: int | None = None,
        *,
        turn: bool = True,
    ) -> RequestId:
        """Ask, and let the provider do what it can."""
        self._next_request += 1
        request = RequestId(self._next_request)
        effect = AskSwitch(
            session=SessionId(session or f"s-{station}"), station=StationId(station), request=request, ask=ask
        )
        self.desk.ask(messages.ask_of(self.desk.generation if generation is None else generation, effect))
        if turn:
            self.provider.turn()
        return request

    def observe(self, *stations: str) -> None:
        for each in stations:
            self.ask(Observe(), each)
        self.said.clear()
        self.provider.operations.clear()

    def tell(self, *events: provider.Event) -> None:
        for each in events:
            self.desk.take_event(each)
        self.provider.turn()

    def pass_time(self, seconds: float, step_s: float = 0.25) -> None:
        until_s = self.clock.now_s() + seconds
        while (left_s := until_s - self.clock.now_s()) > 1e-9:
            self.clock.advance(min(step_s, left_s))
            self.provider.turn()

    # --- what was said

    @property
    def facts(self) -> list[Fact]:
        return [messages.fact_of(each) for each in self.said if isinstance(each, messages.Told)]

    def take(self) -> list[Fact]:
        """Return the facts since the last time."""
        facts = self.facts
        self.said.clear()
        return facts

    def of(self, kind: type[FactT]) -> list[FactT]:
        return [each for each in self.facts if isinstance(each, kind)]

    def answers(self, request: RequestId) -> list[Fact]:
        return [each for each in self.facts if getattr(each, "request", None) == request]

    def calls(self, station: str = "2001") -> Calls:
        """Return the calls as the station's session believes them, from the facts alone."""
        believed: Calls = ()
        for fact in self.facts:
            if fact.session != f"s-{station}":
                continue
            if isinstance(fact, CallFact):
                believed = calls_at_station.apply(believed, fact, 0.0)
            elif isinstance(fact, StationSnapshot):
                believed = calls_at_station.from_snapshot(believed, fact.calls, 0.0)
        return believed


# --- events of calls, as short as a test can read them


def on(call: str, address: str, number: CallEventId, **fields: Any) -> provider.CallEvent:
    """Make an event about an address in a call; for a terminal's event the terminal is the address's own."""
    if number >= CallEventId.TERMINAL_BRIDGED:
        fields.setdefault("terminal", address)
    return provider.CallEvent(id=int(number), call=call, address=address, **fields)


def together(*events: provider.CallEvent) -> provider.CallEvents:
    return provider.CallEvents(events=events)


def rings(call: str, address: str, **fields: Any) -> tuple[provider.CallEvent, ...]:
    return (
        on(call, address, CallEventId.CONTROL_ALERTING, **fields),
        on(call, address, CallEventId.TERMINAL_RINGING, **fields),
    )


def talks(call: str, address: str, **fields: Any) -> tuple[provider.CallEvent, ...]:
    return (
        on(call, address, CallEventId.CONTROL_ESTABLISHED, **fields),
        on(call, address, CallEventId.TERMINAL_TALKING, **fields),
    )


def leaves(call: str, address: str, **fields: Any) -> tuple[provider.CallEvent, ...]:
    return (
        on(call, address, CallEventId.TERMINAL_DROPPED, **fields),
        on(call, address, CallEventId.CONTROL_DISCONNECTED, **fields),
    )


def dials(call: str, address: str, **fields: Any) -> tuple[provider.CallEvent, ...]:
    return (
        on(call, address, CallEventId.CONTROL_INITIATED, **fields),
        on(call, address, CallEventId.TERMINAL_TALKING, **fields),
        on(call, address, CallEventId.CONTROL_DIALING, **fields),
        on(call, address, CallEventId.CONTROL_ESTABLISHED, **fields),
    )


def over(call: str, **fields: Any) -> provider.CallEvent:
    return provider.CallEvent(id=int(CallEventId.INVALID), call=call, **fields)
