"""The store as a cluster of members at several sites: who has a quorum, who reaches it, and how it feels.

One ``MemoryEngine`` decides, as a linearizable store does; here only reach is modelled. Members elect a leader among
those who reach a majority; while there is none the engine is paused, and a new one gives every lease its time again.
An instance reaches the store when it reaches a member that reaches the leader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.simulation.network import SimNetwork
from tests.simulation.reach import Span
from tests.simulation.virtual_loop import VirtualLoop, WorldClock

from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.domain.ports import Clock

#: Members by site: either datacentre together with the witness is a majority.
MEMBERS: Final[Mapping[str, int]] = {"dc1": 2, "dc2": 2, "witness": 1}
#: How long the members are without a leader, seconds (election timeout 0.5 s, which may have to be repeated).
ELECTION_S: Final[Span] = (0.5, 2.0)
#: How long a client is without an answer until it has found another member.
OTHER_MEMBER_S: Final[Span] = (0.05, 0.6)
#: There and back, without a fault.
ROUND_TRIP_S: Final[Span] = (0.001, 0.01)
#: How much later than answers a watch is heard, drawn anew whenever something changes: it may have to be made anew.
WATCH_LAG_S: Final[Span] = (0.0, 0.5)


class StoreFault:
    """Something that is wrong with the store, until it is ended."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def end(self) -> None:
        """Let it be over; harmless when it is."""
        end, self._end = self._end, None
        if end is not None:
            end()


@dataclass(slots=True)
class _Client:
    """One handle. Attributes: ``host``: where it is; ``member``: whom it asks, None while it looks for one."""

    host: str
    store: MemoryStore
    member: str | None = None
    looks: int = 0


