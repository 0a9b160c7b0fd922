"""A refusal carries the class and the value that answer the request."""

from __future__ import annotations

import pytest

from unified_agent.tools.simulators.aes import refusals
from unified_agent.wire.csta.error_messages import ErrorClass


@pytest.mark.parametrize(
    ("make", "error_class"),
    [
        (refusals.operation, ErrorClass.OPERATION),
        (refusals.state, ErrorClass.STATE),
        (refusals.resource, ErrorClass.SYSTEM_RESOURCE),
    ],
)
def test_refusal_has_class_value_and_words(make: type[refusals.Refused], error_class: ErrorClass) -> None:
    refused: refusals.Refused = make("why")  # type: ignore[call-arg,arg-type]
    assert (refused.error_class, refused.value, str(refused)) == (error_class, "why", f"{error_class}: why")
