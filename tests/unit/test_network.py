from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
import uvloop

from unified_agent.errors import LinkNotReady, LinkRefused, SettingsError
from unified_agent.network import DO_NOT_SPLIT_RECORDS, Address, TcpNetwork, make_tls_context
from unified_agent.settings import TlsSettings


class Greeted(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self.greeting.done():
            self.greeting.set_result(data)


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(b"hello")
        cast("asyncio.Transport", transport).close()


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    await writer.drain()
    writer.close()


async def listen(tls: ssl.SSLContext | None = None) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=tls)
    return server, server.sockets[0].getsockname()[1]


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for a certificate that names 127.0.0.1, and the file that trusts it."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return context, path


async def dial(port: int, tls: ssl.SSLContext | None = None, limit_s: float = 5.0) -> Greeted:
    made: list[Greeted] = []

    def make() -> Greeted:
        made.append(Greeted())
        return made[-1]

    await TcpNetwork().dial(make, Address(host="127.0.0.1", port=port, tls=tls), limit_s)
    return made[0]


@pytest.mark.asyncio
async def test_plain_connection_carries_bytes_and_sends_small_messages_at_once() -> None:
    server, port = await listen()
    async with server:
        protocol = await dial(port)
        assert await asyncio.wait_for(protocol.greeting, 5) == b"hello"
        assert protocol.transport is not None
        own = protocol.transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
        protocol.transport.abort()


@pytest.mark.asyncio
async def test_tls_connection_to_a_trusted_peer(authority: tuple[ssl.SSLContext, Path]) -> None:
    context, ca_file = authority
    server, port = await listen(context)
    async with server:
        protocol = await dial(port, make_tls_context(TlsSettings(enabled=True, ca_file=ca_file)))
        assert await asyncio.wait_for(protocol.greeting, 5) == b"hello"
        assert protocol.transport is not None
        protocol.transport.abort()


@pytest.mark.asyncio
async def test_nobody_listening_is_not_ready() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LinkNotReady, match=rf"127\.0\.0\.1:{port} cannot be reached"):
        await dial(port)


@pytest.mark.asyncio
async def test_peer_that_accepts_and_says_nothing_in_tls_is_not_ready_within_the_limit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(LinkNotReady, match=r"did not answer within 0\.05 s"):
            await dial(silent.getsockname()[1], ssl.create_default_context(), limit_s=0.05)


@pytest.mark.asyncio
async def test_untrusted_certificate_is_refused_because_a_person_must_act(
    authority: tuple[ssl.SSLContext, Path],
) -> None:
    server, port = await listen(authority[0])
    async with server:
        with pytest.raises(LinkRefused, match="is not trusted"):
            await dial(port, ssl.create_default_context())


@pytest.mark.asyncio
async def test_tls_spoken_to_a_plain_port_is_refused_with_a_hint() -> None:
    server, port = await listen()
    async with server:
        with pytest.raises(LinkRefused, match="does it speak plain TCP there"):
            await dial(port, ssl.create_default_context())


@pytest.mark.asyncio
async def test_name_that_does_not_resolve_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    with pytest.raises(LinkNotReady, match=r"the name aes\.invalid cannot be resolved: Name or service not known"):
        await TcpNetwork().dial(Greeted, Address(host="aes.invalid", port=1), 1.0)


