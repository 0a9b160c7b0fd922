"""The servers that one desk may try, and in which order. Pure: time is an argument.

Given ones, the *seeds*, come from the caller and stay. Learned ones come from an instance's own list. The order is that
of every desktop (``docs/reference/desktop-protocol.md``): the last good one, then the one that a server suggested, then
the ready ones of the active datacentre in the agent's order, those of them that lack something, draining ones, the
seeds, the other datacentre, and at last what is down or not there yet. What has just failed is tried after all
else, the longest ago first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unified_agent.client.topology import (
    RECONNECT_WINDOW_MS,
    InstanceEntry,
    Topology,
    leads_somewhere,
    plain,
)
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import rank

#: A server that failed is tried after the others for so long, seconds.
AVOID_S: Final = 10.0
#: One that said goodbye is tried after those, seconds.
LEAVING_S: Final = 60.0
#: After so many switches to another server within ``SWITCHES_S`` the present one is kept for ``HOLD_S``.
SWITCHES_LIMIT: Final = 3
SWITCHES_S: Final = 60.0
HOLD_S: Final = 10.0
#: How many others are asked for what they think of a silent one.
WITNESSES: Final = 2

_READY, _LACKING, _DRAINING, _SEED, _OTHER_DATACENTRE, _NOT_THERE = range(6)


class Servers:
    """The servers of one desk.

    Attributes:
        seeds: URLs given by the caller, in its order; at least one.
        topology: the newest list learned, None before the first.
        last_good: the server that served us last, empty before the first.
    """

    __slots__ = (
        "_agent",
        "_avoided",
        "_busy",
        "_securely",
        "_suggested",
        "_switches",
        "last_good",
        "seeds",
        "topology",
    )

    def __init__(self, seeds: Sequence[str], agent: str) -> None:
        if not seeds:
            raise ValueError("at least one server must be given")
        self.seeds: Final = tuple(dict.fromkeys(plain(url) for url in seeds))
        self.topology: Topology | None = None
        self.last_good = ""
        self._agent = agent
        self._securely = all(url.startswith("https://") for url in self.seeds)
        self._suggested = ""
        self._avoided: dict[str, float] = {}
        self._busy: dict[str, float] = {}
        self._switches: tuple[float, ...] = ()

    # --- what was learned

    def learn(self, topology: Topology) -> bool:
        """Take an instance's list in the place of the one before, unless that is newer.

        Returns:
            Whether it was taken.
        """
        if self.topology is not None and not topology.is_newer_than(self.topology):
            return False
        self.topology = topology
        return True

    def suggest(self, url: str) -> bool:
        """Know where a server said we should go: tried right after the last good one, until it has failed.

        Returns:
            Whether we may go there at all; see ``leads_somewhere``.
        """
        if not leads_somewhere(url, securely=self._securely):
            return False
        self._suggested = plain(url)
        self._avoided.pop(self._suggested, None)
        return True

    def succeeded(self, url: str) -> None:
        """Know that a server serves us."""
        self.last_good = plain(url)
        self._suggested = ""
        self._avoided.pop(self.last_good, None)

    def failed(self, url: str, now_s: float, for_s: float = AVOID_S) -> None:
        """Know that a server does not serve us: nobody answers, or others say that it is dead."""
        self._avoided = _still(self._avoided, now_s)
        self._avoided[plain(url)] = now_s + for_s
        if self._suggested == plain(url):
            self._suggested = ""

    def leaves(self, url: str, now_s: float) -> None:
        """Know that a server said that it goes: it is the last to be tried, even if it serves us still."""
        self.failed(url, now_s, LEAVING_S)

    def busy(self, url: str, until_s: float, now_s: float) -> None:
        """Know that a server asked to be left alone for a while."""
        self._busy = _still(self._busy, now_s)
        self._busy[plain(url)] = until_s

    def switched(self, now_s: float) -> None:
        """Count a switch to another server that was of our own choice."""
        self._switches = (*self._switches, now_s)[-SWITCHES_LIMIT:]

    # --- what follows from it

    @property
    def window_s(self) -> float:
        """The bound of the first delay before coming back, seconds."""
        return RECONNECT_WINDOW_MS / 1000.0 if self.topology is None else self.topology.window_s

    def order(self, now_s: float) -> tuple[str, ...]:
        """Return the servers in the order in which they are to be tried now.

        Without those that are busy, so it may be empty; see ``free_at_s``. Only the last good one while we hold.
        """
        free = [url for url in self._all() if self._busy.get(url, now_s) <= now_s]
        if self.last_good in free and self._holds(now_s):
            return (self.last_good,)
        return tuple(sorted(free, key=lambda url: self._avoided_until_s(url, now_s)))

    def free_at_s(self, now_s: float) -> float:
        """Return when the first of them may be tried: now, unless all are busy."""
        return max(now_s, min(self._busy.get(url, now_s) for url in self._all()))

    def instead_of(self, url: str, now_s: float) -> tuple[str, ...]:
        """Return the servers to go to from one that still serves us but wants us to go: ready ones only."""
        ready = [each for place, each in self._ordered() if place in {_READY, _LACKING}]
        return tuple(each for each in ready if each != plain(url) and not self._avoided_until_s(each, now_s))

    def witnesses(self, instance: str) -> tuple[str, ...]:
        """Return whom to ask for a second opinion of an instance: the first ones in our order, but for itself."""
        itself = {plain(each.url) for each in self._instances() if each.id == instance}
        others = [each for place, each in self._ordered() if each not in itself and place != _NOT_THERE]
        return tuple(others[:WITNESSES])

    # --- inside

    def _holds(self, now_s: float) -> bool:
        switches = self._switches
        return len(switches) == SWITCHES_LIMIT and now_s - switches[0] < SWITCHES_S and now_s - switches[-1] < HOLD_S

    def _avoided_until_s(self, url: str, now_s: float) -> float:
        """Until when it is tried after the others; 0 when it is not."""
        until_s = self._avoided.get(url, 0.0)
        return until_s if until_s > now_s else 0.0

    def _instances(self) -> tuple[InstanceEntry, ...]:
        return () if self.topology is None else self.topology.instances

    def _all(self) -> list[str]:
        """All in the order of their places, each once."""
        first = [url for url in (self.last_good, self._suggested) if url]
        instances = self._ordered()
        if len(instances) < 2:  # nothing to choose, and the caller's own way there is known to be one
            return list(dict.fromkeys([*first, *self.seeds, *(url for _, url in instances)]))
        before = [url for place, url in instances if place < _SEED]
        after = [url for place, url in instances if place > _SEED]
        return list(dict.fromkeys([*first, *before, *self.seeds, *after]))

    def _ordered(self) -> list[tuple[int, str]]:
        """Instances that we may go to, with the kind of their place, in the agent's order within each."""
        known = [each for each in self._instances() if leads_somewhere(each.url, securely=self._securely)]
        ranked = sorted(
            known, key=lambda each: (self._kind(each), -rank(AgentId(self._agent), InstanceId(each.id)), each.id)
        )
        return [(self._kind(each), plain(each.url)) for each in ranked]

    def _kind(self, entry: InstanceEntry) -> int:
        if entry.state not in {"ready", "draining"}:
            return _NOT_THERE
        if self.topology is None or entry.datacentre != self.topology.active:
            return _OTHER_DATACENTRE
        if entry.state == "draining":
            return _DRAINING
        return _READY if entry.weight > 0 else _LACKING


def _still(until: dict[str, float], now_s: float) -> dict[str, float]:
    return {url: until_s for url, until_s in until.items() if until_s > now_s}
