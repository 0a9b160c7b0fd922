"""Agents at the switch: log in and out, change state, ask the state, and be told of it.

Source: aes-dmcc reference, section 7.
"""

from __future__ import annotations

from msgspec import Struct

from unified_agent.wire.csta.kinds import (
    BOOLEAN,
    DEVICE,
    INTEGER,
    PARTY,
    SECRET_HEX,
    TOKEN,
    OneOf,
)
from unified_agent.wire.csta.layout import Field, ListOf, private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, Shape, message
from unified_agent.wire.csta.values import (
    NOT_KNOWN,
    AfterCallPendingState,
    AgentState,
    DeviceId,
    MonitorId,
    Party,
    RequestedAgentState,
    Secret,
    TalkState,
    WorkMode,
)

_MONITOR = Field("monitorCrossRefID", "monitor_id", TOKEN)
_DEVICE = Field("agentDevice", "device", PARTY, missing=NOT_KNOWN)
_AGENT = Field("agentID", "agent_id", TOKEN)
_ACD_GROUP = Field("acdGroup", "acd_group", DEVICE)
_CAUSE = Field("cause", "cause", TOKEN)
_REASON = Field("reasonCode", "reason_code", INTEGER)
_PENDING = (
    Field("pendingWorkMode", "pending_work_mode", OneOf(WorkMode)),
    Field("pendingReasonCode", "pending_reason_code", INTEGER),
)


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("device", "device", DEVICE),
    Field("requestedAgentState", "state", OneOf(RequestedAgentState)),
    Field("agentID", "agent_id", TOKEN),
    Field("password", "password", SECRET_HEX),
    Field("group", "group", DEVICE),
    private_data(
        "SetAgentStatePrivateData",
        Field("workMode", "work_mode", OneOf(WorkMode)),
        Field("reasonCode", "reason_code", INTEGER),
        Field("enablePending", "enable_pending", BOOLEAN),
    ),
)
class SetAgentState(Message, frozen=True, kw_only=True):
    """Log an agent in or out, or change the agent's state.

    Attributes:
        device: the station.
        state: what is asked for.
        agent_id: with Expert Agent Selection it alone names the agent.
        password: the agent's at the switch; travels as hexBinary.
        group: the hunt group's device id, without Expert Agent Selection.
        work_mode: Avaya's finer state.
        reason_code: 0 to 99 (0 to 9 before private version 7).
        enable_pending: during a call, change when it ends instead of refusing.
    """

    device: DeviceId
    state: RequestedAgentState
    agent_id: str | None = None
    password: Secret | None = None
    group: DeviceId | None = None
    work_mode: WorkMode | None = None
    reason_code: int | None = None
    enable_pending: bool | None = None


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("pendingAgentState", "pending_state", OneOf(AgentState)),
    private_data("SetAgentStateResponsePrivateData", Field("isPending", "is_pending", BOOLEAN)),
)
class SetAgentStateResponse(Message, frozen=True, kw_only=True):
    """The state is set, or is pending. BUSY cannot be pending."""

    pending_state: AgentState | None = None
    is_pending: bool | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("device", "device", DEVICE),
    _ACD_GROUP,
)
class GetAgentState(Message, frozen=True, kw_only=True):
    """Ask who is logged in at a station, and in which state."""

    device: DeviceId
    acd_group: DeviceId | None = None


class AgentGroupState(Struct, frozen=True, kw_only=True):
    """An agent's state, in one hunt group where it is told; ``state`` is None for one that we do not know."""

    state: AgentState | None
    acd_group: DeviceId | None = None
    pending_state: AgentState | None = None


class AgentEntry(Struct, frozen=True, kw_only=True):
    """One agent at the station."""

    logged_on: bool
    agent_id: str | None = None
    groups: tuple[AgentGroupState, ...] = ()

    @property
    def state(self) -> AgentState | None:
        """The state in the first group; NULL when logged off; None when not told or not known to us."""
        if not self.logged_on:
            return AgentState.NULL
        return self.groups[0].state if self.groups else None


