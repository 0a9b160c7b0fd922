import json
import os
import shlex
import signal
from typing import Any

import httpx
import pytest
from tests.unit.tools.demo.stages import FakeStage

from unified_agent.tools.demo.tricks import (
    DIALLERS,
    OF_THE_CLUSTER,
    TRICKS,
    Order,
    Player,
    Post,
    Signal,
    Trick,
    cluster_command,
    kill_command,
)

EVERY = {trick.key: trick for group in (*OF_THE_CLUSTER, *TRICKS) for trick in group}
POSTS = {key: trick for key, trick in EVERY.items() if isinstance(trick.deed, Post)}


class World:
    """What is asked is answered by address; signals are only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, Any]] | None = None) -> None:
        self.stage = FakeStage()
        self.answers = answers
        self.sessions = {"ua-1": 1, "ua-2": 4, "ua-3": 0}
        self.asked: list[tuple[str, Any]] = []
        self.killed: list[tuple[int, signal.Signals]] = []
        self.gone: set[int] = set()
        monkeypatch.setattr(os, "kill", self._kill)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.player = Player(self.stage, http, cluster=True)

    def _kill(self, pid: int, number: signal.Signals) -> None:
        if pid in self.gone:
            raise ProcessLookupError
        self.killed.append((pid, number))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        host = f"http://{request.url.host}:{request.url.port}"
        if request.method == "GET":
            name = next(name for name, each in self.stage.urls.items() if each == host)
            if name not in self.sessions:
                raise httpx.ConnectError("refused", request=request)
            return httpx.Response(200, json={"sessions": self.sessions[name]})
        self.asked.append((url, json.loads(request.content)))
        status, body = (200, {}) if self.answers is None else self.answers[host]
        if body is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status, json=body)

    async def press(self, key: str) -> str:
        return await self.player.play(EVERY[key])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_every_key_is_used_once_and_a_capital_undoes_its_small_letter() -> None:
    groups = (*OF_THE_CLUSTER, *TRICKS)
    keys = [trick.key for group in groups for trick in group]
    assert len(keys) == len(set(keys)) == len(EVERY)
    assert not set(keys) & {"q", "Q", "i", "?"}
    for group in groups:
        assert [trick.key for trick in group] == [group[0].key, group[0].key.upper()][: len(group)]


def test_an_instance_alone_has_no_tricks_of_a_cluster() -> None:
    player = Player(FakeStage(), httpx.AsyncClient(), cluster=False)
    assert set(player.by_key) == {trick.key for group in TRICKS for trick in group}


@pytest.mark.parametrize("trick", POSTS.values(), ids=POSTS)
@pytest.mark.asyncio
async def test_a_command_posts_just_what_its_key_posts(trick: Trick, world: World) -> None:
    await world.player.play(trick)
    curl, dash_d, body, url = shlex.split(trick.command(world.stage))
    assert (curl, dash_d) == ("curl", "-d")
    assert (url, json.loads(body)) == world.asked[0]


@pytest.mark.asyncio
async def test_what_concerns_the_diallers_is_good_when_one_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"http://127.0.0.1:22780": (404, {"detail": "nobody"}), "http://127.0.0.1:22781": (200, {"agents": 1})}
    trick = Trick(key="t", title="it happened", deed=Post(where=DIALLERS, path="/x", body={}))
    world = World(monkeypatch, answers)
    assert await world.player.play(trick) == "it happened  (dialler-2: agents 1)"


@pytest.mark.asyncio
async def test_a_refusal_and_a_silence_are_told_with_their_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, tuple[int, Any]] = {
        "http://127.0.0.1:22780": (404, {"detail": "nobody"}),
        "http://127.0.0.1:22781": (0, None),
    }
    trick = Trick(key="t", title="it happened", deed=Post(where=DIALLERS, path="/x", body={}))
    told = await World(monkeypatch, answers).player.play(trick)
    assert told == "nothing happened  (dialler-1: nobody; dialler-2: no answer, ConnectError)"


@pytest.mark.asyncio
async def test_the_instance_that_serves_most_is_killed(world: World) -> None:
    told = await world.press("k")
    assert world.killed == [(12, signal.SIGKILL)]
    assert told.endswith("(ua-2)")


@pytest.mark.asyncio
async def test_one_that_does_not_answer_is_not_chosen(world: World) -> None:
    del world.sessions["ua-2"]
    await world.press("k")
    assert world.killed == [(11, signal.SIGKILL)]


@pytest.mark.asyncio
async def test_what_was_frozen_goes_on_whoever_serves_most_by_then(world: World) -> None:
    await world.press("f")
    world.sessions = {"ua-1": 5, "ua-3": 0}
    await world.press("F")
    assert world.killed == [(12, signal.SIGSTOP), (12, signal.SIGCONT)]


@pytest.mark.asyncio
async def test_what_was_drained_is_what_takes_agents_again_and_any_instance_takes_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: dict[str, tuple[int, Any]] = {
        "http://127.0.0.1:8080": (0, None),
        "http://127.0.0.1:8081": (202, {"cluster": "demo"}),
    }
    world = World(monkeypatch, answers)
    assert (await world.press("g")).endswith("(ua-2)")
    assert (await world.press("G")) == "it takes agents again  (ua-2)"
    assert [url for url, _ in world.asked] == [
        "http://127.0.0.1:8080/v1/cluster/instances/ua-2/drain",
        "http://127.0.0.1:8081/v1/cluster/instances/ua-2/drain",
        "http://127.0.0.1:8080/v1/cluster/instances/ua-2/resume",
        "http://127.0.0.1:8081/v1/cluster/instances/ua-2/resume",
    ]


@pytest.mark.asyncio
async def test_an_order_that_nobody_takes_is_told_with_the_last_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = (404, {"detail": "there is no ua-2"})
    world = World(monkeypatch, dict.fromkeys(FakeStage().urls.values(), refused))
    assert await world.press("g") == "nothing happened  (ua-2: there is no ua-2)"


@pytest.mark.asyncio
async def test_the_store_stops_and_goes_on(world: World) -> None:
    await world.press("o")
    await world.press("O")
    assert world.killed == [(14, signal.SIGSTOP), (14, signal.SIGCONT)]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("k", "nothing happened  (no instance answers)"),
        ("g", "nothing happened  (no instance answers)"),
        ("F", "nothing happened  (ua-1 does not run now)"),
        ("o", "nothing happened  (store does not run now)"),
    ],
)
@pytest.mark.asyncio
async def test_where_nothing_runs_nothing_happens(key: str, told: str, world: World) -> None:
    world.sessions, world.stage.pids = {}, {}
    assert await world.press(key) == told


@pytest.mark.asyncio
async def test_a_process_that_has_just_ended_is_told_of(world: World) -> None:
    world.gone.add(12)
    assert await world.press("k") == "nothing happened  (ua-2 has just ended)"


def test_a_signal_finds_its_process_by_a_file_so_that_the_command_stays_good() -> None:
    stage = FakeStage()
    assert kill_command(stage, "ua-1", signal.SIGKILL) == f'kill -9 "$(cat {stage.folder}/ua-1.pid)"'
    assert EVERY["o"].command(stage) == f'kill -STOP "$(cat {stage.folder}/store.pid)"'
    assert EVERY["F"].command(stage) == f'kill -CONT "$(cat {stage.folder}/ua-1.pid)"'


def test_an_order_is_our_own_command_and_names_an_instance_where_it_must() -> None:
    stage = FakeStage()
    assert EVERY["g"].command(stage) == ".venv/bin/unified-agent cluster drain ua-1"
    stage.urls["ua-1"] = "http://127.0.0.1:41000"
    assert cluster_command(stage, "status") == ".venv/bin/unified-agent cluster status --url http://127.0.0.1:41000"


def test_every_deed_has_its_command() -> None:
    assert {type(trick.deed) for trick in EVERY.values()} == {Post, Signal, Order}
    assert all(trick.command(FakeStage()) for trick in EVERY.values())
