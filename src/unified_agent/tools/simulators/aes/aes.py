"""The AES in front of the switch: sessions, device ids, monitors, system status, and the link between the two.

Messages of a socket come in by ``receive`` and leave by ``take_outgoing``; time comes in as ``now_s``. A socket is a
number that the shell gives; what a socket is made of is the shell's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.event_messages import EventMessages
from unified_agent.tools.simulators.aes.events import Observed
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.requests import SwitchRequests
from unified_agent.tools.simulators.aes.sessions import (
    KNOWN_VERSIONS,
    AesSettings,
    Monitor,
    Monitors,
    Session,
    Sessions,
)
from unified_agent.tools.simulators.aes.switch import Switch
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import role_of
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.session_messages import SessionError, TerminationReason
from unified_agent.wire.csta.shapes import Message, Role
from unified_agent.wire.csta.values import (
    DeviceId,
    LinkState,
    MonitorType,
    SessionId,
    StatusKind,
    SwitchLink,
    SystemStatusValue,
    TlinkStatus,
    third_party_device_id,
)

#: Registration ids begin here, as in the reference's example.
FIRST_REGISTRATION = 500_046

#: The filter spells one kind differently.
_STATUS_KINDS: Mapping[SystemStatusValue, StatusKind] = {
    value: StatusKind.MESSAGE_LOST if value is SystemStatusValue.MESSAGES_LOST else StatusKind(str(value))
    for value in SystemStatusValue
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent.

    Attributes:
        connection: on which socket.
        invoke_id: that of the request it answers; None for an event.
        message: what.
    """

    connection: int
    invoke_id: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class HangUp:
    """A socket to be closed, after what was to be sent on it."""

    connection: int


