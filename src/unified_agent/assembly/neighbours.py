"""Where agents live and desktops may go, for an instance of a cluster and for one that is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unified_agent.cluster.registration import Place
from unified_agent.cluster.whereabouts import Whereabouts as ClusterWhereabouts
from unified_agent.server.alone import Alone
from unified_agent.server.ports import Whereabouts

if TYPE_CHECKING:
    from unified_agent.assembly.instance import Instance


def whereabouts_of(instance: Instance, place: Place) -> Whereabouts:
    """Make the port ``Whereabouts`` of the server.

    Args:
        instance: whose cluster, if any, is made.
        place: itself; its URL may be known only when it listens.
    """
    settings = instance.settings.cluster
    if instance.cluster is not None:
        return ClusterWhereabouts(instance.cluster, settings.name, settings.reconnect_window_ms, instance.clock)
    return Alone(
        settings.name,
        place.instance,
        place.datacentre,
        lambda: place.url,
        capacity=place.capacity,
        reconnect_window_ms=settings.reconnect_window_ms,
        is_draining=lambda: instance.draining,
        sessions=lambda: len(instance.host),
    )
