from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.etcd_messages import _CLASSES


def test_every_message_of_the_table_can_be_written_and_read() -> None:
    for made_by in _CLASSES.values():
        made = made_by()
        assert made_by.FromString(made.SerializeToString()) == made


def test_a_comparison_with_nothing_is_sent_all_the_same() -> None:
    """etcd must be told "made at 0"; a zero that is not set would not be on the wire."""
    compare = pb.Compare(key=b"a", target=pb.CREATE, result=pb.EQUAL, create_revision=0)
    assert compare.SerializeToString() == bytes.fromhex("10011a01612800")


def test_fields_that_we_do_not_know_are_passed_over() -> None:
    unknown = bytes.fromhex("a20601ff")
    assert pb.RangeResponse.FromString(unknown + pb.RangeResponse(count=2).SerializeToString()).count == 2
