"""Proves in the store that an incarnation of an instance has ended: by its guardian, or by the instance on leaving.

Others need not wait then for the lease, nor for promises they gave (``docs/explanation/one-owner.md``). Whoever calls
this vouches that nothing acts under the incarnation any more: the process has been waited for, or has stopped acting.
"""

from __future__ import annotations

from typing import Final

from unified_agent.cluster.stores.base import ABSENT, Committed, DeleteKey, Entry, PutValue, Store, StoreUnavailable
from unified_agent.cluster.transactions import CreatedAt, Ended, ended_key, instance_key
from unified_agent.cluster.values import read_value, write_value
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import RemoteProtocolError

#: Times that somebody else may write the same proof meanwhile.
_TRIES: Final = 5


async def prove_end(store: Store, datacentre: str, instance: InstanceId, incarnation: int) -> None:
    """Write the proof and remove the registration, in one step; the proof alone when that has gone already.

    May be called again after any error, and more than once: a proof is never lowered, and the registration of a later
    incarnation is left alone.

    Raises:
        StoreUnavailable: it may have been done or not.
        StoreRefused: rights are missing.
    """
    node, proof = instance_key(datacentre, instance), ended_key(datacentre, instance)
    value = write_value(Ended(incarnation))
    outcome = await store.transact([CreatedAt(node, incarnation)], [PutValue(proof, value), DeleteKey(node)])
    if isinstance(outcome, Committed):
        return
    for _ in range(_TRIES):
        known = await store.get(proof)
        if known is not None and _proven(known) >= incarnation:
            return
        outcome = await store.put_if(proof, value, known.revision if known is not None else ABSENT)
        if isinstance(outcome, Committed):
            return
    raise StoreUnavailable(f"{proof} is being changed by others all the time")


def _proven(entry: Entry) -> int:
    """Return up to which incarnation is proven to have ended; what nobody can read proves nothing."""
    try:
        return read_value(Ended, entry).incarnation
    except RemoteProtocolError:
        return 0
