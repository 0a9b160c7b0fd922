"""A host with ports that remember what they were asked, for the tests of this room."""

from __future__ import annotations

from itertools import count

from tests.unit.links.fakes import ManualClock

from unified_agent.domain.effects import AskClaim, AskDialler, AskSwitch
from unified_agent.domain.facts import (
    AgentStateReported,
    ClaimGranted,
    Fact,
    RequestDone,
    StationSnapshot,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, LinkId, Secret, SessionId, StationId
from unified_agent.domain.session_state import DiallerLogin, Identity, SessionState
from unified_agent.domain.states import SwitchMode
from unified_agent.history import HistoryList
from unified_agent.observe import Metrics
from unified_agent.sessions.host import Host
from unified_agent.settings import SessionsSettings

AES = LinkId("aes-1")


class AskedPort:
    """A Telephony and a Dialler that only remember."""

    is_up = True

    def __init__(self) -> None:
        self.asked: list[AskSwitch | AskDialler] = []
        self.forgotten: list[SessionId] = []

    def ask(self, effect: AskSwitch | AskDialler) -> None:
        self.asked.append(effect)

    def forget(self, session: SessionId) -> None:
        self.forgotten.append(session)

    def words(self) -> list[str]:
        return [type(each.ask).__name__ for each in self.asked]


class SwitchAtOnce(AskedPort):
    """A switch that carries out at once, in the middle of the asking: what a re-entrant host must bear."""

    host: Host

    def ask(self, effect: AskSwitch) -> None:  # type: ignore[override]
        super().ask(effect)
        session, request = effect.session, effect.request
        answers: list[Fact] = [RequestDone(session=session, request=request)]
        word = type(effect.ask).__name__
        if word == "Snapshot":
            answers = [
                StationSnapshot(session=session, request=request, calls=(), agent=None, mode=SwitchMode.LOGGED_OUT)
            ]
        if word == "LogInAgent":
            answers.append(AgentStateReported(session=session, mode=SwitchMode.NOT_READY))
        for each in answers:
            self.host.report(each)


class Claims:
    """A registry that grants when the test says so, and remembers what it was asked.

    Attributes:
        held: sessions whose claim counts, with the incarnation that made it.
        told: all that it was told, in order.
    """

    def __init__(self) -> None:
        self.asked: list[AskClaim] = []
        self.held: dict[SessionId, int] = {}
        self.told: list[tuple[str, SessionId]] = []
        self.published: list[SessionState] = []

    def ask(self, effect: AskClaim) -> None:
        self.asked.append(effect)

    def may_act(self, session: SessionId) -> bool:
        return session in self.held

    def incarnation(self, session: SessionId) -> int:
        return self.held.get(session, 0)

    def publish(self, carry: SessionState) -> None:
        self.told.append(("publish", carry.id))
        self.published.append(carry)

    def forget(self, session: SessionId) -> None:
        self.told.append(("forget", session))
        self.held.pop(session, None)


class Rooms:
    """A host on a manual clock; with ``claims`` it is one of several instances."""

    def __init__(
        self,
        *,
        switch: AskedPort | None = None,
        claims: Claims | None = None,
        history: HistoryList | None = None,
        **settings: object,
    ) -> None:
        self.clock = ManualClock(1_000_000.0)
        self.switch = switch or SwitchAtOnce()
        self.dialler = AskedPort()
        self.metrics = Metrics()
        numbers = count(1)
        self.host = Host(
            settings=SessionsSettings(**settings),  # type: ignore[arg-type]
            clock=self.clock,
            metrics=self.metrics,
            mint_session_id=lambda: SessionId(f"s{next(numbers)}"),
            registry=claims,
            prove=lambda agent, password: f"{agent} knows {password.value}",
            history=history,
        )
        self.claims = claims
        if isinstance(self.switch, SwitchAtOnce):
            self.switch.host = self.host
        self.host.join(self.switch, self.dialler)
        self.closed: list[tuple[str, str, str]] = []
        self.host.on_closed(lambda session, reason, detail: self.closed.append((session, reason, detail)))
        self.host.report_link(TelephonyUp(link=AES))

    def grant(self, session: SessionId, term: int = 1, carried: SessionState | None = None) -> None:
        """Have a claim granted, and what follows done."""
        assert self.claims is not None
        self.claims.held[session] = 7
        self.host.report(ClaimGranted(session=session, term=term, carried=carried))
        self.clock.advance(0.1)

    def state(self, session: SessionId) -> SessionState:
        state = self.host.state(session)
        assert state is not None, f"{session} is over"
        return state


def identity(number: int = 1, *, password: str = "1234", station: str = "", dialler: bool = False) -> Identity:
    login = DiallerLogin(name=f"agent{number}", password=Secret("pw"), headset=f"{2000 + number}") if dialler else None
    return Identity(
        agent=AgentId(f"{5000 + number}"),
        station=StationId(station or f"{2000 + number}"),
        password=Secret(password),
        dialler=login,
    )
