"""What happened at the switch, as the CSTA events that one monitor is told.

Source: aes-dmcc reference, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unified_agent.tools.simulators.aes import events
from unified_agent.tools.simulators.aes.events import AgentChanged, CallEvent, CallFacts, Connection, Observed
from unified_agent.tools.simulators.aes.sessions import Monitor
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import (
    NOT_KNOWN,
    AfterCallPendingState,
    AgentEventKind,
    AgentState,
    CallEventKind,
    CallId,
    ConnectionId,
    ConnectionListItem,
    MonitorId,
    Party,
    WorkMode,
    third_party_device_id,
)

CALL_KINDS: Mapping[type[CallEvent], CallEventKind] = {
    events.ServiceInitiated: CallEventKind.SERVICE_INITIATED,
    events.Originated: CallEventKind.ORIGINATED,
    events.Delivered: CallEventKind.DELIVERED,
    events.Established: CallEventKind.ESTABLISHED,
    events.Held: CallEventKind.HELD,
    events.Retrieved: CallEventKind.RETRIEVED,
    events.Failed: CallEventKind.FAILED,
    events.Queued: CallEventKind.QUEUED,
    events.Diverted: CallEventKind.DIVERTED,
    events.ConnectionCleared: CallEventKind.CONNECTION_CLEARED,
    events.CallCleared: CallEventKind.CALL_CLEARED,
    events.Transferred: CallEventKind.TRANSFERRED,
    events.Conferenced: CallEventKind.CONFERENCED,
}

AGENT_KINDS: Mapping[AgentState, AgentEventKind] = {
    AgentState.NULL: AgentEventKind.LOGGED_OFF,
    AgentState.NOT_READY: AgentEventKind.NOT_READY,
    AgentState.READY: AgentEventKind.READY,
    AgentState.BUSY: AgentEventKind.BUSY,
    AgentState.WORKING_AFTER_CALL: AgentEventKind.WORKING_AFTER_CALL,
}

#: What a pending mode is called in the states of CSTA.
PENDING_STATES: Mapping[events.WorkMode, AgentState] = {
    events.WorkMode.LOGGED_OFF: AgentState.NULL,
    events.WorkMode.AUX: AgentState.NOT_READY,
    events.WorkMode.AUTO_IN: AgentState.READY,
    events.WorkMode.MANUAL_IN: AgentState.READY,
    events.WorkMode.AFTER_CALL_WORK: AgentState.WORKING_AFTER_CALL,
}


def vendor_mode(mode: events.WorkMode | None) -> WorkMode | None:
    """Return a work mode as Avaya's private data names it; None for logged off, which it cannot name."""
    return None if mode in {None, events.WorkMode.LOGGED_OFF} else WorkMode(str(mode))


