from unified_agent.domain.ids import Secret
from unified_agent.links.telephony.jtapi.provider import LogIn, OperationFailed, Probe


def test_a_failure_says_its_kind_and_the_words_of_java():
    failed = OperationFailed("InvalidStateException", "already logged on", (2, 21))
    assert str(failed) == "InvalidStateException: already logged on"
    assert (failed.kind, failed.detail, failed.pair) == ("InvalidStateException", "already logged on", (2, 21))
    assert str(OperationFailed("QueueFull")) == "QueueFull"
    assert OperationFailed("QueueFull").pair == (0, 0)


def test_an_operation_shows_no_password_and_a_probe_is_no_stations():
    assert "1234" not in repr(LogIn(station="4001", agent="1001", password=Secret("1234")))
    assert Probe().station == ""
