"""A simulated dialler with agents who are driven by hand, and a clock that stands still until told."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from unified_agent.tools.simulators.apc import truth
from unified_agent.tools.simulators.apc.dialler import Dialler
from unified_agent.tools.simulators.apc.floor import Close, Effect, Floor
from unified_agent.tools.simulators.apc.plan import DiallerPlan, JobPlan, TrafficPlan
from unified_agent.wire.apc.messages import Message, MessageType

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EXACT = TrafficPlan(wait_s=1.0, talk_s=0.0, answer_share=1.0, jitter=0.0)
JOBS = (
    JobPlan(name="SPRING25", type="O", records=5, traffic=EXACT),
    JobPlan(name="CAREBLD", type="B", records=5, traffic=EXACT),
    JobPlan(name="PREVW01", type="M", records=5, preview_limit_s=30.0, traffic=EXACT),
    JobPlan(name="HELPIN", type="I", records=5, traffic=EXACT),
)


def plan(**changes: Any) -> DiallerPlan:
    """The plan of these tests, with some of it changed."""
    changes.setdefault("jobs", JOBS)
    return DiallerPlan(**{"accept_any": True, "headset_ring_s": 0.5, "step_s": 0.01, **changes})


def job(name: str, **changes: Any) -> JobPlan:
    """One of the jobs, changed; ``traffic`` may be given as keywords of TrafficPlan."""
    [found] = [each for each in JOBS if each.name == name]
    if isinstance(changes.get("traffic"), dict):
        changes["traffic"] = msgspec.structs.replace(EXACT, **changes["traffic"])
    return msgspec.structs.replace(found, **changes)


def calendar(now_s: float) -> datetime:
    """It is noon when a bench begins."""
    return NOON + timedelta(seconds=now_s - 1000.0)


class Bench:
    """A dialler and its clock."""

    def __init__(self, seed: int = 1, **changes: Any) -> None:
        self.now_s = 1000.0
        self.dialler = Dialler(plan(**changes), random.Random(seed), calendar, self.now_s)
        self.agents: dict[int, Agent] = {}

    @property
    def floor(self) -> Floor:
        return self.dialler.floor

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            agent = self.agents[effect.connection]
            if isinstance(effect, Close):
                agent.closed = True
            else:
                agent.heard.append(effect.message)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.perform(self.dialler.advance(self.now_s))

    def happen(self, action: Callable[[Floor], object]) -> None:
        self.perform(self.dialler.happen(action, self.now_s))

    def connect(self) -> Agent:
        agent = Agent(self, len(self.agents) + 1)
        self.agents[agent.connection] = agent
        self.perform(self.dialler.connect(agent.connection, self.now_s))
        return agent

    def truth(self) -> dict[str, Any]:
        return truth.tell(self.floor)


class Agent:
    """One client."""

    def __init__(self, bench: Bench, connection: int) -> None:
        self.bench = bench
        self.connection = connection
        self.heard: list[Message] = []
        self.closed = False
        self._asked = 0

    def say(self, command: str, *segments: str, wait_s: float = 0.01) -> list[str]:
        """Send a command without its AGT, let the dialler work on it, and return what came as short lines."""
        self._asked += 1
        message = Message(
            keyword=f"AGT{command}", type=MessageType.COMMAND, segments=segments, invoke_id=str(self._asked)
        )
        self.bench.perform(self.bench.dialler.handle(self.connection, message, self.bench.now_s))
        self.bench.wait(wait_s)
        return self.lines()

    def lines(self) -> list[str]:
        """What came since: ``R AvailWork 0 M00000``."""
        heard, self.heard = self.heard, []
        return [
            " ".join([message.type.value, message.keyword.removeprefix("AGT"), *message.segments]) for message in heard
        ]

    def leave_without_logoff(self) -> None:
        self.bench.perform(self.bench.dialler.disconnect(self.connection, self.bench.now_s))

    def log_on(self, name: str = "ann") -> Agent:
        assert self.say("Logon", name, "pw")[-1] == "R Logon 0 M00000"
        return self

    def take_headset(self, number: str = "") -> Agent:
        number = number or str(50000 + self.connection)
        assert self.say("ReserveHeadset", number)[-1] == "R ReserveHeadset 0 M00000"
        assert self.say("ConnHeadset", wait_s=0.5)[-1] == "R ConnHeadset 0 M00000"
        return self

    def join(self, job: str = "SPRING25", work_class: str = "O") -> Agent:
        """Log on and go to stage D."""
        if self.bench.dialler.floor.seats[self.connection].name == "":
            self.log_on(f"agent{self.connection}")
        if not self.bench.dialler.floor.seats[self.connection].headset_id:
            self.take_headset()
        assert self.say("SetWorkClass", work_class) == ["R SetWorkClass 0 M00000"]
        assert self.say("AttachJob", job) == ["R AttachJob 0 M00000"]
        assert self.say("AvailWork")[1] == "R AvailWork 0 M00000"
        return self

    def get_call(self) -> Agent:
        """Be ready and wait for a call or a preview."""
        assert self.say("ReadyNextItem")[0] == "R ReadyNextItem 0 M00000"
        self.bench.wait(1.0)
        assert any("CallNotify" in line or "PreviewRecord" in line for line in self.lines())
        return self

    @property
    def stage(self) -> str:
        return self.bench.dialler.floor.seats[self.connection].stage.value

    def state(self) -> str:
        return self.say("ListState")[0]
