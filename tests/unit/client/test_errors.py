"""What a desk raises."""

from unified_agent.client.errors import DeskError, InstanceUnreachable, LoginRefused, SessionOver
from unified_agent.errors import UnifiedAgentError


def test_errors_are_of_one_family_with_codes_of_their_own():
    errors = [DeskError("x"), InstanceUnreachable("x"), LoginRefused("agent.wrong-password", "x"), SessionOver("agent")]
    assert all(isinstance(error, DeskError) and isinstance(error, UnifiedAgentError) for error in errors)
    assert len({error.code for error in errors}) == len(errors)


def test_an_error_reads_as_a_sentence_with_its_reason():
    assert str(SessionOver("taken-over")) == "taken-over"
    assert str(LoginRefused("station.in-use", "2001")) == "station.in-use: 2001"
