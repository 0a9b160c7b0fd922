"""Every desktop connected here, whichever way it is connected: shown sessions, beats, the topology, who is sent away.

One desktop shows a session at a time: the newest connection has it.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.http11 import Request

from unified_agent.domain.claim_steps import GOES_ON
from unified_agent.domain.ids import InstanceId, SessionId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.domain.topology import Topology
from unified_agent.domain.view import rfc3339
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.auth import Origins, TokenRefusal, Tokens
from unified_agent.server.desk_messages import (
    CLOSED_ENDED,
    CLOSED_TAKEN_OVER,
    Beat,
    Goodbye,
)
from unified_agent.server.ports import Whereabouts
from unified_agent.server.push_transports.desk_connection import DeskConnection, topology_frame
from unified_agent.server.text_connection import NORMAL, TextHandler
from unified_agent.server.tickets import Tickets
from unified_agent.sessions.host import Host
from unified_agent.settings import DesktopSettings

LOGGER: Final = get_logger("server.push")
PATH: Final = "/v1/events"
#: What carries a connection, as counters call it.
WEBSOCKET, STREAM, POLL, JSONP = TRANSPORTS = ("websocket", "stream", "poll", "jsonp")
#: All connections are looked after once each ``beat_s``, in this many portions, so that no moment has all the work.
PORTIONS: Final = 20
#: From one telling of the topology to the next, seconds. With 100 instances it has 11 kB: when ten of them end in the
#: same moment, each desktop is to be told two or three times and not at each step of each of the ten.
TOPOLOGY_PACE_S: Final = 0.5
#: Goodbyes are said in portions of this length, seconds.
_GOODBYE_STEP_S: Final = 0.1

_ENCODER: Final = msgspec.json.Encoder()


class Desks:
    """Every desktop connected here.

    Attributes:
        stopped: with what every connection is closed at once because the instance stops; None while it does not.
    """

    def __init__(
        self,
        *,
        host: Host,
        tokens: Tokens,
        origins: Origins,
        settings: DesktopSettings,
        clock: Clock,
        metrics: Metrics,
        whereabouts: Whereabouts,
        tickets: Tickets,
        instance: InstanceId,
    ) -> None:
        self.host: Final = host
        self.tokens: Final = tokens
        self.settings: Final = settings
        self.clock: Final = clock
        self.metrics: Final = metrics
        self.whereabouts: Final = whereabouts
        self.tickets: Final = tickets
        self.instance: Final = instance
        self._origins = origins
        self._topology: Topology | None = None
        self._topology_told_s = float("-inf")
        self._topology_due: Timer | None = None
        self._shown: dict[SessionId, DeskConnection] = {}
        self._portions: list[dict[DeskConnection, None]] = [{} for _ in range(PORTIONS)]
        self._next_portion = 0
        self.stopped: tuple[int, str] | None = None
        self._open = {each: metrics.connections.labels(transport=each) for each in TRANSPORTS}
        self.events_sent: Final = {each: metrics.events_sent.labels(transport=each) for each in TRANSPORTS}
        host.on_closed(self._session_closed)

    def route(self, request: Request) -> TextHandler | tuple[HTTPStatus, str]:
        """Decide about a handshake."""
        if request.path.partition("?")[0] != PATH:
            return HTTPStatus.NOT_FOUND, f"there is no such path; desktops connect to {PATH}\n"
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        if not self._origins.accepts(origin, host):
            self.metrics.connects.labels(transport=WEBSOCKET, outcome="origin.refused").inc()
            log_event(LOGGER, "origin_refused", level="warning", origin=origin, host=host)
            return HTTPStatus.FORBIDDEN, "pages of that origin may not call us; see the setting http.allowed_origins\n"
        return self.connection(WEBSOCKET)

    def connection(self, transport: str) -> DeskConnection:
        """Make the handler of a new connection.

        Args:
            transport: what carries it, one of ``TRANSPORTS``.
        """
        return DeskConnection(self, transport)

    def take_over(self, session: SessionId) -> None:
        """Close the connection that shows a session, if any: another desktop has it now."""
        connection = self._shown.get(session)
        if connection is not None:
            connection.refuse(TokenRefusal.TAKEN_OVER, CLOSED_TAKEN_OVER)

    async def look_after(self) -> None:
        """Give every connection its beat, and close those that are silent. Runs until it is cancelled."""
        step_s = self.settings.beat_s / PORTIONS
        next_s = self.clock.now_s()
        index = 0
        while True:
            next_s = max(next_s + step_s, self.clock.now_s())
            await asyncio.sleep(next_s - self.clock.now_s())
            now_s = self.clock.now_s()
            beat = _ENCODER.encode(Beat(now=rfc3339(now_s)))
            for connection in tuple(self._portions[index]):
                connection.look_after(now_s, beat)
            index = (index + 1) % PORTIONS

    async def say_goodbye(self, rate_per_s: float, limit_s: float) -> None:
        """Tell every desktop that this instance stops and that there is no other, agents who are on no call first.

        Args:
            rate_per_s: so many a second, so that they do not all come back at once.
            limit_s: faster if need be, to be through with all of them by then.
        """
        waiting = sorted(self._shown.values(), key=lambda each: each.is_on_call())
        if not waiting:
            return
        rate_per_s = max(rate_per_s, len(waiting) / limit_s)
        began_s = self.clock.now_s()
        end_s = began_s + len(waiting) / rate_per_s
        said = 0
        while said < len(waiting):
            due = int((self.clock.now_s() - began_s) * rate_per_s) + 1
            for connection in waiting[said:due]:
                left_s = max(0.0, end_s - self.clock.now_s())
                connection.say(_ENCODER.encode(Goodbye(reason="drain", next=None, after_ms=int(left_s * 1000))))
            said = max(said, due)
            await asyncio.sleep(_GOODBYE_STEP_S)

    def send_away(self, session: SessionId, goodbye: Goodbye) -> bool:
        """Tell the desktop that shows a session where to go; False when none shows it, or it takes nothing now."""
        connection = self._shown.get(session)
        return connection is not None and connection.say(_ENCODER.encode(goodbye))

    def is_shown(self, session: SessionId) -> bool:
        """Whether a desktop shows a session."""
        return session in self._shown

    def topology_changed(self) -> None:
        """Tell every desktop where it may go now, if that is another answer than before.

        At once when that was last done ``TOPOLOGY_PACE_S`` ago, or when another datacentre is active; otherwise then,
        with what is so by then.
        """
        topology = self.whereabouts.topology()
        if topology == self._topology:
            return
        known = self._topology
        due_s = self._topology_told_s + TOPOLOGY_PACE_S
        is_urgent = known is None or (known.epoch, known.active) != (topology.epoch, topology.active)
        if is_urgent or self.clock.now_s() >= due_s:
            self._tell_topology(topology)
        elif self._topology_due is None:
            self._topology_due = self.clock.call_at(due_s, self._tell_topology_now)

    def _tell_topology_now(self) -> None:
        self._topology_due = None
        topology = self.whereabouts.topology()
        if topology != self._topology:
            self._tell_topology(topology)

    def _tell_topology(self, topology: Topology) -> None:
        if self._topology_due is not None:
            self._topology_due.cancel()
            self._topology_due = None
        self._topology, self._topology_told_s = topology, self.clock.now_s()
        frame = topology_frame(topology)
        for connection in tuple(self._shown.values()):
            connection.say(frame)

    def close_all(self, code: int, reason: str) -> None:
        """Close every connection, and each that is opened from now on: the instance stops."""
        self.stopped = code, reason
        if self._topology_due is not None:
            self._topology_due.cancel()
            self._topology_due = None
        for portion in self._portions:
            for connection in tuple(portion):
                connection.end(code, reason)

    # --- called by connections

    def began(self, connection: DeskConnection) -> int:
        """Count a connection; returns its portion."""
        portion, self._next_portion = self._next_portion, (self._next_portion + 1) % PORTIONS
        self._portions[portion][connection] = None
        self._open[connection.transport].inc()
        self.metrics.connects.labels(transport=connection.transport, outcome="opened").inc()
        return portion

    def ended(self, connection: DeskConnection, reason: str) -> None:
        """Forget a connection."""
        self._portions[connection.portion].pop(connection, None)
        self._open[connection.transport].dec()
        self.metrics.disconnects.labels(transport=connection.transport, reason=reason).inc()
        self.release(connection)

    def show(self, session: SessionId, connection: DeskConnection) -> None:
        """Let a connection have a session; the one that had it is closed."""
        other = self._shown.get(session)
        self._shown[session] = connection
        if other is None:
            self.host.desktop_attached(session)
        elif other.client == connection.client and other.client:
            other.end(NORMAL, "replaced")  # the same page, back before we missed it
        else:
            other.refuse(TokenRefusal.TAKEN_OVER, CLOSED_TAKEN_OVER)

    def release(self, connection: DeskConnection) -> None:
        """Know that a connection shows nothing any more."""
        session = connection.session
        if session is not None and self._shown.get(session) is connection:
            del self._shown[session]
            self.host.desktop_detached(session)

    def _session_closed(self, session: SessionId, reason: str, detail: str) -> None:
        goes_on = reason in GOES_ON
        if reason == "taken-over":
            self.tokens.end(session, TokenRefusal.TAKEN_OVER)
        else:
            self.tokens.end(session, TokenRefusal.MOVED if goes_on else TokenRefusal.ENDED, reason, detail)
        connection = self._shown.pop(session, None)
        if connection is None:
            return
        if reason == "taken-over":
            connection.refuse(TokenRefusal.TAKEN_OVER, CLOSED_TAKEN_OVER)
        elif goes_on:
            connection.send_after(reason)
        else:
            connection.end(CLOSED_ENDED, reason)
