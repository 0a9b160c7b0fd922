"""What the contract tests cannot bring about at will: every error of gRPC, and the choice of endpoints."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc import StatusCode

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.etcd_rpc import (
    Compacted,
    LeaseNotFound,
    Overloaded,
    Rpc,
    TokenEnded,
    map_error,
    words_of,
)
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
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


class FakeChannel:
    """A connection in whatever state a test says."""

    def __init__(self) -> None:
        self.state = grpc.ChannelConnectivity.READY
        self.closed = False

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self.state

    async def close(self) -> None:
        self.closed = True


def make_rpc(*addresses: str, **limits: float) -> tuple[Rpc, list[FakeChannel]]:
    """An Rpc whose lane of requests has fake connections."""
    values: dict[str, Any] = {"endpoints": addresses, "connect_limit_s": 0.05, "total_limit_s": 0.3} | limits
    rpc = Rpc(EtcdSettings(**values), LoopClock(asyncio.get_running_loop()))
    channels = [FakeChannel() for _ in addresses]
    for endpoint, channel in zip(rpc.requests._endpoints, channels, strict=True):
        endpoint.channel = channel  # type: ignore[assignment]
    return rpc, channels


@pytest.mark.asyncio
async def test_endpoints_are_tried_in_order_and_one_that_is_left_twice_is_left_once() -> None:
    rpc, channels = make_rpc("a:1", "b:1", "c:1")
    until_s = LoopClock(asyncio.get_running_loop()).now_s() + 1
    first = await rpc.requests.ready(until_s)
    assert first.address == "a:1"
    rpc.requests.turn_away(first, "two callers")
    rpc.requests.turn_away(first, "saw the same failure")
    assert (await rpc.requests.ready(until_s)).address == "b:1"
    channels[1].state = grpc.ChannelConnectivity.TRANSIENT_FAILURE
    assert (await rpc.requests.ready(until_s)).address == "c:1"
    await rpc.close()
    assert all(channel.closed for channel in channels)


@pytest.mark.asyncio
async def test_a_write_is_sent_once_when_its_answer_is_missing_and_again_when_it_was_surely_not_made() -> None:
    rpc, _ = make_rpc("a:1", "b:1")
    asked: list[str] = []

    async def lost(endpoint: Any, _: float) -> None:
        asked.append(endpoint.address)
        raise failed(StatusCode.DEADLINE_EXCEEDED)

    async def refused_without_leader(endpoint: Any, _: float) -> str:
        asked.append(endpoint.address)
        if len(asked) == 1:
            raise failed(StatusCode.UNAVAILABLE, "etcdserver: no leader")
        return "made"

    until_s = LoopClock(asyncio.get_running_loop()).now_s() + 1
    with pytest.raises(WriteUnknown):
        await rpc._send(rpc.requests, lost, until_s=until_s, attempt_limit_s=1, is_write=True)
    assert asked == ["a:1"]
    assert "no answer to a write" in rpc.problem
    asked.clear()
    sent = await rpc._send(rpc.requests, refused_without_leader, until_s=until_s, attempt_limit_s=1, is_write=True)
    assert (sent, asked) == ("made", ["b:1", "a:1"])
    assert rpc.problem == ""


@pytest.mark.asyncio
async def test_an_overloaded_etcd_is_not_asked_again_at_once() -> None:
    rpc, _ = make_rpc("a:1")
    asked = 0

    async def full(_: Any, __: float) -> None:
        nonlocal asked
        asked += 1
        raise failed(StatusCode.RESOURCE_EXHAUSTED, "etcdserver: too many requests")

    with pytest.raises(StoreUnavailable):
        await rpc._send(rpc.requests, full, until_s=1e12, attempt_limit_s=1)
    assert asked == 1
