"""What one reader knows of a prefix: takes what a watch tells and says what that changed.

The same leave is told whether a key's removal was watched or only found out by a fresh snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from unified_agent.cluster.stores.base import ABSENT, Changes, Entry, Removed, Revision, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key before and after; None: it was not, or is not, there. The two are never alike."""

    key: str
    before: Entry | None
    after: Entry | None


class View:
    """Entries below a prefix as of ``revision``. Applying something old changes nothing."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._revision = ABSENT
        self._complete = False

    @property
    def revision(self) -> Revision:
        """Every change up to this one is in it."""
        return self._revision

    @property
    def complete(self) -> bool:
        """Whether a snapshot has come; before that nothing may be concluded from a key's absence."""
        return self._complete

    @property
    def entries(self) -> Mapping[str, Entry]:
        """What is there now; shows later changes too."""
        return MappingProxyType(self._entries)

    def get(self, key: str) -> Entry | None:
        """Return one entry."""
        return self._entries.get(key)

    def apply(self, told: Snapshot | Changes) -> tuple[Difference, ...]:
        """Take what a watch told; return what that changed, in order, a snapshot's in the order of keys.

        A snapshot always wins, also one of a smaller revision: then the store itself was put back.
        """
        if isinstance(told, Snapshot):
            return self._replace(told)
        differences = []
        for event in told.events:
            if event.revision <= self._revision:
                continue
            before = self._entries.get(event.key)
            if isinstance(event, Removed):
                if before is not None:
                    del self._entries[event.key]
                    differences.append(Difference(key=event.key, before=before, after=None))
            else:
                self._entries[event.key] = event
                differences.append(Difference(key=event.key, before=before, after=event))
        self._revision = max(self._revision, told.revision)
        return tuple(differences)

    def _replace(self, told: Snapshot) -> tuple[Difference, ...]:
        old, self._entries = self._entries, dict(told.entries)
        self._revision, self._complete = told.revision, True
        pairs = ((key, old.get(key), self._entries.get(key)) for key in sorted(old.keys() | self._entries.keys()))
        return tuple(Difference(key=key, before=before, after=after) for key, before, after in pairs if before != after)
