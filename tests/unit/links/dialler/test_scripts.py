from __future__ import annotations

import pytest

from unified_agent.links.dialler.scripts import SendCommand, Signal, Wait, ask, pause, wait_for
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied

REPLY = Replied(token="1", command=Command.LIST_JOBS, outcome=Outcome.ANSWERED, code="M00000")


def test_asking_sends_one_command_and_returns_how_it_ended() -> None:
    script = ask(Command.LIST_JOBS, "A", limit_s=3.0)
    assert next(script) == SendCommand(command=Command.LIST_JOBS, segments=("A",), limit_s=3.0)
    with pytest.raises(StopIteration) as end:
        script.send(REPLY)
    assert end.value.value is REPLY


def test_asking_resumed_with_anything_but_an_answer_is_a_defect() -> None:
    script = ask(Command.LIST_JOBS)
    next(script)
    with pytest.raises(AssertionError):
        script.send(True)


def test_a_pause_waits_for_time_alone() -> None:
    script = pause(2.0)
    assert next(script) == Wait(limit_s=2.0)
    with pytest.raises(StopIteration) as end:
        script.send(None)
    assert end.value.value is None


@pytest.mark.parametrize(("resumed", "came"), [(True, True), (False, False)])
def test_waiting_for_a_signal_returns_whether_it_came_in_time(resumed: bool, came: bool) -> None:
    script = wait_for(Signal.ITEM_CLOSED, 5.0)
    assert next(script) == Wait(signal=Signal.ITEM_CLOSED, limit_s=5.0)
    with pytest.raises(StopIteration) as end:
        script.send(resumed)
    assert end.value.value is came
