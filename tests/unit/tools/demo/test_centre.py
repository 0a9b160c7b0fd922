from pathlib import Path
from typing import cast

import httpx
import pytest

from unified_agent.tools.demo import centre as module
from unified_agent.tools.demo.centre import INSTANCE, Centre
from unified_agent.tools.load.processes import Child, ChildFailed


class FakeChild:
    """A process that is dead or alive as we say."""

    def __init__(self, name: str, log: Path, *, alive: bool) -> None:
        self.name, self.log, self.alive, self.pid = name, log, alive, 1
        self.ended: list[str] = []
        self.told = {"http": "http://127.0.0.1:8080/", "control": f"http://127.0.0.1/{name}"}

    def check(self) -> None:
        if not self.alive:
            raise ChildFailed(f"{self.name} ended with status -9\nlast line")

    async def end(self) -> None:
        self.ended.append("end")

    async def kill(self) -> None:
        self.ended.append("kill")


def centre(tmp_path: Path, said: list[str], **alive: bool) -> Centre:
    made = Centre(tmp_path, httpx.AsyncClient(), said.append)
    for name, lives in alive.items():
        log = tmp_path / f"{name}.log"
        log.write_text("last line")
        made.children[name] = cast("Child", FakeChild(name, log, alive=lives))
        made._arguments[name] = ["simulate", name]
    return made


@pytest.mark.asyncio
async def test_an_instance_that_ends_by_itself_ends_the_demo_with_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    with pytest.raises(ChildFailed, match="instance ended with status -9\nlast line"):
        await centre(tmp_path, [], aes=True, instance=False).watch()


@pytest.mark.asyncio
async def test_a_simulator_that_ends_is_named_kept_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    here = centre(tmp_path, said, aes=False)

    async def start(name: str, arguments: list[str], folder: Path) -> FakeChild:
        assert (arguments, folder) == (["simulate", "aes"], tmp_path)
        return FakeChild(name, tmp_path / "aes.log", alive=True)

    monkeypatch.setattr(Child, "start", start)
    monkeypatch.setattr(module, "AWAY_S", 0.0)
    await here._replace("aes", here.children["aes"])
    assert here.children["aes"].alive
    assert "aes ended with status -9\nlast line" in said[0]
    assert said[-1] == "aes is back."
    assert (tmp_path / "aes.1.log").read_text() == "last line"


@pytest.mark.asyncio
async def test_a_simulator_that_ends_again_and_again_ends_the_demo(tmp_path: Path) -> None:
    here = centre(tmp_path, [], aes=False)
    here._ends["aes"] = 4
    with pytest.raises(ChildFailed):
        await here._replace("aes", here.children["aes"])


@pytest.mark.asyncio
async def test_the_instance_ends_before_what_it_is_linked_to(tmp_path: Path) -> None:
    here = centre(tmp_path, [], aes=True, instance=True)
    order: list[str] = []
    for name, child in here.children.items():

        async def end(name: str = name) -> None:
            order.append(name)

        child.end = end  # type: ignore[method-assign]
    await here.end()
    assert order == [INSTANCE, "aes"]


@pytest.mark.asyncio
async def test_in_a_hurry_all_are_killed(tmp_path: Path) -> None:
    here = centre(tmp_path, [], aes=True, instance=True)
    await here.end(at_once=True)
    assert all(cast("FakeChild", child).ended == ["kill"] for child in here.children.values())


@pytest.mark.asyncio
async def test_addresses_come_from_what_the_processes_told(tmp_path: Path) -> None:
    names = {"aes": True, "dialler-1": True, "dialler-2": True, "instance": True}
    here = centre(tmp_path, [], **names)
    assert here.url == "http://127.0.0.1:8080"
    assert set(here.controls) == set(here.pids) == {"aes", "dialler-1", "dialler-2"}
