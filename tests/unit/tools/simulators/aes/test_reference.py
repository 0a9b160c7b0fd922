"""The reference page names every option, key and path, and its examples are read as they stand."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from unified_agent.clock import LoopClock
from unified_agent.tools.simulators.aes.command import AesOptions
from unified_agent.tools.simulators.aes.control import ControlPort
from unified_agent.tools.simulators.aes.plan_file import read_plan_file
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

PAGE = (Path(__file__).parents[5] / "docs" / "reference" / "simulate-aes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("option", [item.name for item in fields(AesOptions)])
def test_option_is_on_the_page(option: str) -> None:
    assert f"-{option.replace('_', '-')}" in PAGE


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_file_is_a_valid_plan(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(example, encoding="utf-8")
    assert read_plan_file(file).plan().switch.stations


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
