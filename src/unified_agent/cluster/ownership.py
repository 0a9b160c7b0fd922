"""Pure: who may claim an agent and a station, and with which change of the store.

A **claim** is a record without a lease: owner, its incarnation, a term and the epoch of the active datacentre. It
lives as long as its owner's incarnation does, and stays readable after it, so that others can rebuild the session.
Every claim raises the term by one, whoever makes it, and nothing lowers it: a release keeps the term and empties the
owner. What is done under a claim carries its term, and a lower one is refused (``Terms``).

Nothing is ever taken from an owner that lives: it is asked, stops, and releases. From one that has ended it is taken
by a transaction that rests on the end of that very incarnation, on the record as it was read, on our own
incarnation, on the active datacentre, and on the owner's listing (see ``tenure``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.cluster.transactions import (
    ACTIVE_KEY,
    Condition,
    CreatedAt,
    ModifiedAt,
    NotCreatedAt,
    Put,
    Transaction,
    agent_key,
    instance_key,
    listing_key,
    station_key,
)
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish


class Record(Struct, frozen=True, kw_only=True):
    """The claim as it stands in the store, under the agent's key and the same under its station's.

    Attributes:
        owner: None once it was released.
        datacentre: of the owner.
        incarnation: of the owner.
        term: grows with each claim, never falls.
        epoch: of the active datacentre under which it was claimed.
        session: that the agent is served in: a desktop with its ticket comes back to it, another one finds itself
            overtaken by a later login.
    """

    agent: AgentId
    station: StationId
    owner: InstanceId | None
    datacentre: str
    incarnation: int
    term: int
    epoch: int
    session: SessionId = SessionId("")


class Seen(Struct, frozen=True):
    """A key as it was read: its record, None when it never was, and the revision of its last change (0: never)."""

    record: Record | None = None
    revision: int = 0


#: A key that never was.
NEVER: Final = Seen()


class OwnerView(Struct, frozen=True, kw_only=True):
    """What is known of the owner that a record names.

    Attributes:
        is_live: its incarnation's key is in the store.
        is_proven_ended: its guardian, or itself on leaving, wrote that this incarnation has ended.
        listing: whom it would ask; None when it has none in the store.
        listing_revision: at which the listing was read; 0 for none.
        bound_until_s: until when we promised to take nothing from it: ``tenure.bound_until_s``.
    """

    is_live: bool
    is_proven_ended: bool = False
    listing: frozenset[InstanceId] | None = None
    listing_revision: int = 0
    bound_until_s: float = 0.0


class Claimer(Struct, frozen=True, kw_only=True):
    """Who wants to claim.

    Attributes:
        incarnation: its own.
        may_act: its own tenure has not passed.
        view_is_fresh: its watch has been heard within the watchdog's time.
        serves: ``activation`` said Serve.
        epoch: of the active datacentre.
        active_revision: revision of the record that says so.
        acts_for: agents for whom this process acts now, under any of its incarnations: one that lost its lease may
            still act on promises.
    """

    instance: InstanceId
    datacentre: str
    incarnation: int
    may_act: bool
    view_is_fresh: bool
    serves: bool
    epoch: int
    active_revision: int
    acts_for: frozenset[AgentId] = frozenset()


class Request(Struct, frozen=True, kw_only=True):
    """What is wanted.

    Attributes:
        session: that the agent is to be served in.
        ticket_term: term in the desktop's ticket, for RESUME; 0 in one that was written before anything was granted.
        held_term: term in which this instance acts for the agent right now; 0 when it does not. A record that names us
            does not mean that we hold it: we may have released it since it was read.
        is_ordered: a person has said that the last owner is dead, whatever its listing says.
    """

    wish: Wish
    agent: AgentId
    station: StationId
    session: SessionId = SessionId("")
    ticket_term: int = 0
    held_term: int = 0
    is_ordered: bool = False


class Claim(Struct, frozen=True):
    """Carry this out. When it is committed the agent and the station are ours in this term."""

    term: int
    transaction: Transaction
    reason: str


class Holding(Struct, frozen=True):
    """They are ours already, in this term."""

    term: int


class AskOwner(Struct, frozen=True):
    """The owner lives: ask it to stop and release, then decide again."""

    owner: InstanceId
    reason: str


class Wait(Struct, frozen=True):
    """Not yet: decide again then, or when the store changes."""

    until_s: float | None
    reason: str


class Refusal(StrEnum):
    """Why a claim is refused, for machines."""

    NOT_SERVING = "not-serving"
    TAKEN_OVER = "taken-over"
    STATION_IN_USE = "station-in-use"
    OWNER_LIVES = "owner-lives"
    NOT_LISTED = "not-listed"


class Refuse(Struct, frozen=True):
    """No, and why, in a sentence. ``ask``: who could, when somebody can."""

    code: Refusal
    reason: str
    ask: tuple[InstanceId, ...] = ()


Decision = Claim | Holding | AskOwner | Wait | Refuse


def decide_claim(
    request: Request,
    agent: Seen,
    station: Seen,
    owners: Mapping[tuple[InstanceId, int], OwnerView],
    claimer: Claimer,
    now_s: float,
    *,
    former_station: Seen = NEVER,
) -> Decision:
    """Decide what to do about a wish for an agent and its station.

    Args:
        request: who is wanted, and why.
        agent: the record under the agent's key, as read.
        station: the record under the station's key, as read.
        owners: what is known of the owners of both, by instance and incarnation; one that is missing counts as live,
            since nothing is taken on a guess.
        claimer: ourselves.
        now_s: monotonic seconds.
        former_station: the record under the key of the station that the agent's record names, when that is another
            one than is wanted now; it is given up in the same step.

    Returns:
        One decision. A ``Claim`` is granted only when its transaction commits; on a lost one, read again and decide
        again.
    """
    if not claimer.serves:
        return Refuse(Refusal.NOT_SERVING, "this datacentre is not active")
    if not claimer.may_act or not claimer.view_is_fresh:
        return Wait(None, "the store is out of reach: nobody new can be claimed until it is back")
    ours = [_is_ours(seen.record, request, claimer) for seen in (agent, station)]
    if all(ours):
        assert agent.record is not None
        return Holding(agent.record.term)
    if _is_overtaken(agent.record, request):
        return Refuse(Refusal.TAKEN_OVER, f"agent {request.agent} has logged in elsewhere since")
    conditions: list[Condition] = []
    for seen in (agent, station):
        stands = _stands_in_the_way(seen, request, owners, claimer, now_s, is_station=seen is station)
        if not isinstance(stands, tuple):
            return stands
        conditions.extend(stands)
    terms = [seen.record.term for seen in (agent, station) if seen.record is not None]
    term = max(terms, default=0) + 1
    record = Record(
        agent=request.agent, station=request.station, owner=claimer.instance, datacentre=claimer.datacentre,
        incarnation=claimer.incarnation, term=term, epoch=claimer.epoch, session=request.session,
    )  # fmt: skip
    keys = (agent_key(request.agent), station_key(request.station))
    own: tuple[Condition, ...] = (
        CreatedAt(instance_key(claimer.datacentre, claimer.instance), claimer.incarnation),
        ModifiedAt(ACTIVE_KEY, claimer.active_revision),
        ModifiedAt(keys[0], agent.revision),
        ModifiedAt(keys[1], station.revision),
    )
    left = _left_behind(agent.record, former_station, request)
    writes = (*(Put(key, record) for key in keys), *(write for _, write in left))
    unique = tuple(dict.fromkeys((*own, *(condition for condition, _ in left), *conditions)))
    reason = "the last owner has ended" if conditions else "nobody else owns them"
    return Claim(term, Transaction(unique, writes), reason)


def release(record: Record, revisions: tuple[int, int | None], claimer: Claimer) -> Transaction:
    """Return the change by which an owner gives an agent and its station up, having stopped to act for them.

    Args:
        record: our claim.
        revisions: of the last change of the agent's key and of the station's; None for a station that another agent
            has claimed since.
        claimer: ourselves.
    """
    assert (record.owner, record.incarnation) == (claimer.instance, claimer.incarnation), "only an owner releases"
    keys = (agent_key(record.agent), station_key(record.station))
    held = [(key, revision) for key, revision in zip(keys, revisions, strict=True) if revision is not None]
    conditions: tuple[Condition, ...] = (
        CreatedAt(instance_key(claimer.datacentre, claimer.instance), claimer.incarnation),
        *(ModifiedAt(key, revision) for key, revision in held),
    )
    empty = replace(record, owner=None)
    return Transaction(conditions, tuple(Put(key, empty) for key, _ in held))


def request_anew(record: Record) -> Request:
    """Return what an instance wants that has a claim of an earlier incarnation and acts under it still."""
    return Request(
        wish=Wish.RESUME, agent=record.agent, station=record.station, session=record.session, held_term=record.term
    )


def is_anew(found: Record, record: Record, claimer: Claimer) -> bool:
    """Say whether a record is a claim made anew by an attempt whose answer was lost.

    Args:
        found: as it is in the store now.
        record: of the claim before.
        claimer: who made it.
    """
    return (found.owner, found.incarnation, found.epoch, found.session) == (
        claimer.instance,
        claimer.incarnation,
        claimer.epoch,
        record.session,
    ) and found.term > record.term


class Terms(Struct, frozen=True):
    """Highest term seen for each agent or station: what arrives with a lower one is refused."""

    highest: Mapping[str, int] = MappingProxyType({})


def admit(terms: Terms, key: str, term: int) -> tuple[Terms, bool]:
    """Say whether something done in this term may pass, and remember the term."""
    highest = terms.highest.get(key, 0)
    if term < highest:
        return terms, False
    return (terms, True) if term == highest else (Terms({**terms.highest, key: term}), True)


def _is_overtaken(record: Record | None, request: Request) -> bool:
    """Say whether a desktop comes back with the ticket of a session after which another one has begun.

    A ticket of term 0 is of a login that was granted nothing before its instance was lost: it may be the later one. An
    owner that lives knows, and is asked.
    """
    if request.wish is not Wish.RESUME or record is None or record.owner is None:
        return False
    return record.session != request.session and 0 < request.ticket_term < record.term


def _is_ours(record: Record | None, request: Request, claimer: Claimer) -> bool:
    return (
        record is not None
        and (record.owner, record.incarnation) == (claimer.instance, claimer.incarnation)
        and (record.agent, record.station, record.epoch) == (request.agent, request.station, claimer.epoch)
        and record.term == request.held_term
    )


def _stands_in_the_way(
    seen: Seen,
    request: Request,
    owners: Mapping[tuple[InstanceId, int], OwnerView],
    claimer: Claimer,
    now_s: float,
    *,
    is_station: bool,
) -> Decision | tuple[Condition, ...]:
    """Return what keeps us from one of the two keys, or the conditions on which nothing does."""
    record = seen.record
    if record is None or record.owner is None:
        return ()
    if record.epoch < claimer.epoch:
        # All of an earlier epoch had stopped before the later one began: see ``activation``.
        return ()
    if record.owner == claimer.instance:
        # Assumed: one name is one host's, and its guardian starts no second process beside the first. Not checked.
        return _from_ourselves(record, request, claimer, is_station=is_station)
    owner = owners.get((record.owner, record.incarnation), OwnerView(is_live=True))
    if owner.is_live:
        return _from_the_living(record, request, is_station=is_station)
    ended: Condition = NotCreatedAt(instance_key(record.datacentre, record.owner), record.incarnation)
    if owner.is_proven_ended or request.is_ordered:
        return (ended,)
    if owner.listing is not None and claimer.instance not in owner.listing:
        could = tuple(sorted(owner.listing))
        return Refuse(Refusal.NOT_LISTED, f"{record.owner} would not have asked us before going on alone", could)
    if now_s < owner.bound_until_s:
        return Wait(owner.bound_until_s, f"{record.owner} was promised that we wait")
    return (ended, ModifiedAt(listing_key(record.datacentre, record.owner), owner.listing_revision))


def _left_behind(record: Record | None, former: Seen, request: Request) -> tuple[tuple[Condition, Put], ...]:
    """Give up the station at which the agent sat before, unless another agent has claimed it since."""
    there = former.record
    if record is None or there is None or there.owner is None or there.station == request.station:
        return ()
    if (there.agent, there.station, there.term) != (record.agent, record.station, record.term):
        return ()
    key = station_key(there.station)
    return ((ModifiedAt(key, former.revision), Put(key, replace(there, owner=None))),)


def _from_ourselves(
    record: Record, request: Request, claimer: Claimer, *, is_station: bool
) -> Refuse | tuple[Condition, ...]:
    """Let a key of ours change hands between two of our own agents only when the first has stopped."""
    if is_station and record.agent != request.agent and record.agent in claimer.acts_for:
        return Refuse(Refusal.STATION_IN_USE, f"station {record.station} is used by agent {record.agent} here")
    return ()


def _from_the_living(record: Record, request: Request, *, is_station: bool) -> Refuse | AskOwner:
    assert record.owner is not None
    if is_station and record.agent != request.agent:
        reason = f"station {record.station} is used by agent {record.agent} on {record.owner}"
        return Refuse(Refusal.STATION_IN_USE, reason)
    if request.wish is Wish.SPREAD:
        return Refuse(Refusal.OWNER_LIVES, f"{record.owner} serves agent {record.agent}")
    return AskOwner(record.owner, f"{record.owner} serves agent {record.agent} in term {record.term}")
