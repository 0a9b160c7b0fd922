"""Agents at work on virtual time: the real sessions and links, against the simulated AES and dialler.

What a session leaves to another instance is kept with the time at which it was published, so that a benchmark can say
how often that happens for each call, and repeat it against a store at any speed. Every second agent works records of
a dialler's job, the others take calls of the switch; all press what the load tool's agents press, and those at the
dialler type notes and rest twice while they do.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

import msgspec
from msgspec import Struct
from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE, Delay
from tests.simulation.virtual_loop import VirtualLoop

from unified_agent.clock import LoopClock
from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimGranted
from unified_agent.domain.ids import AgentId, CommandId, InstanceId, LinkId, Secret, SessionId, StationId
from unified_agent.domain.ports import Reports
from unified_agent.domain.session_state import DiallerLogin, Identity, SessionState
from unified_agent.domain.states import Phase
from unified_agent.links.dialler.pool import DiallerPool
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.observe import Metrics
from unified_agent.sessions.host import Host
from unified_agent.settings import (
    AesServerSettings,
    DiallerSettings,
    PoolSettings,
    SessionsSettings,
    TelephonySettings,
)
from unified_agent.tools.load.plan import LoadPlan, aes_file, apc_file
from unified_agent.tools.load.presses import next_press
from unified_agent.tools.simulators.aes.plan_file import PlanFile
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.apc.plan import read_plan
from unified_agent.tools.simulators.apc.server import DiallerServer

#: How often an agent looks at the page, seconds.
LOOK_S: Final = 0.25
#: Rests while typing notes, each of which the page saves, and what is typed by then.
DRAFT_PAUSES_S: Final = (3.0, 3.0)
DRAFTS: Final = (
    "Customer asks for a new invoice.",
    "Customer asks for a new invoice. Sent to the address on file; call back on Thursday after 4 pm if not received.",
)
FIELDS: Final = ("NAME", "ACCTNUM", "PHONE1", "CITY", "BAL")
EPOCH_S: Final = 1_767_225_600.0
INSTANCE: Final = InstanceId("ua-1")
#: One way to AES and dialler, their own work included: they answer after 20 to 100 ms, one event at a time.
WAY_S: Final = (0.01, 0.05)


class Published(Struct, frozen=True):
    """One carry, and when it was published, seconds after the agents were all at work."""

    at_s: float
    carry: SessionState


class Work(Struct, frozen=True, kw_only=True):
    """What some agents did.

    Attributes:
        seconds: for how long they were watched.
        published: all carries of that time, in order; one agent's are told by their identity.
        first: the carry that each agent began with.
        calls: calls answered and records finished by agents without and with a dialler.
        agents: how many there were without and with one.
    """

    seconds: float
    published: tuple[Published, ...]
    first: tuple[SessionState, ...]
    calls: tuple[int, int]
    agents: tuple[int, int]


class KeepingRegistry:
    """Grants every claim and keeps what is published."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.published: list[Published] = []
        self._now_s = now_s
        self._reports: Reports | None = None

    def join(self, reports: Reports) -> None:
        """Know who hears of granted claims."""
        self._reports = reports

    def ask(self, effect: AskClaim) -> None:
        """Grant it in the next turn."""
        assert self._reports is not None, "joined"
        granted = ClaimGranted(session=effect.session, term=1)
        asyncio.get_running_loop().call_soon(self._reports.report, granted)

    def may_act(self, session: SessionId) -> bool:
        """Yes."""
        return True

    def incarnation(self, session: SessionId) -> int:
        """There is one."""
        return 1

    def publish(self, carry: SessionState) -> None:
        """Keep it."""
        self.published.append(Published(self._now_s(), carry))

    def forget(self, session: SessionId) -> None:
        """Nothing is held."""


