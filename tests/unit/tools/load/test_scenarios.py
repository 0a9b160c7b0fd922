"""The losses."""

import asyncio

import pytest
from tests.unit.tools.load.fakes import FakeWorld
from tests.unit.tools.load.views import diallers, seat, switch

from unified_agent.tools.load.scenarios import SCENARIOS
from unified_agent.tools.load.world import Truths
from unified_agent.tools.simulators.aes import control_messages


@pytest.mark.parametrize(
    ("name", "begins", "heals"),
    [
        ("aes-blip", [("/connections/cut", {"how": "reset"})], []),
        (
            "aes-cut",
            [("/connections/accept", {"accept": False}), ("/connections/cut", {"how": "reset"})],
            [("/connections/accept", {"accept": True})],
        ),
        ("aes-silence", [("/connections/silence", {"silent": True})], [("/connections/silence", {"silent": False})]),
        ("aes-link-down", [("/link", {"up": False})], [("/link", {"up": True})]),
    ],
)
def test_a_loss_is_asked_of_the_control_port_and_taken_back(name, begins, heals):
    scenario, world = SCENARIOS[name], FakeWorld()
    assert asyncio.run(scenario.begin(world.as_world())) == ""
    assert world.asked == begins
    world.asked.clear()
    if scenario.heal is not None:
        asyncio.run(scenario.heal(world.as_world()))
    assert world.asked == heals


def test_the_dialler_with_most_agents_is_killed():
    world = FakeWorld(Truths(switch(), diallers(None, seat())))
    assert asyncio.run(SCENARIOS["dialler-kill"].begin(world.as_world())) == "dialler-2"
    assert world.killed == ["dialler-2"]


def test_what_is_asked_is_what_the_control_port_takes():
    import msgspec

    taken = {
        "/connections/cut": control_messages.Cut,
        "/connections/accept": control_messages.Accept,
        "/connections/silence": control_messages.Silence,
        "/link": control_messages.SwitchLinkUp,
    }
    world = FakeWorld()
    for scenario in SCENARIOS.values():
        asyncio.run(scenario.begin(world.as_world()))
        if scenario.heal is not None:
            asyncio.run(scenario.heal(world.as_world()))
    for path, body in world.asked:
        msgspec.convert(body, taken[path])
