from __future__ import annotations

import pytest

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import Failed, LocalFailure, failure_of
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.request_table import Token

CODE = csta.CSTAErrorCode(ErrorClass.STATE, "noHeldCall")


@pytest.mark.parametrize(
    ("message", "error_class", "value"),
    [
        (CODE, ErrorClass.STATE, "noHeldCall"),
        (csta.CSTAException(code=CODE, text="words"), ErrorClass.STATE, "noHeldCall"),
        (
            csta.CSTAException(exception_class="java.lang.Fault", text="words"),
            LocalFailure.EXCEPTION,
            "java.lang.Fault",
        ),
        (csta.CSTAException(text="words"), LocalFailure.EXCEPTION, "words"),
        (csta.CSTAException(), LocalFailure.EXCEPTION, ""),
        (csta.ResetApplicationSessionTimerNegResponse(error="e", text="t"), LocalFailure.SESSION, "e"),
        (csta.StopApplicationSessionNegResponse(text="t"), LocalFailure.SESSION, "t"),
        (csta.MonitorStopResponse(), LocalFailure.SESSION, "MonitorStopResponse"),
    ],
)
def test_every_way_to_refuse_becomes_one_shape_that_keeps_the_message(
    message: csta.Message, error_class: str, value: str
) -> None:
    assert failure_of(Token(7), message) == Failed(Token(7), error_class, value, message)
