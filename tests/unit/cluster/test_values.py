"""What stands under the cluster's keys is read by instances of neighbouring versions, and nothing else is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from unified_agent.cluster.activation import Active
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.ownership import Record
from unified_agent.cluster.stores.base import Entry, Revision
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import Ended
from unified_agent.cluster.values import Carried, Node, read_value, write_value
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.errors import RemoteProtocolError

VALUES: list[Struct] = [
    Node(
        process="p",
        url="http://a1",
        peer_address="a1:7000",
        version="1",
        capacity=1_000,
        stage=Stage.DRAINING,
        stood_down_epoch=3,
    ),
    Active(datacentre="east", epoch=4, reason="a person's order", by=InstanceId("a1"), handed_to="west"),
    Listing(7, (InstanceId("b1"), InstanceId("b2"))),
    Ended(7),
    Record(
        agent=AgentId("5001"),
        station=StationId("2001"),
        owner=None,
        datacentre="east",
        incarnation=7,
        term=3,
        epoch=4,
        session=SessionId("s1"),
    ),
    Carried(term=3, sealed=b"\x00\xff"),
]


def entry(value: bytes) -> Entry:
    return Entry(key="cluster/node/east/a1", value=value, created=Revision(1), revision=Revision(1))


@pytest.mark.parametrize("value", VALUES, ids=lambda each: type(each).__name__)
def test_every_value_survives(value: Struct):
    assert read_value(type(value), entry(write_value(value))) == value  # type: ignore[type-var]


@pytest.mark.parametrize("value", VALUES, ids=lambda each: type(each).__name__)
def test_what_a_newer_version_added_is_passed_over(value: Struct):
    written = write_value(value)
    form: Any = msgspec.json if written.startswith(b"{") else msgspec.msgpack
    newer = form.encode({**form.decode(written), "mood": "good"})
    assert read_value(type(value), entry(newer)) == value  # type: ignore[type-var]


def test_what_an_older_version_did_not_know_has_its_default():
    plain = msgspec.json.decode(write_value(VALUES[0]))
    del plain["stage"], plain["stood_down_epoch"]
    older = read_value(Node, entry(msgspec.json.encode(plain)))
    assert (older.stage, older.stood_down_epoch) == (Stage.JOINING, 0)


@pytest.mark.parametrize("value", [b"", b"nonsense", b"{}", b'{"process": 5}', b"\xff\xfe"])
def test_anything_else_is_refused_and_says_where_it_stands(value: bytes):
    with pytest.raises(RemoteProtocolError, match="cluster/node/east/a1 holds no Node"):
        read_value(Node, entry(value))
