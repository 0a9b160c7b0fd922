"""A real etcd that wants to know who asks: by certificate, which is the recommended way, and by password."""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from tests.contract.etcd_servers import PROGRAM, Servers

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import ABSENT, Changes, Committed, Snapshot, StoreRefused, StoreUnavailable
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_settings import EtcdSettings

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.timeout(60),
    pytest.mark.skipif(PROGRAM is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"),
]

PREFIX = "/ua/test/"


def field(number: int, value: bytes | str | int) -> bytes:
    """Encode one field of a protobuf message, for the few requests that only an administrator makes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


@dataclass
class Guarded:
    """An etcd with TLS in which users and rights are set up."""

    servers: Servers
    ca: trustme.CA
    folder: Path

    def certificate_of(self, name: str) -> tuple[Path, Path]:
        cert_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not cert_file.exists():
            certificate = self.ca.issue_cert(f"{name}.test", common_name=name)
            certificate.private_key_pem.write_to_path(key_file)
            for blob in certificate.cert_chain_pems:
                blob.write_to_path(cert_file, append=True)
        return cert_file, key_file

    def settings(self, name: str = "") -> EtcdSettings:
        settings = EtcdSettings(endpoints=self.servers.endpoints, prefix=PREFIX, ca_file=self.folder / "ca.pem")
        if not name:
            return settings
        cert_file, key_file = self.certificate_of(name)
        return replace(settings, client_cert_file=cert_file, client_key_file=key_file)

    async def set_up(self, *, passwords: bool) -> None:
        """Make users root and ua and the rights of ua, and have them demanded from now on."""
        cert_file, key_file = self.certificate_of("root")
        credentials = grpc.ssl_channel_credentials(
            (self.folder / "ca.pem").read_bytes(), key_file.read_bytes(), cert_file.read_bytes()
        )
        no_password = b"" if passwords else field(3, field(1, 1))
        end = PREFIX[:-1] + "0"
        async with grpc.aio.secure_channel(self.servers.endpoints[0], credentials) as channel:

            async def ask(method: str, request: bytes) -> None:
                call: Any = channel.unary_unary(f"/etcdserverpb.Auth/{method}")
                await call(request, timeout=10)

            for user in ("root", "ua", "stranger"):
                await ask("UserAdd", field(1, user) + (field(2, f"{user}-password") if passwords else no_password))
            await ask("RoleAdd", field(1, "root"))
            await ask("RoleAdd", field(1, "ua"))
            permission = field(1, 2) + field(2, PREFIX) + field(3, end)
            await ask("RoleGrantPermission", field(1, "ua") + field(2, permission))
            await ask("UserGrantRole", field(1, "root") + field(2, "root"))
            await ask("UserGrantRole", field(1, "ua") + field(2, "ua"))
            await ask("AuthEnable", b"")


@pytest.fixture
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    by_certificate: bool = request.param
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as name:
        folder = Path(name)
        ca = trustme.CA()
        ca.cert_pem.write_to_path(folder / "ca.pem")
        server = ca.issue_cert("127.0.0.1")
        server.private_key_pem.write_to_path(folder / "server.key")
        for blob in server.cert_chain_pems:
            blob.write_to_path(folder / "server.pem", append=True)
        options = [
            *("--cert-file", str(folder / "server.pem"), "--key-file", str(folder / "server.key")),
            *("--auth-token", "simple"),
        ]
        if by_certificate:
            options += ["--client-cert-auth", "--trusted-ca-file", str(folder / "ca.pem")]
        servers = Servers(folder, scheme="https", options=options)
        try:
            servers.start()
            yield Guarded(servers, ca, folder)
        finally:
            servers.stop()


def connect(settings: EtcdSettings) -> EtcdStore:
    return EtcdStore(settings, LoopClock(asyncio.get_running_loop()), random.Random(1))


async def use_everything(store: EtcdStore) -> None:
    """Read, write, hold a lease and watch, within the rights."""
    lease = await store.grant_lease(5)
    async with store.watch("") as watch:
        assert isinstance(await watch.next(), Snapshot)
        assert isinstance(await store.put_if("k", b"1", ABSENT, lease.lease), Committed)
        assert isinstance(await watch.next(), Changes)
        assert await store.keep_alive(lease.lease) is not None
        await store.revoke(lease.lease)
        assert isinstance(await watch.next(), Changes)


@pytest.mark.parametrize("guarded", [True], indirect=True)
async def test_a_certificate_opens_our_prefix_and_no_other(guarded: Guarded) -> None:
    await guarded.set_up(passwords=False)
    ours, elsewhere = connect(guarded.settings("ua")), connect(replace(guarded.settings("ua"), prefix="/ua/other/"))
    stranger = connect(guarded.settings("stranger"))
    nobody = connect(replace(guarded.settings(), total_limit_s=1.0, request_limit_s=0.5))
    try:
        await use_everything(ours)
        for store in (elsewhere, stranger):
            with pytest.raises(StoreRefused):
                await store.get("k")
            with pytest.raises(StoreRefused):
                await store.put_if("k", b"", ABSENT)
            async with store.watch("", (await ours.snapshot("")).revision) as watch:
                with pytest.raises(StoreRefused):
                    await watch.next()
        with pytest.raises(StoreUnavailable):
            await nobody.get("k")
    finally:
        for store in (ours, elsewhere, stranger, nobody):
            await store.close()


@pytest.mark.parametrize("guarded", [False], indirect=True)
async def test_a_password_opens_our_prefix_and_a_token_that_ended_is_renewed(guarded: Guarded) -> None:
    await guarded.set_up(passwords=True)
    ours = connect(replace(guarded.settings(), user="ua", password="ua-password"))
    wrong = connect(replace(guarded.settings(), user="ua", password="guessed"))
    silent = connect(guarded.settings())
    try:
        await use_everything(ours)
        for store in (wrong, silent):
            with pytest.raises(StoreRefused):
                await store.get("k")
        watch = ours.watch("", (await ours.snapshot("")).revision)
        # A member that was started again knows no token of before.
        guarded.servers.members[0].kill()
        guarded.servers.members[0].start()
        await asyncio.to_thread(guarded.servers.wait_until_healthy)
        assert isinstance(await ours.put_if("after", b"", ABSENT), Committed)
        async with asyncio.timeout(10):
            told = await watch.next()
        assert isinstance(told, Changes)
        assert [event.key for event in told.events] == ["after"]
        await watch.close()
    finally:
        for store in (ours, wrong, silent):
            await store.close()


@pytest.mark.parametrize("guarded", [True], indirect=True)
async def test_a_server_of_a_foreign_authority_is_not_spoken_to(guarded: Guarded) -> None:
    foreign = guarded.folder / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(foreign)
    store = connect(replace(guarded.settings("ua"), ca_file=foreign, total_limit_s=1.0, request_limit_s=0.5))
    try:
        with pytest.raises(StoreUnavailable):
            await store.get("k")
    finally:
        await store.close()


@pytest.mark.parametrize("guarded", [True], indirect=True)
async def test_a_certificate_that_cannot_be_read_needs_a_person(guarded: Guarded) -> None:
    store = connect(replace(guarded.settings("ua"), ca_file=guarded.folder / "missing.pem"))
    try:
        with pytest.raises(StoreRefused, match=r"missing\.pem"):
            await store.get("k")
    finally:
        await store.close()
