"""A world, a crowd and desks that only remember, for what works on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from tests.unit.tools.load.views import Json, diallers, switch, view

from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.world import Truths, World, WorldUnreachable


class FakeDesk:
    """A desktop that shows what it is given."""

    def __init__(self, shown: Json) -> None:
        self.view = shown
        self.position = (1, 1)


class FakeAgent:
    def __init__(self, index: int, shown: Json, dialler_name: str) -> None:
        self.index = index
        self.dialler_name = dialler_name
        self.desk: FakeDesk | None = FakeDesk(shown)

    @property
    def view(self) -> Json:
        return self.desk.view if self.desk is not None else {}


class FakeCrowd:
    """Agents in a row; ``show`` puts a view on a desktop and tells the listeners."""

    def __init__(self, *shown: Json, dialler_name: str = "") -> None:
        self.agents = [FakeAgent(index, each, dialler_name) for index, each in enumerate(shown)]
        self.listeners: list[Callable[[Any, Json], None]] = []

    def show(self, index: int, shown: Json) -> None:
        desk = self.agents[index].desk
        assert desk is not None
        desk.view = shown
        for listener in self.listeners:
            listener(self.agents[index], {"type": "snapshot"})

    def listen(self, listener: Callable[[Any, Json], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def logged_in(self) -> list[tuple[FakeAgent, FakeDesk]]:
        return [(agent, agent.desk) for agent in self.agents if agent.desk is not None]

    def take_delays(self) -> list[float]:
        return [0.001, 0.002]

    def as_crowd(self) -> Crowd:
        return cast("Crowd", self)


class FakeWorld:
    """Answers with the truths that it was given, the last one again and again; ``asked`` notes every action."""

    def __init__(self, *truths: Truths) -> None:
        self.answers = list(truths) or [Truths(switch(), diallers(None))]
        self.asked: list[tuple[str, Json]] = []
        self.aes = "http://aes"
        self.pids: dict[str, int] = {}
        self.killed: list[str] = []
        self.session_view: Json | None = None
        self.session_position = (1, 1)
        self.on_act: Callable[[str, Json], None] = lambda path, body: None

    async def truths(self) -> Truths:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def session(self, desk: FakeDesk) -> Json:
        if self.session_view == {}:
            raise WorldUnreachable("no")
        epoch, seq = self.session_position
        return {"epoch": epoch, "seq": seq, "view": self.session_view or desk.view}

    async def act(self, url: str, path: str, body: Json) -> Json:
        assert url == self.aes
        self.asked.append((path, body))
        self.on_act(path, body)
        return {}

    async def kill_dialler(self, name: str) -> None:
        self.killed.append(name)
        self.on_act("kill", {})

    def as_world(self) -> World:
        return cast("World", self)


def at_switch(**changed: Any) -> Json:
    """The view of an agent who uses no dialler."""
    return view(**{"session__uses_dialler": False, "dialler__stage": "off", "dialler__dialler": None, **changed})


def lost(at: str = "2026-11-22T15:40:51.123Z", **changed: Any) -> Json:
    """The same while the switch is lost."""
    return at_switch(links__telephony__state="down", links__telephony__lost=at, agent__known=False, **changed)
