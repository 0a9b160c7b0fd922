"""Monitors: begin to be told of a device's or a call's events, and cease.

Source: aes-dmcc reference, section 6; the link-down behaviour of MonitorStop in section 4.
"""

from __future__ import annotations

from typing import Final

from unified_agent.wire.csta.kinds import BOOLEAN, CONNECTION, DEVICE, TOKEN, Flags, OneOf
from unified_agent.wire.csta.layout import Field, Inside, ListOf, private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.snapshot_messages import SNAPSHOT_CALL_ENTRY, SnapshotCallEntry
from unified_agent.wire.csta.values import (
    AgentEventKind,
    CallEventKind,
    ConnectionId,
    DeviceId,
    MonitorId,
    MonitorType,
)

#: The call events of a station that an agent's desktop needs.
STATION_CALL_EVENTS: Final = frozenset(CallEventKind) - {
    CallEventKind.BRIDGED,
    CallEventKind.DIGITS_DIALED,
    CallEventKind.NETWORK_CAPABILITIES_CHANGED,
    CallEventKind.OFFERED,
}
#: The agent events of a station that an agent's desktop needs.
STATION_AGENT_EVENTS: Final = frozenset(
    {
        AgentEventKind.BUSY,
        AgentEventKind.LOGGED_ON,
        AgentEventKind.LOGGED_OFF,
        AgentEventKind.NOT_READY,
        AgentEventKind.READY,
        AgentEventKind.WORKING_AFTER_CALL,
    }
)


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Inside(
        "monitorObject",
        Field("callObject", "call", CONNECTION, unless="device"),
        Field("deviceObject", "device", DEVICE),
        keep_empty=True,
    ),
    Inside(
        "requestedMonitorFilter",
        Field("callcontrol", "call_events", Flags(CallEventKind)),
        Field("logicalDeviceFeature", "agent_events", Flags(AgentEventKind)),
    ),
    Field("monitorType", "monitor_type", OneOf(MonitorType)),
    private_data(
        "AvayaEvents",
        Field("invertFilter", "invert_filter", BOOLEAN),
        Inside("deviceServices", Field("transferMonitorObjects", "monitor_transfers", BOOLEAN)),
    ),
)
class MonitorStart(Message, frozen=True, kw_only=True):
    """Begin to be told of events.

    Attributes:
        device: the device to observe.
        call: or the call to observe.
        call_events: the kinds that are marked true.
        agent_events: the kinds that are marked true.
        monitor_type: DEVICE, or CALL to follow the call away from the device.
        invert_filter: True: true means "send me this". Otherwise true means "leave this out".
        monitor_transfers: also tell of TransferMonitorObjects (a session-level monitor).
    """

    device: DeviceId | None = None
    call: ConnectionId | None = None
    call_events: frozenset[CallEventKind] = STATION_CALL_EVENTS
    agent_events: frozenset[AgentEventKind] = STATION_AGENT_EVENTS
    monitor_type: MonitorType | None = MonitorType.DEVICE
    invert_filter: bool | None = True
    monitor_transfers: bool | None = None

    def wanted_call_events(self) -> frozenset[CallEventKind]:
        """Return the kinds of call event that the sender wants to be told of."""
        return self.call_events if self.invert_filter else frozenset(CallEventKind) - self.call_events

    def wanted_agent_events(self) -> frozenset[AgentEventKind]:
        """Return the kinds of agent event that the sender wants to be told of."""
        return self.agent_events if self.invert_filter else frozenset(AgentEventKind) - self.agent_events


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("monitorCrossRefID", "monitor_id", TOKEN),
    Inside(
        "actualMonitorFilter",
        Field("callcontrol", "call_events", Flags(CallEventKind)),
        Field("logicalDeviceFeature", "agent_events", Flags(AgentEventKind)),
    ),
    Field("monitorExistingCalls", "monitors_existing_calls", BOOLEAN),
    private_data(
        "MonitorStartResponsePrivateData",
        Field(
            "snapshotData",
            "existing_calls",
            ListOf("snapshotCallResponseInfo", SNAPSHOT_CALL_ENTRY, referenced=True),
        ),
    ),
)
class MonitorStartResponse(Message, frozen=True, kw_only=True):
    """The monitor lives.

    Attributes:
        monitor_id: stands in each of its events.
        call_events: the filter in force, where it is told.
        agent_events: the filter in force, where it is told.
        monitors_existing_calls: calls that were there already are reported too.
        existing_calls: the parties of calls that were there already, where they are told.
    """

    monitor_id: MonitorId
    call_events: frozenset[CallEventKind] = frozenset()
    agent_events: frozenset[AgentEventKind] = frozenset()
    monitors_existing_calls: bool | None = None
    existing_calls: tuple[SnapshotCallEntry, ...] = ()


@message(Role.REQUEST, Namespace.CSTA, Field("monitorCrossRefID", "monitor_id", TOKEN))
class MonitorStop(Message, frozen=True, kw_only=True):
    """Cease to be told of events; or from the server: it has ceased to tell them, as when its link is down."""

    monitor_id: MonitorId


@message(Role.ANSWER, Namespace.CSTA)
class MonitorStopResponse(Message, frozen=True, kw_only=True):
    """The monitor is ended."""
