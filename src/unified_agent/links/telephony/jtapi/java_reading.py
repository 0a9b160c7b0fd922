"""Reads what Java's objects tell, into plain data: no text of Java's, no null for an empty array, gets out.

Whether a member is there is asked of the object's class, once for each class: a client library implements what it
can, and plain objects with the same members do in tests. Only getters that read memory are called for events, never
``getState`` of a provider or an agent, which may ask AES and wait.

Source: aes-jtapi reference, sections 3 to 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from unified_agent.links.telephony.jtapi.constants import (
    AgentEventId,
    AgentState,
    ControlConnection,
    ControlTerminal,
)
from unified_agent.links.telephony.jtapi.provider import AgentRead, CallEvent, CallRead, LegRead

#: Names calls.
NameCall = Callable[[Any], str]

#: In which state an agent is when an event came. The event's own ``getState`` asks the agent, and that may ask AES.
STATE_OF_EVENT: Final[dict[int, AgentState]] = {
    AgentEventId.BUSY: AgentState.BUSY,
    AgentEventId.LOGGED_OFF: AgentState.LOG_OUT,
    AgentEventId.LOGGED_ON: AgentState.LOG_IN,
    AgentEventId.NOT_READY: AgentState.NOT_READY,
    AgentEventId.READY: AgentState.READY,
    AgentEventId.UNKNOWN: AgentState.UNKNOWN,
    AgentEventId.WORK_NOT_READY: AgentState.WORK_NOT_READY,
    AgentEventId.WORK_READY: AgentState.WORK_READY,
}
#: What the core package calls states, in words of call control.
_CORE_CONNECTION: Final[dict[int, ControlConnection]] = {
    48: ControlConnection.IDLE,
    49: ControlConnection.OFFERED,
    50: ControlConnection.ALERTING,
    51: ControlConnection.ESTABLISHED,
    52: ControlConnection.DISCONNECTED,
    53: ControlConnection.FAILED,
    54: ControlConnection.UNKNOWN,
}
_CORE_TERMINAL: Final[dict[int, ControlTerminal]] = {
    64: ControlTerminal.IDLE,
    65: ControlTerminal.RINGING,
    66: ControlTerminal.INUSE,
    67: ControlTerminal.TALKING,
    68: ControlTerminal.DROPPED,
    69: ControlTerminal.UNKNOWN,
}
#: How the vendor's ``workMode`` of ready agents reads in the numbers of ``lucentWorkMode``.
_LUCENT_OF_WORK_MODE: Final = {1: 3, 2: 4}


#: Whether a class has a member; there are as many as the client library has classes that we meet.
_MEMBERS: Final[dict[tuple[Any, str], bool]] = {}


def has(found: Any, member: str) -> bool:
    """Say whether an object has a member."""
    key = (type(found), member)
    known = _MEMBERS.get(key)
    if known is None:
        known = _MEMBERS[key] = hasattr(type(found), member)
    return known


def ask_if_there(found: Any, getter: str) -> Any:
    """Call a getter where the object has it; None where not."""
    return getattr(found, getter)() if found is not None and has(found, getter) else None


def text(found: Any) -> str:
    """Make a text of Java's ours; null is empty."""
    return "" if found is None else str(found)


def each(found: Any) -> tuple[Any, ...]:
    """Return what is in an array; null is empty."""
    return () if found is None else tuple(found)


def number(found: Any) -> int:
    """Make a number of Java's ours; null is 0."""
    return 0 if found is None else int(found)


def name_of(found: Any) -> str:
    """Return the name of an address or terminal; null is empty."""
    return "" if found is None else text(found.getName())


def agent_id(agent: Any) -> str:
    """Return an agent's id."""
    return "" if agent is None else text(agent.getAgentID())


# --- calls


def call_facts(found: Any) -> dict[str, str]:
    """Read what an event or a call tells of the call: who called whom, by which queue, with which data."""
    queue = ask_if_there(found, "getDistributingAddress") or ask_if_there(found, "getDeliveringACDAddress")
    return {
        "calling": name_of(ask_if_there(found, "getCallingAddress")),
        "called": name_of(ask_if_there(found, "getCalledAddress")),
        "last_redirected": name_of(ask_if_there(found, "getLastRedirectedAddress")),
        "queue": name_of(queue),
        "data": _shown(text(ask_if_there(ask_if_there(found, "getUserToUserInfo"), "getString"))),
        "ucid": text(ask_if_there(found, "getUCID")),
    }


