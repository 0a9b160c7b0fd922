"""How many sessions there are of each kind, for the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from unified_agent.domain.session_state import SessionState
from unified_agent.domain.view import view_of
from unified_agent.observe import Metrics


def take_census(states: Iterable[SessionState], metrics: Metrics) -> None:
    """Set the gauges of presence and work mode."""
    presence: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    for state in states:
        presence[state.presence.value] += 1
        modes[view_of(state).agent.mode.value] += 1
    metrics.sessions.clear()
    metrics.agents.clear()
    for word, number in presence.items():
        metrics.sessions.labels(presence=word).set(number)
    for word, number in modes.items():
        metrics.agents.labels(mode=word).set(number)
