"""Why JTAPI did not do what it was asked, as the same stable ids that the DMCC link has.

What an exception says is brought to a value of CSTA, and ``links.telephony.refusals`` says what that means: from its
words where they name one, as those that pass AES's answer on do; else from the vendor's pair, whose type 2 is TSAPI's
universal failure, that is CSTA's numbers of the first phase; else from its class. Type 1 is the stream to AES, type 4
the client library itself.

Source: aes-jtapi reference, section 5 ("Error pairs"); the numbers are those of the public TSAPI headers. Assumed: a
log-in that names an unknown agent is refused with 4 or 12, one with a wrong password with 3; an AES would prove it.
"""

from __future__ import annotations

import re
from typing import Final

from unified_agent.links.telephony.jtapi.provider import OperationFailed
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Refusal, Topic, refusal_of
from unified_agent.wire.csta.connection_events import Failed
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.request_table import Token

#: The agent that the client library gave out of its memory: the provider has to be replaced.
STALE_AGENT: Final = "StaleAgent"

_ACS: Final = 1
_CSTA: Final = 2

#: TSAPI's universal failures as values that the tables of refusals know, or would.
_VALUES: Final = {
    2: "invalidConnectionState",
    3: "valueOutOfRange",
    4: "objectNotKnown",
    5: "invalidDeviceID",
    6: "invalidCalledDeviceID",
    7: "invalidDestination",
    8: "privilegeViolationSpecifiedDevice",
    9: "privilegeViolationCalledDevice",
    10: "privilegeViolationCallingDevice",
    11: "invalidCallID",
    12: "invalidDeviceID",
    13: "invalidConnectionID",
    14: "invalidDestination",
    15: "invalidFeature",
    21: "invalidConnectionState",
    22: "invalidObjectState",
    23: "invalidConnectionState",
    24: "noActiveCall",
    25: "noHeldCall",
    26: "noCallToClear",
    27: "noConnectionToClear",
    28: "noCallToAnswer",
    29: "noCallToComplete",
    32: "resourceBusy",
    33: "resourceBusy",
    34: "resourceOutOfService",
    35: "networkBusy",
    36: "networkOutOfService",
    37: "overallMonitorLimitExceeded",
    38: "resourceLimitExceeded",
    42: "overallMonitorLimitExceeded",
    43: "resourceLimitExceeded",
    44: "resourceBusy",
    51: "resourceBusy",
    52: "resourceBusy",
}
_BY_TOPIC: Final = {
    (Topic.LOG_IN, 3): "invalidAgentPassword",
    (Topic.LOG_IN, 4): "invalidAgentIdentifier",
    (Topic.LOG_IN, 12): "invalidAgentIdentifier",
    #: Somebody is logged on at the station.
    (Topic.LOG_IN, 21): "invalidDeviceState",
    (Topic.CALL, 4): "invalidDestination",
}

#: What a class of exception means when nothing else says more.
_CLASSES: Final = {
    "InvalidStateException": ErrorClass.STATE,
    "PrivilegeViolationException": ErrorClass.SECURITY,
    "ResourceUnavailableException": ErrorClass.SYSTEM_RESOURCE,
}
_KINDS: Final = {
    "MethodNotSupportedException": "serviceNotSupported",
    "InvalidPartyException": "invalidDestination",
}
_ARGUMENTS: Final = {
    Topic.STATION: "invalidDeviceID",
    Topic.LOG_IN: "invalidAgentIdentifier",
    Topic.AGENT: "valueOutOfRange",
    Topic.CALL: "invalidDestination",
}
_WORD: Final = re.compile(r"[A-Za-z]+")


def refusal_of_operation(failure: OperationFailed, topic: Topic) -> Refusal:
    """Say in our words why an operation was refused; the exception's own words are the detail.

    Args:
        failure: what JTAPI threw.
        topic: what the operation was about.
    """
    detail = failure.detail or failure.kind
    if failure.kind in {"QueueFull", "NotBegun"}:
        return Refusal(id=BUSY.id, detail=detail)
    if failure.kind == STALE_AGENT:
        return Refusal(id="switch.refused", detail=detail)
    if failure.kind == "ProviderUnavailableException" or failure.pair[0] == _ACS:
        return Refusal(id=LINK_DOWN.id, detail=detail)
    found = _said(failure, topic)
    return Refusal(id=found.id, detail=detail, fatal=found.fatal)


def is_unanswered(failure: OperationFailed) -> bool:
    """Say whether AES said nothing: the client library lost it, or waited in vain. It may have happened then.

    Assumed: so did one whose exception is the platform's own and has no number of AES's.
    """
    return failure.kind == "PlatformException" and failure.pair[0] not in {_ACS, _CSTA}


def _said(failure: OperationFailed, topic: Topic) -> Refusal:
    error_class = _CLASSES.get(failure.kind, ErrorClass.OPERATION)
    for value in (*_WORD.findall(failure.detail), _paired(failure.pair, topic), _of_kind(failure.kind, topic)):
        refusal = refusal_of(Failed(Token(0), "", value), topic)
        if refusal.id != "switch.refused":
            return refusal
    return refusal_of(Failed(Token(0), error_class, ""), topic)


def _paired(pair: tuple[int, int], topic: Topic) -> str:
    kind, number = pair
    if kind != _CSTA:
        return ""
    return _BY_TOPIC.get((topic, number)) or _VALUES.get(number, "")


def _of_kind(kind: str, topic: Topic) -> str:
    return _ARGUMENTS[topic] if kind == "InvalidArgumentException" else _KINDS.get(kind, "")
