import pytest

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import Entry, LeaseId, Removed, Revision
from unified_agent.cluster.stores.etcd_keys import Keys
from unified_agent.cluster.stores.etcd_messages import _CLASSES

KEYS = Keys("/ua/x/")


@pytest.mark.parametrize("prefix", ["", "node/", "node/é", "node"])
def test_a_span_holds_exactly_the_keys_below_its_prefix(prefix: str) -> None:
    first, end = KEYS.span(prefix)
    for key in ("", "a", "node", "node/", "node/a", "node/é", "node/éa", "node0", "nodf", "\U0010ffff"):
        assert (first <= KEYS.out(key) < end) == key.startswith(prefix), key
    assert not first <= b"/ua/x0" < end
    assert not first <= b"/ua/y/node/" < end


def test_a_key_comes_back_as_it_went_out() -> None:
    kv = _CLASSES["KeyValue"](key=KEYS.out("a/é"), value=b"v", create_revision=2, mod_revision=3, lease=7)
    entry = Entry(key="a/é", value=b"v", created=Revision(2), revision=Revision(3), lease=LeaseId(7))
    assert KEYS.entry(kv) == entry
    event = _CLASSES["Event"](type=pb.PUT, kv=kv)
    assert KEYS.event(event) == entry
    event.type = pb.DELETE
    assert KEYS.event(event) == Removed(key="a/é", revision=Revision(3))
