"""What the pool believes of each dialler, and what follows: pure, with time as an argument.

    UNKNOWN ─▶ UP        a probe or an agent is greeted; likewise from SUSPECT and DOWN
    UP ─▶ SUSPECT        a probe fails, and agents are still served
    any ─▶ DOWN          a probe fails and nobody is served; several sessions are lost at once; "shutting down";
                         the last agent of a suspect one is gone

New logons go only to diallers that are UP, or UNKNOWN, which just means that the first probe has not ended. A failed
probe alone takes nobody off a dialler that still serves them: their connections watch themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from unified_agent.domain.ids import LinkId
from unified_agent.settings import PoolSettings


class Health(StrEnum):
    """See the module's drawing."""

    UNKNOWN = "unknown"
    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"


@dataclass(slots=True, kw_only=True)
class DiallerHealth:
    """One dialler.

    Attributes:
        health: see ``Health``.
        reason: why it is suspect or down, a word.
        since_s: when ``health`` last changed.
        held_off_until_s: full or unusable: passed over until then.
        lost_s: when sessions were lost, the last ``lost_sessions`` of them.
    """

    health: Health = Health.UNKNOWN
    reason: str = ""
    since_s: float = 0.0
    held_off_until_s: float = 0.0
    lost_s: deque[float] = field(default_factory=deque)


class PoolState:
    """All diallers, in the order in which they are preferred."""

    def __init__(self, diallers: Sequence[LinkId], settings: PoolSettings, now_s: float) -> None:
        self._settings = settings
        self._diallers = {
            each: DiallerHealth(since_s=now_s, lost_s=deque(maxlen=settings.lost_sessions)) for each in diallers
        }

    def __getitem__(self, dialler: LinkId) -> DiallerHealth:
        return self._diallers[dialler]

    def choose(
        self,
        now_s: float,
        *,
        preferred: LinkId | None = None,
        avoided: Collection[LinkId] = (),
        tried: Collection[LinkId] = (),
    ) -> LinkId | None:
        """Choose the dialler for one logon.

        Args:
            now_s: the caller's clock.
            preferred: where the agent's session was just lost, to be tried once more first.
            avoided: where this agent has no luck lately; only taken when there is no other.
            tried: where this very logon has failed already.

        Returns:
            The first in order that serves and is not held off, or None.
        """
        usable = [each for each in self._diallers if each not in tried and self.serves(each, now_s)]
        liked = [each for each in usable if each not in avoided]
        if preferred in liked:
            return preferred
        return next(iter(liked or usable), None)

    def serves(self, dialler: LinkId, now_s: float) -> bool:
        """Say whether new logons may go there."""
        state = self._diallers[dialler]
        return state.health in {Health.UP, Health.UNKNOWN} and state.held_off_until_s <= now_s

    def any_answers(self) -> bool:
        """Say whether any dialler is up, full ones included."""
        return any(each.health in {Health.UP, Health.UNKNOWN} for each in self._diallers.values())

    def greeted(self, dialler: LinkId, now_s: float) -> bool:
        """Note that a probe or an agent was greeted. Returns True when it has come up by that."""
        return self._move(dialler, Health.UP, "", now_s)

    def hold_off(self, dialler: LinkId, now_s: float) -> None:
        """Pass it over for new logons for a while: it is full, or cannot serve at present. It is not down."""
        self._diallers[dialler].held_off_until_s = now_s + self._settings.hold_off_s

    def not_reached(self, dialler: LinkId, reason: str, agents: int, now_s: float) -> bool:
        """Note that no connection could be made, or that it brought no greeting.

        Args:
            dialler: which one.
            reason: a word.
            agents: how many it still serves.
            now_s: the caller's clock.

        Returns:
            True when it has gone down by that.
        """
        return self._move(dialler, Health.SUSPECT if agents else Health.DOWN, reason, now_s)

    def session_lost(self, dialler: LinkId, reason: str, agents: int, now_s: float) -> bool:
        """Note that a session was lost there. Returns True when the dialler has gone down by that.

        Several within a short time mean the dialler and not the agents. A suspect one is down with its last agent.
        """
        state = self._diallers[dialler]
        if state.health is Health.DOWN:
            return False
        state.lost_s.append(now_s)
        several = len(state.lost_s) == self._settings.lost_sessions
        if several and now_s - state.lost_s[0] <= self._settings.lost_window_s:
            return self._move(dialler, Health.DOWN, reason, now_s)
        return state.health is Health.SUSPECT and agents == 0 and self._move(dialler, Health.DOWN, reason, now_s)

    def shut_down(self, dialler: LinkId, now_s: float) -> bool:
        """Note that it said it goes down. Returns True when that was news."""
        return self._move(dialler, Health.DOWN, "shutting-down", now_s)

    def agent_left(self, dialler: LinkId, agents: int, now_s: float) -> bool:
        """Note that an agent logged off. Returns True when a suspect dialler is down by having nobody left."""
        state = self._diallers[dialler]
        return state.health is Health.SUSPECT and agents == 0 and self._move(dialler, Health.DOWN, state.reason, now_s)

    def probe_after_s(self, dialler: LinkId) -> float:
        """Return the seconds to wait before the next probe."""
        up = self._diallers[dialler].health is Health.UP
        return self._settings.probe_interval_s if up else self._settings.probe_down_interval_s

    def _move(self, dialler: LinkId, health: Health, reason: str, now_s: float) -> bool:
        """Change the health. Returns whether it changed, but for a dialler that is down and would be suspect."""
        state = self._diallers[dialler]
        if state.health is health or (state.health is Health.DOWN and health is Health.SUSPECT):
            return False
        state.health, state.reason, state.since_s = health, reason, now_s
        state.lost_s.clear()
        return health is not Health.SUSPECT
