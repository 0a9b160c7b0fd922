import asyncio

import grpc
import pytest
from tests.unit.cluster.stores.fake_channels import make_rpc, on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import StoreUnavailable


@on_virtual_time
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


@on_virtual_time
async def test_without_any_endpoint_the_limit_is_kept_and_nothing_was_sent() -> None:
    rpc, channels = make_rpc("a:1", "b:1")
    for channel in channels:
        channel.state = grpc.ChannelConnectivity.CONNECTING
    clock = LoopClock(asyncio.get_running_loop())
    began_s = clock.now_s()
    with pytest.raises(StoreUnavailable, match=r"a:1, b:1"):
        await rpc.requests.ready(began_s + 0.15)
    assert 0.15 <= clock.now_s() - began_s < 1.0
    assert rpc.requests.failovers >= 1
