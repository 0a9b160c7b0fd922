"""One agent's connection to one dialler: dials, carries events to the flow and its commands to the wire.

The flow decides everything; here are the transport, the timers and nothing else. No task lives longer than dialling.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from typing import Final, Protocol

from unified_agent.domain.commands import DiallerCommand, LeaveJob, PauseItems
from unified_agent.domain.effects import DiallerAsk, LogOffDialler
from unified_agent.domain.facts import Fact
from unified_agent.domain.ids import LinkId, RequestId, SessionId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import LinkNotReady, LinkRefused, LocalProtocolError
from unified_agent.links.dialler.actions import Action, End, Ended, HoldOff, Note, Report, Send
from unified_agent.links.dialler.agent_flow import AgentFlow
from unified_agent.links.dialler.seat import Place
from unified_agent.network import Address, Network
from unified_agent.pump import Pump
from unified_agent.settings import DiallerSettings, PoolSettings
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings
from unified_agent.wire.apc.events import Event, Greeted, Outcome, Replied

#: Asks that wait for a call to end, or for a goodbye: their time says nothing about the dialler.
_LONG_ASKS: Final = (LeaveJob, PauseItems, LogOffDialler)


class LinkOwner(Protocol):
    """What a link tells the pool."""

    def step(self) -> AbstractContextManager[None]:
        """Keep facts back until the outermost step is over: who hears them may ask again at once."""
        ...

    def link_greeted(self, link: ApcLink) -> None:
        """The dialler greeted this agent."""
        ...

    def link_held_off(self, link: ApcLink, code: str) -> None:
        """The dialler is unusable for new logons for a while; this agent stays."""
        ...

    def link_ended(self, link: ApcLink, ended: Ended) -> None:
        """It is over; nothing but the facts that follow from it come after this."""
        ...

    def link_reported(self, link: ApcLink, fact: Fact) -> None:
        """Something the session must know."""
        ...

    def link_noted(self, link: ApcLink, note: Note) -> None:
        """Something an operator may want to know."""
        ...


def wire_settings(dialler: DiallerSettings, pool: PoolSettings) -> AgentConnectionSettings:
    """Turn a site's settings into those of the wire."""
    return AgentConnectionSettings(
        code_page=dialler.code_page,
        greeting_limit_s=pool.greeting_limit_s,
        command_limit_s=pool.command_limit_s,
        headset_limit_s=pool.headset_limit_s,
        idle_probe_after_s=pool.idle_probe_s,
    )


