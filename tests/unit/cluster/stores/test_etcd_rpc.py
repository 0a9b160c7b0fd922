"""What the contract tests cannot bring about at will."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from grpc import StatusCode
from tests.unit.cluster.stores.fake_channels import make_rpc, on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import StoreUnavailable, WriteUnknown


def failed(code: StatusCode, details: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)


@on_virtual_time
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


@on_virtual_time
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
