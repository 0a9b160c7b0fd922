"""Worlds whose switch is reached by JTAPI: what is broken there on purpose is found."""

from __future__ import annotations

import pytest
from tests.simulation.test_seeds import one_world
from tests.simulation.virtual_loop import run
from tests.simulation.world import telephony_of

from unified_agent.links.telephony.exchange import Done
from unified_agent.links.telephony.jtapi.liveness import Liveness
from unified_agent.links.telephony.jtapi.observing import Observing

pytestmark = pytest.mark.simulation

#: A world in which the process hangs, and none crashes after that.
HANGS = 17


def _found(seed: int) -> str:
    """Run a world that must break, and return what is said of it."""
    assert telephony_of(seed) == "jtapi"
    with pytest.raises(BaseException) as found:  # noqa: PT011 - a group of assertions, or one
        run(one_world(seed))
    return "; ".join(_words(found.value))


def _words(error: BaseException) -> list[str]:
    return [str(error), *(word for each in getattr(error, "exceptions", ()) for word in _words(each))]


def test_a_process_that_hangs_and_is_not_missed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Liveness, "begin", lambda self: None)
    monkeypatch.setattr(Liveness, "expect", lambda self, limit_s: None)
    assert "still disagree" in _found(HANGS)


def test_a_station_that_is_taken_for_observed_after_a_loss_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    observe = Observing.observe
    begun: set[str] = set()

    def observe_once(self, station, end):
        if station.number in begun:
            end(Done(None))
        else:
            begun.add(station.number)
            observe(self, station, end)

    monkeypatch.setattr(Observing, "observe", observe_once)
    assert "disagree" in _found(2)
