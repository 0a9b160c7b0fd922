"""Virtual agents on desks that the test plays."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.unit.tools.load.views import Json, call, view

from unified_agent.client import (
    ConnectionState,
    ConnectionStatus,
    Desk,
    InstanceUnreachable,
    LoginRefused,
    Move,
    SessionOver,
    Settled,
)
from unified_agent.tools.load import agents as module
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.plan import LoadPlan

pytestmark = pytest.mark.asyncio


class PlayedDesk:
    """A desk whose view the test changes; every command is done, or as ``outcome`` says."""

    def __init__(self, **login: Any) -> None:
        self.login = login
        self.view = view(
            session__uses_dialler=login["dialler"] is not None, agent__switch_mode="ready", blocked={"take-items": "x"}
        )
        self.commands: list[Json] = []
        self.outcome = "done"
        self.over: SessionOver | None = None
        self.logged_out = self.closed = False
        self.connections, self.gaps = 1, 0
        self.moves: list[Move] = []
        self._changed = asyncio.Event()
        self._listener: Callable[[Json, float | None], None] | None = None
        self._connection_listener: Callable[[ConnectionStatus], None] | None = None

    def on_notice(self, listener: Callable[[Json, float | None], None]) -> Callable[[], None]:
        self._listener = listener
        return lambda: None

    def on_connection(self, listener: Callable[[ConnectionStatus], None]) -> Callable[[], None]:
        self._connection_listener = listener
        return lambda: None

    def become(self, state: ConnectionState) -> None:
        assert self._connection_listener is not None
        self._connection_listener(ConnectionStatus(state=state, reason="", server="http://b", at_s=0.0))

    def move(self, lost_at_s: float | None = 0.0) -> None:
        """Be served by another instance."""
        move = Move(
            source="http://a",
            target="http://b",
            reason="closed",
            lost_at_s=lost_at_s,
            noticed_at_s=lost_at_s,
            attached_at_s=1.0,
            live_at_s=1.0,
        )
        self.moves = [*self.moves, move]
        self.become(ConnectionState.LIVE)

    def show(self, shown: Json, delay_s: float | None = 0.01) -> None:
        self.view = shown
        assert self._listener is not None
        self._listener({"type": "snapshot"}, delay_s)
        self._changed.set()

    def end(self, reason: str) -> None:
        self.over = SessionOver(reason)
        self._changed.set()

    async def until(self, predicate: Callable[[Json], object], limit_s: float) -> Json:
        while not predicate(self.view):
            if self.over is not None:
                raise self.over
            self._changed.clear()
            await self._changed.wait()
        return self.view

    async def command(self, command: Json, limit_s: float) -> Settled:
        self.commands.append(command)
        self.view = view(session__uses_dialler=False, agent__switch_mode="ready")
        return Settled(id="c-1", type=command["type"], outcome=self.outcome, error="e", detail="")

    async def log_out(self) -> None:
        self.logged_out = True

    async def close(self) -> None:
        self.closed = True


class Played:
    """A crowd whose logins are answered by ``refusals`` first, and then by a desk each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, agents: int = 1, share: float = 0.0) -> None:
        self.desks: list[PlayedDesk] = []
        self.refusals: list[Exception] = []
        self.waits: list[float] = []
        http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)), verify=False)
        self.urls: list[Any] = []
        self.crowd = Crowd(
            ["http://a", "http://b"], LoadPlan(agents=agents, share_on_dialler=share), http, random.Random(1)
        )
        monkeypatch.setattr(Desk, "log_in", self._log_in)
        monkeypatch.setattr(module, "TRY_AGAIN_S", 0.0)
        for name in ("ANSWER_S", "READY_S", "TALK_S"):
            monkeypatch.setattr(f"unified_agent.tools.load.presses.{name}", (0.0, 0.0))

    async def _log_in(self, urls: Any, **login: Any) -> PlayedDesk:
        await asyncio.sleep(0)
        self.urls.append(urls)
        assert login.pop("rest") is self.crowd.rest
        if self.refusals:
            raise self.refusals.pop(0)
        self.desks.append(PlayedDesk(**login))
        return self.desks[-1]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def come(self) -> None:
        await self.crowd.come(1_000_000.0)
        await self.settle()


async def test_everybody_logs_in_with_their_own_numbers(monkeypatch):
    played = Played(monkeypatch, agents=4, share=0.5)
    await played.come()
    assert [desk.login["agent"] for desk in played.desks] == ["50001", "50002", "50003", "50004"]
    assert [desk.login["dialler"] is not None for desk in played.desks] == [False, True, False, True]
    assert played.urls == [["http://a", "http://b"]] * 4
    assert [agent.dialler_name for agent in played.crowd.agents] == ["", "agent0001", "", "agent0003"]
    await played.crowd.go(log_out=False)
    assert all(desk.closed and not desk.logged_out for desk in played.desks)


