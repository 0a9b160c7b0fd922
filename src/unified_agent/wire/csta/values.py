"""The words that CSTA messages are made of: identifiers, enumerations, connections, parties, secrets.

Enumerations hold the wire's own spelling. Where a vendor may send a value that we do not know (``cause``, error
values) the message field is a plain ``str`` and the enumeration here lists the values that we use.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct

#: ``extension:switch name:switch address:instance``, e.g. ``2001:CM1::0``. Opaque; compare with ``same_device``.
DeviceId = NewType("DeviceId", str)
CallId = NewType("CallId", str)
#: monitorCrossRefID: names one monitor, and says in each event which monitor reports it.
MonitorId = NewType("MonitorId", str)
#: Names an application session, and resumes it after a lost socket.
SessionId = NewType("SessionId", str)


def third_party_device_id(extension: str, switch_name: str) -> DeviceId:
    """Compose the id that AES gives a third-party device: ``2001`` on ``CM1`` is ``2001:CM1::0``."""
    return DeviceId(f"{extension}:{switch_name}::0")


def extension_of(device: DeviceId) -> str:
    """Return the extension of a device id: what stands before the first colon."""
    return device.partition(":")[0]


def same_device(one: DeviceId | None, other: DeviceId | None) -> bool:
    """Compare two device ids as AES does, without regard to case. None equals nothing, not even None."""
    return one is not None and other is not None and one.casefold() == other.casefold()


class Secret(Struct, frozen=True):
    """A password: equal by value, never shown by ``repr`` or ``str``."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class ConnectionId(Struct, frozen=True):
    """One device's part in one call.

    Attributes:
        call_id: the call, at the switch.
        device_id: the device; empty where the peer named only the call.
    """

    call_id: CallId
    device_id: DeviceId = DeviceId("")


class ConnectionListItem(Struct, frozen=True, kw_only=True):
    """One leg after a transfer or conference: take its new id from here, never compute it.

    Attributes:
        new: the leg's id from now on.
        old: what it was before, where it is told.
        endpoint: who is there, where it is told.
    """

    new: ConnectionId | None = None
    old: ConnectionId | None = None
    endpoint: Party | None = None


class Absence(StrEnum):
    """Why a party has no device id."""

    NOT_KNOWN = "notKnown"
    RESTRICTED = "restricted"
    NOT_REQUIRED = "notRequired"
    NOT_SPECIFIED = "notSpecified"


class Party(Struct, frozen=True):
    """Who rings, calls, was called, released …: a device, or the reason why none is named.

    ``NOT_REQUIRED`` and ``NOT_SPECIFIED`` occur only in a last redirection.
    """

    device: DeviceId | None
    absence: Absence | None = None


NOT_KNOWN: Final = Party(None, Absence.NOT_KNOWN)
RESTRICTED: Final = Party(None, Absence.RESTRICTED)
NOT_REQUIRED: Final = Party(None, Absence.NOT_REQUIRED)
NOT_SPECIFIED: Final = Party(None, Absence.NOT_SPECIFIED)


class LocalState(StrEnum):
    """localConnectionInfo: what a device's end of a call does."""

    INITIATED = "initiated"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HOLD = "hold"
    QUEUED = "queued"
    FAIL = "fail"


class RequestedAgentState(StrEnum):
    """What SetAgentState may ask for."""

    LOGGED_ON = "loggedOn"
    LOGGED_OFF = "loggedOff"
    NOT_READY = "notReady"
    READY = "ready"
    WORKING_AFTER_CALL = "workingAfterCall"


class AgentState(StrEnum):
    """What GetAgentState and pending states report. NULL is logged off."""

    NOT_READY = "agentNotReady"
    NULL = "agentNull"
    READY = "agentReady"
    BUSY = "agentBusy"
    WORKING_AFTER_CALL = "agentWorkingAfterCall"


class AfterCallPendingState(StrEnum):
    """What follows after-call work, as AgentWorkingAfterCallEvent spells it."""

    NOT_READY = "notReady"
    READY = "ready"


class WorkMode(StrEnum):
    """Avaya's work modes."""

    AUTO_IN = "autoIn"
    MANUAL_IN = "manualIn"
    AFTER_CALL_WORK = "afterCallWork"
    AUX_WORK = "auxWork"


class TalkState(StrEnum):
    """Whether the agent is on a call, beside the agent state."""

    ON_CALL = "onCall"
    IDLE = "idle"


class SystemStatusValue(StrEnum):
    """How the switch, or AES's way to it, is. ENABLED and NORMAL are up, DISABLED is down."""

    DISABLED = "disabled"
    PARTIALLY_DISABLED = "partiallyDisabled"
    ENABLED = "enabled"
    INITIALIZING = "initializing"
    MESSAGES_LOST = "messagesLost"
    NORMAL = "normal"
    OVERLOAD_IMMINENT = "overloadImminent"
    OVERLOAD_REACHED = "overloadReached"
    OVERLOAD_RELIEVED = "overloadRelieved"


class TlinkStatus(StrEnum):
    """The transport link from AES to one switch."""

    UP = "tlinkUp"
    DOWN = "tlinkDown"
    UNAVAILABLE = "tlinkUnavailable"


class SwitchLink(Struct, frozen=True):
    """switchTlinkStatus: one switch by name, and its transport link (None: a status that we do not know)."""

    switch_name: str
    status: TlinkStatus | None


class LinkState(Struct, frozen=True):
    """One of AES's own links, as GetLinkStatus reports it."""

    link_name: str
    is_up: bool
    auto_reconnect: bool = False


