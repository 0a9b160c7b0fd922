"""What sessions leave to their next owners: written after each change, sealed, batched, guarded by our incarnation.

The value is the session's carry (``domain.carry``), deflated, under the cluster's key and bound to its agent and term,
so that whoever reads the store learns nothing, and a value that was moved to another agent's key does not open.
Deflated because the store keeps each version until it is compacted, and its disk and history are what a large cluster
runs out of first (``docs/explanation/scale.md``). Nobody's carry is written without the claim: a key is taken over when
the claim is granted, and another one's change of it ends our writing.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from unified_agent.cluster.lives import Life
from unified_agent.cluster.stores.base import ABSENT, Entry, Store
from unified_agent.cluster.stores.batch import BatchedWriter, BatchSettings
from unified_agent.cluster.transactions import CreatedAt, carry_key
from unified_agent.cluster.values import Carried, read_value, write_value
from unified_agent.domain.carry import pack, unpack
from unified_agent.domain.ids import AgentId
from unified_agent.domain.ports import Chance
from unified_agent.domain.session_state import SessionState
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.sealing import Keyring, SealBroken

LOGGER: Final = get_logger("cluster.carries")
PURPOSE: Final = "carry"
#: 20 to 30 µs for a carry of 3 to 5 kB; harder work saves two bytes in a hundred.
_DEFLATE_LEVEL: Final = 1
#: No carry has so many: notes of 4,000 characters, 20 messages, 20 calls and a record of 200 fields are in 256 kB.
_CONTENT_LIMIT_BYTES: Final = 1024 * 1024
#: How often is looked whether a last change has been written, seconds, and how often at most.
_SETTLE_STEP_S: Final = 0.01
_SETTLE_STEPS: Final = 150


class Carries:
    """Reads and writes them. ``run`` writes; it ends by being cancelled."""

    def __init__(
        self, own_key: str, store: Store, keyring: Keyring, chance: Chance, settings: BatchSettings, metrics: Metrics
    ) -> None:
        """Write nothing yet.

        Args:
            own_key: our instance's key, which guards every write.
            store, keyring, chance: where to, under which keys, and jitter.
            settings: how writes are gathered.
            metrics: to count with.
        """
        self._own_key = own_key
        self._store = store
        self._keyring = keyring
        self._chance = chance
        self._settings = settings
        self._metrics = metrics
        self._writer: BatchedWriter | None = None
        self._latest: dict[AgentId, tuple[SessionState, int]] = {}
        self._begun = asyncio.Event()

    # --- reading

    async def read(self, agent: AgentId) -> SessionState | None:
        """Read what an agent's last owner left; None for nothing that can be read.

        Raises:
            StoreUnavailable, StoreRefused: the store cannot be asked.
        """
        return self._open(agent, await self._store.get(carry_key(agent)))

    async def take(self, agent: AgentId, term: int) -> SessionState | None:
        """Read it and go on writing it, having been granted the claim in this term. Raises as ``read``."""
        key = carry_key(agent)
        entry = await self._store.get(key)
        if self._writer is not None:
            self._writer.own(key, entry.revision if entry is not None else ABSENT)
        latest = self._latest.get(agent)
        if latest is not None:
            self.put(latest[0], term)
        return self._open(agent, entry)

    # --- writing

    def begin(self, life: Life) -> None:
        """Write under a new registration from now on; what is held must be taken anew."""
        self._writer = BatchedWriter(
            self._store,
            [CreatedAt(self._own_key, life.incarnation)],
            self._settings,
            self._chance,
            lost=self._lost,
            fenced=self._fenced,
        )
        self._begun.set()

    def put(self, carry: SessionState, term: int) -> None:
        """Have a carry written soon."""
        agent = carry.identity.agent
        self._latest[agent] = carry, term
        if self._writer is None:
            return
        sealed = self._keyring.seal(PURPOSE, deflate(pack(carry)), about=_about(agent, term))
        if not self._writer.put(carry_key(agent), write_value(Carried(term=term, sealed=sealed))):
            self._metrics.fenced_writes.inc()

    def write_again(self) -> None:
        """Seal and write all anew: another key seals from now on, and the old one will be pruned."""
        for carry, term in tuple(self._latest.values()):
            self.put(carry, term)

    def forget(self, agent: AgentId) -> None:
        """Write no more for an agent."""
        self._latest.pop(agent, None)
        if self._writer is not None:
            self._writer.forget(carry_key(agent))

    async def settle(self, agent: AgentId) -> None:
        """Wait until the last change of an agent's carry is written, though not for ever."""
        for _ in range(_SETTLE_STEPS):
            if self._writer is None or not self._writer.is_waiting(carry_key(agent)):
                return
            await asyncio.sleep(_SETTLE_STEP_S)

    async def run(self) -> None:
        """Write what comes, under one registration after the other."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            writer = self._writer
            assert writer is not None, "begun"
            running = asyncio.ensure_future(writer.run())
            next_life = asyncio.ensure_future(self._begun.wait())
            try:
                await asyncio.wait([running, next_life], return_when=asyncio.FIRST_COMPLETED)
            finally:
                running.cancel()
                next_life.cancel()
                outcomes = await asyncio.gather(running, next_life, return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome

    # --- inside

    def _open(self, agent: AgentId, entry: Entry | None) -> SessionState | None:
        if entry is None:
            return None
        try:
            carried = read_value(Carried, entry)
            return unpack(inflate(self._keyring.open(PURPOSE, carried.sealed, about=_about(agent, carried.term))))
        except (RemoteProtocolError, SealBroken) as error:
            log_event(LOGGER, "carry_not_read", level="error", agent=agent, why=str(error))
            return None

    def _lost(self, key: str, seen: Entry | None) -> None:
        """Somebody else has written it: the claim is, or was, theirs."""
        del seen
        self._metrics.fenced_writes.inc()
        log_event(LOGGER, "carry_lost", level="warning", key=key)

    def _fenced(self) -> None:
        log_event(LOGGER, "carries_fenced", level="warning")
        self._metrics.fenced_writes.inc()


def _about(agent: AgentId, term: int) -> bytes:
    return f"{agent} {term}".encode()


def deflate(content: bytes) -> bytes:
    """Make a packed carry smaller."""
    return zlib.compress(content, _DEFLATE_LEVEL)


def inflate(content: bytes) -> bytes:
    """Return what was deflated.

    Raises:
        RemoteProtocolError: nothing was, or too much.
    """
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(content, _CONTENT_LIMIT_BYTES)
    except zlib.error as error:
        raise RemoteProtocolError(f"not a session's carry: {error}") from error
    if not inflating.eof:
        raise RemoteProtocolError(f"a session's carry is cut off, or longer than {_CONTENT_LIMIT_BYTES} bytes")
    return inflated
