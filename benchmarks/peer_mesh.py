"""What links and heartbeats cost an instance of a cluster: CPU, memory, and the detector by itself.

    .venv/bin/python -m benchmarks.peer_mesh [INSTANCES ...]

A process of its own runs one instance: the real members, detector and links over loopback, a store in its memory, no
agents. This process is all others: each has its two links to that instance and sends it a heartbeat each 0.5 s, as an
instance does, and no link to the rest of them. So the instance carries what it would carry in a mesh of that size, and
two cores are enough for it. Measured without and with TLS; then ten others end at once, the rest says in its heartbeats
that it misses them, and the five seconds after are measured.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import trustme
import uvloop
from benchmarks.bare_instances import DATACENTRE, BareInstance, running
from benchmarks.measuring import begin, cpu_s, microseconds, resident_bytes, settle_memory

from unified_agent.clock import LoopClock
from unified_agent.cluster import detector
from unified_agent.cluster.cluster import PEER_SECRET
from unified_agent.cluster.detector import DetectorSettings
from unified_agent.cluster.heartbeats import Heartbeat, Report, Sighting, Stage
from unified_agent.cluster.peer_messages import Answer, Notice, NotUnderstood, Question, read_notice, write
from unified_agent.cluster.peer_tls import peer_tls_contexts
from unified_agent.cluster.peers import Peers
from unified_agent.cluster.stores.base import PutValue
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import instance_key
from unified_agent.cluster.values import Node, write_value
from unified_agent.cluster.whereabouts import Whereabouts
from unified_agent.domain.ids import InstanceId
from unified_agent.network import TcpNetwork
from unified_agent.observe import configure_logging
from unified_agent.sealing import Keyring
from unified_agent.server.push_transports.desk_connection import topology_frame
from unified_agent.settings import PeerSettings

SIZES: Final = (10, 30, 100)
BEAT_S: Final = 0.5
PERIOD_S: Final = 3.0
PERIODS: Final = 3
ENDED: Final = 10
AFTER_S: Final = 5.0
#: Longer than the whole run: the store of the instance sees nobody's lease end.
LEASE_S: Final = 600.0
HOST: Final = "127.0.0.1"


def report_of(name: str) -> Report:
    """Make what an instance in service says of itself."""
    return Report(
        stage=Stage.READY,
        address=f"https://{name}.contact-centre.example.com",
        peer_address=f"{name}.contact-centre.example.com:7000",
        version="0.1.0",
        sessions=1_000,
        capacity=1_200,
        epoch=1,
    )


def heartbeat(name: InstanceId, number: int, missed: tuple[Sighting, ...] = ()) -> Heartbeat:
    """Make one heartbeat of another instance."""
    return Heartbeat(
        instance=name, datacentre=DATACENTRE, incarnation=1, number=number, report=report_of(name), missed=missed
    )


# --- the instance that is measured


class Measured:
    """Runs the instance in a process of its own, and tells what its pipe asks."""

    def __init__(self, pipe: Connection, peers: PeerSettings, key: Keyring, others: Mapping[InstanceId, str]) -> None:
        self._pipe = pipe
        self._peers = peers
        self._key = key
        self._others = others

    async def run(self) -> None:
        store = MemoryStore(MemoryEngine(LoopClock(asyncio.get_running_loop())))
        for name, address in self._others.items():
            node = Node(
                process=name,
                url=report_of(name).address,
                peer_address=address,
                version="0.1.0",
                capacity=1_200,
                stage=Stage.READY,
            )
            await store.transact([], [PutValue(instance_key(DATACENTRE, name), write_value(node))])
        before = resident_bytes(os.getpid())
        instance = BareInstance("measured", store, self._key, TcpNetwork(), peers=self._peers)
        async with running() as run:
            await run.start([instance], knowing=1 + len(self._others))
            self._pipe.send(instance.cluster.members.place.peer_address)
            await self._until_linked(instance)
            settle_memory()
            self._pipe.send((resident_bytes(os.getpid()) - before, *self._topology(instance)))
            await asyncio.to_thread(self._pipe.recv)
            verdicts = [each.verdict for each in instance.cluster.members.members()]
            self._pipe.send({each.value: verdicts.count(each) for each in detector.Verdict})

    def _topology(self, instance: BareInstance) -> tuple[int, float]:
        """Return how big the topology is that desktops are pushed, and what it costs to put it together, µs."""
        whereabouts = Whereabouts(instance.cluster, "default", 2_000, instance.clock)
        return len(topology_frame(whereabouts.topology())), microseconds(whereabouts.topology, times=20)

    async def _until_linked(self, instance: BareInstance) -> None:
        async with asyncio.timeout(60.0):
            while len(instance.cluster.members.members()) < len(self._others):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.05)
            while len(instance.cluster.peers.connected()) < len(self._others):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def run_measured(pipe: Connection, peers: PeerSettings, key: Keyring, others: Mapping[InstanceId, str]) -> None:
    """Be the process that is measured."""
    configure_logging(level="error")
    uvloop.run(Measured(pipe, peers, key, others).run())


# --- the others


class Other:
    """Another instance, as far as the measured one can tell.

    Attributes:
        heard: heartbeats of the measured one.
        number: of its own last heartbeat.
        missed: told in its heartbeats.
    """

    def __init__(self, number: int, secret: bytes, settings: PeerSettings) -> None:
        self.name: Final = InstanceId(f"ua-{number}")
        self.heard = self.number = 0
        self.missed: tuple[Sighting, ...] = ()
        server_tls, client_tls = peer_tls_contexts(settings)
        self.peers: Final = Peers(
            self.name,
            secret=secret,
            network=TcpNetwork(),
            clock=LoopClock(asyncio.get_running_loop()),
            chance=Random(number),
            answer=self._answer,
            heard=self._hear,
            server_tls=server_tls,
            client_tls=client_tls,
        )

    async def beat(self, to: InstanceId) -> None:
        """Send heartbeats until cancelled."""
        await asyncio.sleep(Random(self.name).uniform(0.0, BEAT_S))
        while True:
            self.number += 1
            self.peers.tell(to, heartbeat(self.name, self.number, self.missed))
            await asyncio.sleep(BEAT_S)

    def _hear(self, sender: InstanceId, notice: Notice) -> None:
        del sender, notice
        self.heard += 1

    async def _answer(self, asker: InstanceId, question: Question) -> Answer:
        del asker, question
        return NotUnderstood()


async def measure(size: int, settings: PeerSettings, words: str) -> None:
    """Measure an instance among so many, and print one line."""
    key = Keyring.random()
    others = [Other(number, key.secret(PEER_SECRET), settings) for number in range(1, size)]
    me = InstanceId("measured")
    async with AsyncExitStack() as ends:
        for each in others:
            ends.push_async_callback(each.peers.close)
        addresses = {each.name: f"{HOST}:{await each.peers.listen(HOST, 0)}" for each in others}
        context = multiprocessing.get_context("spawn")
        ours, its = context.Pipe()
        child = context.Process(target=run_measured, args=(its, settings, key, addresses))
        child.start()
        ends.callback(child.kill)
        assert child.pid is not None, "started"
        address = await asyncio.to_thread(ours.recv)
        for each in others:
            each.peers.know({me: address})
        beating = {each: asyncio.create_task(each.beat(me)) for each in others}
        ends.callback(lambda: [each.cancel() for each in beating.values()])
        memory, topology_bytes, topology_us = await asyncio.to_thread(ours.recv)
        shares = []
        for _ in range(PERIODS):
            heard, used, began_s = sum(each.heard for each in others), cpu_s(child.pid), time.monotonic()
            await asyncio.sleep(PERIOD_S)
            took_s = time.monotonic() - began_s
            shares.append((cpu_s(child.pid) - used) / took_s)
            heard = sum(each.heard for each in others) - heard
        messages = 2 * heard / took_s
        print(f"{size:9} {words:5} {memory / 1e6:8.1f} MB {messages:10.0f}/s {median(shares):9.1%}", end="")
        print(f" {topology_bytes:9} B {topology_us:6.0f} µs", end="", flush=True)
        if size > 2 * ENDED:
            used, began_s = cpu_s(child.pid), time.monotonic()
            for each in others[:ENDED]:
                beating[each].cancel()
                await each.peers.close()
            await asyncio.sleep(DetectorSettings().suspect_after_s)
            for each in others[ENDED:]:
                each.missed = tuple(Sighting(one.name, 1, one.number, 1.5) for one in others[:ENDED])
            await asyncio.sleep(AFTER_S - DetectorSettings().suspect_after_s)
            share = (cpu_s(child.pid) - used) / (time.monotonic() - began_s)
            ours.send("end")
            verdicts = await asyncio.to_thread(ours.recv)
            print(f" {share:12.1%}  ({verdicts['dead']} dead, {verdicts['alive']} alive)", end="")
        print()


# --- the detector by itself


def print_detector(sizes: Sequence[int]) -> None:
    """Print what each step of the pure detector costs, and a heartbeat's reading and writing."""
    print("\ninstances   hear one   hear one that misses ten   tick (10 a second)   make one   in all, CPU")
    for size in sizes:
        names = [InstanceId(f"ua-{number}") for number in range(1, size)]
        known = detector.start(InstanceId("measured"), DATACENTRE, 1, 0.0, DetectorSettings())
        for name in names:
            known, _ = detector.hear(known, heartbeat(name, 1), 0.0)
        missed = tuple(Sighting(name, 1, 1, 2.0) for name in names[:ENDED])
        hear = microseconds(partial(detector.hear, known, heartbeat(names[-1], 2), 0.1))
        accused = microseconds(partial(detector.hear, known, heartbeat(names[-1], 2, missed), 0.1))
        tick = microseconds(partial(detector.tick, known, 0.1))
        make = microseconds(partial(detector.beat, known, report_of("measured"), 0.1))
        in_all = (2 * (size - 1) * hear + 10 * tick + 2 * make) / 1e6
        print(f"{size:9} {hear:8.1f} µs {accused:23.1f} µs {tick:17.1f} µs {make:7.1f} µs {in_all:12.2%}")
    content = write(heartbeat(InstanceId("ua-1"), 1_000))
    beat = heartbeat(InstanceId("ua-1"), 1_000)
    print(f"a heartbeat has {len(content)} bytes: written in {microseconds(lambda: write(beat)):.1f} µs,", end=" ")
    print(f"read in {microseconds(lambda: read_notice(content)):.1f} µs")


def tls_settings(folder: Path) -> PeerSettings:
    """Write certificates of an authority made for the occasion."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("cluster.example.com")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return PeerSettings(
        tls_ca_file=folder / "ca.pem", tls_cert_file=folder / "cert.pem", tls_key_file=folder / "key.pem"
    )


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or list(SIZES)
    begin(str(__doc__), "uvloop", "msgspec")
    print("instances  TLS   memory added    messages   CPU of it   a topology, its CPU", end="   ")
    print(f"CPU of it in the {AFTER_S:.0f} s after {ENDED} end")
    with tempfile.TemporaryDirectory() as folder:
        for settings, words in ((PeerSettings(), "no"), (tls_settings(Path(folder)), "yes")):
            for size in sizes:
                uvloop.run(measure(size, settings, words))
    print_detector(sizes)


if __name__ == "__main__":
    main()
