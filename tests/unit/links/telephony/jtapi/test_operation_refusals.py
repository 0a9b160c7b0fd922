"""JTAPI's exceptions as our ids."""

from __future__ import annotations

from itertools import product

import pytest

from unified_agent.links.telephony.jtapi.operation_refusals import refusal_of_operation
from unified_agent.links.telephony.jtapi.provider import OperationFailed
from unified_agent.links.telephony.refusals import REFUSAL_IDS, Topic

STATE, ARGUMENT, PARTY = "InvalidStateException", "InvalidArgumentException", "InvalidPartyException"
RESOURCE, PLATFORM = "ResourceUnavailableException", "PlatformException"


@pytest.mark.parametrize(
    ("kind", "pair", "words", "topic", "refused", "fatal"),
    [
        (STATE, (2, 21), "", Topic.LOG_IN, "switch.station-in-use", True),
        (STATE, (2, 22), "", Topic.LOG_IN, "switch.agent-elsewhere", True),
        (ARGUMENT, (2, 3), "", Topic.LOG_IN, "switch.wrong-password", True),
        (ARGUMENT, (2, 4), "", Topic.LOG_IN, "switch.unknown-agent", True),
        (PLATFORM, (2, 12), "", Topic.LOG_IN, "switch.unknown-agent", True),
        (ARGUMENT, (0, 0), "", Topic.LOG_IN, "switch.unknown-agent", True),
        (STATE, (2, 21), "", Topic.AGENT, "switch.invalid-state", False),
        (STATE, (2, 22), "", Topic.AGENT, "switch.invalid-state", False),
        (ARGUMENT, (2, 3), "", Topic.AGENT, "switch.bad-reason-code", False),
        (ARGUMENT, (0, 0), "", Topic.STATION, "switch.unknown-station", True),
        (PLATFORM, (2, 12), "", Topic.STATION, "switch.unknown-station", True),
        (RESOURCE, (2, 37), "", Topic.STATION, "switch.limit-reached", False),
        (PARTY, (0, 0), "", Topic.CALL, "switch.bad-number", False),
        (PARTY, (2, 14), "", Topic.CALL, "switch.bad-number", False),
        (PLATFORM, (2, 13), "", Topic.CALL, "switch.no-such-call", False),
        (STATE, (2, 13), "", Topic.CALL, "switch.no-such-call", False),
        (STATE, (2, 28), "", Topic.CALL, "switch.no-such-call", False),
        (STATE, (0, 0), "", Topic.CALL, "switch.invalid-state", False),
        (STATE, (2, 2), "", Topic.CALL, "switch.invalid-state", False),
        (RESOURCE, (0, 0), "", Topic.CALL, "switch.busy", False),
        (RESOURCE, (2, 33), "", Topic.CALL, "switch.busy", False),
        (RESOURCE, (2, 34), "", Topic.CALL, "switch.link-down", False),
        (RESOURCE, (2, 34), "state deviceOutOfService", Topic.CALL, "switch.station-out-of-service", False),
        ("PrivilegeViolationException", (0, 0), "", Topic.CALL, "switch.not-permitted", True),
        ("PrivilegeViolationException", (2, 9), "", Topic.CALL, "switch.not-permitted", False),
        ("MethodNotSupportedException", (0, 0), "no tones", Topic.CALL, "switch.not-permitted", False),
        ("ProviderUnavailableException", (0, 0), "", Topic.CALL, "switch.link-down", False),
        (PLATFORM, (1, 5), "", Topic.CALL, "switch.link-down", False),
        ("QueueFull", (0, 0), "", Topic.CALL, "switch.busy", False),
        ("NotBegun", (0, 0), "", Topic.CALL, "switch.busy", False),
        ("StaleAgent", (0, 0), "", Topic.LOG_IN, "switch.refused", False),
        (PLATFORM, (0, 0), "", Topic.CALL, "switch.refused", False),
        ("NullPointerException", (9, 9), "", Topic.CALL, "switch.refused", False),
        (ARGUMENT, (2, 3), "operation invalidAgentIdentifier", Topic.LOG_IN, "switch.unknown-agent", True),
        (STATE, (2, 21), "stateIncompatibility invalidDeviceState", Topic.LOG_IN, "switch.station-in-use", True),
    ],
)
def test_exception_becomes_a_refusal(
    kind: str, pair: tuple[int, int], words: str, topic: Topic, refused: str, fatal: bool
) -> None:
    refusal = refusal_of_operation(OperationFailed(kind, words, pair), topic)
    assert (refusal.id, refusal.fatal) == (refused, fatal)
    assert refusal.detail == (words or kind)


def test_every_refusal_has_an_id_that_desktops_know() -> None:
    kinds = [STATE, ARGUMENT, PARTY, RESOURCE, PLATFORM, "PrivilegeViolationException", "Whatever", "StaleAgent"]
    for kind, number, topic in product(kinds, range(100), Topic):
        assert refusal_of_operation(OperationFailed(kind, "", (2, number)), topic).id in REFUSAL_IDS
