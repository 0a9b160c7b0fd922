"""Invoke IDs and the matching of answers."""

from __future__ import annotations

import pytest

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.messages import Message, MessageType, read_answer
from unified_agent.wire.apc.pending import (
    ABANDONED_LIMIT,
    ROWS_LIMIT,
    PendingCommand,
    PendingTable,
    add_row,
    check_room,
)


def waiting(command: Command = Command.LIST_STATE) -> PendingCommand:
    return PendingCommand(token="t", command=command, segments=())


def found(table: PendingTable, keyword: str, invoke_id: str, code: str = "M00000") -> PendingCommand | None:
    message = Message(keyword=keyword, type=MessageType.RESPONSE, segments=("0", code), invoke_id=invoke_id)
    return table.match(message, read_answer(message))


def test_id_and_name_together_win_over_age() -> None:
    table = PendingTable()
    first, second = waiting(), waiting()
    table.add(first)
    table.add(second)
    assert found(table, "AGTListState", "2") is second
    assert found(table, "AGTListState", "0") is first
    assert found(table, "AGTListState", "InID") is first


def test_id_of_a_command_of_another_name_does_not_match() -> None:
    table = PendingTable()
    table.add(waiting(Command.LIST_KEYS))
    assert found(table, "AGTListState", "1") is None
    assert found(table, "AGTOther", "1", "E28865") is not None


def test_abandoned_id_matches_nothing_and_is_not_given_out_until_answered() -> None:
    table = PendingTable()
    late = waiting()
    table.add(late)
    table.abandon(late)
    again = waiting()
    table.add(again)
    assert (late.invoke_id, again.invoke_id) == (1, 2)
    assert found(table, "AGTListState", "1") is None
    answer = Message(keyword="AGTListState", type=MessageType.RESPONSE, invoke_id="1")
    table.forget_abandoned(answer)
    assert found(table, "AGTListState", "1") is again


def test_abandoned_ids_are_bounded() -> None:
    table = PendingTable()
    for _ in range(ABANDONED_LIMIT + 5):
        late = waiting()
        table.add(late)
        table.abandon(late)
    table.add(waiting())
    assert found(table, "AGTListState", "1") is not None
    assert found(table, "AGTListState", str(ABANDONED_LIMIT + 5)) is None


def test_rows_and_waiting_commands_are_bounded() -> None:
    with pytest.raises(RemoteProtocolError):
        add_row([()] * ROWS_LIMIT, ())
    with pytest.raises(LocalProtocolError):
        check_room(3, 3)
