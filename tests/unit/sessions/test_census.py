"""The gauges tell how many there are of each kind now, and nothing of kinds that are gone."""

from __future__ import annotations

from msgspec.structs import replace
from tests.unit.domain.desk import SESSION, Desk

from unified_agent.domain import facts as f
from unified_agent.domain.ids import CallId
from unified_agent.domain.states import Presence, SwitchMode
from unified_agent.observe import Metrics
from unified_agent.sessions.census import take_census


def counted(metrics: Metrics, name: str) -> dict[str, float]:
    (family,) = (each for each in metrics.registry.collect() if each.name == name)
    return {next(iter(sample.labels.values())): sample.value for sample in family.samples}


def test_sessions_are_counted_by_presence_and_by_the_mode_that_is_shown():
    ready, calling, gone = Desk().log_in(), Desk().log_in(), Desk().log_in()
    ready.reported(SwitchMode.READY)
    calling.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    states = [ready.state, calling.state, replace(gone.state, presence=Presence.ABSENT)]
    metrics = Metrics()
    take_census(states, metrics)
    assert counted(metrics, "ua_sessions") == {"connected": 2.0, "absent": 1.0}
    assert counted(metrics, "ua_agents") == {"ready": 1.0, "talking": 1.0, "not-ready": 1.0}


def test_a_kind_that_is_gone_is_not_counted_on():
    metrics = Metrics()
    take_census([Desk().log_in().state], metrics)
    take_census([], metrics)
    assert counted(metrics, "ua_sessions") == counted(metrics, "ua_agents") == {}
