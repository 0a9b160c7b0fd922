import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from unified_agent.tools.demo import centre as module
from unified_agent.tools.demo.centre import Centre, our_program, serving_pid
from unified_agent.tools.load.processes import Child, ChildFailed


class FakeChild:
    """A process that is dead or alive as we say."""

    def __init__(self, name: str, folder: Path, *, status: int | None = None, pid: int = 0) -> None:
        self.name, self.status, self.pid = name, status, pid
        self.log = folder / f"{name}.log"
        self.log.write_text("last line")
        self.ended: list[str] = []
        self.told = {"http": f"http://127.0.0.1/{name}/", "control": f"http://127.0.0.1/{name}"}

    @property
    def alive(self) -> bool:
        return self.status is None

    def check(self) -> None:
        if not self.alive:
            raise ChildFailed(f"{self.name} ended with status {self.status}\nlast line")

    async def end(self) -> None:
        self.ended.append("end")

    async def kill(self) -> None:
        self.ended.append("kill")


class World:
    """A centre whose processes are ours to end; what is started anew lives."""

    def __init__(self, folder: Path, *names: str, etcd: str | None = "/usr/bin/etcd") -> None:
        self.said: list[str] = []
        self.folder = folder
        self.centre = Centre(folder, httpx.AsyncClient(), self.said.append, etcd)
        self.started: list[str] = []
        for name in names:
            self.put(FakeChild(name, folder))

    def put(self, child: FakeChild, started_s: float = float("-inf")) -> FakeChild:
        self.centre.children[child.name] = cast("Child", child)
        self.centre._started_s[child.name] = started_s

        async def start() -> Child:
            self.started.append(child.name)
            return cast("Child", FakeChild(child.name, self.folder))

        self.centre._recipes[child.name] = start
        return child


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AWAY_S", 0.0)
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(module, "serving_pid", lambda pid: pid)


async def watched(world: World, until: str) -> None:
    """Have the centre look after its processes until it has said something."""
    watching = asyncio.ensure_future(world.centre.watch())
    while not any(until in each for each in world.said):
        await asyncio.sleep(0)
        assert not watching.done(), world.said
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.asyncio
async def test_a_process_that_ends_is_named_its_log_kept_and_it_is_started_again(tmp_path: Path) -> None:
    world = World(tmp_path, "aes")
    world.put(FakeChild("ua-2", tmp_path, status=1))
    await watched(world, "ua-2 is back.")
    assert world.said[0] == (
        "ua-2 ended with status 1; its log is kept as ua-2.1.log; it is started again in 0 s.\nlast line\n"
    )
    assert (tmp_path / "ua-2.1.log").read_text() == "last line"
    assert world.started == ["ua-2"]
    assert (tmp_path / "ua-2.pid").read_text() == "0\n"


