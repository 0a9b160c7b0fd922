"""Sends agents to other instances: all of them when this one drains, or one whom an operator moves.

Paced, agents on no call first. The desktop is told where to go and is connected there before it leaves here; the new
instance then asks this one to give the agent up. A call at the switch is not touched by that. A record open at the
dialler would be, so its agent goes when it is closed; and because the dialler may put a customer through at any moment,
an agent in a job is taken off new work first, and told to go once the dialler agrees. For an agent whose desktop is
away the new instance is asked directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from unified_agent.domain.claim_steps import is_free, may_leave
from unified_agent.domain.ids import AgentId, InstanceId, SessionId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import ClaimStage
from unified_agent.domain.topology import Next
from unified_agent.observe import get_logger, log_event
from unified_agent.server.cluster_ports import DrainStatus
from unified_agent.server.desk_messages import Goodbye
from unified_agent.server.failures import RequestRefused
from unified_agent.server.ports import Whereabouts
from unified_agent.server.push_transports.desks import Desks
from unified_agent.server.tickets import Tickets
from unified_agent.sessions.host import Host

LOGGER: Final = get_logger("server.moving")

#: Goodbyes are said in portions of this length, seconds.
STEP_S: Final = 0.1
#: A desktop that was told to go and has not gone is told again after this, seconds.
TELL_AGAIN_S: Final = 5.0
#: How long an operator's order waits for the dialler to give the agent no more work, seconds.
FREE_LIMIT_S: Final = 3.0
#: How long a desktop may take to be connected elsewhere, milliseconds.
_AFTER_MS: Final = int(TELL_AGAIN_S * 1_000)

#: Asks another instance to take over a session whose desktop is away, by ticket and token; says whether it does.
HandOver = Callable[[InstanceId, str, str], Awaitable[bool]]


class Moving:
    """What is on its way elsewhere."""

    def __init__(
        self,
        *,
        host: Host,
        desks: Desks,
        tickets: Tickets,
        whereabouts: Whereabouts,
        clock: Clock,
        me: InstanceId,
        make_token: Callable[[], str],
        hand_over: HandOver,
    ) -> None:
        self._host = host
        self._desks = desks
        self._tickets = tickets
        self._whereabouts = whereabouts
        self._clock = clock
        self._me = me
        self._make_token = make_token
        self._hand_over = hand_over
        self._told_s: dict[SessionId, float] = {}
        self._waiting: dict[SessionId, None] = {}  # in the order of their turns
        self._began_with = 0
        self._rate_per_s = 1.0
        self._draining = False

    @property
    def is_draining(self) -> bool:
        """Whether everybody is being sent away."""
        return self._draining

    def status(self) -> DrainStatus:
        """Say how far it is."""
        states = tuple(self._host.sessions())
        return DrainStatus(
            left=len(states),
            moved=max(0, self._began_with - len(states)),
            waiting_for_items=sum(not may_leave(each) for each in states),
        )

    async def drain(self, rate_per_s: float) -> None:
        """Send everybody away, so many a second; returns when nobody is left. Cancelled, it ends where it is.

        One under way goes on at the new rate.
        """
        self._rate_per_s = rate_per_s
        if self._draining:
            return
        self._draining = True
        self._began_with = len(self._host)
        log_event(LOGGER, "moving_began", sessions=self._began_with, rate_per_s=rate_per_s)
        allowance = 1.0
        last_s = self._clock.now_s()
        try:
            while len(self._host):
                now_s = self._clock.now_s()
                allowance = min(allowance + (now_s - last_s) * self._rate_per_s, max(1.0, self._rate_per_s))
                last_s = now_s
                allowance -= await self._send_some(int(allowance), now_s)
                await asyncio.sleep(STEP_S)
        finally:
            self._draining = False
            self._told_s.clear()
            self._waiting.clear()
            self._stay(each.id for each in tuple(self._host.sessions()))
            log_event(LOGGER, "moving_ended", left=len(self._host))

    async def move(self, agent: AgentId, to: InstanceId | None) -> Next:
        """Send one agent away. Returns when the desktop has been told, which waits for the dialler to give no more
        work.

        Raises:
            RequestRefused: ``agent.not-logged-in``, ``agent.in-item``, ``cluster.no-such-instance``, ``instance.full``.
        """
        session = self._host.session_of(agent)
        state = self._host.state(session) if session is not None else None
        if session is None or state is None:
            raise RequestRefused("agent.not-logged-in", agent)
        if not may_leave(state):
            raise RequestRefused("agent.in-item", agent)
        target = self._target(agent) if to is None else self._whereabouts.find(to)
        if target is None:
            raise RequestRefused(
                "instance.full" if to is None else "cluster.no-such-instance", to or "no other is ready"
            )
        if target.id == self._me:
            return target  # the agent is there already
        if not self._desks.is_shown(session):
            raise RequestRefused("agent.not-logged-in", "no desktop shows the session now")
        self._host.plan_move(session, going=True)
        told = False
        try:
            await self._until_free(session)
            told = self._desks.send_away(session, Goodbye(reason="move", next=target, after_ms=_AFTER_MS))
        finally:
            if not told:
                self._stay((session,))
        if not told:
            raise RequestRefused("agent.not-logged-in", "no desktop shows the session now")
        asyncio.get_running_loop().call_later(TELL_AGAIN_S, self._stay, (session,))
        return target

    # --- inside

    async def _until_free(self, session: SessionId) -> None:
        until_s = self._clock.now_s() + FREE_LIMIT_S
        while (state := self._host.state(session)) is not None and not is_free(state):
            if not may_leave(state):
                raise RequestRefused("agent.in-item", "a customer was put through at this moment")
            if self._clock.now_s() >= until_s:
                raise RequestRefused("agent.in-item", f"the dialler has not ended the job within {FREE_LIMIT_S:g} s")
            await asyncio.sleep(STEP_S)

    def _stay(self, sessions: Iterable[SessionId]) -> None:
        """Give new work again to those who have not gone, unless all are to go."""
        if not self._draining:
            for session in sessions:
                self._host.plan_move(session, going=False)

    async def _send_some(self, most: int, now_s: float) -> int:
        """Give up to so many their turn, and send away whose turn has come and who is in no job; returns how many."""
        for session in tuple(self._waiting):
            state = self._host.state(session)
            if state is None or is_free(state):
                self._waiting.pop(session, None)
            if state is not None and is_free(state) and state.claim.stage is ClaimStage.HELD:
                await self._send(state, now_s)
        due = sorted(
            (each for each in self._host.sessions() if self._is_due(each, now_s)),
            key=lambda each: (not may_leave(each), bool(each.calls) or each.agent.talking),
        )
        sent = 0
        for state in due[:most]:
            if self._target(state.identity.agent) is None:
                break  # nobody can take anybody now
            sent += 1
            self._host.plan_move(state.id, going=True)
            planned = self._host.state(state.id)
            if planned is not None and (is_free(planned) or planned.orphaned):
                await self._send(planned, now_s)
            elif planned is not None:
                self._waiting[planned.id] = None
        return sent

    async def _send(self, state: SessionState, now_s: float) -> None:
        self._told_s[state.id] = now_s
        if state.orphaned:  # without its passwords nobody could go on with it; it is off new work by now
            self._host.let_go(state.identity.agent, "drain", "")
            return
        target = self._target(state.identity.agent)
        if target is None:
            return
        goodbye = Goodbye(reason="drain", next=target, after_ms=_AFTER_MS)
        if not self._desks.send_away(state.id, goodbye) and not self._desks.is_shown(state.id):
            await self._hand(state, target)

    def _is_due(self, state: SessionState, now_s: float) -> bool:
        if state.claim.stage is not ClaimStage.HELD or state.id in self._waiting:
            return False
        return now_s >= self._told_s.get(state.id, float("-inf")) + TELL_AGAIN_S

    def _target(self, agent: AgentId) -> Next | None:
        return self._whereabouts.best_for(agent, without=frozenset({self._me}))

    async def _hand(self, state: SessionState, target: Next) -> None:
        token = self._make_token()
        ticket = self._tickets.write(
            state.identity,
            session=state.id,
            token=token,
            term=state.claim.term,
            epoch=self._whereabouts.epoch,
            verified=state.telephony.verified,
        )
        taken = await self._hand_over(target.id, ticket, token)
        log_event(LOGGER, "handed_over", session=state.id, to=target.id, taken=taken)
