"""One step of a session under way: the state so far, the effects so far, and the few things every step does."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from unified_agent.domain.agent import AgentState
from unified_agent.domain.commands import CallCommand, DiallerCommand, kebab
from unified_agent.domain.effects import AskDialler, AskSwitch, DiallerAsk, Effect, Settle, SwitchAsk, Tell
from unified_agent.domain.ids import CommandId, RequestId
from unified_agent.domain.job import DiallerState, WorkItem
from unified_agent.domain.limits import COMMAND_MEMORY_S, COMMANDS_REMEMBERED, MESSAGES_KEPT, REQUESTS_OPEN
from unified_agent.domain.notices import CommandSettled
from unified_agent.domain.session_state import (
    ClaimState,
    CommandRecord,
    Message,
    OpenRequest,
    Outcome,
    SessionState,
    TelephonyState,
)
from unified_agent.domain.states import ClaimStage, DiallerStage, Side, TelephonyStage

#: Trouble of both links when the session's instance is another one.
INSTANCE_LOST: Final = "instance-lost"


def on_the_way_back(trouble: str) -> str:
    """Return what is still said of a link on its way back: that the instance is another one, and nothing else."""
    return trouble if trouble == INSTANCE_LOST else ""


class Move:
    """A state on its way to the next one. Lives for one call of ``session.step`` and never leaves it."""

    __slots__ = ("effects", "now_s", "state")

    def __init__(self, state: SessionState, now_s: float) -> None:
        self.state = state
        self.now_s = now_s
        self.effects: list[Effect] = []

    # --- changing the state

    def set(self, **changes: Any) -> None:
        """Change parts of the session."""
        self.state = replace(self.state, **changes)

    def set_telephony(self, **changes: Any) -> None:
        """Change parts of the switch's side; a new stage gets its time."""
        before: TelephonyState = self.state.telephony
        after = replace(before, **changes)
        if after.stage is not before.stage:
            after = replace(after, since_s=self.now_s)
        self.set(telephony=after)

    def set_claim(self, **changes: Any) -> None:
        """Change how this instance stands to the agent."""
        claim: ClaimState = replace(self.state.claim, **changes)
        self.set(claim=claim)

    def set_dialler(self, **changes: Any) -> None:
        """Change parts of the dialler's side; a new stage gets its time."""
        before: DiallerState = self.state.dialler
        after = replace(before, **changes)
        if after.stage is not before.stage:
            after = replace(after, since_s=self.now_s)
        self.set(dialler=after)

    def set_agent(self, **changes: Any) -> None:
        """Change parts of what we know of the agent at the switch."""
        agent: AgentState = replace(self.state.agent, **changes)
        self.set(agent=agent)

    def set_item(self, **changes: Any) -> None:
        """Change parts of the open work item; nothing when none is open."""
        item: WorkItem | None = self.state.item
        if item is None:
            return
        after = replace(item, **changes)
        if after.stage is not item.stage:
            after = replace(after, stage_since_s=self.now_s)
        self.set(item=after)

    def add_message(self, text: str, sender: str) -> None:
        """Put a text on the desktop."""
        message = Message(text=text, sender=sender, at_s=self.now_s)
        self.set(messages=(*self.state.messages, message)[-MESSAGES_KEPT:])

    # --- asking the links

    def ask_switch(self, ask: SwitchAsk | CallCommand, what: str = "", command: CommandId | None = None) -> None:
        """Ask the switch, and remember that it was asked. The station's own switch must be reachable."""
        request = self._open(Side.TELEPHONY, what or kebab(type(ask).__name__), command)
        station = self.state.identity.station
        self.effects.append(AskSwitch(session=self.state.id, station=station, request=request, ask=ask))

    def ask_dialler(self, ask: DiallerAsk | DiallerCommand, what: str = "", command: CommandId | None = None) -> None:
        """Ask the dialler, and remember that it was asked."""
        request = self._open(Side.DIALLER, what or kebab(type(ask).__name__), command)
        self.effects.append(AskDialler(session=self.state.id, request=request, ask=ask))

    def is_asked(self, *what: str) -> bool:
        """Say whether any of these was asked and not answered."""
        return any(each.what in what for each in self.state.requests)

    def close_request(self, request: RequestId) -> OpenRequest | None:
        """Take an answered request off the list; None when it was not on it (answered, or lost with its link)."""
        found = next((each for each in self.state.requests if each.id == request), None)
        if found is not None:
            self.set(requests=tuple(each for each in self.state.requests if each.id != request))
        return found

    def lose_requests(self, side: Side, detail: str) -> None:
        """Give up everything asked of a side whose link is lost: it may or may not have happened."""
        lost = [each for each in self.state.requests if each.side is side]
        self.set(requests=tuple(each for each in self.state.requests if each.side is not side))
        for each in lost:
            if each.command is not None:
                self.settle(each.command, Outcome.UNKNOWN, "link-lost", detail)

    def _open(self, side: Side, what: str, command: CommandId | None) -> RequestId:
        request = RequestId(self.state.next_request)
        opened = OpenRequest(id=request, side=side, what=what, command=command, asked_s=self.now_s)
        self.set(next_request=request + 1, requests=(*self.state.requests, opened)[-REQUESTS_OPEN:])
        return request

    # --- commands

    def record(self, record: CommandRecord) -> None:
        """Remember a command just received."""
        fresh = (each for each in self.state.commands if each.at_s > self.now_s - COMMAND_MEMORY_S)
        self.set(commands=(*fresh, record)[-COMMANDS_REMEMBERED:])
        if record.outcome is not Outcome.ACCEPTED:
            self.effects.append(Settle(session=self.state.id, command=record.id))

    def settle(self, command: CommandId, outcome: Outcome, error: str = "", detail: str = "") -> None:
        """Say how a remembered command ended, once."""
        known = next((each for each in self.state.commands if each.id == command), None)
        if known is None or known.outcome in {Outcome.DONE, Outcome.REFUSED}:
            return
        settled = replace(known, outcome=outcome, error=error, detail=detail)
        self.set(commands=tuple(settled if each.id == command else each for each in self.state.commands))
        self.effects.append(Settle(session=self.state.id, command=command))
        self._tell_settled(settled)

    def tell_again(self, command: CommandId) -> None:
        """Say of a remembered command that has ended how it did."""
        for each in self.state.commands:
            if each.id == command and each.outcome in {Outcome.DONE, Outcome.REFUSED}:
                self._tell_settled(each)

    def _tell_settled(self, record: CommandRecord) -> None:
        notice = CommandSettled(
            command=record.id,
            command_type=record.type,
            outcome=record.outcome.value,
            error=record.error,
            detail=record.detail,
        )
        self.effects.append(Tell(session=self.state.id, notice=notice))

    # --- questions asked everywhere

    @property
    def telephony_is_up(self) -> bool:
        """The switch has been asked and agrees with us; commands may go to it."""
        return self.state.telephony.stage is TelephonyStage.UP

    @property
    def may_act(self) -> bool:
        """This instance owns the agent."""
        return self.state.claim.stage is not ClaimStage.ASKED

    @property
    def dialler_is_reached(self) -> bool:
        """A connection to a dialler exists or is being made."""
        return self.state.dialler.stage not in {DiallerStage.OFF, DiallerStage.WAITING, DiallerStage.REFUSED}
