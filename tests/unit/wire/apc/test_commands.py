"""Commands and their shapes."""

from __future__ import annotations

import pytest
from tests.unit.wire.apc.vectors import frames

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.apc.codec import MessageDecoder
from unified_agent.wire.apc.commands import COMMAND_SHAPES, Command, check_parameters
from unified_agent.wire.apc.messages import NoticeName


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
