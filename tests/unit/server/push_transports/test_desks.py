"""What all desktops connected here are told together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.unit.server.serving import SETTINGS, Desktop, World

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.selection import Standing
from unified_agent.domain.topology import InstanceEntry, Topology
from unified_agent.server.alone import Alone
from unified_agent.server.push_transports.desks import TOPOLOGY_PACE_S

pytestmark = pytest.mark.asyncio


class Changing:
    """Whereabouts whose topology is changed at will."""

    def __init__(self, alone: Alone) -> None:
        self._alone = alone
        self.epoch = 1
        self.active = "dc1"
        self.down: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._alone, name)

    def topology(self) -> Topology:
        entries = tuple(
            InstanceEntry(
                id=InstanceId(f"ua-{number}"),
                url=f"http://ua-{number}",
                datacentre="dc1",
                state=Standing.DOWN if number in self.down else Standing.READY,
                weight=0 if number in self.down else 1_200,
            )
            for number in range(1, 11)
        )
        return Topology(
            cluster="test",
            epoch=self.epoch,
            version=len(self.down),
            active=self.active,
            reconnect_window_ms=2_000,
            instances=entries,
        )


class Centre:
    """A server with some desktops, which forget what they were told when they came."""

    def __init__(self) -> None:
        self.where = Changing(World().alone(SETTINGS))
        self.world = World(whereabouts=self.where)
        self.desktops: list[Desktop] = []

    async def open(self, desktops: int = 2) -> None:
        for number in range(desktops):
            _, token = await self.world.log_in(agent=f"{2001 + number}", station=f"{4001 + number}")
            desktop = Desktop(self.world)
            desktop.hello(token)
            self.desktops.append(desktop)
        self.world.desks.topology_changed()
        self.world.clock.advance(10.0)
        for desktop in self.desktops:
            desktop.of_house.clear()

    def lose(self, *numbers: int) -> None:
        self.where.down += numbers
        self.world.desks.topology_changed()

    def told(self) -> list[list[int]]:
        """How many instances were down in each topology that the desktops were told; all were told the same."""
        each_told = [[self._down(frame) for frame in desktop.of_house] for desktop in self.desktops]
        assert all(told == each_told[0] for told in each_told)
        return cast("list[list[int]]", each_told[0])

    @staticmethod
    def _down(frame: dict[str, Any]) -> Sequence[int]:
        return [int(each["id"].removeprefix("ua-")) for each in frame["instances"] if each["state"] == "down"]


async def test_a_change_is_told_to_every_desktop_at_once_and_only_once():
    centre = Centre()
    await centre.open()
    centre.lose(3)
    centre.world.desks.topology_changed()
    assert centre.told() == [[3]]


async def test_changes_in_a_row_are_told_together():
    centre = Centre()
    await centre.open()
    for number in range(1, 9):
        centre.lose(number)
        centre.world.clock.advance(TOPOLOGY_PACE_S / 100)
    assert centre.told() == [[1]]
    centre.world.clock.advance(TOPOLOGY_PACE_S)
    assert centre.told() == [[1], [1, 2, 3, 4, 5, 6, 7, 8]]
    centre.lose(9)
    centre.world.clock.advance(2 * TOPOLOGY_PACE_S)
    assert [len(each) for each in centre.told()] == [1, 8, 9]


async def test_what_was_changed_and_changed_back_meanwhile_is_not_told():
    centre = Centre()
    await centre.open()
    centre.lose(1)
    centre.lose(2)
    centre.where.down.remove(2)
    centre.world.clock.advance(2 * TOPOLOGY_PACE_S)
    assert centre.told() == [[1]]


async def test_another_active_datacentre_is_told_at_once():
    centre = Centre()
    await centre.open()
    centre.lose(1)
    centre.where.active, centre.where.epoch = "dc2", 2
    centre.lose(2)
    assert [frame["active"] for frame in centre.desktops[0].of_house] == ["dc1", "dc2"]
    centre.world.clock.advance(2 * TOPOLOGY_PACE_S)
    assert len(centre.told()) == 2


async def test_who_comes_while_the_instance_stops_is_closed_as_all_were():
    centre = Centre()
    await centre.open(1)
    centre.world.desks.close_all(1012, "restart")
    late = Desktop(centre.world)
    assert [each.close_code for each in (*centre.desktops, late)] == [1012, 1012]


async def test_connections_are_counted_by_what_carries_them():
    world = World()
    desktop = Desktop(world)
    _, token = await world.log_in()
    world.desks.connection("poll").opened(desktop)
    desktop.hello(token)
    text = world.metrics.render().decode()
    assert 'ua_connections{transport="websocket"} 1.0' in text
    assert 'ua_connections{transport="poll"} 1.0' in text
    assert 'ua_connections{transport="jsonp"} 0.0' in text
    assert 'ua_events_sent_total{transport="websocket"} 1.0' in text


async def test_nothing_is_told_after_all_connections_were_closed():
    centre = Centre()
    await centre.open()
    centre.lose(1)
    centre.lose(2)
    centre.world.desks.close_all(1012, "restart")
    centre.world.clock.advance(2 * TOPOLOGY_PACE_S)
    assert centre.told() == [[1]]
