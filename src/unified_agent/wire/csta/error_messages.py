"""How a request is refused: CSTAErrorCode, and Avaya's CSTAException.

Source: aes-dmcc reference, section 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from unified_agent.wire.csta.kinds import HEX, TEXT, TOKEN, Scope
from unified_agent.wire.csta.layout import Field, Reader, Values, Writer
from unified_agent.wire.csta.markup import Node, escape
from unified_agent.wire.csta.shapes import Message, Namespace, Role, Shape, message


class ErrorClass(StrEnum):
    """The class of a CSTAErrorCode. ``systemResourceAvailibility`` is the standard's own spelling."""

    OPERATION = "operation"
    SECURITY = "security"
    STATE = "stateIncompatibility"
    SYSTEM_RESOURCE = "systemResourceAvailibility"
    SUBSCRIBED_RESOURCE = "subscribedResourceAvailability"
    PERFORMANCE = "performanceManagement"
    PRIVATE_DATA = "privateData"
    PRIVATE_CODE = "privateErrorCode"
    UNSPECIFIED = "unspecified"


class OperationError(StrEnum):
    """Values of class OPERATION that we name; a peer may send any other."""

    GENERIC = "generic"
    INVALID_AGENT_GROUP = "invalidAgentGroup"
    INVALID_AGENT_ID = "invalidAgentIdentifier"
    INVALID_AGENT_PASSWORD = "invalidAgentPassword"  # noqa: S105 - the name of an error
    INVALID_AGENT_STATE = "invalidAgentState"
    AGENT_STATE_NOT_SUPPORTED = "agentStateNotSupported"
    INVALID_CALL_ID = "invalidCallID"
    INVALID_CONNECTION_ID = "invalidConnectionID"
    INVALID_DESTINATION = "invalidDestination"
    INVALID_DEVICE_ID = "invalidDeviceID"
    INVALID_MONITOR_CROSS_REF_ID = "invalidMonitorCrossRefID"
    INVALID_MONITOR_OBJECT = "invalidMonitorObject"
    INVALID_PARAMETER_VALUE = "invalidParameterValue"
    OBJECT_NOT_KNOWN = "objectNotKnown"
    PRIVILEGE_VIOLATION = "privilegeViolationSpecifiedDevice"
    SERVICE_NOT_SUPPORTED = "serviceNotSupported"


class StateError(StrEnum):
    """Values of class STATE that we name; a peer may send any other."""

    GENERIC = "generic"
    INVALID_CONNECTION_STATE = "invalidConnectionState"
    INVALID_DEVICE_STATE = "invalidDeviceState"
    INVALID_OBJECT_STATE = "invalidObjectState"
    NO_ACTIVE_CALL = "noActiveCall"
    NO_CALL_TO_ANSWER = "noCallToAnswer"
    NO_CALL_TO_CLEAR = "noCallToClear"
    NO_HELD_CALL = "noHeldCall"


class ResourceError(StrEnum):
    """Values of class SYSTEM_RESOURCE that we name; a peer may send any other."""

    GENERIC = "generic"
    DEVICE_OUT_OF_SERVICE = "deviceOutOfService"
    NETWORK_OUT_OF_SERVICE = "networkOutOfService"
    MONITOR_LIMIT_EXCEEDED = "overallMonitorLimitExceeded"
    RESOURCE_BUSY = "resourceBusy"
    RESOURCE_LIMIT_EXCEEDED = "resourceLimitExceeded"
    RESOURCE_OUT_OF_SERVICE = "resourceOutOfService"


_CLASSES: Final = {str(member): member for member in ErrorClass} | {
    # The standard's misspelling is sometimes put right by a sender.
    "systemResourceAvailability": ErrorClass.SYSTEM_RESOURCE,
}


class _ErrorRow:
    """The one child of CSTAErrorCode: its name is the class, its text the value. As an ``Item``."""

    def writer(self, prefix: str, scope: Scope) -> Writer:
        def write(source: Any) -> str:
            tag = f"{prefix}{source.error_class}"
            return f"<{tag}>{escape(source.value)}</{tag}>" if source.value else f"<{tag}/>"

        return write

    def readers(self) -> Mapping[str, Reader]:
        return {name: _error_reader(error_class) for name, error_class in _CLASSES.items()}

    def fallbacks(self) -> Mapping[str, object]:
        return {"error_class": ErrorClass.UNSPECIFIED, "value": ""}


def _error_reader(error_class: ErrorClass) -> Reader:
    def read(node: Node, values: Values) -> None:
        values["error_class"] = error_class
        values["value"] = node.text.strip()

    return read


@message(Role.REFUSAL, Namespace.CSTA, _ErrorRow())
class CSTAErrorCode(Message, frozen=True):
    """A request is refused.

    Attributes:
        error_class: UNSPECIFIED also stands for a class that we do not know.
        value: an ``OperationError``, ``StateError`` or ``ResourceError``, or what else the peer says; empty for
            UNSPECIFIED.
    """

    error_class: ErrorClass
    value: str = ""


@message(
    Role.REFUSAL,
    Namespace.AVAYA,
    Field("exceptionClass", "exception_class", TOKEN),
    Field("message", "text", TEXT),
    Field("stackTrace", "stack_trace", TEXT),
    Field("exception", "exception", HEX),
    Field("CSTAErrorCode", "code", Shape(CSTAErrorCode, _ErrorRow()), referenced=True),
)
class CSTAException(Message, frozen=True, kw_only=True):
    """A request failed inside AES.

    Attributes:
        exception_class: the name of its Java class.
        text: what it says (``message`` on the wire).
        stack_trace: for the log.
        exception: the serialised exception; never looked into.
        code: the CSTA error, where it names one.
    """

    exception_class: str | None = None
    text: str | None = None
    stack_trace: str | None = None
    exception: bytes | None = None
    code: CSTAErrorCode | None = None
