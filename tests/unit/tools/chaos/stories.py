"""Histories told in short words: each call is one entry, a tenth of a second after the one before."""

from __future__ import annotations

from unified_agent.domain.ids import AgentId, CommandId, InstanceId, RequestId, StationId
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import Side
from unified_agent.history import (
    AnyEvent,
    Claimed,
    CommandAnswered,
    CommandReceived,
    CommandSettled,
    Ended,
    Entry,
    LinkDeed,
    Lost,
    Registered,
    Released,
    Serving,
    SteppedDown,
    StoodDown,
)
from unified_agent.tools.chaos.history_check import Kind, Told, Violation, check

STEP_S = 0.1


def station_of(agent: str) -> StationId:
    """Each agent has a telephone of its own, unless a story says otherwise."""
    return StationId(f"2{agent[1:]}")


class Story:
    """What several instances recorded and desktops were told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.told: list[Told] = []
        self.now_s = 0.0

    def record(self, instance: str, event: AnyEvent) -> Entry:
        self.now_s += STEP_S
        entry = Entry(at_s=self.now_s, mono_s=self.now_s, instance=InstanceId(instance), event=event)
        self.entries.append(entry)
        return entry

    def registered(self, instance: str, incarnation: int) -> Entry:
        return self.record(instance, Registered(incarnation=incarnation))

    def stepped_down(self, instance: str, incarnation: int) -> Entry:
        return self.record(instance, SteppedDown(incarnation=incarnation, reason="cut off"))

    def ended(self, instance: str, incarnation: int) -> Entry:
        return self.record(instance, Ended(incarnation=incarnation))

    def serving(self, instance: str, datacentre: str, epoch: int) -> Entry:
        return self.record(instance, Serving(epoch=epoch, datacentre=datacentre))

    def stood_down(self, instance: str, epoch: int) -> Entry:
        return self.record(instance, StoodDown(epoch=epoch))

    def claimed(
        self, instance: str, term: int, incarnation: int, *, agent: str = "5001", station: str = "", epoch: int = 1
    ) -> Entry:
        at = StationId(station) if station else station_of(agent)
        event = Claimed(
            agent=AgentId(agent), station=at, term=term, incarnation=incarnation, epoch=epoch, wish="login"
        )  # fmt: skip
        return self.record(instance, event)

    def released(self, instance: str, term: int, *, agent: str = "5001") -> Entry:
        return self.record(instance, Released(agent=AgentId(agent), term=term))

    def lost(self, instance: str, term: int, *, agent: str = "5001") -> Entry:
        return self.record(instance, Lost(agent=AgentId(agent), term=term, reason="stepped-down"))

    def deed(
        self,
        instance: str,
        term: int,
        incarnation: int,
        *,
        agent: str = "5001",
        station: str = "",
        what: str = "query-agent",
        command: str | None = None,
    ) -> Entry:
        event = LinkDeed(
            agent=AgentId(agent),
            station=StationId(station) if station else station_of(agent),
            term=term,
            incarnation=incarnation,
            side=Side.TELEPHONY,
            what=what,
            command=CommandId(command) if command is not None else None,
            request=RequestId(len(self.entries)),
        )
        return self.record(instance, event)

    def received(self, instance: str, command: str, term: int, *, agent: str = "5001") -> Entry:
        event = CommandReceived(agent=AgentId(agent), command=CommandId(command), type="make-call", term=term)
        return self.record(instance, event)

    def answered(self, instance: str, command: str, outcome: Outcome) -> Entry:
        return self.record(instance, CommandAnswered(command=CommandId(command), outcome=outcome))

    def settled(self, instance: str, command: str, outcome: Outcome) -> Entry:
        return self.record(instance, CommandSettled(command=CommandId(command), outcome=outcome))

    def tells(self, command: str, outcome: Outcome | None, *, agent: str = "5001") -> Told:
        self.now_s += STEP_S
        told = Told(mono_s=self.now_s, agent=AgentId(agent), command=CommandId(command), outcome=outcome)
        self.told.append(told)
        return told

    def check(self) -> list[Violation]:
        return check(self.entries, self.told)

    def only(self, kind: Kind) -> Violation:
        """The one thing that is wrong, when it is of this kind."""
        found = self.check()
        assert [each.kind for each in found] == [kind], found
        return found[0]