class TestListening:
    LOOPS = pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])

    @staticmethod
    def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main)

    @staticmethod
    async def end_of(client: socket.socket) -> bytes:
        """Return what comes until the end."""
        client.setblocking(False)
        async with asyncio.timeout(30):
            try:
                return await asyncio.get_running_loop().sock_recv(client, 100)
            except ConnectionResetError:
                return b""

    @LOOPS
    @pytest.mark.parametrize("turns", range(6))
    @pytest.mark.parametrize("encrypted", [True, False])
    def test_a_connection_that_is_just_being_taken_is_closed_with_the_listener(
        self,
        loop_factory: Callable[[], asyncio.AbstractEventLoop],
        turns: int,
        encrypted: bool,
        authority: tuple[ssl.SSLContext, Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("unified_agent.network.TLS_ACCEPT_LIMIT_S", 600.0)
        made: list[Greeted] = []

        def make() -> Greeted:
            made.append(Greeted())
            return made[-1]

        async def main() -> None:
            listener = await TcpNetwork().listen(make, "127.0.0.1", 0, authority[0] if encrypted else None)
            with socket.create_connection(("127.0.0.1", listener.port)) as client:
                for _ in range(turns):
                    await asyncio.sleep(0)
                listener.close()
                for each in made:
                    if each.transport is not None:  # handed over: not the listener's any more
                        each.transport.close()
                assert await self.end_of(client) == b""
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", listener.port))
            listener.close()

        self.run(loop_factory, main())
        gc.collect()  # what nobody has closed would be complained about here

    @LOOPS
    def test_a_name_is_listened_at_and_everybody_gets_a_protocol(
        self, loop_factory: Callable[[], asyncio.AbstractEventLoop], authority: tuple[ssl.SSLContext, Path]
    ) -> None:
        context, ca_file = authority
        trust = make_tls_context(TlsSettings(enabled=True, ca_file=ca_file))

        async def main() -> None:
            for tls, trusted in ((None, None), (context, trust)):
                listener = await TcpNetwork().listen(Greeting, "127.0.0.1", 0, tls)
                for _ in range(3):
                    protocol = await dial(listener.port, trusted)
                    assert await asyncio.wait_for(protocol.greeting, 30) == b"hello"
                    assert protocol.transport is not None
                    protocol.transport.abort()
                with pytest.raises(SettingsError, match=f"port {listener.port}: Address already in use"):
                    await TcpNetwork().listen(Greeting, "127.0.0.1", listener.port)
                listener.close()

        self.run(loop_factory, main())

    @pytest.mark.asyncio
    async def test_connections_that_the_system_refuses_us_are_taken_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("unified_agent.network.ACCEPT_RETRY_S", 0.01)
        refusals = [OSError(errno.EMFILE, "Too many open files")] * 2
        accept = socket.socket.accept

        def fail(listening: socket.socket) -> Any:
            if refusals:
                raise refusals.pop()
            return accept(listening)

        monkeypatch.setattr(socket.socket, "accept", fail)
        listener = await TcpNetwork().listen(Greeting, "127.0.0.1", 0)
        protocol = await dial(listener.port)
        assert await asyncio.wait_for(protocol.greeting, 30) == b"hello"
        assert not refusals
        listener.close()

    @pytest.mark.asyncio
    @pytest.mark.parametrize("others", [True, False])
    async def test_kinds_of_addresses_that_this_machine_does_not_have_are_left_out(
        self, others: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unknown = (1_000, socket.SOCK_STREAM, 6, "", ("::", 0))

        async def find(*_: Any, **__: Any) -> list[Any]:
            known = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
            return [unknown, known] if others else [unknown]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", find)
        if others:
            listener = await TcpNetwork().listen(Greeting, "", 0)
            socket.create_connection(("127.0.0.1", listener.port)).close()
            listener.close()
        else:
            with pytest.raises(SettingsError, match="cannot listen on all addresses port 0: Address family not"):
                await TcpNetwork().listen(Greeting, "", 0)

    @pytest.mark.asyncio
    async def test_an_empty_host_means_all_addresses(self) -> None:
        listener = await TcpNetwork().listen(Greeting, "", 0)
        for host in ("127.0.0.1", "127.0.0.2"):
            with socket.create_connection((host, listener.port)) as client:
                assert await self.end_of(client) == b"hello"
        listener.close()


class TestTlsContext:
    def test_none_when_not_enabled(self) -> None:
        assert make_tls_context(TlsSettings()) is None

    def test_defaults_verify_the_name_and_ask_for_tls_1_2(self) -> None:
        context = make_tls_context(TlsSettings(enabled=True))
        assert context is not None
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_pinned_issuer_still_verifies_without_the_name(self, authority: tuple[ssl.SSLContext, Path]) -> None:
        context = make_tls_context(TlsSettings(enabled=True, ca_file=authority[1], check_hostname=False))
        assert context is not None
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert not context.check_hostname

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_old_versions_do_not_split_records_and_allow_old_ciphers(self, version: str) -> None:
        context = make_tls_context(TlsSettings(enabled=True, minimum_version=version))
        assert context is not None
        assert context.options & DO_NOT_SPLIT_RECORDS
        assert context.security_level == 0

    def test_modern_context_leaves_the_counter_measure_on(self) -> None:
        context = make_tls_context(TlsSettings(enabled=True))
        assert context is not None
        assert not context.options & DO_NOT_SPLIT_RECORDS

    def test_security_level_is_set(self) -> None:
        context = make_tls_context(TlsSettings(enabled=True, security_level=1))
        assert context is not None
        assert context.security_level == 1

    def test_unreadable_issuer_file_names_file_and_setting(self, tmp_path: Path) -> None:
        missing = tmp_path / "none.pem"
        with pytest.raises(SettingsError, match=rf"tls\.ca_file {missing} cannot be read: No such file"):
            make_tls_context(TlsSettings(enabled=True, ca_file=missing))

    def test_issuer_file_without_certificate_is_named(self, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong.pem"
        wrong.write_text("not a certificate")
        with pytest.raises(SettingsError, match="holds no usable certificate"):
            make_tls_context(TlsSettings(enabled=True, ca_file=wrong))

    def test_key_that_does_not_belong_to_the_certificate_is_named(self, tmp_path: Path) -> None:
        ca = trustme.CA()
        certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
        ca.issue_cert("one").cert_chain_pems[0].write_to_path(certificate)
        ca.issue_cert("two").private_key_pem.write_to_path(key)
        with pytest.raises(SettingsError, match="are not a certificate and its unencrypted key"):
            make_tls_context(TlsSettings(enabled=True, client_cert_file=certificate, client_key_file=key))
