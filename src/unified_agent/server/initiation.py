"""Session initiation: the one request by which a desktop learns which instance is to serve its agent, and where that
is.

Any instance answers, for itself or another: what a balancer, a name with several addresses or a list led to need not be
what serves. The choice is ``domain.selection``'s: the instance that has the agent while it is sound, else by load.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Annotated, Final

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import Parameter
from msgspec import Struct

from unified_agent.domain.commands import END
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.domain.topology import Next, Topology
from unified_agent.domain.view import rfc3339
from unified_agent.observe import Metrics
from unified_agent.server.auth import LoginLimiter
from unified_agent.server.desk_api import DeskRequest, problems
from unified_agent.server.entry_tickets import LIFETIME_S, EntryTickets
from unified_agent.server.failures import RequestRefused
from unified_agent.server.ports import Whereabouts

#: From sending an agent to an instance until that one's own count of agents, heard by heartbeat, has it surely.
PROMISE_S: Final = 3.0
#: When to ask again while no instance can take an agent, seconds.
FULL_RETRY_S: Final = 15.0
NOT_SERVING_RETRY_S: Final = 2.0

#: An agent's id at the switch, or nothing.
AGENT_PATTERN: Final = r"^[0-9]{0,15}" + END
AgentQuery = Annotated[
    str,
    Parameter(
        pattern=AGENT_PATTERN,
        description="The agent's id at the switch: whoever has a session is sent to the instance that has it.",
    ),
]


class InitiationBody(Struct, kw_only=True, frozen=True):
    """Where to log in, and all that is needed to find another place if that one is lost meanwhile.

    Attributes:
        instance: the one to use, and its own URL; everything from now on goes there directly.
        ticket: give it to the login as ``entry``. It is no secret.
        ticket_s: how long it is good for, seconds.
        reason: why that instance, in a sentence, for people.
        topology: all instances, to be kept.
    """

    instance: Next
    ticket: str
    ticket_s: float
    reason: str
    now: str
    topology: Topology


class Promises:
    """Agents sent to instances so lately that those may not count them yet."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._made: deque[tuple[float, InstanceId]] = deque()
        self._counts: Counter[InstanceId] = Counter()

    def add(self, instance: InstanceId) -> None:
        """Remember that an agent was sent there."""
        self._made.append((self._now_s(), instance))
        self._counts[instance] += 1

    def counts(self) -> Mapping[InstanceId, int]:
        """Return how many were sent to each within ``PROMISE_S``."""
        since_s = self._now_s() - PROMISE_S
        while self._made and self._made[0][0] <= since_s:
            _, instance = self._made.popleft()
            self._counts[instance] -= 1
        return self._counts


class Initiation:
    """Chooses, and answers with what a desktop needs."""

    def __init__(
        self,
        *,
        whereabouts: Whereabouts,
        tickets: EntryTickets,
        limiter: LoginLimiter,
        clock: Clock,
        metrics: Metrics,
        make_secret: Callable[[int], str],
    ) -> None:
        self._whereabouts = whereabouts
        self._tickets = tickets
        self._limiter = limiter
        self._clock = clock
        self._metrics = metrics
        self._make_secret = make_secret
        self._promises = Promises(clock.now_s)

    async def begin(self, agent: str, address: str) -> InitiationBody:
        """Choose an instance for an agent, or for anybody when none is named.

        Args:
            agent: digits, or empty.
            address: of who asks.

        Raises:
            RequestRefused: ``cluster.full`` or ``cluster.not-serving``, with when to ask again; ``login.too-many``.
        """
        wait_s = self._limiter.wait_s(address)
        if wait_s:
            raise RequestRefused("login.too-many", f"try again in {wait_s:.0f} s", retry_after_s=wait_s)
        # Whoever does not say who they are gets a place of their own in everybody's order.
        who = AgentId(agent or self._make_secret(8))
        chosen = await self._whereabouts.choose(who, self._promises.counts(), is_known=bool(agent))
        outcome = "chosen" if chosen.next else "full" if chosen.is_full else "not-serving"
        self._metrics.initiations.labels(outcome=outcome).inc()
        if chosen.next is None:
            if chosen.is_full:
                raise RequestRefused("cluster.full", chosen.reason, retry_after_s=FULL_RETRY_S)
            raise RequestRefused("cluster.not-serving", chosen.reason, retry_after_s=NOT_SERVING_RETRY_S)
        self._promises.add(chosen.next.id)
        return InitiationBody(
            instance=chosen.next,
            ticket=self._tickets.write(AgentId(agent), chosen.next.id),
            ticket_s=LIFETIME_S,
            reason=chosen.reason,
            now=rfc3339(self._clock.now_s()),
            topology=self._whereabouts.topology(),
        )


class InitiationController(Controller):
    """The way in."""

    tags = ("desk",)

    @get(
        "/v1/entry",
        operation_id="initiate",
        summary="Which instance is to serve an agent",
        response_description="The instance, its own URL, a ticket for the login there, and all instances.",
        responses=problems(
            "request.invalid", "origin.refused", "login.too-many", "cluster.full", "cluster.not-serving"
        ),
    )
    async def initiate(
        self, initiation: NamedDependency[Initiation], request: DeskRequest, agent: AgentQuery = ""
    ) -> InitiationBody:
        """Public: asked once, through whatever leads to the cluster; then the desktop talks to that instance."""
        body = await initiation.begin(agent, request.client.host if request.client else "")
        request.scope["state"]["route"] = body.instance.id
        return body
