"""What a simulated desktop asked for, and how it finds out what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.desk_line import Line
from tests.simulation.desktop import Breach
from tests.simulation.front_door import Answer
from tests.simulation.transports import virtual_loop

from unified_agent.domain.ids import AgentId, CommandId
from unified_agent.domain.session_state import Outcome
from unified_agent.tools.chaos.history_check import Told

Command = dict[str, Any]
#: Asks the instance that has the session: method, path, body. None: it cannot be asked.
AskHome = Callable[[str, str, object], Awaitable[Answer | None]]

#: Without an answer for this long the instance is asked how a command stands; and again after as long, seconds.
ASK_AFTER_S: Final = 3.0
LOOK_EVERY_S: Final = 1.0
FINAL: Final = frozenset({Outcome.DONE, Outcome.REFUSED})


@dataclass(slots=True)
class _Open:
    """A command whose end is not known. Attributes: ``looked_s``: when it was asked, or asked about, last."""

    line: Line
    looked_s: float


class DeskCommands:
    """The commands of one page, and of those before it.

    Attributes:
        sent: all of them, by id.
        outcomes: how each stood last.
        told: every word of the server about one of them, in order.
    """

    def __init__(self, agent: str, ask_home: AskHome) -> None:
        self.sent: Final[dict[str, Command]] = {}
        self.outcomes: Final[dict[str, Outcome]] = {}
        self.told: Final[list[Told]] = []
        self._agent = agent
        self._ask_home = ask_home
        self._open: dict[str, _Open] = {}

    def in_doubt(self, line: Line) -> list[str]:
        """Those of which the agent does not know whether they are done, refused or under way at the instance."""
        return [
            f"{command_id} ({self.sent[command_id]['type']}, {self.outcomes.get(command_id)})"
            for command_id, waiting in self._open.items()
            if waiting.line is not line or self.outcomes.get(command_id) is not Outcome.ACCEPTED
        ]

    def send(self, line: Line, command: Command) -> None:
        """Ask for something."""
        command_id = f"d{self._agent}-{len(self.sent) + 1}"
        self.sent[command_id] = command
        self._open[command_id] = _Open(line, asyncio.get_running_loop().time())
        line.send({"type": "command", "id": command_id, "command": command})

    def forget(self) -> None:
        """The page is loaded anew: nobody waits for an answer any more, or knows what was said so far."""
        self.told[:] = [each for each in self.told if each.command not in self._open]
        self._open.clear()

    def settle(self, command_id: str, word: str) -> None:
        """Take what the server says of a command."""
        outcome, before = Outcome(word), self.outcomes.get(command_id)
        if before in FINAL and outcome not in FINAL:
            return  # an answer that was overtaken, on another connection, by the end that it foretells
        self._hear(command_id, outcome)
        if before in FINAL and outcome is not before:
            raise Breach(f"command {command_id} was {before} and is now {outcome}")
        self.outcomes[command_id] = outcome
        if outcome in FINAL:
            self._open.pop(command_id, None)

    async def look_after(self, line: Line) -> None:
        """Find out about commands that were asked elsewhere, or not answered. Runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            for command_id, waiting in tuple(self._open.items()):
                asked_here = waiting.line is line
                if asked_here and self.outcomes.get(command_id) is Outcome.ACCEPTED:
                    continue  # its end is told by itself
                limit_s = ASK_AFTER_S if asked_here or waiting.looked_s > line.live_s else 0.0
                if loop.time() - waiting.looked_s >= limit_s:
                    waiting.looked_s = loop.time()
                    await self._look_up(command_id, line)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look_up(self, command_id: str, line: Line) -> None:
        path = f"/v1/session/commands/{command_id}"
        answer = await self._ask_home("GET", path, None)
        if answer is not None and (answer.status == 404 or answer.body.get("outcome") == Outcome.UNKNOWN):
            answer = await self._ask_home("POST", f"{path}/resolve", {"command": self.sent[command_id]})
        if answer is not None and answer.status == 200:
            self.settle(command_id, answer.body["outcome"])
            if command_id in self._open:
                self._open[command_id].line = line
        elif answer is not None and answer.body.get("id") == "command.unknown":
            self._hear(command_id, None)

    def _hear(self, command_id: str, outcome: Outcome | None) -> None:
        now_s = virtual_loop().now_s
        said = Told(mono_s=now_s, agent=AgentId(self._agent), command=CommandId(command_id), outcome=outcome)
        self.told.append(said)
