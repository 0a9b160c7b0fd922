"""Commands under way."""

import msgspec
import pytest

from unified_agent.client.commands import Commands

pytestmark = pytest.mark.asyncio


def end(outcome: str, **more: str) -> dict[str, str]:
    return {"command_type": "set-mode", "outcome": outcome, "error": "", "detail": "", **more}


async def test_ids_count_and_the_frame_carries_the_command():
    commands = Commands("desk")
    first, frame, _ = commands.ask({"type": "set-mode", "mode": "ready"})
    second, _, _ = commands.ask({"type": "leave-job"})
    assert (first, second) == ("desk-1", "desk-2")
    assert msgspec.json.decode(frame) == {
        "type": "command",
        "id": "desk-1",
        "command": {"type": "set-mode", "mode": "ready"},
    }


async def test_accepted_is_not_the_end():
    commands = Commands("desk")
    name, frame, future = commands.ask({"type": "leave-job"})
    commands.answered({"id": name, **end("accepted")})
    assert not future.done()
    assert list(commands.frames()) == [frame]


@pytest.mark.parametrize("outcome", ["done", "refused", "unknown"])
async def test_an_end_comes_by_answer_or_by_notice(outcome):
    commands = Commands("desk")
    first, _, by_answer = commands.ask({"type": "leave-job"})
    second, _, by_notice = commands.ask({"type": "leave-job"})
    commands.answered({"id": first, **end(outcome, error="e")})
    commands.settled({"command": second, **end(outcome, error="e")})
    for future in (by_answer, by_notice):
        settled = await future
        assert (settled.outcome, settled.error, settled.type) == (outcome, "e", "set-mode")
        assert settled.done is (outcome == "done")
    assert len(commands) == 0


async def test_what_nobody_waits_for_is_passed_over():
    commands = Commands("desk")
    name, _, future = commands.ask({"type": "leave-job"})
    commands.forget(name)
    commands.settled({"command": name, **end("done")})
    assert not future.done()
    commands.forget(name)


async def test_all_who_wait_get_the_error():
    commands = Commands("desk")
    _, _, future = commands.ask({"type": "leave-job"})
    commands.fail(ValueError("over"))
    with pytest.raises(ValueError, match="over"):
        await future
    assert len(commands) == 0
