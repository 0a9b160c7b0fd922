from __future__ import annotations

from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import StationId
from unified_agent.links.telephony.agent_poll import SHORTEST_STEP_S, AgentPoll
from unified_agent.links.telephony.stations import Station


class Round:
    def __init__(self, count: int, interval_s: float = 10.0) -> None:
        self.clock = ManualClock(0.0)
        self.stations = [Station(StationId(str(2001 + number))) for number in range(count)]
        self.asked: list[tuple[float, str]] = []
        self.poll = AgentPoll(self.clock, self.stations, self.note, interval_s)

    def note(self, station: Station) -> None:
        self.asked.append((round(self.clock.now_s(), 3), station.number))


def test_each_station_is_asked_about_once_in_an_interval_evenly_spread() -> None:
    world = Round(4)
    world.poll.start()
    world.clock.advance(27.4)
    first = [(10.0, "2001"), (12.5, "2002"), (15.0, "2003"), (17.5, "2004")]
    assert world.asked == [*first, *((at_s + 10.0, number) for at_s, number in first[:3])]


def test_a_station_that_came_meanwhile_is_asked_about_in_the_next_round() -> None:
    world = Round(1)
    world.poll.start()
    world.clock.advance(11)
    world.stations.append(Station(StationId("2999")))
    world.clock.advance(15)
    assert [number for _, number in world.asked] == ["2001", "2001", "2999"]


def test_questions_never_come_closer_than_the_shortest_step() -> None:
    world = Round(5_000, interval_s=1.0)
    world.poll.start()
    world.clock.advance(2.0)
    times = [at_s for at_s, _ in world.asked]
    assert len(times) == round(1.0 / SHORTEST_STEP_S) + 1


def test_starting_twice_asks_no_oftener_and_a_stopped_poll_asks_nothing() -> None:
    world = Round(1)
    world.poll.start()
    world.poll.start()
    world.clock.advance(20.5)
    assert len(world.asked) == 2
    world.poll.stop()
    world.poll.stop()
    world.clock.advance(100)
    assert len(world.asked) == 2
    assert world.clock.planned == []


def test_with_nobody_to_ask_about_it_looks_again_an_interval_later() -> None:
    world = Round(0)
    world.poll.start()
    world.clock.advance(35)
    assert world.asked == []
    assert world.clock.planned == [40.0]
