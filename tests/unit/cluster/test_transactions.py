"""Keys as all instances write them: a key lies under its prefix, and no datacentre's prefix covers another's keys."""

from __future__ import annotations

from unified_agent.cluster import transactions as tx
from unified_agent.domain.ids import InstanceId

A1 = InstanceId("a1")


def test_keys_of_instances_and_listings_lie_under_their_datacentre_only():
    for prefix, key in ((tx.instances_prefix, tx.instance_key), (tx.listing_prefix, tx.listing_key)):
        assert key("east", A1).startswith(prefix("east"))
        assert not key("east2", A1).startswith(prefix("east"))
        assert not key("east", A1).startswith(prefix("west"))


def test_no_two_things_share_a_key():
    keys = [
        tx.ACTIVE_KEY,
        tx.instance_key("east", A1),
        tx.listing_key("east", A1),
        tx.agent_key("100"),
        tx.station_key("100"),
    ]
    assert len(set(keys)) == len(keys)


def test_conditions_are_told_apart_by_what_they_say():
    assert tx.CreatedAt("k", 1) != tx.ModifiedAt("k", 1)
    assert len({tx.CreatedAt("k", 1), tx.CreatedAt("k", 1), tx.NotCreatedAt("k", 1)}) == 2
