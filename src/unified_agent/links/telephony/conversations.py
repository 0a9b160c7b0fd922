"""What is said to the switch for each thing that a session asks. See ``exchange`` for what a conversation is.

Source: aes-dmcc reference, sections 4 to 8 and 10.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from msgspec import Struct

from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import ChangeMode
from unified_agent.domain.facts import CallSeen
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.agent_facts import AgentFound, agent_found, mode_of
from unified_agent.links.telephony.exchange import Conversation, Refused, expect
from unified_agent.links.telephony.requests import Caller, change_mode
from unified_agent.links.telephony.snapshots import call_seen
from unified_agent.links.telephony.stations import Station, Stations
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import Failed
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.values import DeviceId, StatusKind

_DEVICE_UNKNOWN: Final = "invalidDeviceID"
#: What we want to be told of the switch: also overload, which is no loss, and lost messages, which void what we know.
_STATUS_WANTED: Final = frozenset(StatusKind)


class SnapshotTaken(Struct, frozen=True, kw_only=True):
    """The whole truth about a station."""

    calls: tuple[CallSeen, ...]
    found: AgentFound


class ModeAnswer(Struct, frozen=True, kw_only=True):
    """How the switch took a change of mode. ``pending``: the mode it holds until the call ends, None: it is set."""

    pending: SwitchMode | None


def observe(stations: Stations, station: Station, switch_name: str) -> Conversation[None]:
    """Have a device id and a monitor; nothing is asked when both are there."""
    if station.monitor is not None:
        return
    was_known = station.device is not None
    if station.device is None:
        station.device = yield from _device_id(station, switch_name)
    try:
        answer = yield csta.MonitorStart(device=station.device)
    except Refused as refused:
        if not was_known or refused.failure.error_value != _DEVICE_UNKNOWN:
            raise
        # AES has forgotten the id that it gave us; it has a new one.
        station.device = None
        station.device = yield from _device_id(station, switch_name)
        answer = yield csta.MonitorStart(device=station.device)
    stations.monitor_started(station, expect(answer, csta.MonitorStartResponse).monitor_id)


def renew(stations: Stations, station: Station) -> Conversation[bool]:
    """Put a fresh monitor in the place of one that may have ended while nobody heard of it.

    Returns:
        Whether the old one was still there, so that nothing was missed.
    """
    old, device = station.monitor, station.device
    if old is None or device is None:
        return True
    answer = expect((yield csta.MonitorStart(device=device)), csta.MonitorStartResponse)
    stations.monitor_started(station, answer.monitor_id)
    if answer.monitor_id == old:
        return True  # an AES with one monitor for each device and session
    try:
        yield csta.MonitorStop(monitor_id=old)
    except Refused:
        return False
    return True


def release(stations: Stations, station: Station) -> Conversation[None]:
    """End the monitor and give the device id back. What AES says against it changes nothing: both count as gone."""
    monitor = stations.monitor_ended(station)
    device, station.device = station.device, None
    if monitor is not None:
        with suppress(Refused):
            yield csta.MonitorStop(monitor_id=monitor)
    if device is not None:
        with suppress(Refused):
            yield csta.ReleaseDeviceId(device=device)


def snapshot(device: DeviceId) -> Conversation[SnapshotTaken]:
    """Ask for the calls at a station, who is on each, and who is logged in."""
    answer = expect((yield csta.SnapshotDevice(device=device)), csta.SnapshotDeviceResponse)
    if answer.segments_id is not None:
        raise Refused(Failed(Token(0), "unsupported", "the snapshot comes in segments"))
    calls = []
    for entry in answer.calls:
        call: csta.SnapshotCallResponse | None = None
        try:
            call = expect((yield csta.SnapshotCall(call=entry.connection)), csta.SnapshotCallResponse)
        except Refused as refused:
            if refused.failure.error_value in {"invalidCallID", "invalidConnectionID"}:
                continue  # it ended meanwhile
        calls.append(call_seen(entry, call, device))
    found = yield from agent_state(device)
    return SnapshotTaken(calls=tuple(calls), found=found)


def agent_state(device: DeviceId) -> Conversation[AgentFound]:
    """Ask who is logged in and in which mode."""
    return agent_found(expect((yield csta.GetAgentState(device=device)), csta.GetAgentStateResponse))


def set_agent_state(request: csta.SetAgentState) -> Conversation[None]:
    """Log in or out."""
    expect((yield request), csta.SetAgentStateResponse)


def set_mode(device: DeviceId, ask: ChangeMode) -> Conversation[ModeAnswer]:
    """Ask for a work mode."""
    answer = expect((yield change_mode(device, ask)), csta.SetAgentStateResponse)
    if not answer.is_pending:
        return ModeAnswer(pending=None)
    return ModeAnswer(pending=mode_of(answer.pending_state) or ask.mode)


def call_command(device: DeviceId, switch_name: str, command: CallCommand) -> Conversation[None]:
    """Do something with a call."""
    yield Caller(device, switch_name).request(command)


def stop_stray(request: csta.MonitorStop) -> Conversation[None]:
    """End a monitor that belongs to no station."""
    yield request


def register(switch_name: str) -> Conversation[str | None]:
    """Ask to be told of the switch's state; returns the registration's id, None when AES has no such service."""
    request = csta.SystemRegister(status_filter=_STATUS_WANTED, invert_filter=True, switch_name=switch_name)
    try:
        return expect((yield request), csta.SystemRegisterResponse).register_id
    except Refused:
        return None


def ask_status(switch_name: str, register_id: str | None) -> Conversation[csta.RequestSystemStatusResponse]:
    """Ask how the switch is."""
    request = csta.RequestSystemStatus(register_id=register_id, switch_name=switch_name)
    return expect((yield request), csta.RequestSystemStatusResponse)


def _device_id(station: Station, switch_name: str) -> Conversation[DeviceId]:
    request = csta.GetThirdPartyDeviceId(switch_name=switch_name, extension=station.number)
    return expect((yield request), csta.GetThirdPartyDeviceIdResponse).device
