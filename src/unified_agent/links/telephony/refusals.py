"""Why the switch refused a request: its error classes and values, as our stable ids.

An id says what a person can do about it; the switch's own words go along as ``detail``. Where one value means
different things for a station's set-up, for an agent's state and for a call, ``Topic`` tells which it was.

Source: aes-dmcc reference, section 9; what a log-in is refused with, aes-jtapi reference, section 5 ("Error pairs").
Assumed: invalidDeviceState at a log-in means that somebody else is logged in at the station; an AES would prove it.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from unified_agent.wire.csta.connection_events import Failed, LocalFailure
from unified_agent.wire.csta.error_messages import ErrorClass


class Topic(Enum):
    """What was asked for."""

    STATION = "station"
    LOG_IN = "log-in"
    AGENT = "agent"
    CALL = "call"


class Refusal(Struct, frozen=True, kw_only=True):
    """A refused request.

    Attributes:
        id: stable, ``switch.…``.
        detail: the switch's own words.
        fatal: a person must act before trying again makes sense.
    """

    id: str
    detail: str = ""
    fatal: bool = False


LINK_DOWN: Final = Refusal(id="switch.link-down", detail="there is no link to the switch")
BUSY: Final = Refusal(id="switch.busy", detail="too many requests wait for the switch")

_FATAL: Final = True

#: What a value means for some topics. Anything that stands in neither table is ``switch.refused``.
_BY_TOPIC: Final[dict[tuple[Topic, str], tuple[str, bool]]] = {
    (Topic.STATION, "invalidDeviceID"): ("switch.unknown-station", _FATAL),
    (Topic.STATION, "invalidMonitorObject"): ("switch.unknown-station", _FATAL),
    (Topic.STATION, "invalidParameterValue"): ("switch.unknown-station", _FATAL),
    (Topic.STATION, "objectNotKnown"): ("switch.unknown-station", _FATAL),
    (Topic.STATION, "privilegeViolationSpecifiedDevice"): ("switch.not-permitted", _FATAL),
    (Topic.STATION, "invalidFeature"): ("switch.not-permitted", _FATAL),
    (Topic.LOG_IN, "invalidDeviceID"): ("switch.unknown-station", _FATAL),
    (Topic.LOG_IN, "invalidAgentGroup"): ("switch.unknown-agent", _FATAL),
    (Topic.LOG_IN, "invalidDeviceState"): ("switch.station-in-use", _FATAL),
    (Topic.LOG_IN, "invalidObjectState"): ("switch.agent-elsewhere", _FATAL),
    (Topic.LOG_IN, "valueOutOfRange"): ("switch.bad-reason-code", _FATAL),
    (Topic.AGENT, "valueOutOfRange"): ("switch.bad-reason-code", False),
    (Topic.CALL, "invalidDeviceID"): ("switch.bad-number", False),
    (Topic.CALL, "valueOutOfRange"): ("switch.bad-number", False),
}

#: What a value means whatever was asked.
_BY_VALUE: Final[dict[str, tuple[str, bool]]] = {
    "invalidAgentIdentifier": ("switch.unknown-agent", _FATAL),
    "invalidAgentPassword": ("switch.wrong-password", _FATAL),
    "invalidAgentState": ("switch.invalid-state", False),
    "agentStateNotSupported": ("switch.invalid-state", False),
    "invalidConnectionState": ("switch.invalid-state", False),
    "invalidDeviceState": ("switch.invalid-state", False),
    "invalidObjectState": ("switch.invalid-state", False),
    "invalidCallID": ("switch.no-such-call", False),
    "invalidConnectionID": ("switch.no-such-call", False),
    "invalidCSTAConnectionIdentifier": ("switch.no-such-call", False),
    "noActiveCall": ("switch.no-such-call", False),
    "noCallToAnswer": ("switch.no-such-call", False),
    "noCallToClear": ("switch.no-such-call", False),
    "noCallToComplete": ("switch.no-such-call", False),
    "noConnectionToClear": ("switch.no-such-call", False),
    "noHeldCall": ("switch.no-such-call", False),
    "invalidDestination": ("switch.bad-number", False),
    "invalidCalledDeviceID": ("switch.bad-number", False),
    "destinationNotObtainable": ("switch.bad-number", False),
    "privilegeViolationCalledDevice": ("switch.not-permitted", False),
    "privilegeViolationCallingDevice": ("switch.not-permitted", False),
    "privilegeViolationSpecifiedDevice": ("switch.not-permitted", False),
    "serviceNotSupported": ("switch.not-permitted", False),
    "resourceOutOfService": ("switch.link-down", False),
    "networkOutOfService": ("switch.link-down", False),
    "deviceOutOfService": ("switch.station-out-of-service", False),
    "overallMonitorLimitExceeded": ("switch.limit-reached", False),
    "resourceLimitExceeded": ("switch.limit-reached", False),
    "resourceBusy": ("switch.busy", False),
    "networkBusy": ("switch.busy", False),
    "internalResourceBusy": ("switch.busy", False),
}

#: What a class means when its value says nothing that we know.
_BY_CLASS: Final[dict[str, tuple[str, bool]]] = {
    ErrorClass.SECURITY: ("switch.not-permitted", _FATAL),
    ErrorClass.STATE: ("switch.invalid-state", False),
    ErrorClass.SYSTEM_RESOURCE: ("switch.busy", False),
    ErrorClass.SUBSCRIBED_RESOURCE: ("switch.limit-reached", False),
    ErrorClass.PERFORMANCE: ("switch.busy", False),
    LocalFailure.QUEUE_FULL: ("switch.busy", False),
}

#: Every id that a refusal can have, for the documents and the desktop's sentences.
REFUSAL_IDS: Final = frozenset(
    {"switch.refused", LINK_DOWN.id, BUSY.id}
    | {each for each, _ in (*_BY_TOPIC.values(), *_BY_VALUE.values(), *_BY_CLASS.values())}
)


def refusal_of(failure: Failed, topic: Topic) -> Refusal:
    """Say in our words why a request was refused.

    Args:
        failure: from the connection.
        topic: what the request was about.
    """
    value = failure.error_value
    found = _BY_TOPIC.get((topic, value)) or _BY_VALUE.get(value) or _BY_CLASS.get(failure.error_class)
    refusal, fatal = found or ("switch.refused", False)
    return Refusal(id=refusal, detail=f"{failure.error_class} {value}".strip(), fatal=fatal)
