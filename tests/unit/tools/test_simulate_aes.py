from __future__ import annotations

import asyncio

import pytest

from unified_agent.tools import simulate_aes
from unified_agent.tools.simulators.aes.command import AesOptions


def test_the_simulator_runs_with_the_options_given_and_with_its_defaults_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[AesOptions] = []

    async def run(options: AesOptions) -> None:
        ran.append(options)

    monkeypatch.setattr(simulate_aes, "run", run)
    chosen = AesOptions(seed=7)
    asyncio.run(simulate_aes.simulate(chosen))
    asyncio.run(simulate_aes.simulate())
    assert ran == [chosen, AesOptions()]
