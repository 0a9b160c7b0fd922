"""As much of an instance as a guardian sees: registered in the store on a lease, alive twice a second.

    python guarded_instance.py guard ENDPOINTS PREFIX     a guardian, with one such instance
    python guarded_instance.py serve ENDPOINTS PREFIX     the instance

It prints ``registered PID INCARNATION LEASE``. SIGTERM and SIGINT: it leaves in good order. SIGHUP: it ends with status
3, without a word to anybody.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from unified_agent.clock import LoopClock
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.guarded import ALIVE_S, Guarded
from unified_agent.cluster.stores.base import ABSENT, Committed, StoreUnavailable
from unified_agent.cluster.stores.open import store_from
from unified_agent.cluster.transactions import instance_key
from unified_agent.domain.ids import InstanceId
from unified_agent.guardian import guard
from unified_agent.observe import configure_logging
from unified_agent.settings import ClusterSettings, StoreSettings

DATACENTRE, INSTANCE = "dc1", InstanceId("a1")
LEASE_S, STUCK_S = 4.0, 3.0


def settings_of(endpoints: str, prefix: str) -> StoreSettings:
    return StoreSettings(endpoints=tuple(endpoints.split(",")), prefix=prefix)


async def serve(settings: StoreSettings) -> None:
    loop = asyncio.get_running_loop()
    store = store_from(settings, LoopClock(loop), random.Random(1))
    guarded = Guarded.from_environment(os.environ)
    leave = asyncio.Event()

    def asked() -> None:
        print("asked to leave", flush=True)
        leave.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    loop.add_signal_handler(signal.SIGHUP, os._exit, 3)
    lease = await store.grant_lease(LEASE_S)
    made = await store.put_if(instance_key(DATACENTRE, INSTANCE), b"here", ABSENT, lease.lease)
    assert isinstance(made, Committed)
    if guarded is not None:
        guarded.registered(datacentre=DATACENTRE, instance=INSTANCE, incarnation=made.revision, lease=lease.lease)
    print("registered", os.getpid(), made.revision, lease.lease, flush=True)
    while not leave.is_set():
        if guarded is not None:
            guarded.alive()
        try:
            await store.keep_alive(lease.lease)
        except StoreUnavailable as error:
            print("no renewal:", error, flush=True)
        try:
            await asyncio.wait_for(leave.wait(), ALIVE_S)
        except TimeoutError:
            continue
    await prove_end(store, DATACENTRE, INSTANCE, made.revision)
    await store.revoke(lease.lease)
    if guarded is not None:
        guarded.left(made.revision)
    await store.close()


if __name__ == "__main__":
    role, endpoints, prefix = sys.argv[1:]
    configure_logging()
    store = settings_of(endpoints, prefix)
    if role == "guard":
        cluster = ClusterSettings(keys_file=Path("unused"), lease_s=LEASE_S, stuck_s=STUCK_S, store=store)
        sys.exit(guard([sys.executable, __file__, "serve", endpoints, prefix], cluster))
    asyncio.run(serve(store))
