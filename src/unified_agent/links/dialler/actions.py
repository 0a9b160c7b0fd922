"""What an agent's flow wants done, as data, in order. Performed by ``apc_link``."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.domain.facts import Fact
from unified_agent.links.dialler.refusals import Refusal
from unified_agent.wire.apc.commands import Command


class Action(Struct, frozen=True, kw_only=True):
    """Root of all actions."""


class Send(Action, frozen=True, kw_only=True):
    """Send a command. ``token`` comes back with its answer; segments never go into a log: passwords are among them."""

    command: Command
    segments: tuple[str, ...]
    token: str

    def __repr__(self) -> str:
        return f"Send({self.command}, {len(self.segments)} segments, token={self.token})"


class Report(Action, frozen=True, kw_only=True):
    """Tell the session."""

    fact: Fact


class Note(Action, frozen=True, kw_only=True):
    """Log and count something an operator may want to know. ``code`` is the dialler's, or empty."""

    event: str
    code: str = ""
    detail: str = ""


class HoldOff(Action, frozen=True, kw_only=True):
    """The dialler is full or unusable for now, though this agent stays: pass it over for new logons."""

    code: str


class End(StrEnum):
    """How an agent's time at a dialler ended.

    LOGGED_OFF: as asked. REFUSED: a person, the headset or the job stands in the way, not the dialler. UNREACHABLE:
    no connection or no greeting. UNUSABLE: full, or unable to serve at present. LOST: the connection is gone.
    SHUTTING_DOWN: the dialler said that it goes down.
    """

    LOGGED_OFF = "logged-off"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNUSABLE = "unusable"
    LOST = "lost"
    SHUTTING_DOWN = "shutting-down"


class Ended(Action, frozen=True, kw_only=True):
    """It is over; close the transport. Comes before the facts that follow from it, so that who hears them finds the
    pool in its new state.

    Attributes:
        end: how.
        reason: a word for logs and for ``DiallerLost``.
        detail: a sentence.
        refusal: with REFUSED and UNUSABLE, why.
        logged_on: the session had been told that it is logged on.
    """

    end: End
    reason: str
    detail: str = ""
    refusal: Refusal | None = None
    logged_on: bool = False
