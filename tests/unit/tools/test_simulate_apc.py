from __future__ import annotations

import asyncio

import pytest

from unified_agent.tools import simulate_apc
from unified_agent.tools.simulators.apc.command import ApcOptions


def test_the_simulator_runs_with_the_options_given_and_with_its_defaults_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[ApcOptions] = []

    async def run(options: ApcOptions) -> None:
        ran.append(options)

    monkeypatch.setattr(simulate_apc, "run", run)
    chosen = ApcOptions(seed=7)
    asyncio.run(simulate_apc.simulate(chosen))
    asyncio.run(simulate_apc.simulate())
    assert ran == [chosen, ApcOptions()]
