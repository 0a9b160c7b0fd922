"""A whole house on real sockets in one process: instance, simulated AES, two simulated diallers, scripted desktops."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trustme
import uvloop

from unified_agent.assembly import Instance
from unified_agent.client import Desk, DiallerLogin, SessionOver
from unified_agent.clock import LoopClock
from unified_agent.domain.ids import LinkId
from unified_agent.network import TcpNetwork
from unified_agent.settings import (
    AesServerSettings,
    AjpSettings,
    DiallerSettings,
    HttpSettings,
    JsonpSettings,
    LinkSettings,
    PoolSettings,
    SessionsSettings,
    Settings,
    TelephonySettings,
    TlsSettings,
)
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.happenings import set_rate
from unified_agent.tools.simulators.apc.plan import load_plan
from unified_agent.tools.simulators.apc.server import DiallerServer

#: Real time that a test waits for anything; loopback needs milliseconds.
LIMIT_S = 15.0
QUICK = LinkSettings(
    heartbeat_interval_s=0.2, silence_limit_s=0.6, request_limit_s=2.0, backoff_base_s=0.05, backoff_cap_s=0.2
)
Json = dict[str, Any]


class House:
    """What runs."""

    def __init__(self, instance: Instance, aes: AesServer, diallers: dict[str, DiallerServer]) -> None:
        self.instance = instance
        self.aes = aes
        self.diallers = diallers

    @property
    def url(self) -> str:
        assert self.instance.listener is not None
        return self.instance.listener.url

    async def log_in(self, number: int = 1, *, job: str | None = None, **change: str) -> Desk:
        """Log agent ``5000 + number`` in at station ``2000 + number``, with ``job`` at the dialler too."""
        login: Json = {"agent": f"{5000 + number}", "station": f"{2000 + number}", "password": "1234"}
        dialler = None
        if job is not None:
            password = change.pop("dialler_password", "secret")
            dialler = DiallerLogin(name=f"agent{number:04}", password=password, headset=f"{2000 + number}", job=job)
        return await Desk.log_in(self.url, **{**login, **change}, dialler=dialler)

    async def refused(self, number: int = 1, *, job: str | None = None, **change: str) -> SessionOver:
        """Log in and wait for the end that a peer makes of it, at once or later; returns it."""
        try:
            desk = await self.log_in(number, job=job, **change)
            await desk.until(lambda _: False, LIMIT_S)
        except SessionOver as over:
            return over
        raise AssertionError("the login was not refused")

    async def working(self, number: int = 1, *, job: str | None = None) -> Desk:
        """Log in and wait until all the way in."""
        desk = await self.log_in(number, job=job)
        await desk.until(lambda view: view["session"]["phase"] == "active", LIMIT_S)
        if job is not None:
            await desk.until(lambda view: view["dialler"]["stage"] == "joined", LIMIT_S)
        return desk

    def call(self, station: str) -> str:
        """Have an outside caller ring a station; returns the call's id."""
        return str(self.aes.act(lambda sim: sim.switch.place_call("0612345678", station)))

    def dialler_of(self, number: int) -> str | None:
        """Name of the dialler an agent is logged on to."""
        name = f"agent{number:04}"
        places = [place for place, each in self.diallers.items() if name in {a["name"] for a in each.truth()["agents"]}]
        assert len(places) < 2, f"{name} is on {places}"
        return places[0] if places else None

    def left_behind(self) -> list[str]:
        """What is open at the peers; empty when nobody is logged in."""
        truth = self.aes.truth()
        found = [f"agent {each} at the switch" for each in truth["agents"]]
        monitors = sum(len(each["monitors"]) for each in truth["sessions"].values())
        found += [f"{monitors} monitors"] if monitors else []
        found += [f"{len(list(self.instance.host.sessions()))} sessions"] if len(self.instance.host) else []
        for name, dialler in self.diallers.items():
            known = dialler.truth()
            found += [f"{each['name']} on {name}" for each in known["agents"]]
            found += [f"headset {each} on {name}" for each in known["headsets"]]
        return found

    async def until(self, true: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
        """Wait for something that no notice tells."""
        async with asyncio.timeout(limit_s):
            while not true():  # noqa: ASYNC110 - the peers' truth has no event to wait for
                await asyncio.sleep(0.02)


class _Tls:
    """One authority; contexts for servers, settings for us."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self.context)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        self.settings = TlsSettings(enabled=True, ca_file=folder / "ca.pem")


def _dial_nobody(floor: Floor) -> None:
    for job in floor.jobs.values():
        set_rate(floor, job, 0.0)


@asynccontextmanager
async def house(
    folder: Path,
    *,
    capacity: int = 100,
    tls: bool = True,
    ajp: AjpSettings | None = None,
    jsonp: JsonpSettings | None = None,
    **http: Any,
) -> AsyncIterator[House]:
    """Run a house; at its end nothing may be left at the peers. ``http``: more settings of that name."""
    clock = LoopClock(asyncio.get_running_loop())
    secured = _Tls(folder) if tls else None
    context = secured.context if secured else None
    peer = secured.settings if secured else TlsSettings()
    plan = SimulatorPlan(switch=fill_plan(SwitchPlan(), NumberPlan(agents=5)), traffic=())
    aes = AesServer(plan, clock=clock, chance=random.Random(1))
    aes_port = await aes.start_listening("127.0.0.1", 0, context)
    diallers, settings = {}, []
    for name in ("dialler-1", "dialler-2"):
        dialler = DiallerServer(load_plan(), clock=clock, chance=random.Random(2))
        dialler.act(_dial_nobody)
        port = await dialler.start_listening("127.0.0.1", 0, context)
        diallers[name] = dialler
        settings.append(
            DiallerSettings(
                name=LinkId(name),
                host="127.0.0.1",
                port=port,
                fields=("NAME", "BAL"),
                editable_fields=("BAL",),
                key_field="ACCTNUM",
                tls=peer,
            )
        )
    instance = Instance(
        Settings(
            ajp=ajp or AjpSettings(),
            jsonp=jsonp or JsonpSettings(),
            http=HttpSettings(port=0, login_rate_per_min=10_000, drain_wait_s=0.0, **http),
            telephony=TelephonySettings(
                servers=(AesServerSettings(name=LinkId("aes-1"), host="127.0.0.1", port=aes_port, tls=peer),),
                user="ctiuser",
                password="secret",
                link=QUICK,
            ),
            diallers=tuple(settings),
            pool=PoolSettings(probe_interval_s=1.0, probe_down_interval_s=0.2, idle_probe_s=1.0, link=QUICK),
            sessions=SessionsSettings(capacity=capacity),
        ),
        clock=clock,
        chance=random.Random(3),
        network=TcpNetwork(),
    )
    try:
        async with instance.running():
            yield House(instance, aes, diallers)
    finally:
        await aes.close()
        for each in diallers.values():
            await each.close()


def play(steps: Coroutine[Any, Any, None]) -> None:
    """Run a test's steps on uvloop, as an instance does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(steps)
