"""Pure: until when an instance may act for its agents, with a store and without.

With a store the answer is the lease. An instance may act until ``step_down_share`` of the lease after it *sent* its
last confirmed renewal; nobody can claim from it before the whole lease has passed. That is checked before each
action, so a process that was frozen wakes up past its time and does nothing.

Without a store there are two cases that look alike from inside: we are cut off, and others may claim our agents when
our lease ends; or the store is down for all, and nobody can. The instances we would ask know. Each that has no store
itself answers with a **promise**: for ``promise_s`` from now I shall take nothing from you. While every single one
keeps promising, we carry on; one silent, or one with a store, and we step down when the last promise ends.

Two things make that safe, and both are needed:

- The promise binds. Who promised and gets its store back waits until its promises have ended before it claims
  anything from that instance, and before it takes part in making its own datacentre active. An instance that has just
  started waits as long, since it cannot know what it promised before.
- Only those who would be asked may claim. Each instance keeps in the store a **listing** of whom it would ask. To
  claim from a lost owner one must be in the owner's listing, or the owner's end must be proven. A newcomer who can
  reach the store while all the old ones cannot is therefore no danger.

Times of promises are counted by the asker from before it asked and by the promiser from after, so the asker's end is
the earlier one; ``margin_s`` covers clocks that run at different speeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.cluster.transactions import CreatedAt, ModifiedAt, Put, Transaction, instance_key, listing_key
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError


class TenureSettings(Struct, frozen=True, kw_only=True):
    """How long an instance acts on its last word from the store.

    Attributes:
        lease_s: granted by the store. Longer forgives more; a lost host's agents wait for it to end. At least
            ``lease_needed_s`` of the store's election timeout, so that a change of its leader resets nobody.
        step_down_share: of the lease, after which an instance without a store stops acting.
        ask_share: of the lease, after which it begins to ask the others.
        ask_interval_s: between two questions to one instance.
        promise_s: how long one answer binds. Longer than two questions with their answers.
        margin_s: taken off each promise by the asker, for clocks that run apart: 0.1 s of 3 s is 3 %.
    """

    lease_s: float = 4.0
    step_down_share: float = 2 / 3
    ask_share: float = 1 / 3
    ask_interval_s: float = 0.5
    promise_s: float = 3.0
    margin_s: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.ask_share < self.step_down_share < 1:
            raise SettingsError("0 < ask_share < step_down_share < 1 must hold")
        if self.promise_s < 4 * self.ask_interval_s + self.margin_s:
            raise SettingsError("promise_s must cover four times ask_interval_s and margin_s")


def lease_needed_s(
    election_timeout_s: float, *, renewal_interval_s: float = 0.5, attempt_limit_s: float = 0.4, share: float = 2 / 3
) -> float:
    """Return the shortest lease that a change of the store's leader does not spend.

    One election may have to be repeated, which takes up to three timeouts; a renewal may just have been missed, and
    the attempt in flight runs into its limit. All that must fit before the step-down.

    Source: measured, six lease holders: renewals were interrupted for at most 1.86 s with an election timeout of
        0.5 s (2.4 s allowed for here) and for at most 3.43 s with 1 s (3.9 s).
    """
    return (renewal_interval_s + 3 * election_timeout_s + attempt_limit_s) / share


# --- the one who may have lost its store


class Tenure(Struct, frozen=True, kw_only=True):
    """What one incarnation of an instance may rely on.

    Claims and links belong to the incarnation that made them. One that lost its lease and registers anew begins a
    second tenure beside the first: the new lease carries new claims only, the old ones live on promises until they
    are claimed again. The listing in the store is the instance's, so what is sent, confirmed and answered about it is
    told to every tenure that has not ended.

    Attributes:
        renewed_s: when the last confirmed renewal was sent; minus infinity once the store said that the lease is gone.
        asked: all who may be in our listing, as far as we know; None until a listing was confirmed: then there is
            no carrying on without a store.
        promised: until when each of them promised to take nothing from us, already less the margin.
        silent: why one did not promise, for the health page.
        ended: set when this instance stepped down, to the reason; it never acts again under old claims.
    """

    settings: TenureSettings
    renewed_s: float
    asked: frozenset[InstanceId] | None = None
    promised: Mapping[InstanceId, float] = MappingProxyType({})
    silent: Mapping[InstanceId, str] = MappingProxyType({})
    ended: str = ""


class CarryOn(Struct, frozen=True):
    """Act until then at least."""

    until_s: float
    reason: str


class AskOthers(Struct, frozen=True):
    """Act until then, and ask these others now, again after ``ask_interval_s``."""

    until_s: float
    others: tuple[InstanceId, ...]
    reason: str


class StepDown(Struct, frozen=True):
    """Stop acting: leave links, reset desktops."""

    reason: str


class Answer(Struct, frozen=True):
    """What another instance says when asked "have you a store, and will you leave me my agents?"."""

    promised: bool
    reason: str


def act_until_s(tenure: Tenure) -> float:
    """Return the moment at which acting must have stopped; it has passed when the tenure has ended."""
    return -math.inf if tenure.ended else max(_lease_until_s(tenure), _promised_until_s(tenure))


def may_act(tenure: Tenure, now_s: float) -> bool:
    """Say whether an action may begin now. To be asked directly before each action on a link."""
    return now_s < act_until_s(tenure)


def decide(tenure: Tenure, now_s: float) -> tuple[Tenure, CarryOn | AskOthers | StepDown]:
    """Decide whether to go on serving.

    Returns:
        The tenure, ended for good once its time has passed, and what to do.
    """
    tenure = _end_if_past(tenure, now_s)
    if tenure.ended:
        return tenure, StepDown(tenure.ended)
    settings = tenure.settings
    until_s = act_until_s(tenure)
    ask_from_s = tenure.renewed_s + settings.ask_share * settings.lease_s
    if now_s < ask_from_s:
        return tenure, CarryOn(until_s, "the lease is renewed")
    if not tenure.asked:
        alone = "there is nobody to ask" if tenure.asked is not None else "our listing is not in the store"
        return tenure, CarryOn(until_s, f"no renewal for a third of the lease, and {alone}")
    promising = sum(1 for each in tenure.asked if tenure.promised.get(each, -math.inf) > now_s)
    reason = f"no renewal for a third of the lease; {promising} of {len(tenure.asked)} others have no store either"
    return tenure, AskOthers(until_s, tuple(sorted(tenure.asked)), reason)


def renewal_confirmed(tenure: Tenure, *, sent_s: float, now_s: float) -> Tenure:
    """Count a renewal that the store confirmed, from when it was sent. It revives nobody who stepped down."""
    tenure = _end_if_past(tenure, now_s)
    return tenure if tenure.ended else replace(tenure, renewed_s=max(tenure.renewed_s, sent_s))


def lease_lost(tenure: Tenure, now_s: float) -> Tenure:
    """Take the store's word that our lease is gone: only promises still carry us, while we register anew."""
    return _end_if_past(replace(tenure, renewed_s=-math.inf), now_s)


