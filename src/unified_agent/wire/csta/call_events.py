"""What happened to calls, as a monitor tells it.

``connection`` is the subject: the part of a device in a call that something happened to. ``local_state`` is what the
monitored device's own end does after it. A party that the peer leaves out reads as NOT_KNOWN; ``cause`` is a
``Cause`` or what else the peer says, and None only where the peer left it out. Fields that the schema has and nobody
here needs are passed over.

Source: aes-dmcc reference, section 8.
"""

from __future__ import annotations

from unified_agent.wire.csta.call_rows import (
    ARRIVAL_ROWS,
    CALLED_ROW,
    CALLING_ROW,
    CAUSE_ROW,
    LOCAL_STATE_ROW,
    MONITOR_ROW,
    PARTY_ROWS,
    UCID_ROW,
    USER_DATA_ROW,
    party,
    subject,
)
from unified_agent.wire.csta.layout import private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.values import ConnectionId, DeviceId, LocalState, MonitorId, Party


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("initiatedConnection"),
    party("initiatingDevice", "initiating"),
    LOCAL_STATE_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class ServiceInitiatedEvent(Message, frozen=True, kw_only=True):
    """A device went off hook: dial tone, or a prompt before a call is made."""

    monitor_id: MonitorId
    connection: ConnectionId
    initiating: Party
    cause: str | None
    local_state: LocalState | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("originatedConnection"),
    CALLING_ROW,
    CALLED_ROW,
    LOCAL_STATE_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class OriginatedEvent(Message, frozen=True, kw_only=True):
    """A device calls."""

    monitor_id: MonitorId
    connection: ConnectionId
    calling: Party
    called: Party
    cause: str | None
    local_state: LocalState | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("connection"),
    party("alertingDevice", "alerting"),
    *PARTY_ROWS,
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
    private_data("DeliveredEventPrivateData", *ARRIVAL_ROWS),
)
class DeliveredEvent(Message, frozen=True, kw_only=True):
    """A call alerts at a device.

    Attributes:
        monitor_id: whose monitor tells it.
        connection: the alerting device's part in the call.
        alerting: the device that rings.
        calling: who calls.
        called: what was dialled, e.g. the vector directory number.
        last_redirection: who sent the call on, if anybody.
        cause: e.g. ``newCall``.
        local_state: of the monitored device.
        user_data: user-to-user information.
        ucid: the universal call id.
        trunk_group: with trunk_member, the line it came by.
        trunk_member: see trunk_group.
        acd_group: the hunt group that gave it to the agent.
        distributing_device: what gave it to the agent.
        distributing_vdn: the vector directory number it came through.
    """

    monitor_id: MonitorId
    connection: ConnectionId
    alerting: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None
    trunk_group: str | None = None
    trunk_member: str | None = None
    acd_group: DeviceId | None = None
    distributing_device: Party | None = None
    distributing_vdn: Party | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("establishedConnection"),
    party("answeringDevice", "answering"),
    *PARTY_ROWS,
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
    private_data("EstablishedEventPrivateData", *ARRIVAL_ROWS),
)
class EstablishedEvent(Message, frozen=True, kw_only=True):
    """A call was answered. Attributes as in DeliveredEvent."""

    monitor_id: MonitorId
    connection: ConnectionId
    answering: Party
    calling: Party
    called: Party
    last_redirection: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None
    trunk_group: str | None = None
    trunk_member: str | None = None
    acd_group: DeviceId | None = None
    distributing_device: Party | None = None
    distributing_vdn: Party | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("heldConnection"),
    party("holdingDevice", "holding"),
    LOCAL_STATE_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class HeldEvent(Message, frozen=True, kw_only=True):
    """A device put its call on hold."""

    monitor_id: MonitorId
    connection: ConnectionId
    holding: Party
    cause: str | None
    local_state: LocalState | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("retrievedConnection"),
    party("retrievingDevice", "retrieving"),
    LOCAL_STATE_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class RetrievedEvent(Message, frozen=True, kw_only=True):
    """A device took its held call back."""

    monitor_id: MonitorId
    connection: ConnectionId
    retrieving: Party
    cause: str | None
    local_state: LocalState | None = None
    ucid: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    MONITOR_ROW,
    subject("droppedConnection"),
    party("releasingDevice", "releasing"),
    LOCAL_STATE_ROW,
    USER_DATA_ROW,
    CAUSE_ROW,
    UCID_ROW,
)
class ConnectionClearedEvent(Message, frozen=True, kw_only=True):
    """A party left the call: ours only if the connection's device, or ``releasing``, is ours."""

    monitor_id: MonitorId
    connection: ConnectionId
    releasing: Party
    cause: str | None
    local_state: LocalState | None = None
    user_data: bytes | None = None
    ucid: str | None = None


@message(Role.EVENT, Namespace.CSTA, MONITOR_ROW, subject("clearedCall"), USER_DATA_ROW, CAUSE_ROW, UCID_ROW)
class CallClearedEvent(Message, frozen=True, kw_only=True):
    """The whole call is gone; the connection may lack a device."""

    monitor_id: MonitorId
    connection: ConnectionId
    cause: str | None
    user_data: bytes | None = None
    ucid: str | None = None
