import grpc.aio
import pytest
from grpc import StatusCode

from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.etcd_errors import (
    Compacted,
    LeaseNotFound,
    Overloaded,
    TokenEnded,
    map_error,
    words_of,
)
from unified_agent.errors import LocalProtocolError


def failed(code: StatusCode, details: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)


@pytest.mark.parametrize(
    ("code", "details", "of_a_read", "of_a_write"),
    [
        (StatusCode.UNAVAILABLE, "Socket closed", StoreUnavailable, WriteUnknown),
        (StatusCode.UNAVAILABLE, "etcdserver: no leader", StoreUnavailable, StoreUnavailable),
        (StatusCode.UNAVAILABLE, "etcdserver: leader changed", StoreUnavailable, WriteUnknown),
        (StatusCode.UNAVAILABLE, "etcdserver: request timed out", StoreUnavailable, WriteUnknown),
        (StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", StoreUnavailable, WriteUnknown),
        (StatusCode.UNKNOWN, "etcdserver: something new", StoreUnavailable, WriteUnknown),
        (StatusCode.CANCELLED, "", StoreUnavailable, WriteUnknown),
        (StatusCode.RESOURCE_EXHAUSTED, "etcdserver: too many requests", StoreUnavailable, Overloaded),
        (StatusCode.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", StoreUnavailable, Overloaded),
        (StatusCode.RESOURCE_EXHAUSTED, "CLIENT: Received message larger than max", StoreUnavailable, WriteUnknown),
        (StatusCode.PERMISSION_DENIED, "etcdserver: permission denied", StoreRefused, StoreRefused),
        (StatusCode.UNAUTHENTICATED, "who are you", StoreRefused, StoreRefused),
        (StatusCode.INVALID_ARGUMENT, "etcdserver: user name is empty", StoreRefused, StoreRefused),
        (StatusCode.INVALID_ARGUMENT, "etcdserver: authentication failed, invalid ...", StoreRefused, StoreRefused),
        (StatusCode.FAILED_PRECONDITION, "etcdserver: authentication is not enabled", StoreRefused, StoreRefused),
        (StatusCode.UNAUTHENTICATED, "etcdserver: invalid auth token", TokenEnded, TokenEnded),
        (StatusCode.INVALID_ARGUMENT, "etcdserver: revision of auth store is old", TokenEnded, TokenEnded),
        (StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", Compacted, Compacted),
        (StatusCode.NOT_FOUND, "etcdserver: requested lease not found", LeaseNotFound, LeaseNotFound),
        (StatusCode.INVALID_ARGUMENT, "etcdserver: duplicate key given", LocalProtocolError, LocalProtocolError),
        (StatusCode.UNIMPLEMENTED, "unknown service", LocalProtocolError, LocalProtocolError),
    ],
)
def test_each_error_of_etcd_says_who_must_act(
    code: StatusCode, details: str, of_a_read: type[Exception], of_a_write: type[Exception]
) -> None:
    read, write = (map_error(failed(code, details), is_write=is_write) for is_write in (False, True))
    assert isinstance(read, of_a_read)
    assert type(write) is of_a_write
    assert not isinstance(read, WriteUnknown)


def test_what_a_failed_request_said_is_bounded() -> None:
    assert words_of(failed(StatusCode.UNAVAILABLE, "x" * 5000)) == "unavailable: " + "x" * 200