def answered(tenure: Tenure, other: InstanceId, answer: Answer, *, asked_s: float, now_s: float) -> Tenure:
    """Count the answer of another instance, from when it was asked. A promise revives nobody who stepped down."""
    tenure = _end_if_past(tenure, now_s)
    if tenure.ended:
        return tenure
    if not answer.promised:
        return replace(tenure, silent={**tenure.silent, other: answer.reason})
    until_s = asked_s + tenure.settings.promise_s - tenure.settings.margin_s
    until_s = max(until_s, tenure.promised.get(other, -math.inf))
    silent = {name: why for name, why in tenure.silent.items() if name != other}
    return replace(tenure, promised={**tenure.promised, other: until_s}, silent=silent)


def listing_sent(tenure: Tenure, names: frozenset[InstanceId]) -> Tenure:
    """Count a new listing as possibly in the store from the moment that it is sent: ask the old and the new ones."""
    return tenure if tenure.asked is None else replace(tenure, asked=tenure.asked | names)


def listing_confirmed(tenure: Tenure, names: frozenset[InstanceId], now_s: float) -> Tenure:
    """Count a listing as the one in the store, when the store said so. It revives nobody who stepped down."""
    tenure = _end_if_past(tenure, now_s)
    return tenure if tenure.ended else replace(tenure, asked=names)


