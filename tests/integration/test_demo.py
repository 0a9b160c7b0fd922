"""The demo as a person starts it: everything in processes of its own, on free ports, worked in and broken."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.jtapi_peer.build import PEER_CLASS, Family, NoCompilerError, class_path

from unified_agent.client import Desk, DiallerLogin
from unified_agent.server.pages import STATIC
from unified_agent.settings import ClusterSettings
from unified_agent.tools.load.usage import children_of

pytestmark = [
    pytest.mark.skipif(not (STATIC / "desktop" / "index.html").is_file(), reason="the pages are not built: make setup"),
    pytest.mark.skipif(
        shutil.which("etcd") is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"
    ),
]
#: Of the instances of the demo, seconds.
LEASE_S = ClusterSettings().lease_s
COMMAND = (sys.executable, "-c", "import sys; from unified_agent.tools.cli import main; sys.exit(main())", "demo")


class Shown:
    """A demo that runs, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.text = ""

    async def until(self, words: str, limit_s: float = 60.0) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(limit_s):
            while words not in self.text:
                line = await self.process.stdout.readline()
                assert line, f"it ended before it said {words!r}:\n{self.text}"
                self.text += line.decode()

    async def to_the_end(self, limit_s: float = 20.0) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(limit_s):
            self.text += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    @property
    def url(self) -> str:
        return self.found(r"Open +(\S+)/ ")

    @property
    def urls(self) -> list[str]:
        return re.findall(r"(http://127\.0\.0\.1:\d+)/(?= )", self.text)

    @property
    def folder(self) -> Path:
        return Path(self.found(r"Settings and logs: (\S+)"))

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.text)
        assert match, self.text
        return match[1]

    async def copy_command(self, title: str, **put_in: str) -> str:
        """Run the command that is printed under a title, with something else in the place of what it names."""
        lines = self.text.splitlines()
        at = next(index for index, line in enumerate(lines) if title in line)
        command = lines[at + 1].strip()
        for there, instead in put_in.items():
            command = command.replace(there.replace("_", "-"), instead)
        process = await asyncio.create_subprocess_shell(
            command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    def pids(self) -> dict[str, int]:
        return {file.stem: int(file.read_text()) for file in self.folder.glob("*.pid")}


@contextlib.asynccontextmanager
async def started(*options: str) -> AsyncIterator[Shown]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--free-ports", *options, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    shown = Shown(process)
    try:
        await shown.until("Settings and logs")
        yield shown
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await shown.to_the_end()


async def ask_cluster(demo: Shown, http: httpx.AsyncClient) -> Any:
    """Return what the first instance that answers tells of all."""
    for url in demo.urls:
        with contextlib.suppress(httpx.HTTPError):
            return (await http.get(f"{url}/v1/cluster")).json()
    raise AssertionError("no instance answers")


async def server_of_one(demo: Shown, *, but: str = "") -> str:
    """Return the instance that serves the only agent, once it is not a certain one."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(20):
        while True:
            told = await ask_cluster(demo, http)
            found = [each["id"] for each in told["instances"] if each["sessions"] and each["state"] == "ready"]
            if len(found) == 1 and found[0] != but:
                return str(found[0])
            await asyncio.sleep(0.2)


async def until_store_is(demo: Shown, http: httpx.AsyncClient, *, up: bool) -> None:
    async with asyncio.timeout(20):
        while True:
            if (await ask_cluster(demo, http))["store"]["up"] is up:
                return
            await asyncio.sleep(0.2)


def is_active(view: Any) -> bool:
    return bool(view["session"]["phase"] == "active")


def over(telephony: str) -> tuple[str, ...]:
    """Return the options for a kind of link."""
    if telephony == "dmcc":
        return ()
    try:
        entries = class_path(Family.VENDOR)
    except NoCompilerError as error:
        pytest.skip(str(error))
    return ("--telephony", "jtapi", "--class-path", ":".join(entries), "--peer", PEER_CLASS)


@pytest.mark.parametrize("telephony", ["dmcc", "jtapi"])
@pytest.mark.asyncio
async def test_an_agent_works_and_every_link_is_lost_and_found_by_the_printed_commands(telephony: str) -> None:
    job = DiallerLogin(name="agent5002", password="secret", headset="2002", job="SPRING25")
    async with (
        started(*over(telephony)) as demo,
        await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as caller,
        await Desk.log_in(demo.url, agent="5002", station="2002", password="1234", dialler=job) as worker,
    ):
        await caller.until(is_active, limit_s=10)
        await caller.command({"type": "set-mode", "mode": "ready"})
        await demo.copy_command("a caller rings")
        await caller.until(lambda view: bool(view["calls"]), limit_s=10)

        await worker.until(lambda view: view["dialler"]["stage"] == "joined", limit_s=20)
        await worker.command({"type": "take-items"})
        await worker.until(lambda view: view["item"] is not None, limit_s=45)

        await demo.copy_command("cut the link to AES")
        await caller.until(lambda view: view["session"]["phase"] == "resetting", limit_s=5)
        await caller.until(is_active, limit_s=40)
        await demo.copy_command("AES loses its switch")
        await caller.until(lambda view: view["session"]["phase"] == "resetting", limit_s=5)
        await demo.copy_command("the switch is back")
        await caller.until(is_active, limit_s=20)

        await demo.copy_command("dialler-1 crashes")
        await worker.until(lambda view: view["dialler"]["dialler"] == "dialler-2", limit_s=20)
        await worker.until(lambda view: view["dialler"]["stage"] in {"joined", "ready", "working"}, limit_s=20)


@pytest.mark.asyncio
async def test_an_agent_whose_instance_is_killed_goes_on_at_another_and_the_instance_comes_back() -> None:
    async with (
        started() as demo,
        await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as desk,
    ):
        await desk.until(is_active, limit_s=10)
        first = await server_of_one(demo)
        await demo.copy_command("is killed; it is back", ua_1=first)
        second = await server_of_one(demo, but=first)
        await desk.until(is_active, limit_s=20)
        settled = await desk.command({"type": "set-mode", "mode": "ready"})
        assert settled.outcome == "done"
        await demo.until(f"{first} ended with status 137")
        await demo.until(f"{first} is back.")
        assert await server_of_one(demo) == second, "nobody is moved back"


@pytest.mark.asyncio
async def test_a_drained_instance_hands_its_agent_over() -> None:
    async with (
        started() as demo,
        await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as desk,
    ):
        await desk.until(is_active, limit_s=10)
        first = await server_of_one(demo)
        said = await demo.copy_command("is drained", ua_1=first)
        assert f"{first} has no agents any more" in said
        await server_of_one(demo, but=first)
        await desk.until(is_active, limit_s=20)
        assert "takes agents again" in await demo.copy_command("it takes agents again", ua_1=first)


@pytest.mark.asyncio
async def test_agents_are_served_on_while_the_store_does_not_answer_and_when_it_does_again() -> None:
    async with (
        started() as demo,
        await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as desk,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        await desk.until(is_active, limit_s=10)
        first = await server_of_one(demo)
        connections = desk.connections
        await asyncio.sleep(LEASE_S)  # an instance that has just started promises nothing to others yet
        await demo.copy_command("the store stops answering")
        await until_store_is(demo, http, up=False)
        await asyncio.sleep(LEASE_S)
        settled = await desk.command({"type": "set-mode", "mode": "ready"})
        assert settled.outcome == "done"
        await demo.copy_command("the store answers again")
        await until_store_is(demo, http, up=True)
        assert await server_of_one(demo) == first
        await asyncio.sleep(LEASE_S)  # what others had promised is over; the claim must have been made anew
        assert is_active(desk.view)
        assert desk.connections == connections


@pytest.mark.asyncio
async def test_sigterm_ends_every_process_and_leaves_nothing() -> None:
    async with started() as demo:
        pids, folder = demo.pids(), demo.folder
        assert set(pids) == {"aes", "dialler-1", "dialler-2", "store", "ua-1", "ua-2", "ua-3"}
        assert {file.name for file in folder.iterdir()} >= {"ua-1.toml", "ua-1.log", "aes.log", "cluster.keys"}
        demo.process.send_signal(signal.SIGTERM)
        assert await demo.to_the_end(30) == 0
    assert not folder.exists()
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.asyncio
async def test_an_instance_alone_needs_no_store() -> None:
    async with started("--single") as demo:
        assert set(demo.pids()) == {"aes", "dialler-1", "dialler-2", "ua-1"}
        async with await Desk.log_in(demo.url, agent="5001", station="2001", password="1234") as desk:
            await desk.until(is_active, limit_s=10)


@pytest.mark.asyncio
async def test_it_ends_by_itself_when_its_time_is_over() -> None:
    async with started("--single", "--exit-after", "0.2") as demo:
        assert await demo.to_the_end() == 0
        assert "All ended." in demo.text


def runs(pid: int) -> bool:
    """Whether a process runs; whoever inherited a dead one may not have asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.asyncio
async def test_an_instance_that_is_killed_leaves_no_java_behind() -> None:
    async with started("--single", *over("jtapi")) as demo:
        instance = demo.pids()["ua-1"]
        (java,) = children_of(instance)
        os.kill(instance, signal.SIGKILL)
        async with asyncio.timeout(60):
            while runs(java):  # noqa: ASYNC110 - it tells nobody when it ends
                await asyncio.sleep(0.1)


@pytest.mark.asyncio
async def test_a_simulator_that_is_killed_is_named_and_comes_back() -> None:
    async with started("--single") as demo:
        os.kill(demo.pids()["dialler-2"], signal.SIGKILL)
        await demo.until("dialler-2 ended with status -9; its log is kept as dialler-2.1.log")
        await demo.until("dialler-2 is back.")
        assert "simulator_started" in (demo.folder / "dialler-2.1.log").read_text()


@pytest.mark.asyncio
async def test_a_port_that_is_taken_is_said_and_replaced() -> None:
    async with started("--single") as first:
        port = first.url.rpartition(":")[2]
        async with started("--single", "--port", port) as second:
            assert f"Port {port} is taken" in second.text
            assert second.url != first.url
