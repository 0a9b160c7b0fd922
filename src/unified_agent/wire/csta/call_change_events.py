"""Call events beyond the plain life of a call: joined, transferred, failed, sent elsewhere, queued, left the switch.

What ``call_events`` says of ``connection``, ``local_state``, parties and ``cause`` holds here too.
Source: aes-dmcc reference, section 8.
"""

from __future__ import annotations

from unified_agent.wire.csta.call_answers import CONNECTION_LIST
from unified_agent.wire.csta.call_rows import (
    CAUSE_ROW,
    DISTRIBUTION_ROWS,
    LOCAL_STATE_ROW,
    MONITOR_ROW,
    PARTY_ROWS,
    TWO_UCID_ROWS,
    UCID_ROW,
    USER_DATA_ROW,
    party,
    subject,
)
from unified_agent.wire.csta.kinds import CONNECTION, INTEGER, OneOf
from unified_agent.wire.csta.layout import Field, private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.values import (
    ConnectionId,
    ConnectionListItem,
    LocalState,
    MonitorId,
    Party,
    ProgressDescription,
    ProgressLocation,
)


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    Field("primaryOldCall", "primary_old_call", CONNECTION),
    Field("secondaryOldCall", "secondary_old_call", CONNECTION),
    party("conferencingDevice", "conferencing"),
    party("addedParty", "added_party"),
    Field("conferenceConnections", "connections", CONNECTION_LIST, keep_empty=True),
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    TWO_UCID_ROWS,
    private_data("ConferencedEventPrivateData", *DISTRIBUTION_ROWS),
)
class ConferencedEvent(Message, frozen=True, kw_only=True):
    """Two calls became one; its legs are in ``connections``, with their new ids."""

    monitor_id: MonitorId
    primary_old_call: ConnectionId
    conferencing: Party
    added_party: Party
    cause: str | None
    secondary_old_call: ConnectionId | None = None
    connections: tuple[ConnectionListItem, ...] = ()
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None
    old_ucid: str | None = None
    distributing_device: Party | None = None
    distributing_vdn: Party | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    Field("primaryOldCall", "primary_old_call", CONNECTION),
    Field("secondaryOldCall", "secondary_old_call", CONNECTION),
    party("transferringDevice", "transferring"),
    party("transferredToDevice", "transferred_to"),
    Field("transferredConnections", "connections", CONNECTION_LIST, keep_empty=True),
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    TWO_UCID_ROWS,
    private_data("TransferredEventPrivateData", *DISTRIBUTION_ROWS),
)
class TransferedEvent(Message, frozen=True, kw_only=True):
    """A device connected its two calls and left. Spelled as the standard's schema spells it."""

    monitor_id: MonitorId
    primary_old_call: ConnectionId
    transferring: Party
    transferred_to: Party
    cause: str | None
    secondary_old_call: ConnectionId | None = None
    connections: tuple[ConnectionListItem, ...] = ()
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None
    old_ucid: str | None = None
    distributing_device: Party | None = None
    distributing_vdn: Party | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("failedConnection"),
    party("failingDevice", "failing"),
    *PARTY_ROWS,
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class FailedEvent(Message, frozen=True, kw_only=True):
    """A call could not go on: busy, no such number, no trunk."""

    monitor_id: MonitorId
    connection: ConnectionId
    failing: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("connection"),
    party("divertingDevice", "diverting"),
    party("newDestination", "new_destination"),
    *PARTY_ROWS,
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class DivertedEvent(Message, frozen=True, kw_only=True):
    """A call left a device for another before it was answered."""

    monitor_id: MonitorId
    connection: ConnectionId
    diverting: Party
    new_destination: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("queuedConnection"),
    party("queue", "queue"),
    *PARTY_ROWS,
    Field("numberQueued", "number_queued", INTEGER),
    Field("callsInFront", "calls_in_front", INTEGER),
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class QueuedEvent(Message, frozen=True, kw_only=True):
    """A call waits in a queue."""

    monitor_id: MonitorId
    connection: ConnectionId
    queue: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    number_queued: int | None = None
    calls_in_front: int | None = None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("outboundConnection"),
    party("networkInterfaceUsed", "network_interface"),
    *PARTY_ROWS,
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
    private_data(
        "NetworkReachedEventPrivateData",
        Field("progressLocation", "progress_location", OneOf(ProgressLocation)),
        Field("progressDescription", "progress_description", OneOf(ProgressDescription)),
    ),
)
class NetworkReachedEvent(Message, frozen=True, kw_only=True):
    """A call left the switch: from here on its events may be incomplete. Set both progress values or none."""

    monitor_id: MonitorId
    connection: ConnectionId
    network_interface: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None
    progress_location: ProgressLocation | None = None
    progress_description: ProgressDescription | None = None
