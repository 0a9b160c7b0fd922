"""The control port describes itself as its page does."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from unified_agent.clock import LoopClock
from unified_agent.tools.simulators.aes.control import ControlPort
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

PAGE = (Path(__file__).parents[5] / "docs" / "reference" / "simulate-aes.md").read_text(encoding="utf-8")


def test_every_path_of_the_control_port_is_on_the_page() -> None:
    async def paths() -> dict[str, Any]:
        clock = LoopClock(asyncio.get_running_loop())
        server = AesServer(SimulatorPlan(traffic=()), clock=clock, chance=random.Random(1))
        control = ControlPort(server, shut_down=lambda: None)
        document: dict[str, Any] = control.application().openapi_schema.to_schema()
        return document

    document = asyncio.run(paths())
    missing = [path for path in document["paths"] if f"{path}`" not in PAGE]
    assert missing == []