async def test_who_is_not_let_in_tries_again(monkeypatch):
    played = Played(monkeypatch)
    played.refusals = [LoginRefused("instance.busy", "", "later", 0.0), InstanceUnreachable("x"), TimeoutError()]
    await played.come()
    assert len(played.desks) == 1
    assert played.crowd.tally == {
        "login refused: instance.busy": 1,
        "login failed: InstanceUnreachable": 1,
        "login failed: TimeoutError": 1,
    }
    await played.crowd.go(log_out=True)
    assert played.desks[0].logged_out


async def test_an_agent_presses_what_is_to_be_pressed(monkeypatch):
    played = Played(monkeypatch)
    await played.come()
    desk = played.desks[0]
    desk.show(view(session__uses_dialler=False, calls=[call("alerting")]))
    await played.settle()
    assert desk.commands == [{"type": "answer-call", "call": "7"}]
    assert played.crowd.tally["answer-call"] == 1
    await played.crowd.go(log_out=False)


async def test_a_press_that_was_refused_is_counted_with_its_reason(monkeypatch):
    played = Played(monkeypatch)
    await played.come()
    desk = played.desks[0]
    desk.outcome = "refused"
    desk.show(view(session__uses_dialler=False))
    await played.settle()
    assert played.crowd.tally["set-mode: refused e"] == 1
    await played.crowd.go(log_out=False)


async def test_listeners_are_told_how_each_press_ended(monkeypatch):
    played = Played(monkeypatch)
    told: list[str] = []
    end = played.crowd.listen_to_ends(lambda agent, settled: told.append(settled.outcome))
    await played.come()
    desk = played.desks[0]
    desk.show(view(session__uses_dialler=False, calls=[call("alerting")]))
    await played.settle()
    end()
    desk.show(view(session__uses_dialler=False, calls=[call("alerting", "8")]))
    await played.settle()
    assert len(desk.commands) == 2
    assert told == ["done"]
    await played.crowd.go(log_out=False)


async def test_nobody_presses_while_all_rest(monkeypatch):
    played = Played(monkeypatch)
    await played.come()
    played.crowd.working.clear()
    desk = played.desks[0]
    desk.show(view(session__uses_dialler=False, calls=[call("alerting")]))
    await played.settle()
    assert desk.commands == []
    played.crowd.working.set()
    await played.settle()
    assert len(desk.commands) == 1
    await played.crowd.go(log_out=False)


async def test_an_agent_whose_session_ends_is_counted_and_logs_in_again(monkeypatch):
    played = Played(monkeypatch)
    await played.come()
    played.desks[0].end("switch.wrong-password")
    await played.settle()
    assert len(played.desks) == 2
    assert played.desks[0].closed
    assert played.crowd.tally["session ended: switch.wrong-password"] == 1
    await played.crowd.go(log_out=False)


async def test_what_reaches_a_desktop_is_told_to_listeners_and_its_delay_kept(monkeypatch):
    played = Played(monkeypatch)
    heard: list[tuple[int, str]] = []
    await played.come()
    end = played.crowd.listen(lambda agent, envelope: heard.append((agent.index, envelope["type"])))
    played.desks[0].show(view(session__uses_dialler=False, agent__switch_mode="ready"), 0.03)
    played.desks[0].show(view(session__uses_dialler=False, agent__switch_mode="ready"), 0.01)
    played.desks[0].show(view(session__uses_dialler=False, agent__switch_mode="ready"), None)
    end()
    played.desks[0].show(view(session__uses_dialler=False, agent__switch_mode="ready"), None)
    assert heard == [(0, "snapshot")] * 3
    assert played.crowd.take_delays() == [0.01, 0.03]
    assert played.crowd.take_delays() == []
    assert played.crowd.back_at_work == 1
    await played.crowd.go(log_out=False)


async def test_a_defect_of_an_agents_task_is_not_swallowed(monkeypatch):
    played = Played(monkeypatch)
    played.refusals = [ZeroDivisionError()]
    await played.come()
    with pytest.raises(ZeroDivisionError):
        played.crowd.check()
    await played.crowd.go(log_out=False)


async def test_each_move_is_noted_once_with_the_time_until_the_agent_is_back(monkeypatch):
    played = Played(monkeypatch, agents=2)
    await played.come()
    desk = played.desks[1]
    greyed = view(session__uses_dialler=False, agent__known=False, blocked={"set-mode:ready": "resetting"})
    desk.become(ConnectionState.SUSPECT)
    desk.become(ConnectionState.LIVE)
    assert played.crowd.take_failovers() == []
    desk.move()
    desk.show(greyed)
    (failover,) = played.crowd.agents[1].failovers
    assert (failover.agent, failover.move.target, failover.back_at_s) == (1, "http://b", None)
    desk.show(view(session__uses_dialler=False))
    back_at_s = failover.back_at_s
    assert back_at_s is not None
    desk.show(view(session__uses_dialler=False))
    assert failover.back_at_s == back_at_s
    assert played.crowd.take_failovers() == [failover]
    desk.become(ConnectionState.LIVE)
    assert played.crowd.take_failovers() == []
    desk.move(lost_at_s=None)
    assert [each.outage_s for each in played.crowd.take_failovers()] == [0.0]
    await played.crowd.go(log_out=False)