@pytest.mark.parametrize("status", [-signal.SIGKILL, 128 + signal.SIGKILL])
@pytest.mark.asyncio
async def test_of_a_process_that_was_killed_nobody_wants_the_last_lines(status: int, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(FakeChild("aes", tmp_path, status=status))
    await watched(world, "aes is back.")
    assert "last line" not in world.said[0]


@pytest.mark.asyncio
async def test_several_that_end_at_once_are_away_at_the_same_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("aes", "store", "ua-1"):
        world.put(FakeChild(name, tmp_path, status=-9))
    await watched(world, "ua-1 is back.")
    assert [each.partition(" ")[0] for each in world.said[:3]] == ["aes", "store", "ua-1"]


@pytest.mark.asyncio
async def test_one_that_ends_again_and_again_ends_the_demo_with_its_last_lines(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(FakeChild("ua-1", tmp_path, status=1), started_s=float("inf"))
    world.centre._quick_ends["ua-1"] = 4
    with pytest.raises(ExceptionGroup) as caught:
        await world.centre.watch()
    (failed,) = caught.value.exceptions
    assert str(failed) == "ua-1 ended with status 1\nlast line"


@pytest.mark.asyncio
async def test_one_that_ends_now_and_then_is_always_started_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.centre._quick_ends["ua-1"] = 4
    world.put(FakeChild("ua-1", tmp_path, status=-9))
    await watched(world, "ua-1 is back.")
    assert world.centre._quick_ends["ua-1"] == 0


@pytest.mark.asyncio
async def test_instances_end_before_what_they_are_linked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    world = World(tmp_path, "aes", "store", "ua-1", "ua-2")
    order: list[str] = []
    for name, child in world.centre.children.items():

        async def end(name: str = name) -> None:
            order.append(name)

        child.end = end  # type: ignore[method-assign]
    await world.centre.end()
    assert order[:2] == ["ua-1", "ua-2"]
    assert set(order[2:]) == {"aes", "store"}


@pytest.mark.parametrize(("at_once", "number"), [(False, signal.SIGCONT), (True, signal.SIGKILL)])
@pytest.mark.asyncio
async def test_at_the_end_what_was_frozen_is_woken_and_in_a_hurry_all_are_killed(
    at_once: bool, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, signal.Signals]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    world = World(tmp_path)
    store = world.put(FakeChild("store", tmp_path, pid=7))
    world.put(FakeChild("ua-1", tmp_path, pid=8, status=0))
    await world.centre.end(at_once=at_once)
    assert told == [(7, number)]
    assert store.ended == ["kill" if at_once else "end"]


@pytest.mark.asyncio
async def test_addresses_come_from_what_the_processes_told(tmp_path: Path) -> None:
    world = World(tmp_path, "aes", "dialler-1", "dialler-2", "ua-1", "ua-2", "ua-3", "store")
    assert world.centre.urls == {name: f"http://127.0.0.1/{name}" for name in ("ua-1", "ua-2", "ua-3")}
    assert list(world.centre.controls) == ["aes", "dialler-1", "dialler-2"]
    assert set(world.centre.pids) == set(world.centre.children)


def test_an_instance_alone_is_the_first_one(tmp_path: Path) -> None:
    assert World(tmp_path, etcd=None).centre.names == ("ua-1",)


@pytest.mark.asyncio
async def test_an_instance_is_ready_when_it_knows_all_to_be_and_has_its_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {"readyz": 503, "links": "down", "ready": 2}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/readyz"):
            return httpx.Response(told["readyz"], json={})
        if request.url.path.endswith("/v1/status"):
            return httpx.Response(200, json={"links": [{"state": told["links"]}]})
        states = ["ready"] * told["ready"] + ["joining"] * (3 - told["ready"])
        return httpx.Response(200, json={"instances": [{"state": each} for each in states]})

    world = World(tmp_path, "ua-1")
    monkeypatch.setattr(world.centre, "_http", httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    monkeypatch.setattr(Centre, "urls", {"ua-1": "http://ua-1"})
    for name, value in (("readyz", 200), ("links", "up"), ("ready", 3)):
        assert not await world.centre._is_ready("ua-1")
        told[name] = value
    assert await world.centre._is_ready("ua-1")


def test_the_process_that_serves_is_the_child_of_its_guardian(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guardian:
        assert guardian.stdout is not None
        guardian.stdout.readline()  # its child runs
        child = serving_pid(guardian.pid)
        assert child != guardian.pid
        assert serving_pid(child) == child
        guardian.communicate(b"\n")
    assert serving_pid(guardian.pid) == guardian.pid


@pytest.mark.parametrize(
    ("called", "program"),
    [
        (".venv/bin/unified-agent", ".venv/bin/unified-agent"),
        ("unified-agent", "unified-agent"),
        ("-c", "/opt/ua/bin/unified-agent"),
    ],
)
def test_our_command_is_called_as_it_was_called(called: str, program: str) -> None:
    assert our_program(called, "/opt/ua/bin/python") == program
