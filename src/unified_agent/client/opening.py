"""Opening a session at the instance that should have it: learns which there are, then asks one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from unified_agent.client.errors import DeskError, InstanceUnreachable
from unified_agent.client.login import Login
from unified_agent.client.reaching import reach
from unified_agent.client.rest import Opened, Rest
from unified_agent.client.servers import Servers
from unified_agent.client.topology import Topology

#: How long one instance may take to answer a login while there is another to ask, seconds.
TRY_LIMIT_S: Final = 5.0
#: So often a request may be sent on to another instance.
HOPS_LIMIT: Final = 3


async def open_session(rest: Rest, servers: Servers, login: Login, limit_s: float) -> tuple[str, Opened]:
    """Learn the topology, and log in at the first server in the agent's order that takes the login.

    Returns:
        The server's URL and the session.

    Raises:
        LoginRefused: an instance does not take the login, and another would not either; or none takes it.
        InstanceUnreachable: none can be asked, or not within the limit.
    """
    try:
        async with asyncio.timeout(limit_s):
            await learn_topology(rest, servers)
            return await _open_at_one(rest, servers, login, limit_s)
    except TimeoutError as error:
        raise InstanceUnreachable(f"none of {', '.join(servers.seeds)} took the login within {limit_s:g} s") from error


async def learn_topology(rest: Rest, servers: Servers) -> None:
    """Ask the seeds which instances there are; the first answer counts, and none is no error."""

    async def ask(url: str) -> Topology:
        topology = await rest.topology(url)
        if topology is None:
            raise ConnectionError(url)
        return topology

    reached = await reach(servers.seeds, ask, lambda _: None)
    if reached.what is not None:
        servers.learn(reached.what)


async def _open_at_one(rest: Rest, servers: Servers, login: Login, limit_s: float) -> tuple[str, Opened]:
    loop = asyncio.get_running_loop()
    waiting, hops = deque(servers.order(loop.time())), 0
    problem: DeskError = InstanceUnreachable(f"none of {', '.join(servers.seeds)} is there")
    while waiting:
        url = waiting.popleft()
        try:
            answer = await rest.open(url, login, min(limit_s, TRY_LIMIT_S) if waiting else limit_s)
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
