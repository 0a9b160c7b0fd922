from __future__ import annotations

import pytest

from unified_agent.links.telephony.refusals import REFUSAL_IDS, Refusal, Topic, refusal_of
from unified_agent.wire.csta.connection_events import Failed, LocalFailure
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.request_table import Token

OPERATION, STATE, RESOURCE = ErrorClass.OPERATION, ErrorClass.STATE, ErrorClass.SYSTEM_RESOURCE


@pytest.mark.parametrize(
    ("topic", "error_class", "value", "refusal", "fatal"),
    [
        (Topic.STATION, OPERATION, "invalidDeviceID", "switch.unknown-station", True),
        (Topic.STATION, OPERATION, "invalidMonitorObject", "switch.unknown-station", True),
        (Topic.STATION, RESOURCE, "overallMonitorLimitExceeded", "switch.limit-reached", False),
        (Topic.STATION, RESOURCE, "deviceOutOfService", "switch.station-out-of-service", False),
        (Topic.STATION, RESOURCE, "resourceOutOfService", "switch.link-down", False),
        (Topic.LOG_IN, OPERATION, "invalidAgentPassword", "switch.wrong-password", True),
        (Topic.LOG_IN, OPERATION, "invalidAgentIdentifier", "switch.unknown-agent", True),
        (Topic.LOG_IN, STATE, "invalidDeviceState", "switch.station-in-use", True),
        (Topic.LOG_IN, STATE, "invalidObjectState", "switch.agent-elsewhere", True),
        (Topic.LOG_IN, OPERATION, "valueOutOfRange", "switch.bad-reason-code", True),
        (Topic.AGENT, STATE, "invalidDeviceState", "switch.invalid-state", False),
        (Topic.AGENT, OPERATION, "valueOutOfRange", "switch.bad-reason-code", False),
        (Topic.CALL, OPERATION, "invalidDeviceID", "switch.bad-number", False),
        (Topic.CALL, OPERATION, "invalidDestination", "switch.bad-number", False),
        (Topic.CALL, OPERATION, "invalidConnectionID", "switch.no-such-call", False),
        (Topic.CALL, STATE, "noHeldCall", "switch.no-such-call", False),
        (Topic.CALL, STATE, "invalidConnectionState", "switch.invalid-state", False),
        (Topic.CALL, STATE, "somethingNew", "switch.invalid-state", False),
        (Topic.CALL, ErrorClass.SECURITY, "somethingNew", "switch.not-permitted", True),
        (Topic.CALL, ErrorClass.PERFORMANCE, "", "switch.busy", False),
        (Topic.CALL, LocalFailure.QUEUE_FULL, "", "switch.busy", False),
        (Topic.CALL, LocalFailure.EXCEPTION, "java.lang.Exception", "switch.refused", False),
        (Topic.CALL, OPERATION, "somethingNew", "switch.refused", False),
    ],
)
def test_refusal_has_a_stable_id_and_keeps_the_words_of_the_switch(
    topic: Topic, error_class: str, value: str, refusal: str, fatal: bool
) -> None:
    found = refusal_of(Failed(Token(1), error_class, value), topic)
    assert found == Refusal(id=refusal, detail=f"{error_class} {value}".strip(), fatal=fatal)
    assert refusal in REFUSAL_IDS