class Listing(Struct, frozen=True):
    """Whom an instance would ask; the value under ``listing_key``.

    ``url`` is where desktops reach it: pages that it served call the others most of all when it is gone, and instances
    that started after its end must know them for ours.
    """

    incarnation: int
    names: tuple[InstanceId, ...]
    url: str = ""


def listing_transaction(me: InstanceId, datacentre: str, listing: Listing, *, revision: int) -> Transaction:
    """Return the change that puts our listing in the store.

    The revision read before is compared, so that an earlier listing whose outcome is unknown cannot land later.
    """
    key = listing_key(datacentre, me)
    conditions = (CreatedAt(instance_key(datacentre, me), listing.incarnation), ModifiedAt(key, revision))
    return Transaction(conditions, (Put(key, listing),))


# --- the one who is asked


class Promises(Struct, frozen=True, kw_only=True):
    """What we have promised to others.

    Attributes:
        started_s: when this process started: for one promise's time it is bound by all it may have promised before.
        made: until when we take nothing from each.
    """

    settings: TenureSettings
    started_s: float
    made: Mapping[InstanceId, float] = MappingProxyType({})


def answer(
    promises: Promises, asker: InstanceId, *, has_store: bool, is_taking: bool, now_s: float
) -> tuple[Promises, Answer]:
    """Answer another instance that has no store.

    Args:
        promises: made so far.
        asker: who asks.
        has_store: whether our own last renewal was confirmed within ``ask_share`` of the lease.
        is_taking: whether a claim on a lost owner, or a change of the active datacentre, is in flight here. It is so
            until the store has answered, or, when the answer was lost, until a later change of one of its keys was
            confirmed, so that it can land no more. Nothing is promised meanwhile. (A claim is decided only when no
            promise binds us, so the owner has stopped by then; this guards against a shell that errs in the order.)
        now_s: when the answer is given.
    """
    if has_store:
        return promises, Answer(promised=False, reason="we have a store")
    if is_taking:
        return promises, Answer(promised=False, reason="a claim of ours may have been granted")
    if now_s < promises.started_s + promises.settings.promise_s:
        # Assumed: what the process before us sent has arrived or been given up by then (limit of a call: 1.5 s).
        return promises, Answer(promised=False, reason="we have just started")
    kept = {name: until_s for name, until_s in promises.made.items() if until_s > now_s}
    kept[asker] = now_s + promises.settings.promise_s
    return replace(promises, made=kept), Answer(promised=True, reason="we have no store either")


def bound_until_s(promises: Promises, owner: InstanceId) -> float:
    """Return until when we may take nothing from an owner."""
    return max(promises.started_s + promises.settings.promise_s, promises.made.get(owner, -math.inf))


def _lease_until_s(tenure: Tenure) -> float:
    return tenure.renewed_s + tenure.settings.step_down_share * tenure.settings.lease_s


def _promised_until_s(tenure: Tenure) -> float:
    if tenure.asked is None or (tenure.asked and not tenure.promised):  # asked for each deed, most often without any
        return -math.inf
    return min((tenure.promised.get(each, -math.inf) for each in tenure.asked), default=math.inf)


def _end_if_past(tenure: Tenure, now_s: float) -> Tenure:
    if tenure.ended or may_act(tenure, now_s):
        return tenure
    if tenure.asked is None:
        return replace(tenure, ended="the lease could not be renewed, and our listing is not in the store")
    broken = sorted(each for each in tenure.asked if tenure.promised.get(each, -math.inf) <= now_s)
    why = "; ".join(f"{each}: {tenure.silent.get(each, 'silent')}" for each in broken)
    return replace(tenure, ended=f"the lease could not be renewed, and not all promised to wait ({why})")
