"""What can be done to a cluster, by a fault or by a person. Each function strikes, and says whose desktops must go on
elsewhere; ``heal`` undoes all of them.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from unified_agent.client import Desk
from unified_agent.tools.chaos.places import DATACENTRES, INSTANCES, MEMBERS, THIRD, Host, at
from unified_agent.tools.chaos.plan import url_of
from unified_agent.tools.chaos.world import ClusterWorld
from unified_agent.tools.load.agents import Crowd

#: A line across the country on a bad day.
BAD_DELAY_S: Final = 0.04
BAD_JITTER_S: Final = 0.02
BAD_LOSS: Final = 0.02

_BY_URL: Final = {url_of(host): host.name for host in INSTANCES}
#: What a fault returns: names of the instances that serve nobody any more.
Struck = frozenset[str]
NOBODY: Final[Struck] = frozenset()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where faults strike: the cluster, and the agents on it."""

    world: ClusterWorld
    crowd: Crowd

    def desks(self) -> Iterator[tuple[str, Desk]]:
        """All desktops that somebody serves, with the instance that does."""
        return ((_BY_URL[desk.server], desk) for _, desk in self.crowd.logged_in() if desk.server in _BY_URL)

    def served(self) -> Counter[str]:
        """Count the desktops that each instance serves."""
        return Counter(host for host, _ in self.desks())

    def busiest(self) -> Host:
        """Return the instance that serves most desktops."""
        served = self.served()
        return max(INSTANCES, key=lambda host: served[host.name])

    def active(self) -> str:
        """Return the datacentre where desktops are served."""
        return self.busiest().site

    def passive(self) -> str:
        """Return the other datacentre."""
        return next(site for site in DATACENTRES if site != self.active())


async def kill(scene: Scene) -> Struck:
    """Kill the serving process of one instance; its guardian lives and proves it."""
    host = scene.busiest()
    scene.world.signal_serving(host.name, signal.SIGKILL)
    return frozenset({host.name})


async def freeze(scene: Scene) -> Struck:
    """Stop the serving process of one instance; its guardian finds it stuck and kills it."""
    host = scene.busiest()
    scene.world.signal_serving(host.name, signal.SIGSTOP)
    return frozenset({host.name})


async def pause(scene: Scene) -> Struck:
    """Stop a whole host longer than its lease, guardian and network too; healing lets it go on where it was."""
    host = scene.busiest()
    await scene.world.network.cut_both(host.name, "")  # a machine that stands still answers no packet either
    scene.world.signal_host(host.name, signal.SIGSTOP)
    return frozenset({host.name})


async def lose_host(scene: Scene) -> Struck:
    """Cut a host off from everything; its processes live on."""
    host = scene.busiest()
    await scene.world.network.cut_both(host.name, "")
    return frozenset({host.name})


async def mute_host(scene: Scene) -> Struck:
    """Lose everything that a host sends; it still hears all others."""
    host = scene.busiest()
    await scene.world.network.cut(host.name, "")
    return frozenset({host.name})


async def cut_from_store(scene: Scene) -> Struck:
    """Cut an instance off from the store alone; desktops and the other instances reach it."""
    host = scene.busiest()
    for member in MEMBERS:
        await scene.world.network.cut_both(host.name, member.name)
    return frozenset({host.name})


async def cut_datacentres(scene: Scene) -> Struck:
    """Cut the line between the datacentres; both still reach the third site."""
    await scene.world.network.cut_both(*DATACENTRES)
    return NOBODY


async def cut_one_way(scene: Scene) -> Struck:
    """Lose what the passive datacentre sends to the active one, and not what comes back."""
    await scene.world.network.cut(scene.passive(), scene.active())
    return NOBODY


async def cut_active_off(scene: Scene) -> Struck:
    """Cut the active datacentre off from the other and from the third site; desktops still reach it."""
    active = scene.active()
    await scene.world.network.cut_both(active, scene.passive())
    await scene.world.network.cut_both(active, THIRD)
    return frozenset(host.name for host in at(active, INSTANCES))


async def spoil_line(scene: Scene) -> Struck:
    """Let the line between the datacentres delay and lose."""
    await scene.world.network.spoil_line(*DATACENTRES, delay_s=BAD_DELAY_S, jitter_s=BAD_JITTER_S, loss=BAD_LOSS)
    return NOBODY


async def kill_store_leader(scene: Scene) -> Struck:
    """Kill the leader of the store."""
    leader = await scene.world.store.leader()
    assert leader is not None, "a whole cluster has one"
    await leader.kill()
    return NOBODY


async def freeze_store_leader(scene: Scene) -> Struck:
    """Stop the leader of the store where it is."""
    leader = await scene.world.store.leader()
    assert leader is not None, "a whole cluster has one"
    leader.freeze()
    return NOBODY


async def lose_store(scene: Scene) -> Struck:
    """Kill three of the five members: there is no store for anybody."""
    for host in MEMBERS[:3]:
        await scene.world.store.members[host.name].kill()
    return NOBODY


async def kill_datacentre(scene: Scene) -> Struck:
    """Kill everything at the active datacentre: instances, guardians and members of the store."""
    active = scene.active()
    await scene.world.kill_site(active)
    return frozenset(host.name for host in at(active, INSTANCES))


async def drain(scene: Scene) -> Struck:
    """Order an instance to hand its agents over, through another one."""
    host = scene.busiest()
    through = next(each for each in at(host.site, INSTANCES) if each != host)
    await scene.world.order(through, f"/v1/cluster/instances/{host.name}/drain")
    return frozenset({host.name})


async def switch(scene: Scene) -> Struck:
    """Order the other datacentre to become active, in good order."""
    there = scene.passive()
    through = at(there, INSTANCES)[0]
    asked = await scene.world.order(through, "/v1/cluster/activate", {"datacentre": there})
    confirm = {"datacentre": there, "confirm": asked["plan"]["confirm"]}
    struck = frozenset(host.name for host in at(scene.active(), INSTANCES))
    await scene.world.order(through, "/v1/cluster/activate", confirm)
    return struck


async def heal(scene: Scene) -> None:
    """Undo everything: mend the network, let go on what was stopped, start what was killed, wait until all is whole.

    Raises:
        ChildFailed, WorldUnreachable: it does not become whole again.
    """
    world = scene.world
    await world.network.mend()
    for member in world.store.members.values():
        member.thaw()
    for host in INSTANCES:
        world.signal_host(host.name, signal.SIGCONT)
    await world.start_missing()
    await world.until_whole()


async def resume(scene: Scene) -> None:
    """Let every drained instance take agents again."""
    for host in INSTANCES:
        await scene.world.order(host, f"/v1/cluster/instances/{host.name}/resume")
    await scene.world.until_whole()
