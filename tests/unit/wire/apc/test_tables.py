"""Codes, commands and the dialler's end."""

from __future__ import annotations

import re

import pytest
from tests.unit.wire.apc.vectors import frames

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.apc import server_connection as server
from unified_agent.wire.apc.codec import MessageDecoder, encode_message
from unified_agent.wire.apc.codes import ERRORS, FATAL_SYSTEM_ERRORS, Reaction, error_meaning
from unified_agent.wire.apc.commands import COMMAND_SHAPES, Command, check_parameters
from unified_agent.wire.apc.messages import Message, MessageType, NoticeName, read_answer


def test_every_error_has_a_meaning_and_a_reaction() -> None:
    assert len(ERRORS) > 140
    for code, error in ERRORS.items():
        assert re.fullmatch(r"E\d{5}", code)
        assert error.meaning
        assert not error.meaning.endswith(".")


def test_unknown_error_means_that_this_command_failed() -> None:
    assert error_meaning("E99999").reaction is Reaction.COMMAND_FAILED


def test_fatal_errors_end_the_session_or_the_dialler() -> None:
    reactions = {ERRORS[code].reaction for code in FATAL_SYSTEM_ERRORS}
    assert reactions == {Reaction.DIALLER_DOWN, Reaction.SESSION_LOST}


def test_every_command_has_a_shape_and_fits_the_keyword_field() -> None:
    assert set(COMMAND_SHAPES) == set(Command)
    assert all(len(name) <= 20 for name in [*Command, *NoticeName])
    assert all(shape.required <= len(shape.longest) for shape in COMMAND_SHAPES.values())


def test_commands_of_the_examples_have_parameters_that_their_shape_allows() -> None:
    for name in ("session", "calls", "answers"):
        decoder = MessageDecoder(from_server=False)
        decoder.feed(b"".join(frame.data for frame in frames(name) if not frame.from_server))
        while (message := decoder.next_message()) is not None:
            check_parameters(Command(message.keyword), message.segments)


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        (Command.LOGON, ("jsmith",)),
        (Command.LOGON, ("a", "b", "c", "d")),
        (Command.LOGOFF, ("",)),
        (Command.FINISHED_ITEM, ("2000",)),
        (Command.RESERVE_HEADSET, ("5" * 15,)),
    ],
)
def test_parameters_that_do_not_fit_are_refused(command: Command, parameters: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError, match=command):
        check_parameters(command, parameters)


def test_error_about_a_parameter_does_not_show_it() -> None:
    with pytest.raises(LocalProtocolError) as refused:
        check_parameters(Command.SEND_MESSAGE, ("secret" * 20,))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("segments", "ok", "code", "detail"),
    [
        (("0", "M00000"), True, "M00000", ""),
        (("1", "E28842,B"), False, "E28842", "B"),
        (("1", "E28923", "52001"), False, "E28923", "52001"),
        (("1", "E28900,a,b", "c"), False, "E28900", "a,b,c"),
        (("0", "E28926"), False, "E28926", ""),
        (("0", "S70000,SPRING25"), True, "S70000", "SPRING25"),
        ((), False, "", ""),
        (("0",), False, "0", ""),
    ],
)
def test_answers_are_read(segments: tuple[str, ...], ok: bool, code: str, detail: str) -> None:
    answer = read_answer(Message(keyword="AGTX", type=MessageType.RESPONSE, segments=segments))
    assert (answer.ok, answer.code, answer.detail) == (ok, code, detail)


def test_dialler_echoes_the_invoke_id_whatever_it_is() -> None:
    connection = server.ServerConnection(process_id="20817")
    connection.receive_data(
        encode_message(Message(keyword="AGTListState", type=MessageType.COMMAND, client="OrigID", invoke_id="InID")),
        0.0,
    )
    received = connection.next_event()
    assert isinstance(received, server.CommandReceived)
    for message in (
        server.pending(received.message),
        server.data(received.message, code="S70004"),
        server.done(received.message),
        server.refused(received.message, "E28885"),
        server.notice("AGTJobEnd", "0", "M00000"),
    ):
        connection.send(message)
    assert connection.data_to_send() == (
        b"AGTListState        PAgent server        20817 InID2   \x1e0\x1eS28833\x03"
        b"AGTListState        DAgent server        20817 InID2   \x1e0\x1eS70004\x03"
        b"AGTListState        RAgent server        20817 InID2   \x1e0\x1eM00000\x03"
        b"AGTListState        RAgent server        20817 InID2   \x1e1\x1eE28885\x03"
        b"AGTJobEnd           NAgent server        20817 0   2   \x1e0\x1eM00000\x03"
    )
    assert connection.data_to_send() == b""
    connection.receive_eof(0.0)
    assert connection.next_event() == server.ClientGone()
    assert connection.next_event() is None
    assert connection.next_timer() is None


def test_dialler_refuses_what_is_no_command() -> None:
    connection = server.ServerConnection(process_id="1")
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(frames("session")[0].data, 0.0)
