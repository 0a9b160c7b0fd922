"""Commands under way."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.client.fakes import now_s, on_virtual_time

from unified_agent.client.commands import ASK_AGAIN_S, Commands
from unified_agent.client.errors import InstanceUnreachable
from unified_agent.client.rest import Refusal, Standing

pytestmark = pytest.mark.filterwarnings("error")

READY = {"type": "set-mode", "mode": "ready"}


def end(outcome: str, **more: str) -> dict[str, str]:
    return {"command_type": "set-mode", "outcome": outcome, "error": "", "detail": "", **more}


def refusal(id_: str = "request.path", retry: str = "never", status: int = 404) -> Refusal:
    return Refusal(status=status, id=id_, detail="d", retry=retry, retry_after_s=None, next_url="")


class Knowing:
    """An instance that says these things of a command, one after the other."""

    def __init__(self, *answers: Standing | Refusal | None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []

    async def ask(self, command_id: str, command: dict[str, Any]) -> Standing | Refusal:
        self.asked.append((command_id, command))
        answer = self.answers.pop(0)
        if answer is None:
            raise InstanceUnreachable("no")
        return answer


@on_virtual_time
async def test_ids_count_and_the_frame_carries_the_command():
    commands = Commands("desk")
    first, frame, _ = commands.ask(READY)
    second, _, _ = commands.ask({"type": "leave-job"})
    assert (first, second) == ("desk-1", "desk-2")
    assert msgspec.json.decode(frame) == {"type": "command", "id": "desk-1", "command": READY}


@on_virtual_time
async def test_accepted_is_not_the_end():
    commands = Commands("desk")
    name, frame, future = commands.ask({"type": "leave-job"})
    commands.answered({"id": name, **end("accepted")})
    assert not future.done()
    assert commands.to_send(0) == [frame]


@on_virtual_time
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


@on_virtual_time
async def test_what_nobody_waits_for_is_passed_over():
    commands = Commands("desk")
    name, _, future = commands.ask({"type": "leave-job"})
    commands.forget(name)
    commands.settled({"command": name, **end("done")})
    commands.sent(name, 0)
    assert not future.done()
    commands.forget(name)


@on_virtual_time
async def test_all_who_wait_get_the_error():
    commands = Commands("desk")
    _, _, future = commands.ask({"type": "leave-job"})
    commands.fail(ValueError("over"))
    with pytest.raises(ValueError, match="over"):
        await future
    assert len(commands) == 0


@on_virtual_time
async def test_where_it_was_sent_it_is_sent_again_and_elsewhere_it_is_asked_about():
    commands = Commands("desk")
    sent, frame, _ = commands.ask(READY)
    commands.sent(sent, 0)
    assert commands.to_send(0) == [frame]
    assert commands.to_resolve(0) == {}
    assert commands.to_send(1) == []
    assert commands.to_resolve(1) == {sent: READY}


@on_virtual_time
async def test_what_was_never_sent_is_sent_to_whoever_is_there_first_and_then_counts_as_sent():
    commands = Commands("desk")
    name, frame, _ = commands.ask(READY)
    assert commands.to_resolve(1) == {}
    assert commands.to_send(1) == [frame]
    assert commands.to_send(2) == []
    assert commands.to_resolve(2) == {name: READY}


async def resolved(commands: Commands, *answers: Standing | Refusal | None) -> Knowing:
    """Ask an instance with keys number 1 about what was sent under number 0."""
    knowing = Knowing(*answers)
    await commands.resolve(1, knowing.ask)
    return knowing


def asked_elsewhere() -> "tuple[Commands, str, asyncio.Future[Any]]":
    commands = Commands("desk")
    name, _, future = commands.ask(READY)
    commands.sent(name, 0)
    return commands, name, future


@on_virtual_time
@pytest.mark.parametrize("outcome", ["done", "refused"])
async def test_what_another_instance_knows_of_a_command_is_its_end(outcome):
    commands, name, future = asked_elsewhere()
    knowing = await resolved(commands, Standing(type="set-mode", outcome=outcome, error="command.not-performed"))
    settled = await future
    assert (settled.id, settled.type, settled.outcome) == (name, "set-mode", outcome)
    assert settled.error == "command.not-performed"
    assert knowing.asked == [(name, READY)]


@on_virtual_time
@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
async def test_while_it_is_being_found_out_nothing_is_asked_again_and_the_notice_is_the_end(outcome):
    commands, name, future = asked_elsewhere()
    knowing = await resolved(commands, Standing(type="set-mode", outcome=outcome))
    assert not future.done()
    assert len(knowing.asked) == 1
    commands.settled({"command": name, **end("refused", error="command.not-performed")})
    assert (await future).error == "command.not-performed"


@on_virtual_time
async def test_an_instance_that_cannot_say_just_now_is_asked_again():
    commands, _, future = asked_elsewhere()
    busy = refusal("instance.busy", "later", 503)
    knowing = await resolved(commands, None, busy, Standing(type="set-mode", outcome="done"))
    assert (await future).done
    assert len(knowing.asked) == 3
    assert now_s() == pytest.approx(2 * ASK_AGAIN_S)


@on_virtual_time
async def test_one_that_cannot_say_at_all_leaves_it_unknown():
    commands, _, future = asked_elsewhere()
    await resolved(commands, refusal())
    settled = await future
    assert (settled.type, settled.outcome, settled.error, settled.detail) == (
        "set-mode",
        "unknown",
        "request.path",
        "d",
    )


@on_virtual_time
async def test_what_ends_meanwhile_is_not_asked_about():
    commands, name, future = asked_elsewhere()
    other, _, _ = commands.ask({"type": "leave-job"})
    commands.sent(other, 0)
    knowing = Knowing(None, None, Standing(type="leave-job", outcome="done"))
    asking = asyncio.create_task(commands.resolve(1, knowing.ask))
    await asyncio.sleep(0.5)
    commands.settled({"command": name, **end("done")})
    await asking
    assert [each for each, _ in knowing.asked] == [name, other, other]
    assert (await future).done
