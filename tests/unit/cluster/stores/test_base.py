import pytest

from unified_agent.cluster.stores.base import (
    TRANSACTION_LIMIT,
    DeleteKey,
    Lease,
    LeaseId,
    PutValue,
    StoreRefused,
    StoreUnavailable,
    Write,
    WriteUnknown,
    check_transaction,
    keys_of,
)
from unified_agent.cluster.transactions import Condition, CreatedAt, ModifiedAt, NoneNewerUnder, NoneUnder
from unified_agent.errors import LocalProtocolError


def test_codes_that_others_rely_on_stay_as_they_are() -> None:
    assert (StoreUnavailable.code, WriteUnknown.code, StoreRefused.code) == (
        "store-unavailable",
        "store-write-unknown",
        "store-refused",
    )
    assert issubclass(WriteUnknown, StoreUnavailable)


def test_a_lease_is_safe_from_the_sending_of_what_confirmed_it() -> None:
    assert Lease(lease=LeaseId(1), ttl_s=3.0, sent_at_s=10.0).ends_at_s == 13.0


def test_a_conflict_tells_of_each_single_key_once() -> None:
    keys: list[Condition] = [ModifiedAt("a", 1), CreatedAt("b", 1), CreatedAt("a", 1)]
    prefixes: list[Condition] = [NoneUnder("c/"), NoneNewerUnder("d/", 1)]
    assert keys_of(keys + prefixes) == ("a", "b")


@pytest.mark.parametrize(
    "writes",
    [
        [PutValue("a", b""), PutValue("a", b"")],
        [PutValue("a", b""), DeleteKey("a")],
        [DeleteKey("")],
        [PutValue("a", bytes(256 * 1024 + 1))],
        [PutValue(str(number), b"") for number in range(TRANSACTION_LIMIT + 1)],
    ],
)
def test_what_no_store_takes_is_our_own_mistake(writes: list[Write]) -> None:
    with pytest.raises(LocalProtocolError):
        check_transaction([], writes)


def test_too_many_conditions_are_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        check_transaction([ModifiedAt(str(number), 0) for number in range(TRANSACTION_LIMIT + 1)], [])
    check_transaction([ModifiedAt(str(number), 0) for number in range(TRANSACTION_LIMIT)], [])
