"""What the instances say of their cluster: which there are, where, and what each can do. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

#: The bound of the first delay before coming back, ms, while no instance has said another.
RECONNECT_WINDOW_MS: Final = 2_000
#: The longest such bound that is obeyed, ms.
LONGEST_WINDOW_MS: Final = 30_000
#: Addresses to listen on, which lead nowhere when they are dialled.
_NOWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, not bound


class InstanceEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One instance.

    Attributes:
        id: its name.
        url: where desktops reach it directly.
        state: ``ready``, ``draining``, ``joining`` or ``down``; any other word is like ``down``.
        weight: how much of the load it should get; nothing while it lacks a link that others have.
    """

    id: str
    url: str
    datacentre: str = ""
    state: str = "ready"
    weight: int = 1


class Topology(Struct, frozen=True, kw_only=True):
    """A cluster as one instance knew it.

    Attributes:
        cluster: its name.
        epoch: grows with each change of the active datacentre.
        version: grows with each change known.
        active: name of the active datacentre, empty for none.
        reconnect_window_ms: desktops that lose their instance come back spread over this time.
    """

    cluster: str
    epoch: int
    version: int
    active: str = ""
    reconnect_window_ms: int = RECONNECT_WINDOW_MS
    instances: tuple[InstanceEntry, ...] = ()

    @property
    def window_s(self) -> float:
        """The window within its limits, seconds."""
        return min(max(self.reconnect_window_ms, 0), LONGEST_WINDOW_MS) / 1000.0

    def is_newer_than(self, other: Topology) -> bool:
        """Say whether it takes the place of another: known later, or of another cluster."""
        return self.cluster != other.cluster or (self.epoch, self.version) > (other.epoch, other.version)


@lru_cache(maxsize=64)
def decode_topology(data: bytes) -> Topology:
    """Read the answer to ``GET /v1/topology``, or a ``topology`` frame.

    A thousand desks of one process are told the same bytes: they share what is made of them.

    Raises:
        msgspec.DecodeError: it is not as described.
    """
    return msgspec.json.decode(data, type=Topology)


def plain(url: str) -> str:
    """Return a URL without a slash at the end, as servers are compared."""
    return url.rstrip("/")


def leads_somewhere(url: str, *, securely: bool) -> bool:
    """Say whether a URL that an instance told may be gone to.

    Args:
        url: as told.
        securely: whether only ``https://`` will do, because we were given nothing else.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ({"https"} if securely else {"http", "https"}) and host not in _NOWHERE