class Aes:
    """One AES with one switch behind it.

    Args:
        settings: how clients are treated.
        switch: what is behind.
        chance: session ids and the order of answers and events come from here.

    Attributes:
        sessions: who is logged in; to be read by those who show it.
        link_up: whether the switch can be reached.
        status: what is told of the system while the link is up.
        refuse_logins: every start is refused with this error while it is set.
        monitors: who is told of which device; to be read likewise.
        requests_answered, requests_refused, events_told: how many so far.
    """

    def __init__(self, settings: AesSettings, switch: Switch, *, chance: random.Random) -> None:
        self.settings = settings
        self.sessions = Sessions(settings, chance=chance)
        self.monitors = Monitors()
        self.link_up = True
        self.status = SystemStatusValue.NORMAL
        self.refuse_logins: SessionError | None = None
        self.requests_answered = 0
        self.requests_refused = 0
        self.events_told = 0
        self._switch = switch
        self._chance = chance
        self._messages = EventMessages(switch.board.plan.name)
        self._requests = SwitchRequests(switch, self._messages, strict_devices=settings.strict_devices)
        self._outgoing: list[Outgoing | HangUp] = []
        self._last_registration = FIRST_REGISTRATION - 1
        self._session_handlers: dict[type[Message], Callable[[Session, Any], Message]] = {
            csta.GetThirdPartyDeviceId: self._get_device_id,
            csta.GetDeviceId: self._get_device_id,
            csta.ReleaseDeviceId: self._release_device_id,
            csta.SystemRegister: self._system_register,
            csta.RequestSystemStatus: self._request_system_status,
            csta.GetLinkStatus: self._get_link_status,
            csta.TransferMonitorObjects: self._transfer_monitor_objects,
            csta.MonitorStop: self._monitor_stop,
        }

    # In and out

    def receive(self, connection: int, invoke_id: int, message: Message, now_s: float) -> None:
        """Take one message of a socket; what follows from it is in ``take_outgoing``.

        Messages that are no requests are passed over, as are those of a kind that nobody can answer.
        """
        if isinstance(message, csta.StartApplicationSession):
            self._start(connection, invoke_id, message, now_s)
            return
        if role_of(message) not in {Role.REQUEST, None}:
            return
        answer = self._answer(connection, message, now_s)
        refused = role_of(answer) is Role.REFUSAL
        self.requests_refused += refused
        self.requests_answered += not refused
        reply = Outgoing(connection, invoke_id, answer)
        if self.settings.events_first and self._chance.random() < self.settings.events_first:
            self.tell_switch_events()
            self._outgoing.append(reply)
        else:
            self._outgoing.append(reply)
            self.tell_switch_events()

    def lose(self, connection: int, now_s: float) -> None:
        """Take the news that a socket is gone."""
        self.sessions.lose(connection, now_s)

    def take_outgoing(self) -> list[Outgoing | HangUp]:
        """Return what is to be done on sockets, in order, and forget it."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    # Time

    def next_timer(self) -> float | None:
        """Return when ``advance`` wants to be called next, for the sessions' sake, or None."""
        return self.sessions.next_timer()

    def advance(self, now_s: float) -> None:
        """End the sessions whose time is over. The socket of one that was not kept alive stays open."""
        for session in self.sessions.due(now_s):
            if session.connection is not None:
                ended = csta.ApplicationSessionTerminated(
                    session_id=session.session_id, reason=TerminationReason.TIMER_EXPIRED
                )
                self._outgoing.append(Outgoing(session.connection, None, ended))
            self._forget(session)

    def tell_switch_events(self) -> None:
        """Take what happened at the switch and tell it to monitors. Nobody hears it while the link is down."""
        for observed in self._switch.settle():
            if self.link_up:
                self._tell(observed)

    # The world's interventions

    def set_link(self, *, up: bool) -> None:
        """Lose the link to the switch, or find it again.

        Down: every registered session is told ``disabled``, then the end of each of its monitors. Up: it is told
        ``normal``, and nothing is monitored.
        """
        if up is self.link_up:
            return
        self.tell_switch_events()
        self.link_up = up
        self._tell_status()
        if up:
            return
        for session in self.sessions:
            for monitor in list(session.monitors.values()):
                self._end_monitor(monitor)

    def end_monitors(self, number: str) -> int:
        """End the monitors of one device by itself, and tell it; the link lives. Returns how many there were."""
        self.tell_switch_events()
        monitors = self.monitors.of_device(number)
        for monitor in monitors:
            self._end_monitor(monitor)
        return len(monitors)

    def _end_monitor(self, monitor: Monitor) -> None:
        self.monitors.end(monitor)
        connection = monitor.session.connection
        if connection is not None:
            self._outgoing.append(Outgoing(connection, None, csta.MonitorStop(monitor_id=monitor.monitor_id)))

    def set_status(self, status: SystemStatusValue) -> None:
        """Tell another system status, such as overload. The link is not touched."""
        self.status = status
        self._tell_status()

    def terminate(self, session_id: SessionId, text: str) -> bool:
        """End a session from the server's side; return False when there is none of this name."""
        session = self.sessions.by_id(session_id)
        if session is None:
            return False
        if session.connection is not None:
            ended = csta.ApplicationSessionTerminated(session_id=session_id, text=text)
            self._outgoing.append(Outgoing(session.connection, None, ended))
        self._forget(session)
        return True

    # Sessions

    def _start(self, connection: int, invoke_id: int, request: csta.StartApplicationSession, now_s: float) -> None:
        previous = self.sessions.by_id(request.old_session_id) if request.old_session_id is not None else None
        socket_before = previous.connection if previous is not None else None
        started = self.refuse_logins or self.sessions.start(request, connection, now_s)
        if isinstance(started, SessionError):
            self.requests_refused += 1
            refusal = csta.StartApplicationSessionNegResponse(error=started)
            self._outgoing.append(Outgoing(connection, invoke_id, refusal))
            if self.settings.close_refused:
                self._outgoing.append(HangUp(connection))
            return
        self.requests_answered += 1
        if socket_before is not None:
            self._outgoing.append(HangUp(socket_before))
        answer = csta.StartApplicationSessionPosResponse(
            session_id=started.session_id,
            actual_protocol_version=KNOWN_VERSIONS[started.version],
            actual_duration_s=started.duration_s,
        )
        self._outgoing.append(Outgoing(connection, invoke_id, answer))

    def _answer(self, connection: int, request: Message, now_s: float) -> Message:
        session = self.sessions.of_connection(connection)
        match request:
            case csta.ResetApplicationSessionTimer():
                return self._keep_alive(session, request, now_s)
            case csta.StopApplicationSession():
                return self._stop(session, request)
            case _:
                pass
        if session is None:  # Assumed: this class and value
            return csta.CSTAErrorCode(ErrorClass.SECURITY, "generic")
        try:
            return self._perform(session, request)
        except Refused as refused:
            return csta.CSTAErrorCode(refused.error_class, refused.value)

    def _perform(self, session: Session, request: Message) -> Message:
        handler = self._session_handlers.get(type(request))
        if handler is not None:
            return handler(session, request)
        for_switch = self._requests.knows(request)
        if not for_switch and not isinstance(request, csta.MonitorStart):
            raise refusals.operation("serviceNotSupported")
        if not self.link_up:
            raise refusals.resource("resourceOutOfService")
        if isinstance(request, csta.MonitorStart):
            return self._monitor_start(session, request)
        return self._requests.perform(session, request)

    def _keep_alive(self, session: Session | None, request: csta.ResetApplicationSessionTimer, now_s: float) -> Message:
        if session is None or session.session_id != request.session_id:
            return csta.ResetApplicationSessionTimerNegResponse(error=SessionError.INVALID_SESSION_ID)
        session.duration_s = self.sessions.granted_duration(request.requested_duration_s)
        session.expires_s = now_s + session.duration_s
        return csta.ResetApplicationSessionTimerPosResponse(actual_duration_s=session.duration_s)

    def _stop(self, session: Session | None, request: csta.StopApplicationSession) -> Message:
        if session is None or session.session_id != request.session_id:
            return csta.StopApplicationSessionNegResponse(error=SessionError.INVALID_SESSION_ID)
        self._forget(session)
        return csta.StopApplicationSessionPosResponse()

    def _forget(self, session: Session) -> None:
        for monitor in list(session.monitors.values()):
            self.monitors.end(monitor)
        self.sessions.end(session)

    def _transfer_monitor_objects(self, session: Session, request: csta.TransferMonitorObjects) -> Message:
        """Move devices and monitors of a session whose socket is lost to the one that asks.

        Assumed: only to oneself, and only from a session of the same user; another is refused as invalidParameterValue.
        """
        old = self.sessions.by_id(request.from_session_id)
        mine = request.to_session_id == session.session_id
        if old is None or old is session or not mine or old.user_name != session.user_name:
            raise refusals.operation("invalidParameterValue")
        session.devices |= old.devices
        for monitor in old.monitors.values():
            monitor.session = session
        session.monitors.update(old.monitors)
        old.monitors.clear()
        self._forget(old)
        return csta.TransferMonitorObjectsResponse(
            from_session_id=request.from_session_id, to_session_id=request.to_session_id
        )

    # Devices

    def _get_device_id(self, session: Session, request: csta.GetThirdPartyDeviceId | csta.GetDeviceId) -> Message:
        name = self._switch.board.plan.name
        if request.switch_name is not None and request.switch_name.casefold() != name.casefold():
            raise refusals.operation("invalidDeviceID")
        if not self._switch.routing.is_inside(request.extension):
            raise refusals.operation("invalidDeviceID")
        device = third_party_device_id(request.extension, name)
        session.devices.add(device.casefold())
        if isinstance(request, csta.GetDeviceId):
            return csta.GetDeviceIdResponse(device=device)
        return csta.GetThirdPartyDeviceIdResponse(device=device)

    def _release_device_id(self, session: Session, request: csta.ReleaseDeviceId) -> Message:
        if not session.knows(request.device):
            raise refusals.operation("invalidDeviceID")
        session.devices.discard(DeviceId(request.device.casefold()))
        return csta.ReleaseDeviceIdResponse()

    # System status

    def _system_register(self, session: Session, request: csta.SystemRegister) -> Message:
        self._last_registration += 1
        register_id = str(self._last_registration)
        session.registrations[register_id] = request.wanted()
        return csta.SystemRegisterResponse(
            register_id=register_id,
            status_filter=request.status_filter,
            invert_filter=request.invert_filter,
        )

    def _request_system_status(self, session: Session, request: csta.RequestSystemStatus) -> Message:
        """Tell the status. Of a switch that is not known the link is told as unavailable (Assumed)."""
        if request.register_id is not None and request.register_id not in session.registrations:
            raise refusals.operation("invalidParameterValue")
        links: tuple[SwitchLink, ...] = ()
        if request.switch_name is not None:
            known = request.switch_name.casefold() == self._switch.board.plan.name.casefold()
            links = (self._switch_link(),) if known else (SwitchLink(request.switch_name, TlinkStatus.UNAVAILABLE),)
        return csta.RequestSystemStatusResponse(status=self._present_status(), links=links)

    def _get_link_status(self, session: Session, request: csta.GetLinkStatus) -> Message:
        name = self._switch.board.plan.name
        if request.link_name not in {None, name}:
            raise refusals.operation("invalidParameterValue")
        return csta.GetLinkStatusResponse(links=(LinkState(name, self.link_up, True),))

    def _present_status(self) -> SystemStatusValue:
        return self.status if self.link_up else SystemStatusValue.DISABLED

    def _switch_link(self) -> SwitchLink:
        return SwitchLink(self._switch.board.plan.name, TlinkStatus.UP if self.link_up else TlinkStatus.DOWN)

    def _tell_status(self) -> None:
        status = self._present_status()
        for session in self.sessions:
            for register_id, kinds in session.registrations.items():
                if session.connection is not None and _STATUS_KINDS[status] in kinds:
                    message = csta.SystemStatus(status=status, register_id=register_id, links=(self._switch_link(),))
                    self._outgoing.append(Outgoing(session.connection, None, message))

    # Monitors

    def _monitor_start(self, session: Session, request: csta.MonitorStart) -> Message:
        """Begin a monitor. A call cannot be its object, but a VDN's monitor follows the VDN's calls to their end.

        Assumed: the errors; and that monitors of hunt groups hear nothing.
        """
        if len(self.monitors) >= self.settings.monitor_limit:
            raise refusals.resource("overallMonitorLimitExceeded")
        monitor = self.monitors.start(
            session,
            self._monitored_number(session, request),
            call_events=request.wanted_call_events(),
            agent_events=request.wanted_agent_events() if self.settings.agent_events else frozenset(),
        )
        return csta.MonitorStartResponse(monitor_id=monitor.monitor_id)

    def _monitored_number(self, session: Session, request: csta.MonitorStart) -> str | None:
        if request.device is None:
            if request.call is None and request.monitor_transfers:
                return None
            raise refusals.operation("invalidMonitorObject")
        number = self._requests.number(session, request.device)
        board = self._switch.board
        if number not in board.stations and number not in board.vdns and number not in board.groups:
            raise refusals.operation("invalidMonitorObject")
        if request.monitor_type is MonitorType.CALL and number not in board.vdns:
            raise refusals.operation("invalidMonitorObject")
        return number

    def _monitor_stop(self, session: Session, request: csta.MonitorStop) -> Message:
        monitor = session.monitors.get(request.monitor_id)
        if monitor is None:
            raise refusals.operation("invalidMonitorCrossRefID")
        self.monitors.end(monitor)
        return csta.MonitorStopResponse()

    def _tell(self, observed: Observed) -> None:
        for monitor in self.monitors.of_device(observed.observer):
            connection = monitor.session.connection
            if connection is None:
                continue
            for message in self._messages.for_monitor(monitor, observed):
                self.events_told += 1
                self._outgoing.append(Outgoing(connection, None, message))
