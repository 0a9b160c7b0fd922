from __future__ import annotations

import pytest
from msgspec.structs import replace

from unified_agent.domain.ids import InstanceId
from unified_agent.server.cluster_ports import Affected, InstanceState, Kind, confirmation


def affected() -> Affected:
    return Affected(
        id=InstanceId("ua-1"),
        datacentre="east",
        state=InstanceState.READY,
        incarnation=7,
        sessions=300,
        becomes="closes its 300 sessions and stands down",
    )


@pytest.mark.parametrize(
    "other",
    [
        confirmation("west", Kind.TAKE_OVER, 4, (affected(),)),
        confirmation("west", Kind.SWITCH, 5, (affected(),)),
        confirmation("east", Kind.SWITCH, 4, (affected(),)),
        confirmation("west", Kind.SWITCH, 4, ()),
        confirmation("west", Kind.SWITCH, 4, (replace(affected(), state=InstanceState.DRAINING),)),
        confirmation("west", Kind.SWITCH, 4, (affected(), replace(affected(), id=InstanceId("ua-2")))),
    ],
)
def test_every_other_situation_has_another_word(other: str) -> None:
    assert other != confirmation("west", Kind.SWITCH, 4, (affected(),))


def test_the_word_depends_neither_on_the_order_nor_on_who_has_how_many_agents() -> None:
    one, two = affected(), replace(affected(), id=InstanceId("ua-2"))
    fuller = replace(two, sessions=301)
    assert confirmation("west", Kind.SWITCH, 4, (one, two)) == confirmation("west", Kind.SWITCH, 4, (fuller, one))
