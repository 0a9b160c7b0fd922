"""A store to hold to the contract, and what a test may do to it: the same words for each engine."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from itertools import count

from tests.contract.etcd_servers import Servers

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import Store
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine

_NUMBERS = count(1)


class World(ABC):
    """One store with as many instances on it as a test wants."""

    def __init__(self) -> None:
        self.stores: list[Store] = []

    def connect(self) -> Store:
        """Return another instance's store."""
        store = self._connect()
        self.stores.append(store)
        return store

    @abstractmethod
    def _connect(self) -> Store: ...

    @abstractmethod
    async def compact(self) -> None:
        """Have the store forget its history."""

    async def close(self) -> None:
        for store in self.stores:
            await store.close()


class MemoryWorld(World):
    def __init__(self) -> None:
        super().__init__()
        self.engine = MemoryEngine(LoopClock(asyncio.get_running_loop()), lease_floor_s=1.0)

    def _connect(self) -> MemoryStore:
        return MemoryStore(self.engine)

    async def compact(self) -> None:
        self.engine.compact()


class EtcdWorld(World):
    def __init__(self, servers: Servers) -> None:
        super().__init__()
        self.settings = EtcdSettings(endpoints=servers.endpoints, prefix=f"/ua/test-{next(_NUMBERS)}/", page_keys=7)

    def _connect(self) -> EtcdStore:
        return EtcdStore(self.settings, LoopClock(asyncio.get_running_loop()), random.Random(1))

    async def compact(self) -> None:
        store = self._connect()
        try:
            await store.compact()
        finally:
            await store.close()