class EventMessages:
    """Writes switch events as messages.

    Args:
        switch_name: part of every device id.
    """

    def __init__(self, switch_name: str) -> None:
        self._switch_name = switch_name
        self._writers: dict[type[CallEvent], Callable[[MonitorId, Observed, Any], Message]] = {
            events.ServiceInitiated: self._service_initiated,
            events.Originated: self._originated,
            events.Delivered: self._delivered,
            events.Established: self._established,
            events.Held: self._held,
            events.Retrieved: self._retrieved,
            events.Failed: self._failed,
            events.Queued: self._queued,
            events.Diverted: self._diverted,
            events.ConnectionCleared: self._connection_cleared,
            events.CallCleared: self._call_cleared,
            events.Transferred: self._transferred,
            events.Conferenced: self._conferenced,
        }

    def for_monitor(self, monitor: Monitor, observed: Observed) -> list[Message]:
        """Return what one monitor is told of one event: nothing when its filter leaves the event out."""
        event = observed.event
        if isinstance(event, AgentChanged):
            return self._agent_messages(monitor, event)
        if not isinstance(event, CallEvent) or CALL_KINDS[type(event)] not in monitor.call_events:
            return []
        return [self._writers[type(event)](monitor.monitor_id, observed, event)]

    def connection(self, connection: Connection) -> ConnectionId:
        """Return a connection as it is named on the wire."""
        return ConnectionId(CallId(connection.call_id), third_party_device_id(connection.device, self._switch_name))

    def party(self, number: str | None) -> Party:
        """Return a device as a party on the wire."""
        return NOT_KNOWN if number is None else Party(third_party_device_id(number, self._switch_name))

    def _agent_messages(self, monitor: Monitor, event: AgentChanged) -> list[Message]:
        """Return the log-on (Assumed: followed by the first state) or the new state."""
        told: list[Message] = []
        common: dict[str, Any] = {
            "monitor_id": monitor.monitor_id,
            "device": self.party(event.station),
            "agent_id": event.agent_id,
        }
        if event.logged_on and AgentEventKind.LOGGED_ON in monitor.agent_events:
            told.append(csta.AgentLoggedOnEvent(**common))
        if AGENT_KINDS[event.state] not in monitor.agent_events:
            return told
        pending = vendor_mode(event.pending_mode)
        private: dict[str, Any] = {
            "reason_code": event.reason,
            "pending_work_mode": pending,
            "pending_reason_code": event.pending_reason,
        }
        pending_state = PENDING_STATES[event.pending_mode] if event.pending_mode is not None else None
        match event.state:
            case AgentState.NULL:
                told.append(csta.AgentLoggedOffEvent(**common, reason_code=event.reason))
            case AgentState.NOT_READY:
                told.append(csta.AgentNotReadyEvent(**common, **private))
            case AgentState.READY:
                told.append(csta.AgentReadyEvent(**common, **private))
            case AgentState.BUSY:
                told.append(csta.AgentBusyEvent(**common, pending_state=pending_state))
            case AgentState.WORKING_AFTER_CALL:
                follows = {
                    AgentState.READY: AfterCallPendingState.READY,
                    AgentState.NOT_READY: AfterCallPendingState.NOT_READY,
                }
                told.append(
                    csta.AgentWorkingAfterCallEvent(
                        **common,
                        **private,
                        pending_state=follows.get(pending_state) if pending_state is not None else None,
                    )
                )
        return told

    def _parties(self, call: CallFacts) -> dict[str, Any]:
        return {
            "calling": self.party(call.calling),
            "called": self.party(call.called),
            "last_redirection": self.party(call.last_redirection),
        }

    def _distribution(self, call: CallFacts) -> dict[str, Any]:
        return {
            "acd_group": third_party_device_id(call.group, self._switch_name) if call.group is not None else None,
            "distributing_vdn": self.party(call.vdn) if call.vdn is not None else None,
        }

    def _common(self, monitor_id: MonitorId, observed: Observed, event: CallEvent) -> dict[str, Any]:
        return {
            "monitor_id": monitor_id,
            "local_state": observed.local,
            "cause": event.cause,
            "ucid": event.call.ucid,
        }

    def _subject(self, monitor_id: MonitorId, observed: Observed, event: Any) -> dict[str, Any]:
        return {
            **self._common(monitor_id, observed, event),
            "connection": self.connection(event.connection),
        }

    def _service_initiated(self, monitor_id: MonitorId, observed: Observed, event: events.ServiceInitiated) -> Message:
        initiating = self.party(event.connection.device)
        return csta.ServiceInitiatedEvent(**self._subject(monitor_id, observed, event), initiating=initiating)

    def _originated(self, monitor_id: MonitorId, observed: Observed, event: events.Originated) -> Message:
        return csta.OriginatedEvent(
            **self._subject(monitor_id, observed, event),
            calling=self.party(event.call.calling),
            called=self.party(event.call.called),
        )

    def _delivered(self, monitor_id: MonitorId, observed: Observed, event: events.Delivered) -> Message:
        return csta.DeliveredEvent(
            **self._subject(monitor_id, observed, event),
            **self._parties(event.call),
            **self._distribution(event.call),
            alerting=self.party(event.connection.device),
            user_data=event.call.user_data,
        )

    def _established(self, monitor_id: MonitorId, observed: Observed, event: events.Established) -> Message:
        return csta.EstablishedEvent(
            **self._subject(monitor_id, observed, event),
            **self._parties(event.call),
            **self._distribution(event.call),
            answering=self.party(event.connection.device),
            user_data=event.call.user_data,
        )

    def _held(self, monitor_id: MonitorId, observed: Observed, event: events.Held) -> Message:
        holding = self.party(event.connection.device)
        return csta.HeldEvent(**self._subject(monitor_id, observed, event), holding=holding)

    def _retrieved(self, monitor_id: MonitorId, observed: Observed, event: events.Retrieved) -> Message:
        retrieving = self.party(event.connection.device)
        return csta.RetrievedEvent(**self._subject(monitor_id, observed, event), retrieving=retrieving)

    def _failed(self, monitor_id: MonitorId, observed: Observed, event: events.Failed) -> Message:
        return csta.FailedEvent(
            **self._subject(monitor_id, observed, event),
            **self._parties(event.call),
            failing=self.party(event.connection.device),
        )

    def _queued(self, monitor_id: MonitorId, observed: Observed, event: events.Queued) -> Message:
        return csta.QueuedEvent(
            **self._subject(monitor_id, observed, event),
            **self._parties(event.call),
            queue=self.party(event.connection.device),
            number_queued=event.position,
        )

    def _diverted(self, monitor_id: MonitorId, observed: Observed, event: events.Diverted) -> Message:
        return csta.DivertedEvent(
            **self._subject(monitor_id, observed, event),
            **self._parties(event.call),
            diverting=self.party(event.connection.device),
            new_destination=self.party(event.new_destination),
        )

    def _connection_cleared(
        self, monitor_id: MonitorId, observed: Observed, event: events.ConnectionCleared
    ) -> Message:
        releasing = self.party(event.connection.device)
        return csta.ConnectionClearedEvent(**self._subject(monitor_id, observed, event), releasing=releasing)

    def _call_cleared(self, monitor_id: MonitorId, observed: Observed, event: events.CallCleared) -> Message:
        return csta.CallClearedEvent(
            monitor_id=monitor_id,
            connection=ConnectionId(CallId(event.call_id)),
            cause=event.cause,
            ucid=event.call.ucid,
        )

    def _joined(
        self, monitor_id: MonitorId, observed: Observed, event: events.Transferred | events.Conferenced
    ) -> dict[str, Any]:
        secondary = event.secondary_old
        return {
            **self._common(monitor_id, observed, event),
            "primary_old_call": self.connection(event.primary_old),
            "secondary_old_call": self.connection(secondary) if secondary is not None else None,
            "connections": tuple(ConnectionListItem(new=self.connection(item)) for item in event.connections),
            "user_data": event.call.user_data,
            "old_ucid": event.old_ucid,
            "distributing_vdn": self._distribution(event.call)["distributing_vdn"],
        }

    def _transferred(self, monitor_id: MonitorId, observed: Observed, event: events.Transferred) -> Message:
        return csta.TransferedEvent(
            **self._joined(monitor_id, observed, event),
            transferring=self.party(event.by),
            transferred_to=self.party(event.to),
        )

    def _conferenced(self, monitor_id: MonitorId, observed: Observed, event: events.Conferenced) -> Message:
        return csta.ConferencedEvent(
            **self._joined(monitor_id, observed, event),
            conferencing=self.party(event.by),
            added_party=self.party(event.added),
        )