class ApcLink:
    """One agent at one dialler, from dialling to the end. Used once.

    Args:
        flow: decides.
        dialler: where to.
        address: the same, with its TLS context.
        pool: limits.
        network: how to get there.
        clock: where time comes from.
        owner: hears of it.
    """

    def __init__(
        self,
        flow: AgentFlow,
        dialler: DiallerSettings,
        address: Address,
        pool: PoolSettings,
        *,
        network: Network,
        clock: Clock,
        owner: LinkOwner,
    ) -> None:
        self.session: SessionId = flow.seat.session
        self.dialler: LinkId = dialler.name
        self._flow = flow
        self._address = address
        self._limit_s = pool.link.connect_limit_s
        self._wire_settings = wire_settings(dialler, pool)
        self._network = network
        self._clock = clock
        self._owner = owner
        self._connection: AgentConnection | None = None
        self._pump: Pump[Event] | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._timer_at_s: float | None = None
        self._performing = False
        self._asked_s: dict[RequestId, float] = {}

    @property
    def is_logged_on(self) -> bool:
        """The session was told that it is logged on, and not yet that it is not."""
        return self._flow.seat.logged_on and not self._flow.ended

    @property
    def logon_name(self) -> str:
        """The agent's name at the dialler."""
        return self._flow.logon_name

    @property
    def holds_name(self) -> bool:
        """The dialler has taken the name and was not told goodbye: it may hold it for a while."""
        return self._flow.seat.place is not Place.CONNECTED

    def start(self) -> None:
        """Begin to connect. Must be called in the running loop."""
        self._dialling = asyncio.get_running_loop().create_task(self._dial(), name=f"dial {self.dialler}")
        self._perform()

    async def join(self) -> None:
        """Wait until the dialling task, if there is one, has ended."""
        if self._dialling is not None:
            await asyncio.wait({self._dialling})

    def ask(self, request: RequestId, ask: DiallerAsk | DiallerCommand, *, has_alternative: bool = False) -> None:
        """Pass an ask on. ``has_alternative``: another dialler would take this agent."""
        if not isinstance(ask, _LONG_ASKS):
            self._asked_s[request] = self._clock.now_s()
        self._flow.has_alternative = has_alternative
        self._flow.ask(request, ask, self._clock.now_s())
        self._perform()

    def took_s(self, request: RequestId) -> float | None:
        """Return how long an ask took that has just been answered; None for one that may well last calls."""
        asked_s = self._asked_s.pop(request, None)
        return None if asked_s is None else self._clock.now_s() - asked_s

    def drop(self) -> None:
        """Close at once, as asked; what is open is answered as unknown."""
        self._flow.drop(self._clock.now_s())
        self._perform()

    def lose(self, reason: str, detail: str) -> None:
        """End it because the whole dialler is gone."""
        self._flow.lose(reason, detail, self._clock.now_s())
        self._perform()

    # --- the transport

    async def _dial(self) -> None:
        try:
            await self._network.dial(self._make, self._address, self._limit_s)
        except (LinkNotReady, LinkRefused) as error:
            self._flow.not_reached(str(error), self._clock.now_s())
            self._perform()

    def _make(self) -> asyncio.Protocol:
        self._connection = AgentConnection(self._wire_settings, self._clock.now_s())
        self._pump = Pump(self._connection, clock=self._clock, on_event=self._on_event, on_lost=self._on_lost)
        if self._flow.ended:
            self._pump.abort()
        return self._pump

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Greeted):
            self._owner.link_greeted(self)
        self._flow.take(event, self._clock.now_s())
        self._perform()

    def _on_lost(self, reason: str, detail: str) -> None:
        self._flow.lose(reason, detail, self._clock.now_s())
        self._perform()

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at_s = None
        self._flow.handle_timer(self._clock.now_s())
        self._perform()

    # --- what the flow wants done

    def _perform(self) -> None:
        """Do what the flow wants. Doing it may make the flow want more: the outermost call does all of it."""
        if self._performing:
            return
        with self._owner.step():  # its end tells sessions, which may ask this link again: by then we must be through
            self._performing = True
            try:
                while actions := self._flow.take_actions():
                    for action in actions:
                        self._do(action)
                if self._pump is not None:
                    self._pump.poke()
                self._plan_timer()
            finally:
                self._performing = False

    def _do(self, action: Action) -> None:
        match action:
            case Send():
                self._send(action)
            case Report():
                self._owner.link_reported(self, action.fact)
            case Note():
                self._owner.link_noted(self, action)
            case HoldOff():
                self._owner.link_held_off(self, action.code)
            case Ended():
                self._close(action)
                self._owner.link_ended(self, action)
            case _:
                raise AssertionError(f"no row for {type(action).__name__}")

    def _send(self, action: Send) -> None:
        if self._connection is None or self._connection.ended:
            return  # its end has been reported, or is about to be
        try:
            self._connection.send_command(
                action.command, *action.segments, token=action.token, now_s=self._clock.now_s()
            )
        except LocalProtocolError as error:
            refused = Replied(token=action.token, command=action.command, outcome=Outcome.REFUSED, detail=str(error))
            self._flow.take(refused, self._clock.now_s())

    def _close(self, ended: Ended) -> None:
        if self._dialling is not None and self._dialling is not asyncio.current_task():
            self._dialling.cancel()
        if self._pump is not None:
            if ended.end in {End.LOGGED_OFF, End.REFUSED}:
                self._pump.close()
            else:
                self._pump.abort()

    def _plan_timer(self) -> None:
        at_s = self._flow.next_timer()
        if at_s == self._timer_at_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = None if at_s is None else self._clock.call_at(at_s, self._on_timer)
