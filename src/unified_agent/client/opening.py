"""Opening a session at the instance that should have it: asks any way in which one that is, then logs in there.

A way in may be an instance, a balancer or a name with several addresses. If none can say, or the instance that was
named is lost meanwhile, the others are asked one after the other in the agent's order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, NamedTuple

from unified_agent.client.errors import DeskError, InstanceUnreachable
from unified_agent.client.login import Login
from unified_agent.client.reaching import reach
from unified_agent.client.rest import Initiated, Opened, Rest
from unified_agent.client.servers import Servers
from unified_agent.client.topology import Topology, plain

#: How long one instance may take to answer a login while there is another to ask, seconds.
TRY_LIMIT_S: Final = 5.0
#: So often a request may be sent on to another instance.
HOPS_LIMIT: Final = 3


async def open_session(rest: Rest, servers: Servers, login: Login, limit_s: float) -> tuple[str, Opened]:
    """Initiate the session, and log in at the first server that takes the login, the one that was named before others.

    Returns:
        The server's URL and the session.

    Raises:
        LoginRefused: an instance does not take the login, and another would not either; or none takes it.
        InstanceUnreachable: none can be asked, or not within the limit.
    """
    try:
        async with asyncio.timeout(limit_s):
            named = await initiate(rest, servers, login.agent)
            return await _open_at_one(rest, servers, login, limit_s, named)
    except TimeoutError as error:
        raise InstanceUnreachable(f"none of {', '.join(servers.seeds)} took the login within {limit_s:g} s") from error


class Named(NamedTuple):
    """The instance that is to take the login, and the ticket for it; both empty when nobody named one."""

    url: str = ""
    ticket: str = ""


async def initiate(rest: Rest, servers: Servers, agent: str) -> Named:
    """Ask the seeds which instance is to take an agent, and which there are; the first answer counts.

    One that can name none tells at least which there are. No answer at all is no error.
    """

    async def ask(url: str) -> Initiated | Topology:
        answer = await rest.initiate(url, agent) or await rest.topology(url)
        if answer is None:
            raise ConnectionError(url)
        return answer

    match (await reach(servers.seeds, ask, lambda _: None)).what:
        case Initiated() as initiated:
            servers.learn(initiated.topology)
            url = plain(initiated.instance.url)
            if servers.suggest(url):
                return Named(url, initiated.ticket)
        case Topology() as topology:
            servers.learn(topology)
    return Named()


async def _open_at_one(rest: Rest, servers: Servers, login: Login, limit_s: float, named: Named) -> tuple[str, Opened]:
    loop = asyncio.get_running_loop()
    waiting, hops = deque(servers.order(loop.time())), 0
    problem: DeskError = InstanceUnreachable(f"none of {', '.join(servers.seeds)} is there")
    while waiting:
        url = waiting.popleft()
        try:
            entry = named.ticket if url == named.url else ""
            answer = await rest.open(url, login, min(limit_s, TRY_LIMIT_S) if waiting else limit_s, entry=entry)
        except InstanceUnreachable as error:
            servers.failed(url, loop.time())
            problem = error
            continue
        if isinstance(answer, Opened):
            servers.succeeded(url)
            return url, answer
        problem = answer.error
        if answer.next_url and hops < HOPS_LIMIT and servers.suggest(answer.next_url):
            hops += 1
            waiting.appendleft(answer.next_url)
        elif not answer.is_elsewhere:
            break
    raise problem
