"""Which host reaches which, and how long it takes: sites, partitions, delays.

A place is the name of a host, the name of a site (a group of hosts), or EVERYWHERE. Each trouble is an object that ends
by itself, so that several overlap and each ends in its own time; ``heal`` ends all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

#: Every host that is not within the other place.
EVERYWHERE: Final = "*"
#: One way from host to host, seconds.
DELAY_S: Final = (0.0002, 0.002)
#: One way between two sites, besides.
DISTANCE_S: Final = (0.002, 0.008)

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What a slow way adds.

    Attributes:
        extra_s: to everything.
        stall_share: of what is sent, that is lost and sent again; what follows waits behind it, as in TCP.
        stall_s: how long that takes.
    """

    extra_s: Span = (0.0, 0.0)
    stall_share: float = 0.0
    stall_s: Span = (0.2, 3.0)


class Trouble:
    """A silence or a slowness between two places, until it is ended."""

    def __init__(self, ways: frozenset[tuple[str, str]], delay: Delay | None, end: Callable[[Trouble], None]) -> None:
        self.ways: Final = ways
        self.delay: Final = delay
        self._end = end

    def end(self) -> None:
        """Let it be over; harmless when it is."""
        self._end(self)


class Reach:
    """The map. ``changed``: called after every change of who reaches whom."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._sites: dict[str, str] = {}
        self._troubles: dict[Trouble, None] = {}
        self._known: dict[tuple[str, str], tuple[bool, tuple[Delay, ...]]] = {}
        self.changed: list[Callable[[], None]] = []

    def place(self, host: str, site: str) -> None:
        """Put a host into a site; hosts of no site are near to all."""
        self._sites[host] = site
        self._known.clear()

    def site_of(self, host: str) -> str:
        """Return the site of a host, empty for none."""
        return self._sites.get(host, "")

    def silence(self, one: str, other: str, *, both_ways: bool = True) -> Trouble:
        """Let nothing pass from one place to the other, without closing anything."""
        return self._begin(_ways(one, other, both_ways=both_ways), None)

    def slow(self, one: str, other: str, delay: Delay, *, both_ways: bool = True) -> Trouble:
        """Let everything take longer from one place to the other."""
        return self._begin(_ways(one, other, both_ways=both_ways), delay)

    def heal(self, *, but: Iterable[Trouble] = ()) -> None:
        """End every trouble but these."""
        self._troubles = dict.fromkeys(but)
        self._tell()

    def is_silent(self, source: str, target: str) -> bool:
        """Whether nothing passes that way now."""
        return self._look(source, target)[0]

    def are_apart(self, one: str, other: str) -> bool:
        """Whether a question or its answer does not pass between two hosts."""
        return self.is_silent(one, other) or self.is_silent(other, one)

    def delay_s(self, source: str, target: str) -> float:
        """Draw how long one way takes."""
        draw = self._random
        delay_s = draw.uniform(*DELAY_S)
        if self._is_far(source, target):
            delay_s += draw.uniform(*DISTANCE_S)
        for each in self._look(source, target)[1]:
            delay_s += draw.uniform(*each.extra_s)
            if each.stall_share and draw.random() < each.stall_share:
                delay_s += draw.uniform(*each.stall_s)
        return delay_s

    def is_between(self, host: str, peer: str, one: str, other: str) -> bool:
        """Whether a connection of two hosts lies between two places."""
        return any(
            self._is_in(host, start, peer, end) and self._is_in(peer, end, host, start)
            for start, end in ((one, other), (other, one))
        )

    def _begin(self, ways: frozenset[tuple[str, str]], delay: Delay | None) -> Trouble:
        trouble = Trouble(ways, delay, self._over)
        self._troubles[trouble] = None
        self._tell()
        return trouble

    def _over(self, trouble: Trouble) -> None:
        if trouble in self._troubles:
            del self._troubles[trouble]
            self._tell()

    def _tell(self) -> None:
        self._known.clear()
        for listener in tuple(self.changed):
            listener()

    def _look(self, source: str, target: str) -> tuple[bool, tuple[Delay, ...]]:
        found = self._known.get((source, target))
        if found is None:
            on_the_way = [each for each in self._troubles if self._is_on_the_way(each, source, target)]
            delays = tuple(each.delay for each in on_the_way if each.delay is not None)
            found = self._known[source, target] = (len(delays) < len(on_the_way), delays)
        return found

    def _is_on_the_way(self, trouble: Trouble, source: str, target: str) -> bool:
        return any(
            self._is_in(source, start, target, end) and self._is_in(target, end, source, start)
            for start, end in trouble.ways
        )

    def _is_in(self, host: str, place: str, other: str, other_place: str) -> bool:
        """Whether a host is in a place; of EVERYWHERE only what is outside the other place is meant."""
        if place != EVERYWHERE:
            return place in (host, self._sites.get(host))
        return host != other and other_place not in (host, self._sites.get(host))

    def _is_far(self, source: str, target: str) -> bool:
        here, there = self._sites.get(source), self._sites.get(target)
        return here is not None and there is not None and here != there


def _ways(one: str, other: str, *, both_ways: bool) -> frozenset[tuple[str, str]]:
    return frozenset({(one, other), (other, one)} if both_ways else {(one, other)})
