"""Instances on virtual time, each with its links to the others over a simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any

from tests.simulation.network import SimNetwork

from unified_agent.clock import LoopClock
from unified_agent.cluster.heartbeats import Heartbeat, Report, Stage
from unified_agent.cluster.peer_messages import Answer, Notice, Question, StatusAnswer, TenureAnswer, TenureQuestion
from unified_agent.cluster.peers import Peers
from unified_agent.domain.ids import InstanceId
from unified_agent.network import TwoWayNetwork

SECRET = b"the secret of the cluster, no less"
PORT = 7000
TENURE = TenureQuestion(incarnation=7)
#: Long enough for every link that can be made to be there, seconds.
SETTLED_S = 2.0


def beat(instance: str, number: int = 1) -> Heartbeat:
    """Make a heartbeat."""
    report = Report(stage=Stage.READY, address="", peer_address="", version="0", sessions=0, capacity=1)
    return Heartbeat(instance=InstanceId(instance), datacentre="dc1", incarnation=1, number=number, report=report)


class One:
    """One instance. It answers every tenure question; ``answer`` can be put in place of that."""

    def __init__(self, name: str, network: TwoWayNetwork, **changes: Any) -> None:
        self.name = InstanceId(name)
        self.heard: list[tuple[str, Notice]] = []
        self.asked: list[tuple[str, Question]] = []
        self.answer: Callable[[Question], Awaitable[Answer]] = self.answer_at_once
        given: dict[str, Any] = {
            "secret": SECRET,
            "network": network,
            "clock": LoopClock(asyncio.get_running_loop(), wall_s=lambda: 1_000.0),
            "chance": Random(name),
            "answer": self._answer,
            "heard": lambda peer, notice: self.heard.append((peer, notice)),
            "make_nonce": Random(f"nonces of {name}").randbytes,
        }
        self.peers = Peers(self.name, **given | changes)

    async def _answer(self, peer: InstanceId, question: Question) -> Answer:
        self.asked.append((peer, question))
        return await self.answer(question)

    async def answer_at_once(self, question: Question) -> Answer:
        if isinstance(question, TenureQuestion):
            return TenureAnswer(promised=True, reason=f"{self.name} says so")
        return StatusAnswer(status={"instance": self.name})

    async def open(self) -> None:
        assert await self.peers.listen(self.name, PORT) == PORT

    def know(self, *names: str) -> None:
        self.peers.know({InstanceId(name): f"{name}:{PORT}" for name in names})

    async def ask(self, to: str, limit_s: float = 1.0, question: Question = TENURE) -> Answer:
        return await self.peers.ask(InstanceId(to), question, limit_s)


class World:
    """Instances by name; all of them are closed at the end."""

    def __init__(self, seed: int = 1) -> None:
        self.network = SimNetwork(Random(seed))
        self.ones: dict[str, One] = {}

    async def add(self, name: str, *, network: TwoWayNetwork | None = None, **changes: Any) -> One:
        one = One(name, network or self.network.at(name), **changes)
        await one.open()
        self.ones[name] = one
        return one

    async def of(self, *names: str) -> list[One]:
        """Return new instances that know each other and have had time to link."""
        for name in names:
            await self.add(name)
        self.know_each_other(names)
        await asyncio.sleep(SETTLED_S)
        return [self.ones[name] for name in names]

    def know_each_other(self, names: Iterable[str]) -> None:
        for name in names:
            self.ones[name].know(*names)

    async def close(self) -> None:
        for one in self.ones.values():
            await one.peers.close()

    async def __aenter__(self) -> World:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        # Nothing of theirs is left but what a closed connection still carries.
        await asyncio.sleep(5)
        mine = {asyncio.current_task()}
        assert asyncio.all_tasks() - mine == set()


def now_s() -> float:
    return asyncio.get_running_loop().time()
