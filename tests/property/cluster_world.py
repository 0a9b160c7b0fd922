"""Some instances in two datacentres around one linearizable store: the real decisions, everything else a model.

Nothing here decides. Each operation is one step that a shell could take at any moment; whoever drives the world
chooses their order. ``check`` holds the safety rules and is asked after every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from unified_agent.cluster import activation, ownership, tenure
from unified_agent.cluster import transactions as tx
from unified_agent.domain.ids import AgentId, InstanceId, StationId
from unified_agent.domain.states import Wish

DATACENTRES = {"a1": "east", "a2": "east", "b1": "west", "b2": "west"}
AGENTS = ("100", "200")
STATIONS = ("7000", "7001")
TENURE = tenure.TenureSettings()
ACTIVATION = activation.ActivationSettings(primary="east", takeover_delay_s=2.0, startup_grace_s=3.0)
#: What a process sent arrives within this time of its end, or never.
CALL_LIMIT_S = 1.5


class Key(Struct, frozen=True):
    created: int
    modified: int
    value: Any
    holder: tuple[str, int] | None = None


class NodeValue(Struct, frozen=True):
    stood_down_epoch: int = 0


class Violated(AssertionError):
    """A safety rule did not hold."""


@dataclass
class Store:
    revision: int = 1
    keys: dict[str, Key] = field(default_factory=dict)
    leases: dict[tuple[str, int], float] = field(default_factory=dict)
    is_up: bool = True

    def holds(self, condition: tx.Condition) -> bool:
        match condition:
            case tx.ModifiedAt(key, revision):
                return (self.keys[key].modified if key in self.keys else 0) == revision
            case tx.CreatedAt(key, revision):
                return (self.keys[key].created if key in self.keys else 0) == revision
            case tx.NotCreatedAt(key, revision):
                return (self.keys[key].created if key in self.keys else 0) != revision
            case tx.NoneUnder(prefix):
                return not any(key.startswith(prefix) for key in self.keys)
            case tx.NoneNewerUnder(prefix, revision):
                return all(value.modified <= revision for key, value in self.keys.items() if key.startswith(prefix))

    def commit(self, change: tx.Transaction) -> bool:
        if not all(self.holds(each) for each in change.conditions):
            return False
        self.revision += 1
        for write in change.writes:
            self.put(write.key, write.value)
        return True

    def put(self, key: str, value: Any, holder: tuple[str, int] | None = None) -> None:
        old = self.keys.get(key)
        created = old.created if old else self.revision
        self.keys[key] = Key(created, self.revision, value, holder or (old.holder if old else None))

    def end(self, lease: tuple[str, int]) -> None:
        self.leases.pop(lease, None)
        gone = [key for key, value in self.keys.items() if value.holder == lease]
        self.revision += bool(gone)
        for key in gone:
            del self.keys[key]


@dataclass
class Life:
    """One incarnation: its tenure, what it believes of its datacentre, its claims."""

    incarnation: int
    tenure: tenure.Tenure
    epoch: int | None = None  # of its Serve, None while it is passive
    claims: dict[str, ownership.Record] = field(default_factory=dict)


@dataclass
class Flight:
    """A change on its way to the store."""

    sender: Instance
    process: int
    life: int
    change: tx.Transaction
    agent: str | None = None
    is_listing: bool = False
    sent_s: float = 0.0


@dataclass
class Instance:
    name: InstanceId
    datacentre: str
    clock_rate: float
    started_s: float = 0.0
    process: int = 0
    is_running: bool = False
    is_frozen: bool = False
    lives: list[Life] = field(default_factory=list)
    promises: tenure.Promises = field(default_factory=lambda: tenure.Promises(settings=TENURE, started_s=0.0))
    view: dict[str, Key] = field(default_factory=dict)
    view_revision: int = 0
    viewed_s: float = -math.inf
    others_gone_s: float | None = None

    @property
    def is_awake(self) -> bool:
        return self.is_running and not self.is_frozen

    @property
    def life(self) -> Life | None:
        return self.lives[-1] if self.lives else None


class World:
    """Everything. Times given are the world's; each instance has a clock of its own speed."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.store = Store()
        self.cut: set[tuple[str, str]] = set()
        self.flights: list[Flight] = []
        self.instances = {
            name: Instance(InstanceId(name), dc, rate)
            for (name, dc), rate in zip(DATACENTRES.items(), (1.0, 1.01, 0.995, 1.005), strict=True)
        }
        self.served: dict[int, str] = {}
        self.terms: dict[str, int] = {}

    # --- time, faults

    def advance(self, seconds: float) -> None:
        """Let time pass; leases end at their moment."""
        self.now_s += seconds
        if self.store.is_up:
            for lease, end_s in list(self.store.leases.items()):
                if end_s <= self.now_s:
                    self.store.end(lease)
        self.check()

    def clock(self, one: Instance) -> float:
        return (self.now_s - 900.0) * one.clock_rate

    def reaches(self, source: str, target: str) -> bool:
        if target == "store" and not self.store.is_up:
            return False
        return not {(source, target), (target, source)} & self.cut

    def start(self, one: Instance) -> None:
        if one.is_running:
            return
        one.is_running, one.is_frozen, one.process = True, False, one.process + 1
        one.started_s = self.clock(one)
        one.lives, one.view, one.view_revision, one.viewed_s, one.others_gone_s = [], {}, 0, -math.inf, None
        one.promises = tenure.Promises(settings=TENURE, started_s=one.started_s)

    def kill(self, one: Instance, *, guarded: bool) -> None:
        """End a process; with a guardian its leases are revoked and its end is proven."""
        if one.is_running and guarded and self.reaches(one.name, "store"):
            for life in one.lives:
                self.store.end((one.name, life.incarnation))
            self.store.revision += 1
            self.store.put(f"ended/{one.name}", max((life.incarnation for life in one.lives), default=0))
        one.is_running = False

    def store_down(self, *, is_up: bool) -> None:
        """A store that is back gives every lease its whole time again, as a new leader does."""
        if is_up and not self.store.is_up:
            self.store.leases = dict.fromkeys(self.store.leases, self.now_s + TENURE.lease_s)
        self.store.is_up = is_up

    # --- one instance and the store

    def renew(self, one: Instance, delay_s: float = 0.0) -> None:
        """Renew the newest lease, or register when there is none. ``delay_s`` passes before the answer is back."""
        if not one.is_awake or not self.reaches(one.name, "store"):
            return
        sent_s, life, process = self.clock(one), one.life, one.process
        if life is None:
            self.register(one, sent_s)
            return
        lease = (one.name, life.incarnation)
        is_granted = lease in self.store.leases
        if is_granted:
            self.store.leases[lease] = self.now_s + TENURE.lease_s
        self.advance(delay_s)
        if one.process != process or not one.is_awake:
            return
        now_s = self.clock(one)
        if is_granted:
            life.tenure = tenure.renewal_confirmed(life.tenure, sent_s=sent_s, now_s=now_s)
        else:
            life.tenure = tenure.lease_lost(life.tenure, now_s)
        if not is_granted or life.tenure.ended:
            self.register(one, self.clock(one))

    def register(self, one: Instance, sent_s: float) -> None:
        key = tx.instance_key(one.datacentre, one.name)
        holder = self.store.keys[key].holder if key in self.store.keys else None
        if holder is not None:
            if holder in {(one.name, each.incarnation) for each in one.lives}:
                self.store.end(holder)  # our own, given up before the next
            else:
                return
        self.store.revision += 1
        incarnation = self.store.revision
        self.store.leases[one.name, incarnation] = self.now_s + TENURE.lease_s
        self.store.put(key, NodeValue(), (one.name, incarnation))
        one.lives.append(Life(incarnation, tenure.Tenure(settings=TENURE, renewed_s=sent_s)))

    def sync(self, one: Instance) -> None:
        """Bring the view up to date."""
        if one.is_awake and self.reaches(one.name, "store"):
            one.view, one.view_revision, one.viewed_s = dict(self.store.keys), self.store.revision, self.clock(one)
            there = any(key.startswith(tx.instances_prefix(self.other(one))) for key in one.view)
            one.others_gone_s = None if there else one.others_gone_s or one.viewed_s

    def other(self, one: Instance) -> str:
        return "west" if one.datacentre == "east" else "east"

    def write_listing(self, one: Instance, fate: str = "now") -> None:
        """Put into the store whom we would ask."""
        life = one.life
        if not one.is_awake or life is None:
            return
        names = frozenset(
            InstanceId(key.split("/")[3])
            for key in one.view
            if key.startswith("cluster/node/") and not key.endswith(one.name)
        )
        key = tx.listing_key(one.datacentre, one.name)
        revision = one.view[key].modified if key in one.view else 0
        for each in one.lives:
            each.tenure = tenure.listing_sent(each.tenure, names)
        listing = tenure.Listing(life.incarnation, tuple(sorted(names)))
        change = tenure.listing_transaction(one.name, one.datacentre, listing, revision=revision)
        self.send(Flight(one, one.process, life.incarnation, change, is_listing=True), fate)

    def send(self, flight: Flight, fate: str) -> None:
        """Send a change: it arrives ``now``, or ``later`` when somebody delivers it, or is ``lost``."""
        flight.sent_s = self.now_s
        if fate != "lost":
            self.flights.append(flight)
        if fate == "now" and self.reaches(flight.sender.name, "store"):
            self.deliver(flight)

    def deliver(self, flight: Flight) -> None:
        """Let a change arrive, and its answer go back if the sender still is the one that sent it."""
        if flight not in self.flights or not self.store.is_up:
            return
        self.flights.remove(flight)
        if flight.process != flight.sender.process and self.now_s > flight.sent_s + CALL_LIMIT_S:
            return  # given up long ago
        is_made = self.store.commit(flight.change)
        one = flight.sender
        if is_made:
            self._note_terms(flight.change)
        life = next((each for each in one.lives if each.incarnation == flight.life), None)
        if is_made and life is not None and one.process == flight.process and one.is_running:
            written = flight.change.writes[0].value
            if isinstance(written, tenure.Listing):
                for each in one.lives:
                    each.tenure = tenure.listing_confirmed(each.tenure, frozenset(written.names), self.clock(one))
            elif isinstance(written, ownership.Record) and written.owner == one.name and life.epoch == written.epoch:
                for each in one.lives:
                    each.claims.pop(written.agent, None)
                life.claims[written.agent] = written
        self.check()

    def _note_terms(self, change: tx.Transaction) -> None:
        for write in change.writes:
            if isinstance(write.value, ownership.Record):
                before = self.terms.get(write.key, 0)
                if write.value.term < before or (write.value.owner and write.value.term == before):
                    raise Violated(f"term of {write.key} went from {before} to {write.value.term}")
                self.terms[write.key] = write.value.term

    # --- asking each other

    def ask(self, one: Instance, other: Instance, go_s: float = 0.0, back_s: float = 0.0) -> None:
        """Ask another instance whether it has a store, with the time that the question and the answer take."""
        if not one.is_awake or not self.reaches(one.name, other.name):
            return
        asked_s, process = self.clock(one), one.process
        self.advance(go_s)
        if not other.is_awake:
            return
        is_taking = any(
            each.sender is other and each.process == other.process and not each.is_listing for each in self.flights
        )
        there_s = self.clock(other)
        other.promises, said = tenure.answer(
            other.promises, one.name, has_store=self.has_store(other), is_taking=is_taking, now_s=there_s
        )
        self.advance(back_s)
        if one.is_awake and one.process == process:
            for life in one.lives:
                life.tenure = tenure.answered(
                    life.tenure, other.name, said, asked_s=asked_s, now_s=self.clock(one)
                )  # fmt: skip

    def has_store(self, one: Instance) -> bool:
        limit_s = TENURE.ask_share * TENURE.lease_s
        return one.life is not None and self.clock(one) < one.life.tenure.renewed_s + limit_s

    # --- decisions

    def activate(self, one: Instance, order: activation.Order = activation.Order.NONE, fate: str = "now") -> str:
        """Decide for the datacentre and do what was decided, as far as it is ours alone."""
        if not one.is_awake or not one.lives:
            return "nothing"
        now_s = self.clock(one)
        for life in one.lives:
            life.tenure, step = tenure.decide(life.tenure, now_s)
            if isinstance(step, tenure.StepDown):
                life.epoch, life.claims = None, {}
        life = one.lives[-1]
        said = activation.decide(self.activation_view(one, life, order), ACTIVATION, now_s)
        life.epoch = said.epoch if isinstance(said, activation.Serve) else None
        if isinstance(said, activation.Serve):
            if self.served.setdefault(said.epoch, one.datacentre) != one.datacentre:
                raise Violated(f"both datacentres were told Serve for epoch {said.epoch}")
        else:
            # A view before our registration says nothing of what older incarnations may still do.
            if not isinstance(said, activation.Stay) or said.stood_down_epoch or one.view_revision >= life.incarnation:
                for each in one.lives:
                    each.epoch, each.claims = None, {}
            if isinstance(said, activation.Stay) and said.stood_down_epoch and self.reaches(one.name, "store"):
                self.stand_down(one, life, said.stood_down_epoch)
            if isinstance(said, activation.Prepare) and said.transaction is not None:
                self.send(Flight(one, one.process, life.incarnation, said.transaction), fate)
        self.check()
        return said.reason

    def stand_down(self, one: Instance, life: Life, epoch: int) -> None:
        key = tx.instance_key(one.datacentre, one.name)
        if key in self.store.keys and self.store.keys[key].created == life.incarnation:
            self.store.revision += 1
            self.store.put(key, NodeValue(stood_down_epoch=epoch))

    def activation_view(self, one: Instance, life: Life, order: activation.Order) -> activation.View:
        there = self.other(one)
        others = tuple(
            activation.Other(
                instance=InstanceId(name.split("/")[3]),
                incarnation=key.created,
                revision=key.modified,
                stood_down_epoch=key.value.stood_down_epoch,
            )
            for name, key in sorted(one.view.items())
            if name.startswith(tx.instances_prefix(there))
        )
        unlisted = tuple(
            name
            for name, dc in DATACENTRES.items()
            if dc == there and self.lacks_us(one, name, tx.listing_key(dc, InstanceId(name)))
        )
        record = one.view.get(tx.ACTIVE_KEY)
        now_s = self.clock(one)
        bounds = [tenure.bound_until_s(one.promises, InstanceId(n)) for n, dc in DATACENTRES.items() if dc == there]
        return activation.View(
            me=one.name,
            datacentre=one.datacentre,
            other=there,
            incarnation=life.incarnation,
            revision=one.view_revision,
            active=record.value if record else None,
            active_revision=record.modified if record else 0,
            others=others,
            others_gone_s=one.others_gone_s,
            may_act=tenure.may_act(life.tenure, now_s),
            has_store=self.has_store(one),
            is_fresh=now_s - one.viewed_s < 2.5,
            started_s=one.started_s,
            unlisted_by=tuple(InstanceId(each) for each in unlisted),
            bound_until_s=max(bounds),
            order=order,
        )

    def lacks_us(self, one: Instance, name: str, key: str) -> bool:
        listing = one.view.get(key)
        if listing is None or one.name in listing.value.names:
            return False
        ended = one.view.get(f"ended/{name}")
        return ended is None or ended.value < listing.value.incarnation

    def claim(
        self, one: Instance, agent: str, station: str, wish: Wish, ticket_term: int = 0, fate: str = "now"
    ) -> ownership.Decision | None:
        """Decide about an agent, from our view, and carry the claim out."""
        life = one.life
        if not one.is_awake or life is None:
            return None
        now_s = self.clock(one)
        record = one.view.get(tx.ACTIVE_KEY)
        claimer = self.claimer(one, life, record)
        request = ownership.Request(
            wish=wish,
            agent=AgentId(agent),
            station=StationId(station),
            ticket_term=ticket_term,
            held_term=life.claims[agent].term if agent in life.claims else 0,
        )
        seen = self.seen(one, tx.agent_key(agent))
        former = ownership.NEVER
        if seen.record is not None and seen.record.station != station:
            former = self.seen(one, tx.station_key(seen.record.station))
        at = self.seen(one, tx.station_key(station))
        owners = self.owners(one)
        said = ownership.decide_claim(request, seen, at, owners, claimer, now_s, former_station=former)
        if isinstance(said, ownership.Claim):
            self.send(Flight(one, one.process, life.incarnation, said.transaction, agent=agent), fate)
        return said

    def claimer(self, one: Instance, life: Life, record: Key | None) -> ownership.Claimer:
        now_s = self.clock(one)
        return ownership.Claimer(
            instance=one.name,
            datacentre=one.datacentre,
            incarnation=life.incarnation,
            may_act=tenure.may_act(life.tenure, now_s),
            view_is_fresh=now_s - one.viewed_s < 2.5,
            serves=life.epoch is not None,
            epoch=life.epoch or 0,
            active_revision=record.modified if record else 0,
            acts_for=frozenset(AgentId(agent) for each in one.lives for agent in each.claims),
        )

    def seen(self, one: Instance, key: str) -> ownership.Seen:
        found = one.view.get(key)
        return ownership.Seen(found.value, found.modified) if found else ownership.NEVER

    def owners(self, one: Instance) -> dict[tuple[InstanceId, int], ownership.OwnerView]:
        found = {}
        for key in one.view.values():
            record = key.value
            if not isinstance(record, ownership.Record) or record.owner is None:
                continue
            node = one.view.get(tx.instance_key(record.datacentre, record.owner))
            listing = one.view.get(tx.listing_key(record.datacentre, record.owner))
            ended = one.view.get(f"ended/{record.owner}")
            found[record.owner, record.incarnation] = ownership.OwnerView(
                is_live=node is not None and node.created == record.incarnation,
                is_proven_ended=ended is not None and ended.value >= record.incarnation,
                listing=frozenset(listing.value.names) if listing else None,
                listing_revision=listing.modified if listing else 0,
                bound_until_s=tenure.bound_until_s(one.promises, record.owner),
            )
        return found

    def release(self, one: Instance, agent: str, fate: str = "now") -> None:
        """Stop acting for an agent, then give it up."""
        life = one.life
        if not one.is_awake or life is None or agent not in life.claims:
            return
        record = life.claims.pop(agent)
        at = [self.seen(one, key) for key in (tx.agent_key(agent), tx.station_key(record.station))]
        if any(each.record != record for each in at):
            return
        claimer = self.claimer(one, life, None)
        change = ownership.release(record, (at[0].revision, at[1].revision), claimer)
        self.send(Flight(one, one.process, life.incarnation, change, agent=agent), fate)

    # --- what must hold

    def acting(self) -> list[tuple[Instance, Life]]:
        return [
            (one, life)
            for one in self.instances.values()
            if one.is_awake
            for life in one.lives
            if life.epoch is not None and tenure.may_act(life.tenure, self.clock(one))
        ]

    def check(self) -> None:
        """Hold everything that acts now against the safety rules."""
        acting = self.acting()
        datacentres = {one.datacentre for one, _ in acting}
        if len(datacentres) > 1:
            who = ", ".join(f"{one.name} in epoch {life.epoch}" for one, life in acting)
            raise Violated(f"two datacentres are active: {who}")
        for agent in AGENTS:
            owners = [(one, life) for one, life in acting if agent in life.claims]
            if len({one.name for one, _ in owners}) > 1:
                who = ", ".join(f"{one.name} in term {life.claims[agent].term}" for one, life in owners)
                raise Violated(f"agent {agent} has two owners: {who}")
        for station in STATIONS:
            users = {
                (one.name, agent)
                for one, life in acting
                for agent, record in life.claims.items()
                if record.station == station
            }
            if len(users) > 1:
                raise Violated(f"station {station} is used twice: {sorted(users)}")
