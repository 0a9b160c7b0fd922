"""A provider for JTAPI without Java: a client library in front of the simulated AES, with the habits of the vendor's.

It asks AES and keeps what it was told as such a library does, so whoever uses it meets: events repeated, split over
several deliveries or joined in one; snapshot events before an operation's result; outcomes and events in either order;
states answered out of memory; an agent's state that is not asked for when memory says that it is so already; both kinds
of loss, and a silence that it notices late or never. Chance decides how much of it, by a seed.

Source: aes-jtapi reference, sections 1, 2, 5 and 6.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from random import Random
from typing import Any, Final

from msgspec import Struct, structs
from tests.simulation.in_order import InOrder
from tests.simulation.jtapi_calls import ClientCalls

from unified_agent.domain import commands
from unified_agent.domain.effects import LogInAgent, LogOutAgent
from unified_agent.domain.ids import AgentId, CallId
from unified_agent.domain.ports import Clock
from unified_agent.errors import LinkNotReady
from unified_agent.links.telephony import conversations, requests
from unified_agent.links.telephony.aes_session import AesSession
from unified_agent.links.telephony.exchange import Done, Refused, expect
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.constants import (
    AgentEventId,
    AgentState,
    LucentWorkMode,
    ProviderState,
    WorkMode,
)
from unified_agent.links.telephony.jtapi.provider import AgentRead, OperationFailed
from unified_agent.links.telephony.refusals import Topic
from unified_agent.links.telephony.switch_state import Load, Verdict, load_of, verdict_of
from unified_agent.network import Address, Network
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.connection_events import Failed
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.values import DeviceId, MonitorId, RequestedAgentState

SWITCH: Final = "CM1"
#: Two of AES's usual heartbeats: a library whose interval cannot be set notices a silence after so long.
USUAL_SILENCE_S: Final = 40.0

Asking = Generator[csta.Message, csta.Message, Any]


class Habits(Struct, frozen=True, kw_only=True):
    """How awkward the library is.

    Attributes:
        delay_s: events and outcomes come late by up to so much.
        repeats: chance that a delivery comes twice.
        splits: chance that the events of one message come one by one.
        ended_first: the ends of observation come before the provider goes out of service.
        tells_overload: whether private data tells that an out-of-service is an overload.
        sets_heartbeat: the heartbeat interval can be set.
        says_invalid: see ``ClientCalls``.
        keeps_agents: a state is not asked for when memory says that it is so.
    """

    delay_s: float = 0.0
    repeats: float = 0.0
    splits: float = 0.0
    ended_first: bool = False
    tells_overload: bool = True
    sets_heartbeat: bool = True
    says_invalid: bool = True
    keeps_agents: bool = True

    @classmethod
    def chosen(cls, random: Random) -> Habits:
        """Choose them by chance."""
        return cls(
            delay_s=random.choice([0.0, 0.01, 0.05]),
            repeats=random.choice([0.0, 0.3, 1.0]),
            splits=random.choice([0.0, 0.5, 1.0]),
            ended_first=random.random() < 0.5,
            tells_overload=random.random() < 0.5,
            sets_heartbeat=random.random() < 0.5,
            says_invalid=random.random() < 0.5,
            keeps_agents=random.random() < 0.5,
        )


class SimulatedJtapi:
    """Implements ``provider.Provider``. Make it, then ``open`` it.

    Args:
        opening: what is to be opened.
        network, clock, random: where connections, time and chance come from.
        is_station: whether a number has a terminal.
        habits: see ``Habits``.
        on_event: takes events.
    """

    def __init__(
        self,
        opening: messages.Open,
        *,
        network: Network,
        clock: Clock,
        random: Random,
        is_station: Callable[[str], bool],
        habits: Habits,
        on_event: Callable[[provider.Event], None],
    ) -> None:
        self.agents = "vendor"
        self.missing: tuple[str, ...] = ()
        self._opening = opening
        self._network = network
        self._clock = clock
        self._random = random
        self._habits = habits
        self._on_event = on_event
        self._calls = ClientCalls(is_station, self._is_observed, says_invalid=habits.says_invalid)
        self._devices: dict[str, DeviceId] = {}
        self._monitors: dict[MonitorId, str] = {}
        self._queues: dict[str, deque[tuple[provider.Operation, provider.End]]] = {}
        self._known_agents: dict[str, AgentRead] = {}
        self._tells_agents = False
        self._state = ProviderState.OUT_OF_SERVICE
        self._closed = False
        self._in_order = InOrder(clock)
        self._is_started = asyncio.Event()
        self._goodbye: asyncio.Future[None] | None = None
        silence_s = 2 * opening.heartbeat_s if habits.sets_heartbeat and opening.heartbeat_s else USUAL_SILENCE_S
        settings = SessionSettings(
            user=opening.user,
            password=values.Secret(opening.password.value),
            application_id="jtapi",
            silence_limit_s=silence_s,
            request_timeout_s=15.0,
            cleanup_delay_s=0,
        )
        self._aes = AesSession(
            settings,
            clock=clock,
            on_started=lambda _: self._started(),
            on_message=self._take,
            on_stray_monitor=lambda _: None,
            on_lost=lambda reason, detail: self._shut_down(detail),
            count=lambda outcome, took_s: None,
        )

    async def open(self) -> None:
        """Connect; the provider comes into service by itself.

        Raises:
            LinkNotReady: AES cannot be had now.
            LinkRefused: a person must act.
        """
        host, _, port = self._opening.parameters["servers"].partition(":")
        address = Address(host=host, port=int(port))
        await self._network.dial(lambda: self._aes.pump, address, self._opening.open_limit_s)
        self._aes.start(None)
        started: asyncio.Future[Any] = asyncio.ensure_future(self._is_started.wait())
        ended: asyncio.Future[Any] = self._aes.ended
        await asyncio.wait([started, ended], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._aes.ended.done():
            self._aes.ended.result()
            raise LinkNotReady("AES ended the session at once")

    # --- Provider

    def submit(self, operation: provider.Operation, end: provider.End) -> None:
        """See ``provider.Provider``."""
        if isinstance(operation, provider.Probe):
            self._perform(operation, end)
            return
        queue = self._queues.setdefault(operation.station, deque())
        queue.append((operation, end))
        if len(queue) == 1:
            self._next(operation.station)

    def close(self) -> None:
        """See ``provider.Provider``."""
        if not self._closed:
            self._closed = self._in_order.over = True
            self._goodbye = asyncio.ensure_future(self._aes.stop())

    async def closed(self) -> None:
        """Wait until AES has been told."""
        if self._goodbye is not None:
            await self._goodbye

    def vanish(self) -> None:
        """The process that holds it is killed."""
        self._closed = self._in_order.over = True
        self._aes.pump.abort()

    def _next(self, station: str) -> None:
        queue = self._queues[station]
        operation, end = queue[0]

        def ended(result: Any) -> None:
            end(result)
            queue.popleft()
            if queue and not self._closed:
                self._next(station)

        self._perform(operation, ended)

    def _perform(self, operation: provider.Operation, end: provider.End) -> None:
        def ended(outcome: Any) -> None:
            result = outcome.result if isinstance(outcome, Done) else OperationFailed("PlatformException", str(outcome))
            self._later(lambda: end(result))

        if self._state is ProviderState.SHUTDOWN:
            self._later(lambda: end(OperationFailed("PlatformException", "the provider is shut down")))
            return
        self._aes.exchange.begin(self._guarded(operation), Topic.STATION, ended)

    def _later(self, act: Callable[[], None]) -> None:
        self._in_order.later(self._random.uniform(0.0, self._habits.delay_s), act)

    # --- operations

    def _guarded(self, operation: provider.Operation) -> Asking:
        try:
            return (yield from _OPERATIONS[type(operation)](self, operation))
        except Refused as refused:
            return failure_of(refused.failure)
        except OperationFailed as failed:
            return failed

    def _device(self, station: str) -> Generator[csta.Message, csta.Message, DeviceId]:
        if station not in self._devices:
            request = csta.GetThirdPartyDeviceId(switch_name=SWITCH, extension=station)
            try:
                answer = expect((yield request), csta.GetThirdPartyDeviceIdResponse)
            except Refused as refused:
                if refused.failure.error_value != "invalidDeviceID":
                    raise
                raise OperationFailed("InvalidArgumentException", f"there is no {station}", (2, 4)) from refused
            self._devices[station] = answer.device
        return self._devices[station]

    def _is_observed(self, station: str) -> bool:
        return station in self._monitors.values()

    def _observe(self, it: provider.ObserveStation) -> Asking:
        if self._is_observed(it.station):
            return None
        device = yield from self._device(it.station)
        answer = expect((yield csta.MonitorStart(device=device)), csta.MonitorStartResponse)
        self._monitors[answer.monitor_id] = it.station
        calls = expect((yield csta.SnapshotDevice(device=device)), csta.SnapshotDeviceResponse)
        for entry in calls.calls:
            try:
                call = expect((yield csta.SnapshotCall(call=entry.connection)), csta.SnapshotCallResponse)
            except Refused:
                continue  # it ended meanwhile
            self._deliver(self._calls.snapshot(str(entry.connection.call_id), call))
        return None

    def _unobserve(self, it: provider.UnobserveStation) -> Asking:
        for monitor in [each for each, station in self._monitors.items() if station == it.station]:
            del self._monitors[monitor]
            self._calls.look_away()
            yield csta.MonitorStop(monitor_id=monitor)
        device = self._devices.pop(it.station, None)
        if device is not None:
            yield csta.ReleaseDeviceId(device=device)

    def _read_calls(self, it: provider.ReadCalls) -> Asking:
        return self._calls.at(it.station)
        yield

    def _read_agent(self, it: provider.ReadAgent) -> Asking:
        device = yield from self._device(it.station)
        answer = expect((yield csta.GetAgentState(device=device)), csta.GetAgentStateResponse)
        entry = next((each for each in answer.agents if each.logged_on), None)
        if entry is None:
            self._known_agents.pop(it.station, None)
            return None
        pending = entry.groups[0].pending_state if entry.groups else None
        found = AgentRead(
            agent=entry.agent_id or "",
            state=_STATES[entry.state] if entry.state is not None else AgentState.UNKNOWN,
            work_mode=_WORK_MODES.get(answer.work_mode) if answer.work_mode is not None else None,
            reason=answer.reason_code,
            pending_state=_STATES[pending] if pending is not None else None,
            pending_reason=answer.pending_reason_code,
        )
        self._known_agents[it.station] = found
        return found

    def _log_in(self, it: provider.LogIn) -> Asking:
        device = yield from self._device(it.station)
        yield requests.log_in(device, LogInAgent(agent=AgentId(it.agent), password=it.password, reason=it.reason))

    def _log_out(self, it: provider.LogOut) -> Asking:
        device = yield from self._device(it.station)
        ask = LogOutAgent(agent=AgentId(it.agent), password=self._opening.password, reason=it.reason)
        yield requests.log_out(device, ask)

    def _set_state(self, it: provider.SetState) -> Asking:
        known = self._known_agents.get(it.station)
        if known is not None and self._tells_agents and self._habits.keeps_agents:
            same = AgentRead(agent=it.agent, state=it.state, work_mode=known.work_mode, reason=it.reason)
            if known == same:
                return False
        device = yield from self._device(it.station)
        state, work_mode = _REQUESTED[it.state]
        if it.work_mode == WorkMode.MANUAL_IN:
            work_mode = values.WorkMode.MANUAL_IN
        request = csta.SetAgentState(
            device=device,
            state=state,
            agent_id=it.agent,
            work_mode=work_mode,
            reason_code=it.reason,
            enable_pending=True if it.may_wait else None,
        )
        answer = expect((yield request), csta.SetAgentStateResponse)
        if answer.is_pending and known is not None:
            # Assumed: memory has what waits too, so that it can be taken back by asking for the present state.
            self._known_agents[it.station] = structs.replace(known, pending_state=it.state, pending_reason=it.reason)
        return bool(answer.is_pending)

    def _call_asking(self, it: Any) -> Asking:
        device = yield from self._device(it.station)
        for name in ("call", "held", "active"):
            call = getattr(it, name, None)
            if call is not None and self._calls.leg_of(it.station, call) is None:
                raise OperationFailed("InvalidStateException", f"the terminal has no part in call {call}", (2, 13))
        caller = requests.Caller(device, SWITCH)
        for command in _COMMANDS[type(it)](it):
            yield caller.request(command)

    def _probe(self, it: provider.Probe) -> Asking:
        status = yield from conversations.ask_status(SWITCH, None)
        self._take_status(status.status, verdict_of(status.status, status.links, SWITCH))
        return int(self._state)

    # --- events

    def _started(self) -> None:
        self._is_started.set()

        def registered(_: Any) -> None:
            self.submit(provider.Probe(), lambda _: None)

        self._aes.exchange.begin(conversations.register(SWITCH), Topic.STATION, registered)

    def _take(self, message: csta.Message) -> None:
        match message:
            case csta.SystemStatus():
                self._take_status(message.status, verdict_of(message.status, message.links, SWITCH))
            case csta.MonitorStop(monitor_id=monitor):
                station = self._monitors.pop(monitor, None)
                if station is not None:
                    self._say(provider.ObservationEnded(station=station))
            case _:
                monitored = self._monitors.get(getattr(message, "monitor_id", MonitorId("")))
                if monitored is None:
                    return
                if type(message) in _AGENT_EVENTS:
                    self._take_agent(monitored, message)
                else:
                    self._deliver(self._calls.take(message))

    def _take_status(self, status: values.SystemStatusValue | None, verdict: Verdict) -> None:
        """An overload puts the provider out of service as a lost link does; only the latter ends observations."""
        overloaded = load_of(status) is Load.OVERLOADED
        if verdict is Verdict.DOWN or overloaded:
            state = ProviderState.OUT_OF_SERVICE
        elif verdict is Verdict.UP or load_of(status) is Load.RELIEVED:
            state = ProviderState.IN_SERVICE
        else:
            return
        if state is self._state or self._state is ProviderState.SHUTDOWN:
            return
        self._state = state
        if verdict is Verdict.DOWN:
            self._calls.clear()
        overload = overloaded if self._habits.tells_overload and state is ProviderState.OUT_OF_SERVICE else None
        changed = provider.ProviderChanged(state=state, overload=overload)
        if verdict is Verdict.DOWN and self._habits.ended_first:
            self._clock.call_at(self._clock.now_s(), lambda: self._say(changed))
        else:
            self._say(changed)

    def _take_agent(self, station: str, event: Any) -> None:
        self._tells_agents = True
        number, state = _AGENT_EVENTS[type(event)]
        before = self._known_agents.get(station)
        pending = getattr(event, "pending_work_mode", None)
        found = AgentRead(
            agent=event.agent_id or "",
            state=state,
            work_mode=_MODE_OF_STATE.get(state, before.work_mode if before is not None else None),
            reason=getattr(event, "reason_code", None),
            pending_state=_STATE_OF_MODE[pending] if pending is not None else None,
            pending_reason=getattr(event, "pending_reason_code", None) if pending is not None else None,
        )
        if isinstance(event, csta.AgentBusyEvent) and event.pending_state is not None:
            found = AgentRead(
                agent=found.agent, state=state, work_mode=found.work_mode, pending_state=_STATES[event.pending_state]
            )
        if state is AgentState.LOG_OUT:
            self._known_agents.pop(station, None)
        else:
            self._known_agents[station] = found
        self._say(provider.AgentChanged(station=station, id=number, found=found))

    def _deliver(self, events: list[provider.CallEvent]) -> None:
        if not events:
            return
        splits = self._random.random() < self._habits.splits
        for part in [[each] for each in events] if splits else [events]:
            for _ in range(2 if self._random.random() < self._habits.repeats else 1):
                self._say(provider.CallEvents(events=tuple(part)))

    def _say(self, event: provider.Event) -> None:
        self._later(lambda: self._on_event(event))

    def _shut_down(self, detail: str) -> None:
        self._state = ProviderState.SHUTDOWN
        self._say(provider.ProviderChanged(state=ProviderState.SHUTDOWN))
        for station in dict.fromkeys(self._monitors.values()):
            self._say(provider.ObservationEnded(station=station))
        self._aes.exchange.abandon(detail)


def failure_of(failure: Failed) -> OperationFailed:
    """Say in JTAPI's words why AES refused."""
    kind, number = _ERRORS.get(failure.error_value, ("PlatformException", 0))
    if failure.error_value == "generic" and failure.error_class == ErrorClass.STATE:
        kind, number = "InvalidStateException", 21
    return OperationFailed(kind, f"{failure.error_class} {failure.error_value}", (2, number))


