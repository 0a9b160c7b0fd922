"""The roll of the cluster, as one instance has read it: who is registered, whom each would ask, who is active.

Made of what a watch tells of everything below ``CLUSTER_PREFIX``. Decodes each value once, when it comes; one that
cannot be read counts as not there, and is told in the log. Who is registered is asked with every heartbeat, at every
door and after every change of anybody's listing, so it is put together only when it has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from msgspec import Struct

from unified_agent.cluster.activation import Active
from unified_agent.cluster.stores.base import Changes, Entry, Revision, Snapshot
from unified_agent.cluster.stores.view import View
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import (
    ACTIVE_KEY,
    CLUSTER_PREFIX,
    Ended,
    ended_key,
    instance_key,
    listing_key,
)
from unified_agent.cluster.values import Node, read_value
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.roll")

_NODES: Final = f"{CLUSTER_PREFIX}node/"
_KINDS: Final = {
    _NODES: Node,
    f"{CLUSTER_PREFIX}listing/": Listing,
    f"{CLUSTER_PREFIX}ended/": Ended,
    ACTIVE_KEY: Active,
}

ValueT = TypeVar("ValueT", Node, Listing, Ended, Active)


class Registered(Struct, frozen=True, kw_only=True):
    """One registered instance.

    Attributes:
        incarnation: revision at which its key was made.
        revision: of the last change of its key.
    """

    instance: InstanceId
    datacentre: str
    incarnation: int
    revision: int
    node: Node


class Departed(Struct, frozen=True):
    """An incarnation whose key is gone."""

    instance: InstanceId
    datacentre: str
    incarnation: int


class Roll:
    """What is below ``CLUSTER_PREFIX``, typed."""

    def __init__(self) -> None:
        self._view = View()
        self._values: dict[str, Struct] = {}
        self._registered: dict[str, Registered] = {}
        self._in_order: tuple[Registered, ...] = ()
        self._urls: frozenset[str] = frozenset()

    @property
    def revision(self) -> Revision:
        """Every change up to this one is in it."""
        return self._view.revision

    @property
    def is_complete(self) -> bool:
        """Whether it has been read as a whole; before that nothing follows from an absence."""
        return self._view.complete

    def take(self, told: Snapshot | Changes) -> tuple[Departed, ...]:
        """Take what a watch told; returns the incarnations that have ended by it."""
        departed = []
        nodes_changed = False
        for each in self._view.apply(told):
            if each.after is None:
                self._values.pop(each.key, None)
            else:
                self._read(each.key, each.after)
            if not each.key.startswith(_NODES):
                continue
            nodes_changed = True
            self._register(each.key, each.after)
            if each.before is not None and (each.after is None or each.after.created != each.before.created):
                datacentre, instance = _place(each.key)
                departed.append(Departed(instance, datacentre, each.before.created))
        if nodes_changed:
            self._in_order = tuple(self._registered[key] for key in sorted(self._registered))
        return tuple(departed)

    def registered(self) -> tuple[Registered, ...]:
        """All registered instances, in the order of their keys."""
        return self._in_order

    def find(self, datacentre: str, instance: InstanceId) -> Registered | None:
        """Return one registered instance."""
        return self._registered.get(instance_key(datacentre, instance))

    def listing(self, datacentre: str, instance: InstanceId) -> tuple[Listing | None, Revision]:
        """Return whom an instance would ask, and the revision of that; (None, 0) for nothing."""
        return self._value(Listing, listing_key(datacentre, instance))

    def ended(self, datacentre: str, instance: InstanceId) -> int:
        """Return the highest incarnation that is proven to have ended; 0 for none."""
        value, _ = self._value(Ended, ended_key(datacentre, instance))
        return value.incarnation if value is not None else 0

    def active(self) -> tuple[Active | None, Revision]:
        """Return the record of the active datacentre, and its revision."""
        return self._value(Active, ACTIVE_KEY)

    def urls(self) -> frozenset[str]:
        """Return where desktops reach instances, and reached those that are gone and left a listing."""
        return self._urls

    def others_serve(self, here: str) -> bool:
        """Say whether the record names another datacentre than this one, and it is not being handed over."""
        active, _ = self.active()
        return active is not None and not active.handed_to and active.datacentre != here

    def listings(self, datacentre: str) -> Iterator[tuple[InstanceId, Listing]]:
        """All listings of a datacentre, by instance."""
        prefix = listing_key(datacentre, InstanceId(""))
        for key in sorted(self._values):
            value = self._values[key]
            if key.startswith(prefix) and isinstance(value, Listing):
                yield InstanceId(key.removeprefix(prefix)), value

    def _register(self, key: str, entry: Entry | None) -> None:
        """Note one key of an instance as it is now."""
        node = self._values.get(key)
        if entry is None or not isinstance(node, Node):
            self._registered.pop(key, None)
            return
        datacentre, instance = _place(key)
        self._registered[key] = Registered(
            instance=instance, datacentre=datacentre, incarnation=entry.created, revision=entry.revision, node=node
        )

    def _value(self, kind: type[ValueT], key: str) -> tuple[ValueT | None, Revision]:
        entry, value = self._view.get(key), self._values.get(key)
        if entry is None:
            return None, Revision(0)
        return (value if isinstance(value, kind) else None), entry.revision

    def _read(self, key: str, entry: Entry) -> None:
        kind: Any = next((kind for prefix, kind in _KINDS.items() if key.startswith(prefix)), None)
        self._values.pop(key, None)
        if kind is None:
            return  # of a later version
        try:
            value = read_value(kind, entry)
        except RemoteProtocolError as error:
            log_event(LOGGER, "value_not_understood", level="error", key=key, why=str(error))
            return
        self._values[key] = value
        if isinstance(value, Node | Listing) and value.url and value.url not in self._urls:
            self._urls |= {value.url}


def _place(key: str) -> tuple[str, InstanceId]:
    datacentre, _, instance = key.removeprefix(_NODES).partition("/")
    return datacentre, InstanceId(instance)
