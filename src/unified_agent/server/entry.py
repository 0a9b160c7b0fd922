"""How a desktop comes to its session: by a login, by a ticket, or by being sent to where it should be.

An agent who has a session on a sound instance is sent there; one who arrives with a ticket is taken in, shown what its
last instance left, greyed, and served as soon as the claim is granted. A passive datacentre sends everybody to the
active one.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.claim_steps import has_ended
from unified_agent.domain.ids import InstanceId, SessionId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import Identity, SessionState
from unified_agent.domain.topology import Elsewhere, Passive
from unified_agent.domain.view import rfc3339
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.auth import TokenRefusal, Tokens
from unified_agent.server.desk_messages import LoggedIn
from unified_agent.server.entry_tickets import EntryTickets
from unified_agent.server.failures import RequestRefused
from unified_agent.server.ports import Whereabouts
from unified_agent.server.push_transports.desks import Desks
from unified_agent.server.tickets import TicketContent, Tickets
from unified_agent.sessions.admission import OpenRefused
from unified_agent.sessions.host import Host

LOGGER: Final = get_logger("server.entry")


#: Refusals that another instance may not share.
_WITH_ROOM_ELSEWHERE: Final = frozenset({"instance.full", "instance.draining"})


class Entry:
    """The door."""

    def __init__(
        self,
        *,
        host: Host,
        desks: Desks,
        tokens: Tokens,
        tickets: Tickets,
        entry_tickets: EntryTickets,
        instance: InstanceId,
        whereabouts: Whereabouts,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._host = host
        self._desks = desks
        self._tokens = tokens
        self._tickets = tickets
        self._entry_tickets = entry_tickets
        self._instance = instance
        self._whereabouts = whereabouts
        self._clock = clock
        self._metrics = metrics

    async def log_in(self, identity: Identity, entry_ticket: str = "") -> LoggedIn:
        """Open a session, or take one's own over.

        Args:
            identity: who logs in.
            entry_ticket: of session initiation; with a good one nobody is asked again who has the agent.

        Raises:
            RequestRefused: ``instance.elsewhere``, ``datacentre.passive`` or ``instance.full``, with where to go.
            OpenRefused: the login is not taken.
        """
        is_expected = self._entry_tickets.is_good(entry_ticket, identity.agent, self._instance)
        if not is_expected or self._host.draining:
            _send_on(await self._whereabouts.home_of(identity.agent))
        _send_on(self._whereabouts.not_serving(identity.agent))  # it may have stood down while the store was asked
        try:
            session = self._host.open(identity)
        except OpenRefused as refused:
            better = self._whereabouts.best_for(identity.agent, without=frozenset({self._instance}))
            if refused.id not in _WITH_ROOM_ELSEWHERE or better is None:
                raise
            raise RequestRefused(refused.id, refused.detail, next_instance=better) from refused
        return self._let_in(session)

    async def resume(self, ticket: str, token: str) -> LoggedIn:
        """Take a session in that another instance had, or this one before it was started again.

        Raises:
            TicketRefused: the ticket is not good, or not for that token.
            RequestRefused: ``datacentre.passive``, ``taken-over``, ``session.ended``.
            OpenRefused: it is not taken in.
        """
        content = self._tickets.read(ticket, token)
        if self._tokens.find(token) is TokenRefusal.ENDED:
            raise RequestRefused("session.ended", self._tokens.ending(token)[0])
        _send_on(self._whereabouts.not_serving(content.agent))
        carried = await self._whereabouts.carried(content.agent)
        session = self._take_in(content, carried, desktop_follows=True)
        self._metrics.takeovers.labels(cause="resume").inc()
        log_event(LOGGER, "session_resumed", session=session, agent=content.agent, carried=carried is not None)
        return self._let_in(session)

    def adopt(self, content: TicketContent, carried: SessionState | None) -> None:
        """Take in a session whose desktop is away, for an instance that is leaving.

        Raises:
            OpenRefused, RequestRefused: it is not taken in.
        """
        self._take_in(content, carried, desktop_follows=False)

    def _take_in(self, content: TicketContent, carried: SessionState | None, *, desktop_follows: bool) -> SessionId:
        """Go on with a session. A ticket outlives it; what the last owner left says whether it has ended since.

        A ticket of term 0 is of a login that was granted nothing before its instance was lost. What is found then may
        be of the session before it, or of one after it: the claim will tell.
        """
        _send_on(self._whereabouts.not_serving(content.agent))  # it may have stood down while the store was asked
        if carried is not None and carried.id != content.session:
            if 0 < content.term < carried.claim.term:
                raise RequestRefused("taken-over")
            carried = None
        if carried is not None and has_ended(carried):
            raise RequestRefused("session.ended", carried.close_reason)
        return self._host.adopt(
            content.identity,
            session=content.session,
            ticket_term=content.term,
            verified=content.verified,
            carried=carried,
            desktop_follows=desktop_follows,
        )

    def _let_in(self, session: SessionId) -> LoggedIn:
        self._desks.take_over(session)
        state = self._host.state(session)
        token = self._tokens.issue(session)
        ticket = ""
        if state is not None:
            ticket = self._tickets.write(
                state.identity,
                session=session,
                token=token,
                term=state.claim.term,
                epoch=self._whereabouts.epoch,
                verified=state.telephony.verified,
            )
        return LoggedIn(session=session, token=token, ticket=ticket, now=rfc3339(self._clock.now_s()))


def _send_on(where: Elsewhere | Passive | None) -> None:
    match where:
        case Elsewhere():
            raise RequestRefused("instance.elsewhere", where.next.url, next_instance=where.next)
        case Passive():
            raise RequestRefused("datacentre.passive", next_instance=where.next, epoch=where.epoch)