#: CSTA's errors of the third phase as those of the first, which TSAPI speaks.
_ERRORS: Final[dict[str, tuple[str, int]]] = {
    "valueOutOfRange": ("InvalidArgumentException", 3),
    "invalidAgentIdentifier": ("InvalidArgumentException", 3),
    "invalidAgentPassword": ("InvalidArgumentException", 3),
    "invalidParameterValue": ("InvalidArgumentException", 3),
    "objectNotKnown": ("InvalidArgumentException", 4),
    "invalidDestination": ("InvalidPartyException", 14),
    "invalidCallID": ("PlatformException", 11),
    "invalidDeviceID": ("PlatformException", 12),
    "invalidConnectionID": ("PlatformException", 13),
    "invalidAgentState": ("InvalidStateException", 21),
    "invalidConnectionState": ("InvalidStateException", 21),
    "connectedCallExists": ("InvalidStateException", 21),
    "invalidDeviceState": ("InvalidStateException", 21),
    "invalidObjectState": ("InvalidStateException", 22),
    "noActiveCall": ("InvalidStateException", 24),
    "noHeldCall": ("InvalidStateException", 25),
    "noCallToClear": ("InvalidStateException", 26),
    "noConnectionToClear": ("InvalidStateException", 27),
    "noCallToAnswer": ("InvalidStateException", 28),
    "resourceBusy": ("ResourceUnavailableException", 33),
    "resourceOutOfService": ("ResourceUnavailableException", 34),
    "deviceOutOfService": ("ResourceUnavailableException", 34),
    "overallMonitorLimitExceeded": ("ResourceUnavailableException", 37),
    "conferenceMemberLimitExceeded": ("ResourceUnavailableException", 38),
}
_STATES: Final = {
    values.AgentState.NULL: AgentState.LOG_OUT,
    values.AgentState.NOT_READY: AgentState.NOT_READY,
    values.AgentState.READY: AgentState.READY,
    values.AgentState.BUSY: AgentState.BUSY,
    values.AgentState.WORKING_AFTER_CALL: AgentState.WORK_NOT_READY,
}
_WORK_MODES: Final = {
    values.WorkMode.AUX_WORK: LucentWorkMode.AUX,
    values.WorkMode.AFTER_CALL_WORK: LucentWorkMode.AFTER_CALL,
    values.WorkMode.AUTO_IN: LucentWorkMode.AUTO_IN,
    values.WorkMode.MANUAL_IN: LucentWorkMode.MANUAL_IN,
}
_STATE_OF_MODE: Final = {
    values.WorkMode.AUX_WORK: AgentState.NOT_READY,
    values.WorkMode.AFTER_CALL_WORK: AgentState.WORK_NOT_READY,
    values.WorkMode.AUTO_IN: AgentState.READY,
    values.WorkMode.MANUAL_IN: AgentState.READY,
}
_MODE_OF_STATE: Final = {
    AgentState.NOT_READY: LucentWorkMode.AUX,
    AgentState.WORK_NOT_READY: LucentWorkMode.AFTER_CALL,
    AgentState.READY: LucentWorkMode.AUTO_IN,
}
_REQUESTED: Final[dict[int, tuple[RequestedAgentState, values.WorkMode]]] = {
    AgentState.READY: (RequestedAgentState.READY, values.WorkMode.AUTO_IN),
    AgentState.NOT_READY: (RequestedAgentState.NOT_READY, values.WorkMode.AUX_WORK),
    AgentState.WORK_NOT_READY: (RequestedAgentState.WORKING_AFTER_CALL, values.WorkMode.AFTER_CALL_WORK),
}
_AGENT_EVENTS: Final[dict[type[csta.Message], tuple[AgentEventId, AgentState]]] = {
    csta.AgentLoggedOnEvent: (AgentEventId.LOGGED_ON, AgentState.LOG_IN),
    csta.AgentLoggedOffEvent: (AgentEventId.LOGGED_OFF, AgentState.LOG_OUT),
    csta.AgentNotReadyEvent: (AgentEventId.NOT_READY, AgentState.NOT_READY),
    csta.AgentReadyEvent: (AgentEventId.READY, AgentState.READY),
    csta.AgentBusyEvent: (AgentEventId.BUSY, AgentState.BUSY),
    csta.AgentWorkingAfterCallEvent: (AgentEventId.WORK_NOT_READY, AgentState.WORK_NOT_READY),
}
_COMMANDS: Final[dict[type[provider.Operation], Callable[[Any], tuple[commands.CallCommand, ...]]]] = {
    provider.Dial: lambda it: (commands.MakeCall(number=it.number),),
    provider.Answer: lambda it: (commands.AnswerCall(call=CallId(it.call)),),
    provider.Hold: lambda it: (commands.HoldCall(call=CallId(it.call)),),
    provider.Unhold: lambda it: (commands.RetrieveCall(call=CallId(it.call)),),
    provider.HangUp: lambda it: (commands.HangUpCall(call=CallId(it.call)),),
    provider.Consult: lambda it: (commands.ConsultCall(call=CallId(it.call), number=it.number),),
    provider.Swap: lambda it: (
        commands.HoldCall(call=CallId(it.active)),
        commands.RetrieveCall(call=CallId(it.held)),
    ),
    provider.Reconnect: lambda it: (
        commands.HangUpCall(call=CallId(it.active)),
        commands.RetrieveCall(call=CallId(it.held)),
    ),
    provider.Transfer: lambda it: (commands.TransferCall(held=CallId(it.held), active=CallId(it.active)),),
    provider.Conference: lambda it: (commands.ConferenceCalls(held=CallId(it.held), active=CallId(it.active)),),
    provider.BlindTransfer: lambda it: (commands.BlindTransferCall(call=CallId(it.call), number=it.number),),
    provider.AddParty: lambda it: (commands.AddToCall(call=CallId(it.call), number=it.number),),
    provider.Redirect: lambda it: (commands.DeflectCall(call=CallId(it.call), number=it.number),),
    provider.SendTones: lambda it: (commands.SendDigits(call=CallId(it.call), digits=it.digits),),
}
_OPERATIONS: Final[dict[type[provider.Operation], Callable[[SimulatedJtapi, Any], Asking]]] = {
    provider.ObserveStation: SimulatedJtapi._observe,
    provider.UnobserveStation: SimulatedJtapi._unobserve,
    provider.ReadCalls: SimulatedJtapi._read_calls,
    provider.ReadAgent: SimulatedJtapi._read_agent,
    provider.LogIn: SimulatedJtapi._log_in,
    provider.LogOut: SimulatedJtapi._log_out,
    provider.SetState: SimulatedJtapi._set_state,
    provider.Probe: SimulatedJtapi._probe,
    **dict.fromkeys(_COMMANDS, SimulatedJtapi._call_asking),
}
