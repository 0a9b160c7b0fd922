"""JTAPI with client libraries that have less than the vendor's: what works all the same, and what is said to lack."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from tests.contract.telephony_world import TelephonyWorld, agent_of, plan_of
from tests.contract.telephony_worlds import JtapiWorld
from tests.jtapi_peer.build import Family

from unified_agent.domain import commands
from unified_agent.domain.effects import ChangeMode, LogInAgent, LogOutAgent, Observe, QueryAgent
from unified_agent.domain.ids import AgentId, Secret
from unified_agent.domain.states import LegState, SwitchMode

ONE = AgentId(agent_of(1))


class StandardWorld(JtapiWorld):
    """Agents by ``javax.telephony.callcenter`` alone."""

    kind = "jtapi-standard"
    family: ClassVar[Family] = Family.STANDARD


class BareWorld(JtapiWorld):
    """No agents at all."""

    kind = "jtapi-none"
    family: ClassVar[Family] = Family.NONE


def play(world_class: type[JtapiWorld], story: Any) -> None:
    async def go() -> None:
        world = world_class(plan_of())
        async with world.running():
            await story(world)

    asyncio.run(go())


async def _takes_a_call(world: TelephonyWorld, number: str) -> None:
    call = world.place_call(number)
    await world.until(lambda: [each.state for each in world.calls()] == [LegState.ALERTING], "it rings")
    (ringing,) = world.calls()
    assert [each.number for each in ringing.parties] == ["0207940001"]
    await world.do(commands.AnswerCall(call=ringing.id))
    await world.until_call(LegState.ACTIVE)
    await world.do(commands.HoldCall(call=ringing.id))
    await world.until_call(LegState.HELD)
    await world.do(commands.RetrieveCall(call=ringing.id))
    await world.until_call(LegState.ACTIVE)
    await world.do(commands.HangUpCall(call=ringing.id))
    await world.until_calls()
    assert call not in world.truth()["calls"]


def test_standard_families_log_agents_in_and_out_without_reasons() -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        await world.do(LogInAgent(agent=ONE, password=Secret("1234"), reason=1))
        await world.until_mode(SwitchMode.NOT_READY)
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.READY))
        await world.until(lambda: (world.agent_truth() or {})["work_mode"] == "autoIn", "ready at the switch")
        await world.until_mode(SwitchMode.READY)
        await _takes_a_call(world, "8000")
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.NOT_READY, reason=3))
        await world.until_mode(SwitchMode.NOT_READY)
        await world.do(LogOutAgent(agent=ONE, password=Secret("1234"), reason=5))
        await world.until_mode(SwitchMode.LOGGED_OUT)
        assert world.agent_truth() is None

    play(StandardWorld, story)


def test_without_call_centre_classes_calls_work_and_agents_are_refused() -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.do(Observe())
        refused = await world.refused(LogInAgent(agent=ONE, password=Secret("1234"), reason=1))
        assert refused.id == "switch.not-permitted"
        assert "cannot log agents in" in refused.detail
        assert (await world.refused(QueryAgent(agent=ONE))).id == "switch.not-permitted"
        await _takes_a_call(world, "2001")

    play(BareWorld, story)


@pytest.mark.parametrize(
    ("world_class", "words"),
    [
        (StandardWorld, "no reason code, and no change waits for the end of a call"),
        (BareWorld, "Agents cannot be logged in or out"),
    ],
    ids=["standard", "none"],
)
def test_what_is_missing_is_said_at_the_start(
    world_class: type[JtapiWorld], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(world: TelephonyWorld) -> None:
        assert world.link.is_up

    play(world_class, story)
    assert words in capsys.readouterr().out
