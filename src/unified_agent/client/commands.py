"""What was asked of the instance and has not ended yet.

A command is sent again after every snapshot, because the notice of its end may have been among what was lost. The
instance performs an id once and answers a repeat from memory, so this is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

Json = dict[str, Any]

#: How a command can end. ``unknown``: the switch or dialler did not say in time; look at the view.
ENDS: Final = frozenset({"done", "refused", "unknown"})


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


class Commands:
    """Commands under way, oldest first.

    Args:
        client: what this desktop calls itself; ids are ``<client>-<n>``.
    """

    __slots__ = ("_asked", "_client", "_count")

    def __init__(self, client: str) -> None:
        self._client = client
        self._count = 0
        self._asked: dict[str, tuple[bytes, asyncio.Future[Settled]]] = {}

    def ask(self, command: Json) -> tuple[str, bytes, asyncio.Future[Settled]]:
        """Number a command.

        Returns:
            Its id, the frame to send, and a future of how it ends.
        """
        self._count += 1
        command_id = f"{self._client}-{self._count}"
        frame = msgspec.json.encode({"type": "command", "id": command_id, "command": command})
        future: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._asked[command_id] = (frame, future)
        return command_id, frame, future

    def frames(self) -> Iterator[bytes]:
        """All frames whose end is not known, to be sent again."""
        return (frame for frame, _ in tuple(self._asked.values()))

    def answered(self, answer: Json) -> None:
        """Take an ``answer`` frame; ``accepted`` is not an end."""
        self._settle(answer["id"], answer)

    def settled(self, data: Json) -> None:
        """Take the data of a ``command-settled`` notice."""
        self._settle(data["command"], data)

    def forget(self, command_id: str) -> None:
        """Wait no more for one."""
        self._asked.pop(command_id, None)

    def fail(self, error: Exception) -> None:
        """Give all who wait this error."""
        asked, self._asked = self._asked, {}
        for _, future in asked.values():
            if not future.done():
                future.set_exception(error)

    def __len__(self) -> int:
        return len(self._asked)

    def _settle(self, command_id: str, end: Json) -> None:
        if end["outcome"] not in ENDS:
            return
        asked = self._asked.pop(command_id, None)
        if asked is not None and not asked[1].done():
            asked[1].set_result(
                Settled(
                    id=command_id,
                    type=end["command_type"],
                    outcome=end["outcome"],
                    error=end["error"],
                    detail=end["detail"],
                )
            )