class StatusKind(StrEnum):
    """Members of the status filter, in schema order. (``messageLost`` has no s here, unlike the value.)"""

    INITIALIZING = "initializing"
    ENABLED = "enabled"
    NORMAL = "normal"
    MESSAGE_LOST = "messageLost"
    DISABLED = "disabled"
    PARTIALLY_DISABLED = "partiallyDisabled"
    OVERLOAD_IMMINENT = "overloadImminent"
    OVERLOAD_REACHED = "overloadReached"
    OVERLOAD_RELIEVED = "overloadRelieved"


class SystemRequestType(StrEnum):
    """What SystemRegister registers for, in schema order."""

    SYSTEM_STATUS = "systemStatus"
    REQUEST_SYSTEM_STATUS = "requestSystemStatus"
    CAPABILITIES_CHANGED = "switchingFunctionCapsChanged"
    DEVICES_CHANGED = "switchingFunctionDevicesChanged"


class MonitorType(StrEnum):
    """DEVICE: events of calls while they are at the device. CALL: follows the call away from it."""

    DEVICE = "device"
    CALL = "call"


class CallEventKind(StrEnum):
    """Members of a monitor filter's ``callcontrol``, in schema order."""

    BRIDGED = "bridged"
    CALL_CLEARED = "callCleared"
    CONFERENCED = "conferenced"
    CONNECTION_CLEARED = "connectionCleared"
    DELIVERED = "delivered"
    DIGITS_DIALED = "digitsDialed"
    DIVERTED = "diverted"
    ESTABLISHED = "established"
    FAILED = "failed"
    HELD = "held"
    NETWORK_CAPABILITIES_CHANGED = "networkCapabilitiesChanged"
    NETWORK_REACHED = "networkReached"
    OFFERED = "offered"
    ORIGINATED = "originated"
    QUEUED = "queued"
    RETRIEVED = "retrieved"
    SERVICE_INITIATED = "serviceInitiated"
    TRANSFERRED = "transferred"


class AgentEventKind(StrEnum):
    """Members of a monitor filter's ``logicalDeviceFeature``, in schema order."""

    BUSY = "agentBusy"
    LOGGED_ON = "agentLoggedOn"
    LOGGED_OFF = "agentLoggedOff"
    NOT_READY = "agentNotReady"
    READY = "agentReady"
    WORKING_AFTER_CALL = "agentWorkingAfterCall"
    AUTO_ANSWER = "autoAnswer"
    AUTO_WORK_MODE = "autoWorkMode"
    CALL_BACK = "callBack"
    CALL_BACK_MESSAGE = "callBackMessage"
    CALLER_ID_STATUS = "callerIDStatus"
    DO_NOT_DISTURB = "doNotDisturb"
    FORWARDING = "forwarding"
    ROUTEING_MODE = "routeingMode"


class AutoOriginate(StrEnum):
    """Whether the caller's phone rings first (PROMPT) when a call is made."""

    PROMPT = "prompt"
    DO_NOT_PROMPT = "doNotPrompt"


class Participation(StrEnum):
    """How a device joins in a single-step conference."""

    SILENT = "silent"
    ACTIVE = "active"
    NONE = "none"


class DigitMode(StrEnum):
    """How GenerateDigits sends."""

    ROTARY_PULSE = "rotaryPulse"
    DTMF = "dTMF"


class ProgressLocation(StrEnum):
    """Where in the network a call got to (ISDN progress)."""

    USER = "user"
    PUBLIC_LOCAL = "publicLocal"
    PUBLIC_REMOTE = "publicRemote"
    PRIVATE_REMOTE = "privateRemote"


class ProgressDescription(StrEnum):
    """What an ISDN progress report says."""

    CALL_OFF_ISDN = "callOffISDN"
    DESTINATION_NOT_ISDN = "destNotISDN"
    ORIGIN_NOT_ISDN = "origNotISDN"
    CALL_ON_ISDN = "callOnISDN"
    IN_BAND = "inband"


class Cause(StrEnum):
    """Event causes that we name; a peer may send any other."""

    ACTIVE_PARTICIPATION = "activeParticipation"
    ALTERNATE = "alternate"
    BUSY = "busy"
    CALL_CANCELLED = "callCancelled"
    CALL_FORWARD = "callForward"
    CALL_FORWARD_NO_ANSWER = "callForwardNoAnswer"
    CALL_NOT_ANSWERED = "callNotAnswered"
    CALL_PICKUP = "callPickup"
    CONFERENCE = "conference"
    CONSULTATION = "consultation"
    DESTINATION_NOT_OBTAINABLE = "destNotObtainable"
    DESTINATION_OUT_OF_ORDER = "destOutOfOrder"
    DISTRIBUTED = "distributed"
    ENTERING_DISTRIBUTION = "enteringDistribution"
    FORCED_PAUSE = "forcedPause"
    FORCED_TRANSITION = "forcedTransition"
    MAKE_CALL = "makeCall"
    NETWORK_CONGESTION = "networkCongestion"
    NEW_CALL = "newCall"
    NO_AVAILABLE_AGENTS = "noAvailableAgents"
    NORMAL = "normal"
    NORMAL_CLEARING = "normalClearing"
    OVERFLOW = "overflow"
    QUEUE_CLEARED = "queueCleared"
    RECALL = "recall"
    REDIRECTED = "redirected"
    RESOURCES_NOT_AVAILABLE = "resourcesNotAvailable"
    SILENT_PARTICIPATION = "silentParticipation"
    SINGLE_STEP_CONFERENCE = "singleStepConference"
    SINGLE_STEP_TRANSFER = "singleStepTransfer"
    SWITCHING_FUNCTION_TERMINATED = "switchingFunctionTerminated"
    TIMEOUT = "timeout"
    TRANSFER = "transfer"
    TRUNKS_BUSY = "trunksBusy"
