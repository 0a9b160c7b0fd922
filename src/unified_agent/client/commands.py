"""What was asked of the instance and has not ended yet.

Back at the instance that has it, a command is sent again, because the notice of its end may have been among what was
lost: the instance performs an id once and answers a repeat from memory. Another instance has no such memory. It is
asked to find out what became of the command, which is never said to it as one: a second "dial" would call the customer
twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from unified_agent.client.errors import InstanceUnreachable
from unified_agent.client.rest import Refusal, Standing

Json = dict[str, Any]

#: How a command can end. ``unknown``: the switch or dialler did not say in time; look at the view.
ENDS: Final = frozenset({"done", "refused", "unknown"})
#: While an instance finds out what became of a command it says "unknown" first; the end comes by a notice.
FOUND_OUT: Final = frozenset({"done", "refused"})
#: An instance that could not be asked about a command is asked again after so long, seconds.
ASK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a command ended.

    Attributes:
        id: the command's.
        type: its type, empty when it was too malformed to have one.
        outcome: ``done``, ``refused`` or ``unknown``.
        error: id of the reason, empty when done.
        detail: for people.
    """

    id: str
    type: str
    outcome: str
    error: str
    detail: str

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.outcome == "done"


@dataclass(slots=True)
class _Asked:
    """One command: the frame that says it, and where it was said (the number of the keys), None for nowhere yet."""

    command: Json
    frame: bytes
    future: asyncio.Future[Settled]
    sent_to: int | None = None


class Commands:
    """Commands under way, oldest first.

    Args:
        client: what this desktop calls itself; ids are ``<client>-<n>``.
    """

    __slots__ = ("_asked", "_client", "_count")

    def __init__(self, client: str) -> None:
        self._client = client
        self._count = 0
        self._asked: dict[str, _Asked] = {}

    def ask(self, command: Json) -> tuple[str, bytes, asyncio.Future[Settled]]:
        """Number a command.

        Returns:
            Its id, the frame to send, and a future of how it ends.
        """
        self._count += 1
        command_id = f"{self._client}-{self._count}"
        frame = msgspec.json.encode({"type": "command", "id": command_id, "command": command})
        asked = _Asked(command, frame, asyncio.get_running_loop().create_future())
        self._asked[command_id] = asked
        return command_id, frame, asked.future

    def sent(self, command_id: str, number: int) -> None:
        """Know that a command was sent under keys of that number."""
        asked = self._asked.get(command_id)
        if asked is not None:
            asked.sent_to = number

    def to_send(self, number: int) -> list[bytes]:
        """Return what is to be sent under keys of that number: new commands, and those that were sent under them."""
        frames = []
        for asked in self._asked.values():
            if asked.sent_to is None or asked.sent_to == number:
                asked.sent_to = number
                frames.append(asked.frame)
        return frames

    def to_resolve(self, number: int) -> dict[str, Json]:
        """Return what was sent under other keys, by id: what became of it is to be asked for."""
        return {name: asked.command for name, asked in self._asked.items() if asked.sent_to not in {None, number}}

    def answered(self, answer: Json) -> None:
        """Take an ``answer`` frame; ``accepted`` is not an end."""
        self._settle(answer["id"], answer)

    def settled(self, data: Json) -> None:
        """Take the data of a ``command-settled`` notice."""
        self._settle(data["command"], data)

    async def resolve(self, number: int, ask: Callable[[str, Json], Awaitable[Standing | Refusal]]) -> None:
        """Ask what became of all that was sent under other keys, until each was answered.

        Args:
            number: of the present keys.
            ask: asks the instance about one command; raises ``InstanceUnreachable`` when it cannot be asked.
        """
        answered: set[str] = set()
        while waiting := {name: each for name, each in self.to_resolve(number).items() if name not in answered}:
            for name, command in waiting.items():
                with contextlib.suppress(InstanceUnreachable):
                    if self._resolved(name, command, await ask(name, command)):
                        answered.add(name)
            if not waiting.keys() <= answered:
                await asyncio.sleep(ASK_AGAIN_S)

    def forget(self, command_id: str) -> None:
        """Wait no more for one."""
        self._asked.pop(command_id, None)

    def fail(self, error: Exception) -> None:
        """Give all who wait this error."""
        asked, self._asked = self._asked, {}
        for each in asked.values():
            if not each.future.done():
                each.future.set_exception(error)

    def __len__(self) -> int:
        return len(self._asked)

    def _resolved(self, command_id: str, command: Json, answer: Standing | Refusal) -> bool:
        """Take an answer about one; say whether there will be no better one."""
        kind = str(command.get("type", ""))
        if isinstance(answer, Refusal):
            if answer.retry == "later" or answer.is_elsewhere:
                return False
            answer = Standing(type=kind, outcome="unknown", error=answer.id, detail=answer.detail)
        elif answer.outcome not in FOUND_OUT:  # it finds out, and a notice will tell
            return True
        self._finish(
            Settled(id=command_id, type=kind, outcome=answer.outcome, error=answer.error, detail=answer.detail)
        )
        return True

    def _settle(self, command_id: str, end: Json) -> None:
        if end["outcome"] in ENDS:
            kind, error, detail = end["command_type"], end["error"], end["detail"]
            self._finish(Settled(id=command_id, type=kind, outcome=end["outcome"], error=error, detail=detail))

    def _finish(self, settled: Settled) -> None:
        asked = self._asked.pop(settled.id, None)
        if asked is not None and not asked.future.done():
            asked.future.set_result(settled)
