"""Connections in whatever state a test says, under a real ``Rpc``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import grpc
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.etcd_rpc import Rpc
from unified_agent.cluster.stores.etcd_settings import EtcdSettings


def on_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of an asynchronous one, without waiting."""

    @wraps(test)
    def play() -> None:
        run(test())

    return play


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
