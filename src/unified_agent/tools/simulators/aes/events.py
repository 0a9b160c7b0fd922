"""What happens at the switch, as plain values: one ``Observed`` per device that can see it.

The switch knows no monitors. It says which device saw what, and the AES in front of it turns that into CSTA events
for every monitor on that device. Connections are named by call id and device number, as they were when it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from unified_agent.wire.csta.values import AgentState, Cause, LocalState


class WorkMode(StrEnum):
    """The agent's work mode: Avaya's four, and one for logged off."""

    LOGGED_OFF = "loggedOff"
    AUX = "auxWork"
    AUTO_IN = "autoIn"
    MANUAL_IN = "manualIn"
    AFTER_CALL_WORK = "afterCallWork"


@dataclass(frozen=True, slots=True)
class Connection:
    """One party in one call, by name."""

    call_id: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What every event of a call may tell about the call, as it was when the event happened.

    Attributes:
        ucid: universal call id, 20 digits.
        calling: who called, None when not known.
        called: the number dialled.
        last_redirection: the device the call came from last, None when it was not redirected.
        user_data: user-to-user information, None when there is none.
        vdn: the VDN that distributed the call, or None.
        group: the hunt group that the call is for, or None.
    """

    ucid: str
    calling: str | None
    called: str | None
    last_redirection: str | None
    user_data: bytes | None
    vdn: str | None
    group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """Root of the events of calls."""

    call: CallFacts
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInitiated(CallEvent):
    """The station was taken off hook, or was asked to be, for a call to be made."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Originated(CallEvent):
    """The station has dialled."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(CallEvent):
    """The connection's device rings."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Established(CallEvent):
    """The connection's device answered."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(CallEvent):
    """The connection's device put the call on hold."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved(CallEvent):
    """The connection's device took the call from hold."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(CallEvent):
    """The call could not reach the connection's device; the caller hears a tone."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(CallEvent):
    """The call waits for an agent.

    Attributes:
        connection: its device is the hunt group.
        position: calls in the queue, this one counted.
    """

    connection: Connection
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverted(CallEvent):
    """The call left the connection's device for ``new_destination`` without being answered there."""

    connection: Connection
    new_destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCleared(CallEvent):
    """The connection's device left the call."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCleared(CallEvent):
    """The call is over. Seen by those who follow the call, not by stations."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(CallEvent):
    """``by`` handed the call on.

    Attributes:
        primary_old: ``by`` in the call it held (in the only call, for a single-step transfer).
        secondary_old: ``by`` in the consultation call; None for a single-step transfer.
        to: the device the call was transferred to.
        connections: who is in the call now, under its new id.
        old_ucid: universal call id of the primary old call.
    """

    primary_old: Connection
    secondary_old: Connection | None
    by: str
    to: str
    connections: tuple[Connection, ...]
    old_ucid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conferenced(CallEvent):
    """``by`` joined its calls, or added a party; the fields are those of ``Transferred``."""

    primary_old: Connection
    secondary_old: Connection | None
    by: str
    added: str
    connections: tuple[Connection, ...]
    old_ucid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChanged:
    """What is reported of an agent changed.

    Attributes:
        agent_id: whose state it is.
        station: where the agent is, or was until this change.
        state: what is reported now.
        mode: the work mode behind it.
        reason: reason code of AUX or of logging off; None when none was given.
        pending_mode: the mode that follows the call, or None.
        pending_reason: its reason code.
        logged_on: whether this is the change from logged off to logged on.
    """

    agent_id: str
    station: str
    state: AgentState
    mode: WorkMode
    reason: int | None
    pending_mode: WorkMode | None
    pending_reason: int | None
    logged_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChanged:
    """A station went out of service or came back."""

    station: str
    in_service: bool


SwitchEvent: TypeAlias = (
    ServiceInitiated
    | Originated
    | Delivered
    | Established
    | Held
    | Retrieved
    | Failed
    | Queued
    | Diverted
    | ConnectionCleared
    | CallCleared
    | Transferred
    | Conferenced
    | AgentChanged
    | ServiceChanged
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One event as one device sees it.

    Attributes:
        observer: number of the station, or of the VDN that the call came by.
        local: state of the observer's own leg after the event; None when it has none (any more).
        event: what happened.
    """

    observer: str
    local: LocalState | None
    event: SwitchEvent
