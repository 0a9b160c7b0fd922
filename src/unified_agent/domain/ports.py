"""What the rooms of live agents and of the server ask of the rooms beside them. Joined by ``assembly``.

Ports do not wait: what is asked is queued or written at once, and comes back as a fact through ``Reports``. So one
slow peer holds up nobody, and the same code runs on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from unified_agent.domain.effects import AskClaim, AskDialler, AskSwitch
from unified_agent.domain.facts import Fact, LinkFact
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.session_state import SessionState


class Reports(Protocol):
    """The one door by which facts come in. Called by links."""

    def report(self, fact: Fact) -> None:
        """Take a fact about one session; unknown sessions are ignored and counted."""
        ...

    def report_link(self, fact: LinkFact) -> None:
        """Take a fact about a whole link."""
        ...


class Telephony(Protocol):
    """The switch, through whichever link is up."""

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked now."""
        ...

    def ask(self, effect: AskSwitch) -> None:
        """Ask the switch. While the link is down the answer is RequestRefused ``switch.link-down``, at once."""
        ...

    def forget(self, session: SessionId) -> None:
        """Report nothing more for this session; what is still observed for it is released."""
        ...


class Dialler(Protocol):
    """The pool of diallers."""

    def ask(self, effect: AskDialler) -> None:
        """Ask the dialler that serves the session, or with LogOnDialler the one the pool chooses."""
        ...

    def forget(self, session: SessionId) -> None:
        """Close what is open for this session and report nothing more for it."""
        ...


class Registry(Protocol):
    """Who owns which agent. An instance that is alone has none: it owns whomever it lets in."""

    def ask(self, effect: AskClaim) -> None:
        """Claim an agent and its station; comes back as ClaimGranted, ClaimDelayed, ClaimRefused, later ClaimLost."""
        ...

    def may_act(self, session: SessionId) -> bool:
        """Say whether something may be done for this session's agent now. Asked directly before each deed."""
        ...

    def incarnation(self, session: SessionId) -> int:
        """Return the incarnation of this instance that holds the session's claim; 0 for none."""
        ...

    def publish(self, carry: SessionState) -> None:
        """Have a session's carry written soon; of several only the last."""
        ...

    def forget(self, session: SessionId) -> None:
        """The session is over here: call off its claim, or release it."""
        ...


class Owner(Protocol):
    """Live agents, as the registry sees them."""

    def session_of(self, agent: AgentId) -> SessionId | None:
        """Return the session that serves an agent here, None for none."""
        ...

    def let_go(self, agent: AgentId, reason: str, proof: str) -> str:
        """Begin to give an agent up for another instance.

        Args:
            agent: whom.
            reason: ``drain``, ``move``, ``taken-over``.
            proof: of the password, when somebody logs in elsewhere; empty for a desktop that shows its ticket.

        Returns:
            Empty when it is under way and ends with ``Registry.forget``; ``not-here``; ``later`` while a record is open
            at the dialler; or the id of a refusal.
        """
        ...

    def lose(self, sessions: Iterable[SessionId], reason: str) -> None:
        """Stop at once for these sessions: others may act for their agents."""
        ...


class Timer(Protocol):
    """A call to come, which can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has come."""
        ...


class Clock(Protocol):
    """Unix seconds that never step: anchored when the process began, then advanced by the monotonic clock."""

    def now_s(self) -> float:
        """Return the present."""
        ...

    def call_at(self, at_s: float, callback: Callable[[], None]) -> Timer:
        """Call back at that time, or soon when it has passed. Never before this method returns."""
        ...


class Chance(Protocol):
    """Randomness as an argument; ``random.Random`` has this shape."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number between a and b, evenly."""
        ...
