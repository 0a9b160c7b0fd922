"""Instances linked over real sockets and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from unified_agent.clock import LoopClock
from unified_agent.cluster.heartbeats import Heartbeat, Report, Stage
from unified_agent.cluster.peer_messages import Answer, Notice, Question, StatusAnswer, StatusQuestion
from unified_agent.cluster.peer_tls import peer_tls_contexts
from unified_agent.cluster.peers import Peers, PeerUnreachable
from unified_agent.domain.ids import InstanceId
from unified_agent.network import TcpNetwork, set_socket_options
from unified_agent.settings import PeerSettings

pytestmark = pytest.mark.integration

SECRET = b"the secret of the cluster, no less"
A, B = InstanceId("a"), InstanceId("b")


class One:
    """One instance; its status is as long as it is asked to be."""

    def __init__(self, name: InstanceId, settings: PeerSettings, status_chars: int = 10) -> None:
        self.name = name
        self.heard: list[tuple[InstanceId, Notice]] = []
        self._status_chars = status_chars
        server, client = peer_tls_contexts(settings)
        self.peers = Peers(
            name,
            secret=SECRET,
            network=TcpNetwork(),
            clock=LoopClock(asyncio.get_running_loop()),
            chance=random.Random(1),
            answer=self.answer,
            heard=lambda peer, notice: self.heard.append((peer, notice)),
            server_tls=server,
            client_tls=client,
        )
        self.port = 0

    async def answer(self, peer: InstanceId, question: Question) -> Answer:
        assert isinstance(question, StatusQuestion)
        return StatusAnswer(status={"of": self.name, "for": peer, "text": "x" * self._status_chars})

    async def open(self) -> None:
        self.port = await self.peers.listen("127.0.0.1", 0)


def settings_of(folder: Path, name: str, authority: trustme.CA) -> PeerSettings:
    certificate = authority.issue_cert(f"{name}.invalid")
    files = {each: folder / f"{name}-{each}.pem" for each in ("cert", "key", "ca")}
    certificate.cert_chain_pems[0].write_to_path(files["cert"])
    certificate.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    return PeerSettings(tls_cert_file=files["cert"], tls_key_file=files["key"], tls_ca_file=files["ca"])


@contextlib.asynccontextmanager
async def two(one: PeerSettings, other: PeerSettings, **changes: Any) -> AsyncIterator[tuple[One, One]]:
    """Two instances that know each other."""
    a, b = One(A, one), One(B, other, **changes)
    await a.open()
    await b.open()
    a.peers.know({A: f"127.0.0.1:{a.port}", B: f"127.0.0.1:{b.port}"})
    b.peers.know({A: f"localhost:{a.port}", B: f"127.0.0.1:{b.port}"})
    try:
        yield a, b
    finally:
        await a.peers.close()
        await b.peers.close()
        await asyncio.sleep(0.1)  # transports close after what they carry


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition is of the code under test, which tells nobody
            await asyncio.sleep(0.01)


def heartbeat(of: InstanceId) -> Heartbeat:
    report = Report(stage=Stage.READY, address="", peer_address="", version="0", sessions=0, capacity=1)
    return Heartbeat(instance=of, datacentre="dc1", incarnation=1, number=1, report=report)


LOOPS = pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])


def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], main: Any) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main)


@LOOPS
@pytest.mark.parametrize("encrypted", [True, False])
def test_instances_tell_and_ask_each_other_and_link_again_after_a_restart(
    tmp_path: Path, encrypted: bool, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def main() -> None:
        authority = trustme.CA()
        one, other = (settings_of(tmp_path, name, authority) if encrypted else PeerSettings() for name in "ab")
        async with two(one, other, status_chars=900_000) as (a, b):
            await until(lambda: a.peers.connected() == {B} and b.peers.connected() == {A})
            assert a.peers.tell(B, heartbeat(A))
            await until(lambda: b.heard == [(A, heartbeat(A))])
            answer = await a.peers.ask(B, StatusQuestion(), 5.0)
            assert answer == StatusAnswer(status={"of": "b", "for": "a", "text": "x" * 900_000})
            await b.peers.close()
            await until(lambda: not a.peers.connected())
            again = One(B, other)
            assert await again.peers.listen("127.0.0.1", b.port) == b.port
            await until(lambda: a.peers.connected() == {B})
            assert (await a.peers.ask(B, StatusQuestion(), 5.0)).status["of"] == "b"  # type: ignore[union-attr]
            await again.peers.close()

    run(loop_factory, main())


@LOOPS
def test_an_instance_of_another_authority_is_not_let_in(
    tmp_path: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def main() -> None:
        one, other = (settings_of(tmp_path, name, trustme.CA()) for name in "ab")
        async with two(one, other) as (a, b):
            with pytest.raises(PeerUnreachable, match="is not trusted"):
                await a.peers.ask(B, StatusQuestion(), 5.0)
            assert b.peers.connected() == frozenset()

    run(loop_factory, main())


@LOOPS
def test_an_instance_without_tls_is_not_let_in(
    tmp_path: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def main() -> None:
        async with two(settings_of(tmp_path, "a", trustme.CA()), PeerSettings()) as (a, b):
            for of, to in ((a, B), (b, A)):
                with pytest.raises(PeerUnreachable):
                    await of.peers.ask(to, StatusQuestion(), 4.0)

    run(loop_factory, main())


def test_a_connection_taken_sends_small_messages_at_once_and_notices_a_dead_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    async def main() -> None:
        def seen(transport: asyncio.BaseTransport) -> None:
            set_socket_options(transport)
            own = transport.get_extra_info("socket")
            taken.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            taken.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

        monkeypatch.setattr("unified_agent.cluster.peer_door.set_socket_options", seen)
        async with two(PeerSettings(), PeerSettings()) as (a, _):
            await a.peers.ask(B, StatusQuestion(), 5.0)

    asyncio.run(main())
    assert taken[:2] == [1, 15_000]