class StoreWeather:
    """The members, and the handles of all hosts.

    Attributes:
        engine: what all handles share.
        members: host names, by which the network tells who reaches whom.
        leader: None while there is none.
        elections: how many leaders there were.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        network: SimNetwork,
        random: Random,
        *,
        epoch_s: float = 0.0,
        members: Mapping[str, int] = MEMBERS,
    ) -> None:
        clock = WorldClock(loop, epoch_s)
        self.engine: Final = MemoryEngine(clock)
        self.members: Final = tuple(f"store-{site}-{n}" for site, count in members.items() for n in range(1, count + 1))
        self.leader: str | None = self.members[0]
        self.elections = 1
        self._clock = clock
        self._reach = network.reach
        self._random = random
        self._clients: list[_Client] = []
        self._stopped: dict[str, None] = {}
        self._outages: dict[StoreFault, None] = {}
        self._slow: dict[StoreFault, Span] = {}
        self._deaf: dict[StoreFault, str] = {}
        self._is_electing = False
        for name in self.members:
            self._reach.place(name, name.split("-")[1])
        self._reach.changed.append(self._look)

    def connect(self, host: str, clock: Clock) -> MemoryStore:
        """Give a process on a host its handle. ``clock``: of that host."""
        client = _Client(host, MemoryStore(self.engine, clock=clock))
        self._clients.append(client)
        client.member = next(iter(self._answering(host)), None)
        self._feel(client)
        return client.store

    def forget(self, store: MemoryStore) -> None:
        """A process has ended: its handle is turned no more."""
        self._clients = [each for each in self._clients if each.store is not store]

    def reaches(self, host: str) -> bool:
        """Whether a process on this host could be answered now."""
        return self.leader is not None and bool(self._answering(host))

    # --- faults

    def stop(self, member: str) -> StoreFault:
        """Have one member down."""
        self._stopped[member] = None
        self._look()
        return StoreFault(lambda: self._start(member))

    def outage(self) -> StoreFault:
        """Have all members down."""
        fault = StoreFault(lambda: self._over(self._outages, fault))
        self._outages[fault] = None
        self._look()
        return fault

    def change_leader(self) -> None:
        """Have the leader step down; another one is elected."""
        self._lose_leader()
        self._look()

    def slow(self, extra_s: Span) -> StoreFault:
        """Have every answer take longer, there and back together; beyond twice the limit a write is left in doubt."""
        fault = StoreFault(lambda: self._over(self._slow, fault))
        self._slow[fault] = extra_s
        self._look()
        return fault

    def lose_answers(self, host: str) -> StoreFault:
        """Have answers to one host lost, while its requests arrive."""
        fault = StoreFault(lambda: self._over(self._deaf, fault))
        self._deaf[fault] = host
        self._look()
        return fault

    def compact(self) -> None:
        """Have the store forget its history: a watch that was away finds a snapshot."""
        self.engine.compact()

    def heal(self) -> None:
        """End every fault."""
        self._stopped.clear()
        self._outages.clear()
        self._slow.clear()
        self._deaf.clear()
        self._look()

    # --- inside

    def _over(self, faults: dict[StoreFault, Any], fault: StoreFault) -> None:
        faults.pop(fault, None)
        self._look()

    def _start(self, member: str) -> None:
        self._stopped.pop(member, None)
        self._look()

    def _look(self) -> None:
        """See who has a quorum and who reaches it."""
        if self.leader is not None and not self._may_lead(self.leader):
            self._lose_leader()
        if self.leader is None and not self._is_electing and any(map(self._may_lead, self.members)):
            self._is_electing = True
            self._later(ELECTION_S, self._elect)
        for client in self._clients:
            self._feel(client)

    def _lose_leader(self) -> None:
        self.leader = None
        self.engine.pause()

    def _elect(self) -> None:
        self._is_electing = False
        candidates = [member for member in self.members if self._may_lead(member)]
        if candidates:
            self.leader = self._random.choice(candidates)
            self.elections += 1
            self.engine.resume()
        self._look()

    def _may_lead(self, member: str) -> bool:
        if self._outages or member in self._stopped:
            return False
        return 2 * sum(self._are_joined(member, other) for other in self.members) > len(self.members)

    def _are_joined(self, member: str, other: str) -> bool:
        return other not in self._stopped and not self._reach.are_apart(member, other)

    def _answering(self, host: str) -> list[str]:
        """Members that would answer this host, those of its own site first."""
        if self.leader is None:
            return []
        able = [each for each in self.members if each not in self._stopped and self._are_joined(each, self.leader)]
        near = sorted(able, key=lambda each: self._reach.site_of(each) != self._reach.site_of(host))
        return [each for each in near if not self._reach.are_apart(host, each)]

    def _takes_requests_of(self, host: str) -> bool:
        """Whether what a host sends arrives at a member with a leader, although no answer comes back."""
        return self.leader is not None and any(
            not self._reach.is_silent(host, each) and self._are_joined(each, self.leader)
            for each in self.members
            if each not in self._stopped
        )

    def _feel(self, client: _Client) -> None:
        """Turn a handle's faults to what its host would notice now."""
        answering = self._answering(client.host)
        if client.member not in answering:
            client.member = None
            if answering:
                client.looks += 1
                look = client.looks
                self._later(OTHER_MEMBER_S, lambda: self._turn_to_another(client, look))
        faults = client.store.faults
        cannot_hear = not answering and self._takes_requests_of(client.host)
        faults.deaf = cannot_hear or client.host in self._deaf.values()
        faults.down = client.member is None and not cannot_hear
        spans = [ROUND_TRIP_S, *self._slow.values()]
        faults.delay_s = sum(self._random.uniform(*span) for span in spans)
        faults.watch_lag_s = self._random.uniform(*WATCH_LAG_S)
        client.store.woken()

    def _turn_to_another(self, client: _Client, look: int) -> None:
        if look == client.looks and client.member is None:
            client.member = next(iter(self._answering(client.host)), None)
            self._feel(client)

    def _later(self, span: Span, call: Callable[[], None]) -> None:
        self._clock.call_at(self._clock.now_s() + self._random.uniform(*span), call)
