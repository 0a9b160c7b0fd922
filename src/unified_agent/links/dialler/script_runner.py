"""Runs scripts: one step for each answer, signal or time. It sends nothing itself, it leaves actions at the seat."""

from __future__ import annotations

from dataclasses import dataclass

from unified_agent.domain.ids import RequestId
from unified_agent.links.dialler.actions import Send
from unified_agent.links.dialler.scripts import Resumed, Script, SendCommand, Signal
from unified_agent.links.dialler.seat import Seat
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One running script.

    Attributes:
        name: what it does, one word.
        request: what it must have answered when it ends, if anything.
        token, command: the command whose answer it waits for.
        signal: the signal it waits for.
        due_s: when it goes on without either.
    """

    script: Script[None]
    name: str
    request: RequestId | None = None
    token: str = ""
    command: Command | None = None
    signal: Signal | None = None
    due_s: float | None = None


class ScriptRunner:
    """All scripts of one seat. One of them at a time may hold the lane."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._tasks: list[Task] = []
        self._lane: Task | None = None
        self._next_token = 1

    @property
    def lane(self) -> str:
        """Name of the script that holds the lane, or empty."""
        return self._lane.name if self._lane is not None else ""

    @property
    def awaits_answer(self) -> bool:
        """Whether any script waits for the answer of a command."""
        return any(task.command is not None for task in self._tasks)

    def named(self, name: str) -> tuple[Task, ...]:
        """Return the running scripts of that name."""
        return tuple(task for task in self._tasks if task.name == name)

    def next_timer(self) -> float | None:
        """Say when the first of them goes on by time, or None."""
        return min((task.due_s for task in self._tasks if task.due_s is not None), default=None)

    def start(self, script: Script[None], name: str, request: RequestId | None = None) -> None:
        """Start a script beside the others."""
        task = Task(script=script, name=name, request=request)
        self._tasks.append(task)
        self._advance(task, None)

    def start_in_lane(self, script: Script[None], name: str, request: RequestId | None = None) -> None:
        """Start a script that takes the lane from whichever holds it; that one is stopped."""
        if self._lane is not None:
            self.stop(self._lane)
        self._lane = task = Task(script=script, name=name, request=request)
        self._tasks.append(task)
        self._advance(task, None)

    def stop(self, task: Task) -> None:
        """Stop a script where it is."""
        task.script.close()
        if task in self._tasks:
            self._tasks.remove(task)
        if self._lane is task:
            self._lane = None

    def stop_all(self) -> None:
        """Stop every script."""
        for task in tuple(self._tasks):
            self.stop(task)

    def answer(self, reply: Replied) -> None:
        """Go on with the script that waits for this answer, if one still does."""
        task = next((each for each in self._tasks if each.token == reply.token and each.command is not None), None)
        if task is not None:
            self._advance(task, reply)

    def deliver(self, signal: Signal) -> None:
        """Go on with the scripts that wait for this signal."""
        for task in tuple(self._tasks):
            if task in self._tasks and task.signal is signal:
                self._advance(task, True)

    def handle_timer(self, now_s: float) -> None:
        """Go on with the scripts whose time has come."""
        for task in tuple(self._tasks):
            if task in self._tasks and task.due_s is not None and now_s >= task.due_s:
                self._advance(task, _late(task))

    def _advance(self, task: Task, value: Resumed) -> None:
        task.token, task.command, task.signal, task.due_s = "", None, None, None
        try:
            step = task.script.send(value)
        except StopIteration:
            self._finish(task)
            return
        task.due_s = None if step.limit_s is None else self._seat.now_s + step.limit_s
        if isinstance(step, SendCommand):
            task.token, task.command = str(self._next_token), step.command
            self._next_token += 1
            self._seat.actions.append(Send(command=step.command, segments=step.segments, token=task.token))
        else:
            task.signal = step.signal

    def _finish(self, task: Task) -> None:
        self._tasks.remove(task)
        if self._lane is task:
            self._lane = None
        ending = self._seat.over is not None or self._seat.closing is not None
        if task.request is not None and not ending:
            assert not self._seat.is_open(task.request), f"{task.name} has not answered its request"


def _late(task: Task) -> Resumed:
    """Return what a script is resumed with whose time has come."""
    if task.command is not None:
        return Replied(token=task.token, command=task.command, outcome=Outcome.TIMED_OUT)
    return False if task.signal is not None else None
