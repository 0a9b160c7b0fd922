"""What the instances say of their cluster."""

import msgspec
import pytest

from unified_agent.client.topology import Topology, decode_topology, leads_somewhere, plain

TOLD = {
    "type": "topology",
    "cluster": "c",
    "epoch": 2,
    "version": 7,
    "active": "east",
    "reconnect_window_ms": 2_500,
    "instances": [
        {"id": "a", "url": "http://a", "datacentre": "east", "state": "ready", "weight": 200, "new": True},
        {"id": "b", "url": "http://b", "datacentre": "west", "state": "joining", "weight": 1},
    ],
    "new": 1,
}


def test_a_frame_and_an_answer_are_read_alike_and_unknown_fields_are_passed_over():
    topology = decode_topology(msgspec.json.encode(TOLD))
    assert (topology.cluster, topology.epoch, topology.version, topology.active) == ("c", 2, 7, "east")
    assert [(each.id, each.state, each.weight) for each in topology.instances] == [
        ("a", "ready", 200),
        ("b", "joining", 1),
    ]
    assert topology == decode_topology(msgspec.json.encode({**TOLD, "type": "?"}))


def test_a_thousand_desks_that_are_told_the_same_share_it():
    data = msgspec.json.encode(TOLD)
    assert decode_topology(data) is decode_topology(bytes(data))


def test_what_is_not_as_described_is_an_error():
    with pytest.raises(msgspec.DecodeError):
        decode_topology(b'{"type": "topology", "cluster": "c"}')


@pytest.mark.parametrize(
    ("cluster", "epoch", "version", "newer"),
    [
        ("c", 3, 1, True),
        ("c", 2, 8, True),
        ("c", 2, 7, False),
        ("c", 2, 6, False),
        ("c", 1, 9, False),
        ("d", 1, 1, True),
    ],
)
def test_a_lower_epoch_or_version_of_the_same_cluster_never_takes_the_place_of_a_higher_one(
    cluster, epoch, version, newer
):
    known = Topology(cluster="c", epoch=2, version=7)
    assert Topology(cluster=cluster, epoch=epoch, version=version).is_newer_than(known) is newer


@pytest.mark.parametrize(("told", "kept_s"), [(0, 0.0), (2_500, 2.5), (60_000, 30.0), (-5, 0.0)])
def test_the_window_is_kept_within_its_limits(told, kept_s):
    assert Topology(cluster="c", epoch=1, version=1, reconnect_window_ms=told).window_s == kept_s


@pytest.mark.parametrize(
    ("url", "securely", "somewhere"),
    [
        ("http://ua-1:8080", False, True),
        ("https://ua-1", False, True),
        ("https://ua-1", True, True),
        ("http://ua-1", True, False),
        ("http://0.0.0.0:8080", False, False),
        ("http://[::]:8080", False, False),
        ("file:///etc/passwd", False, False),
        ("http://[ua", False, False),
        ("", False, False),
    ],
)
def test_nobody_is_sent_to_where_nothing_can_be_or_out_of_a_secured_place(url, securely, somewhere):
    assert leads_somewhere(url, securely=securely) is somewhere


def test_urls_are_compared_without_a_slash_at_the_end():
    assert plain("http://ua-1/") == plain("http://ua-1")