_GROUP_STATE = Shape(
    AgentGroupState,
    _ACD_GROUP,
    Field("agentState", "state", OneOf(AgentState), missing=None),
    Field("pendingAgentState", "pending_state", OneOf(AgentState)),
)
_AGENT_ENTRY = Shape(
    AgentEntry,
    _AGENT,
    Field("loggedOnState", "logged_on", BOOLEAN),
    Field("agentInfo", "groups", ListOf("agentInfoItem", _GROUP_STATE)),
)


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("agentStateList", "agents", ListOf("agentStateEntry", _AGENT_ENTRY), keep_empty=True),
    private_data(
        "GetAgentStateResponsePrivateData",
        Field("workMode", "work_mode", OneOf(WorkMode)),
        Field("talkState", "talk_state", OneOf(TalkState)),
        Field("reasonCode", "reason_code", INTEGER),
        Field("pendingReasonCode", "pending_reason_code", INTEGER),
    ),
)
class GetAgentStateResponse(Message, frozen=True, kw_only=True):
    """Who is logged in at the station; nobody when ``agents`` is empty or none of them is logged on."""

    agents: tuple[AgentEntry, ...] = ()
    work_mode: WorkMode | None = None
    talk_state: TalkState | None = None
    reason_code: int | None = None
    pending_reason_code: int | None = None


@message(Role.EVENT, Namespace.CSTA, _MONITOR, _DEVICE, _AGENT, _ACD_GROUP, _CAUSE)
class AgentLoggedOnEvent(Message, frozen=True, kw_only=True):
    """An agent logged in at the station."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    cause: str | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    _MONITOR,
    _DEVICE,
    _AGENT,
    _ACD_GROUP,
    _CAUSE,
    private_data("AgentLoggedOffEventPrivateData", _REASON),
)
class AgentLoggedOffEvent(Message, frozen=True, kw_only=True):
    """An agent logged out at the station."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    cause: str | None = None
    reason_code: int | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    _MONITOR,
    _DEVICE,
    _AGENT,
    _ACD_GROUP,
    _CAUSE,
    private_data("AgentReadyEventPrivateData", _REASON, *_PENDING),
)
class AgentReadyEvent(Message, frozen=True, kw_only=True):
    """An agent takes calls."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    cause: str | None = None
    reason_code: int | None = None
    pending_work_mode: WorkMode | None = None
    pending_reason_code: int | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    _MONITOR,
    _DEVICE,
    _AGENT,
    _ACD_GROUP,
    _CAUSE,
    private_data("AgentNotReadyEventPrivateData", _REASON, *_PENDING),
)
class AgentNotReadyEvent(Message, frozen=True, kw_only=True):
    """An agent takes no calls, for the reason that ``reason_code`` names."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    cause: str | None = None
    reason_code: int | None = None
    pending_work_mode: WorkMode | None = None
    pending_reason_code: int | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    _MONITOR,
    _DEVICE,
    _AGENT,
    _ACD_GROUP,
    Field("pendingAgentState", "pending_state", OneOf(AfterCallPendingState)),
    _CAUSE,
    private_data("AgentWorkingAfterCallEventPrivateData", _REASON, *_PENDING),
)
class AgentWorkingAfterCallEvent(Message, frozen=True, kw_only=True):
    """An agent finishes what a call left to do."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    pending_state: AfterCallPendingState | None = None
    cause: str | None = None
    reason_code: int | None = None
    pending_work_mode: WorkMode | None = None
    pending_reason_code: int | None = None


@message(
    Role.EVENT,
    Namespace.CSTA,
    _MONITOR,
    _DEVICE,
    _AGENT,
    _ACD_GROUP,
    Field("pendingAgentState", "pending_state", OneOf(AgentState)),
    _CAUSE,
)
class AgentBusyEvent(Message, frozen=True, kw_only=True):
    """An agent is on a call; ``pending_state`` is what follows it, never BUSY."""

    monitor_id: MonitorId
    device: Party
    agent_id: str | None = None
    acd_group: DeviceId | None = None
    pending_state: AgentState | None = None
    cause: str | None = None