def _shown(data: str) -> str:
    return "".join(char for char in data if char.isprintable()).strip()


def call_event(event: Any, name_call: NameCall) -> CallEvent:
    """Read one call event."""
    leg = ask_if_there(event, "getTerminalConnection")
    connection = ask_if_there(event, "getConnection") if leg is None else leg.getConnection()
    return CallEvent(
        id=number(event.getID()),
        cause=number(ask_if_there(event, "getCause")),
        control_cause=number(ask_if_there(event, "getCallControlCause")),
        meta=number(ask_if_there(event, "getMetaCode")),
        call=name_call(event.getCall()),
        address=name_of(None if connection is None else connection.getAddress()),
        terminal=name_of(None if leg is None else leg.getTerminal()),
        **call_facts(event),
    )


def connection_state(connection: Any) -> int:
    """Return the state of a connection, in words of call control."""
    if has(connection, "getCallControlState"):
        return int(connection.getCallControlState())
    return _CORE_CONNECTION.get(int(connection.getState()), ControlConnection.UNKNOWN)


def terminal_state(leg: Any) -> int:
    """Return the state of a terminal connection, in words of call control."""
    if has(leg, "getCallControlState"):
        return int(leg.getCallControlState())
    return _CORE_TERMINAL.get(int(leg.getState()), ControlTerminal.UNKNOWN)


def calls_at(terminal: Any, name_call: NameCall) -> tuple[CallRead, ...]:
    """Read the calls at a terminal in which it still has a part."""
    found: dict[str, CallRead] = {}
    for leg in each(terminal.getTerminalConnections()):
        if terminal_state(leg) in {ControlTerminal.DROPPED, ControlTerminal.IDLE}:
            continue
        call = leg.getConnection().getCall()
        if call is None:
            continue
        name = name_call(call)
        if name not in found:
            found[name] = CallRead(call=name, legs=_legs(call, name_of(terminal)), **call_facts(call))
    return tuple(found.values())


def _legs(call: Any, own: str) -> tuple[LegRead, ...]:
    legs = []
    for connection in each(call.getConnections()):
        state = connection_state(connection)
        if state == ControlConnection.DISCONNECTED:
            continue
        at = each(connection.getTerminalConnections())
        ours = [each_leg for each_leg in at if name_of(each_leg.getTerminal()) == own]
        states = [terminal_state(each_leg) for each_leg in ours or at]
        live = [each_state for each_state in states if each_state != ControlTerminal.DROPPED]
        legs.append(
            LegRead(
                address=name_of(connection.getAddress()), connection=state, terminal=next(iter(live or states), None)
            )
        )
    return tuple(legs)


# --- agents


def agent_event(event: Any) -> AgentRead:
    """Read an agent event, without asking anybody.

    The client library's public members give no work mode and no reason with an event: those are to be read.
    Assumed: where an event's private data has ``getReasonCode`` or ``getWorkMode``, they are the agent's.
    """
    private = ask_if_there(event, "getPrivateData")
    reason = ask_if_there(private, "getReasonCode")
    mode = ask_if_there(private, "getWorkMode")
    return AgentRead(
        agent=text(ask_if_there(event, "getAgentID")),
        state=STATE_OF_EVENT.get(int(event.getID()), AgentState.UNKNOWN),
        work_mode=None if mode is None else _lucent_mode(int(mode), -1),
        reason=None if reason is None else int(reason),
    )


def agent_read(agent: Any) -> AgentRead:
    """Read an agent's state. May ask AES and wait."""
    if not has(agent, "getStateInfo"):
        return AgentRead(agent=agent_id(agent), state=int(agent.getState()))
    info = agent.getStateInfo()
    pending = _field(info, "pendingState")
    return AgentRead(
        agent=agent_id(agent),
        state=int(info.state),
        work_mode=_lucent_mode(int(info.workMode), _field(info, "lucentWorkMode", -1)),
        reason=_field(info, "reasonCode"),
        pending_state=pending or None,
        pending_reason=_field(info, "pendingReasonCode") if pending else None,
    )


def _field(info: Any, field: str, otherwise: int | None = None) -> Any:
    found = getattr(info, field, otherwise)
    return None if found is None else int(found)


def _lucent_mode(work_mode: int, lucent: int) -> int | None:
    return lucent if lucent > 0 else _LUCENT_OF_WORK_MODE.get(work_mode)
