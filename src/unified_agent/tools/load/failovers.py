"""How long agents were without their desktop when an instance was lost or left."""

from __future__ import annotations

from dataclasses import dataclass

from unified_agent.client import Move


@dataclass(slots=True, kw_only=True)
class Failover:
    """One change of one agent's desktop to another connection. Times are monotonic seconds.

    Attributes:
        agent: index of the agent.
        move: from where to where, why, and when.
        back_at_s: when the desktop showed everything as known and in its place; None while it does not.
    """

    agent: int
    move: Move
    back_at_s: float | None = None

    @property
    def noticed_after_s(self) -> float:
        """From the last sign of life until the desktop knew that its instance was lost."""
        move = self.move
        return 0.0 if move.lost_at_s is None or move.noticed_at_s is None else move.noticed_at_s - move.lost_at_s

    @property
    def outage_s(self) -> float:
        """From the last sign of life until a view was shown again."""
        return self.move.outage_s

    @property
    def back_after_s(self) -> float | None:
        """From the last sign of life until the agent could work again; None while that is not so."""
        if self.back_at_s is None:
            return None
        began_s = self.move.live_at_s if self.move.lost_at_s is None else self.move.lost_at_s
        return self.back_at_s - began_s
