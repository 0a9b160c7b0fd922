"""How a desk stands with its servers, why it lost one, how soon it comes back, and what each move took. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from unified_agent.domain.backoff import delay_s
from unified_agent.domain.ports import Chance

#: When others say that an instance is dead, its desktops need not wait to learn whether it only paused: the first
#: delay is at most this, seconds.
WITNESSED_WINDOW_S: Final = 0.5
#: Bounds of later delays, seconds: this after the first failure, doubling.
LATER_S: Final = 1.0
LONGEST_S: Final = 10.0
#: Moves remembered, the newest.
MOVES_KEPT: Final = 100


class ConnectionState(StrEnum):
    """How a desk stands with its server.

    WAITING: for the delay before the next round of tries. CONNECTING: trying. LIVE: the view is in step. SUSPECT: live
    so far, but nothing has come for a while. OVER: there is no session any more.
    """

    WAITING = "waiting"
    CONNECTING = "connecting"
    LIVE = "live"
    SUSPECT = "suspect"
    OVER = "over"


class Loss(StrEnum):
    """Why a server was lost, or left. A planned move has the reason of the server's ``goodbye`` instead.

    CLOSED: the connection ended. SILENT: nothing came. WITNESSED: nothing came, and others say that it is dead or
    draining. MOVED: the session is elsewhere. UNKNOWN: the server does not know the session any more. RESTART: it said
    that it restarts. SLOW: it found us silent. GAP: a notice was missing. BAD_FRAME: it sent what cannot be read.
    """

    CLOSED = "closed"
    SILENT = "silent"
    WITNESSED = "witnessed"
    MOVED = "moved"
    UNKNOWN = "unknown"
    RESTART = "restart"
    SLOW = "slow"
    GAP = "gap"
    BAD_FRAME = "bad-frame"


class ConnectionStatus(Struct, frozen=True, kw_only=True):
    """How a desk stands with its server at one moment.

    Attributes:
        reason: why: a word of ``Loss``, the reason of a goodbye or of the session's end; empty at first.
        server: the URL of the server that serves us, or did last.
        at_s: when, on the loop's clock.
    """

    state: ConnectionState
    reason: str
    server: str
    at_s: float


#: Told how the desk stands each time that changes, and whenever another connection is live. It must not raise.
ConnectionListener = Callable[[ConnectionStatus], None]


class Move(Struct, frozen=True, kw_only=True):
    """One change to another connection: to another server, or back to the same one.

    Times are seconds on the loop's clock, which is the machine's monotonic one.

    Attributes:
        source, target: URLs of the servers.
        reason: a word of ``Loss``, or the reason of the server's goodbye.
        lost_at_s: when the source was heard for the last time, or its connection ended; None when it was there until
            the target was live, so that nothing was lost.
        noticed_at_s: when we knew: at once, except for silence. None as above.
        attached_at_s: when the target welcomed us.
        live_at_s: when the view was in step again.
    """

    source: str
    target: str
    reason: str
    lost_at_s: float | None
    noticed_at_s: float | None
    attached_at_s: float
    live_at_s: float

    @property
    def is_elsewhere(self) -> bool:
        """Whether it led to another server."""
        return self.source != self.target

    @property
    def outage_s(self) -> float:
        """How long the view was out of step."""
        return 0.0 if self.lost_at_s is None else self.live_at_s - self.lost_at_s


def comeback_delay_s(reason: str, failures: int, window_s: float, chance: Chance) -> float:
    """Say how long to wait before the next round of tries.

    Args:
        reason: why the server was lost, a word of ``Loss``.
        failures: losses and rounds without success since the last steady connection.
        window_s: over which all desktops of a lost instance come back.
        chance: where the jitter comes from.
    """
    if failures > 0:
        return delay_s(failures, chance, base_s=LATER_S, cap_s=LONGEST_S)
    if reason == Loss.GAP:  # resuming at once loses nothing, and only we are concerned
        return 0.0
    return chance.uniform(0.0, min(window_s, WITNESSED_WINDOW_S) if reason == Loss.WITNESSED else window_s)


class Whereabouts:
    """How a desk stands with its server, for whoever wants to know.

    Attributes:
        server: URL of the server that serves the desk, or did last.
        status: how it stands with it.
        connections: how many connections became live.
        moves: changes from one connection to another, oldest first, the last ``MOVES_KEPT``.
    """

    __slots__ = ("_listeners", "connections", "moves", "server", "status")

    def __init__(self, server: str) -> None:
        self.server = server
        self.status = ConnectionStatus(state=ConnectionState.CONNECTING, reason="", server=server, at_s=0.0)
        self.connections = 0
        self.moves: list[Move] = []
        self._listeners: list[ConnectionListener] = []

    def listen(self, listener: ConnectionListener) -> Callable[[], None]:
        """Have a listener told of each change of ``status``; returns a function that ends it, as often as it likes."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def moved(self, move: Move) -> None:
        """Know that a connection became live; the first one is no move. Listeners are told, live or not before."""
        self.connections += 1
        if self.connections > 1:
            self.moves = [*self.moves[1 - MOVES_KEPT :], move]
        self.server = move.target
        self._tell(ConnectionState.LIVE, "", move.live_at_s)

    def tell(self, state: ConnectionState, reason: str, now_s: float) -> None:
        """Tell all listeners, unless that is so already."""
        if state is not self.status.state or reason != self.status.reason:
            self._tell(state, reason, now_s)

    def _tell(self, state: ConnectionState, reason: str, now_s: float) -> None:
        self.status = ConnectionStatus(state=state, reason=reason, server=self.server, at_s=now_s)
        for listener in tuple(self._listeners):
            listener(self.status)
