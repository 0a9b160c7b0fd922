"""The lives of this instance: one for each registration in the store, each with its tenure.

A lease that is lost is never used again. The next registration begins a new life; claims made in the old one live on
the promises of others until they are made anew in the new one. What may still be done in which life is answered here,
at the very moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from unified_agent.cluster import tenure
from unified_agent.cluster.stores.base import LeaseId
from unified_agent.domain.ids import InstanceId


@dataclass(slots=True, kw_only=True)
class Life:
    """One registration.

    Attributes:
        incarnation: revision at which our key was made.
        lease: it stands on; None once that is known to be gone.
        tenure: until when we may act in it.
    """

    incarnation: int
    lease: LeaseId | None
    tenure: tenure.Tenure


class Lives:
    """All lives that have not ended, oldest first; at most a few."""

    def __init__(self) -> None:
        self._lives: list[Life] = []

    @property
    def current(self) -> Life | None:
        """The life in which new claims are made: the latest, while its lease is not known to be gone."""
        return self._lives[-1] if self._lives and self._lives[-1].lease is not None else None

    @property
    def latest(self) -> Life | None:
        """The latest life, with a lease or on promises; None before the first and after all have ended."""
        return self._lives[-1] if self._lives else None

    def __iter__(self) -> Iterator[Life]:
        return iter(tuple(self._lives))

    def begin(self, life: Life) -> None:
        """Have a registration begun."""
        self._lives.append(life)

    def change(self, step: Callable[[tenure.Tenure], tenure.Tenure]) -> None:
        """Tell something to every tenure that has not ended."""
        for life in self._lives:
            life.tenure = step(life.tenure)

    def may_act(self, incarnation: int, now_s: float) -> bool:
        """Say whether something may be done now under a claim of that incarnation."""
        return any(life.incarnation == incarnation and tenure.may_act(life.tenure, now_s) for life in self._lives)

    def end_passed(self, now_s: float) -> tuple[tuple[Life, str], ...]:
        """End those whose time has passed; returns them, each with the reason."""
        ended = []
        for life in tuple(self._lives):
            life.tenure, decision = tenure.decide(life.tenure, now_s)
            if isinstance(decision, tenure.StepDown):
                self._lives.remove(life)
                ended.append((life, decision.reason))
        return tuple(ended)

    def drop(self, life: Life) -> None:
        """Forget a life that nothing is claimed in any more."""
        if life in self._lives:
            self._lives.remove(life)

    def to_ask(self, now_s: float) -> frozenset[InstanceId]:
        """Return those who must be asked for promises now."""
        asked: set[InstanceId] = set()
        for life in self._lives:
            _, decision = tenure.decide(life.tenure, now_s)
            if isinstance(decision, tenure.AskOthers):
                asked.update(decision.others)
        return frozenset(asked)
