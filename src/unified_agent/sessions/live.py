"""One live session: its state, its inbox, its outbox, and when it wants to be woken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from unified_agent.domain.session import Input
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.view import view_of
from unified_agent.sessions.outbox import Outbox


class LiveSession:
    """What the host keeps for each session.

    Attributes:
        state: replaced with every step.
        inbox: inputs that came while a step's effects were being performed, each with the time at which it came;
            taken in order after it.
        received_s: when the input came that is being worked on, or was last, Unix seconds.
        stepping: a step is under way.
        outbox: what its desktop is told.
        wake_s: the time that stands for it in the host's heap, None for none.
    """

    __slots__ = ("inbox", "outbox", "received_s", "state", "stepping", "wake_s")

    def __init__(self, state: SessionState, now_s: Callable[[], float], *, first_epoch: int = 1) -> None:
        self.state = state
        self.inbox: deque[tuple[Input, float]] = deque()
        self.received_s = now_s()
        self.stepping = False
        self.outbox = Outbox(
            lambda: view_of(self.state), now_s, term=lambda: self.state.claim.term, first_epoch=first_epoch
        )
        self.wake_s: float | None = None
