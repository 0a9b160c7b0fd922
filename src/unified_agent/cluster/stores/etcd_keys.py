"""Our keys as etcd's: the prefix of the installation put before and taken off, text to bytes and back."""

from __future__ import annotations

from typing import Any

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import Entry, LeaseId, Removed, Revision


class Keys:
    """Args: ``prefix``: of the installation, ending with ``/``."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.encode()

    def out(self, key: str) -> bytes:
        """Return etcd's key."""
        return self._prefix + key.encode()

    def span(self, prefix: str) -> tuple[bytes, bytes]:
        """Return the first key of a range and the first one after it, for all keys below a prefix.

        The end is the prefix with its last byte one higher; our keys are UTF-8, so that byte is never 255.
        """
        first = self.out(prefix)
        assert first, "the whole of etcd is never ours"
        return first, first[:-1] + bytes([first[-1] + 1])

    def entry(self, kv: Any) -> Entry:
        """Read a KeyValue."""
        return Entry(
            key=self._name(kv.key),
            value=kv.value,
            created=Revision(kv.create_revision),
            revision=Revision(kv.mod_revision),
            lease=LeaseId(kv.lease) if kv.lease else None,
        )

    def event(self, event: Any) -> Entry | Removed:
        """Read an Event."""
        if event.type == pb.DELETE:
            return Removed(key=self._name(event.kv.key), revision=Revision(event.kv.mod_revision))
        return self.entry(event.kv)

    def _name(self, key: bytes) -> str:
        return key[len(self._prefix) :].decode(errors="replace")