async def watch_agents(agents: int, seconds: float, *, seed: int = 1, warm_up_s: float = 600.0) -> Work:
    """Have agents work, each about one call a minute; to be run on a ``VirtualLoop``.

    Args:
        agents: half of them with a dialler.
        seconds: how long they are watched.
        seed: of all chance.
        warm_up_s: how long they have worked before: commands are remembered for ten minutes.
    """
    loop = cast("VirtualLoop", asyncio.get_running_loop())
    random = Random(seed)
    clock = LoopClock(loop, wall_s=lambda: EPOCH_S)
    plan = LoadPlan(agents=agents)
    network = SimNetwork(Random(random.random()))
    network.slow(INSTANCE, EVERYWHERE, Delay(extra_s=WAY_S))
    aes = AesServer(
        msgspec.convert(tomllib.loads(aes_file(plan)), PlanFile).plan(), clock=clock, chance=Random(random.random())
    )
    network.listen("aes", 4721, aes.new_socket)
    dialler = DiallerServer(read_plan(apc_file(plan), "load"), clock=clock, chance=Random(random.random()))
    network.listen("dialler", 22700, dialler.new_socket)
    registry = KeepingRegistry(clock.now_s)
    host, telephony, pool = _make_host(network, clock, registry, agents, Random(random.random()))
    telephony.start(0)
    pool.start()
    desks = [_Desk(host, plan, index, Random(random.random())) for index in range(agents)]
    tasks = [loop.create_task(each.work()) for each in desks]
    await asyncio.sleep(10.0)
    assert all(each.is_active() for each in desks), "all are logged in"
    aes.act(lambda simulator: simulator.traffic[0].set_rate(plan.calls_at_switch_per_minute, simulator.now_s))
    await asyncio.sleep(warm_up_s)
    first = {each.carry.identity.agent: each.carry for each in registry.published}
    registry.published.clear()
    began_s, before = clock.now_s(), [each.calls for each in desks]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    calls = [each.calls - had for each, had in zip(desks, before, strict=True)]
    with_dialler = [plan.uses_dialler(index) for index in range(agents)]
    on_dialler = sum(number for number, uses in zip(calls, with_dialler, strict=True) if uses)
    host.close()
    await pool.stop()
    await telephony.stop()
    await aes.close()
    await dialler.close()
    return Work(
        seconds=seconds,
        published=tuple(Published(each.at_s - began_s, each.carry) for each in registry.published),
        first=tuple(first.values()),
        calls=(sum(calls) - on_dialler, on_dialler),
        agents=(agents - sum(with_dialler), sum(with_dialler)),
    )


def _make_host(
    network: SimNetwork, clock: LoopClock, registry: KeepingRegistry, agents: int, chance: Random
) -> tuple[Host, DmccLink, DiallerPool]:
    metrics = Metrics()
    host = Host(
        settings=SessionsSettings(capacity=agents),
        clock=clock,
        metrics=metrics,
        mint_session_id=lambda: SessionId(chance.randbytes(16).hex()),
        registry=registry,
    )
    registry.join(host)
    telephony = DmccLink(
        TelephonySettings(
            servers=(AesServerSettings(name=LinkId("aes-1"), host="aes"),), user="ctiuser", password="secret"
        ),
        INSTANCE,
        host,
        network=network.at(INSTANCE),
        clock=clock,
        chance=chance,
        metrics=metrics,
    )
    pool = DiallerPool(
        (DiallerSettings(name=LinkId("dialler-1"), host="dialler", key_field="ACCTNUM", fields=FIELDS),),
        PoolSettings(),
        network=network.at(INSTANCE),
        clock=clock,
        reports=host,
        metrics=metrics,
    )
    host.join(telephony, pool)
    return host, telephony, pool


class _Desk:
    """One agent and their page. Attributes: ``calls``: hung up, or finished."""

    def __init__(self, host: Host, plan: LoadPlan, index: int, chance: Random) -> None:
        numbers = plan.numbers
        login = numbers.dialler_login(index)
        dialler = DiallerLogin(
            name=login.name, password=Secret(login.password), headset=login.headset, job=login.job or ""
        )
        self._host = host
        self._chance = chance
        self._identity = Identity(
            agent=AgentId(numbers.agent(index)),
            station=StationId(numbers.station(index)),
            password=Secret(numbers.password),
            dialler=dialler if plan.uses_dialler(index) else None,
        )
        self._session = SessionId("")
        self.calls = 0

    def is_active(self) -> bool:
        state = self._host.state(self._session)
        return state is not None and state.phase is Phase.ACTIVE

    async def work(self) -> None:
        self._session = self._host.open(self._identity)
        self._host.desktop_attached(self._session)
        while True:
            await asyncio.sleep(LOOK_S)
            press = next_press(self._view())
            if press is None:
                continue
            word = press.what.partition(" ")[0]
            pause_s = self._chance.uniform(*press.after_s)
            if word == "finish-item":
                pause_s -= await self._type()
            await asyncio.sleep(pause_s)
            still = next_press(self._view())
            if still is not None and still.what == press.what:
                self._press(press.command)
                self.calls += word in {"answer-call", "finish-item"}

    async def _type(self) -> float:
        for pause_s, notes in zip(DRAFT_PAUSES_S, DRAFTS, strict=True):
            await asyncio.sleep(pause_s)
            self._press({"type": "save-draft", "notes": notes, "code": ""})
        return sum(DRAFT_PAUSES_S)

    def _view(self) -> dict[str, Any]:
        view = self._host.view(self._session)
        assert view is not None, "nobody logs out"
        return cast("dict[str, Any]", msgspec.to_builtins(view))

    def _press(self, command: dict[str, Any]) -> None:
        number = CommandId(self._chance.randbytes(16).hex())
        self._host.submit(self._session, number, msgspec.convert(command, AnyCommand))
