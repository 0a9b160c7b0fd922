from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace

from unified_agent.cluster.peer_tls import peer_tls_contexts
from unified_agent.errors import SettingsError
from unified_agent.settings import PeerSettings


def issued(folder: Path, authority: trustme.CA, name: str = "instance") -> PeerSettings:
    """Settings of an instance with a certificate of an authority."""
    folder.mkdir(exist_ok=True)
    certificate = authority.issue_cert(f"{name}.invalid")
    files = {each: folder / f"{name}-{each}.pem" for each in ("cert", "key", "ca")}
    certificate.cert_chain_pems[0].write_to_path(files["cert"])
    certificate.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    return PeerSettings(tls_cert_file=files["cert"], tls_key_file=files["key"], tls_ca_file=files["ca"])


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """Run a handshake in memory, with a word from the client after it; return the version of TLS."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="whatever")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    sides: list[list[Callable[[], object]]] = [
        [ours.do_handshake, lambda: ours.write(b"x")],
        [theirs.do_handshake, lambda: theirs.read(1)],
    ]
    for _ in range(10):
        for steps in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                while steps:
                    steps[0]()
                    steps.pop(0)
    assert sides == [[], []]
    return ours.version()


def contexts(settings: PeerSettings) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server, client = peer_tls_contexts(settings)
    assert server is not None
    assert client is not None
    return server, client


def test_without_files_links_are_plain() -> None:
    assert peer_tls_contexts(PeerSettings()) == (None, None)


def test_instances_of_one_authority_agree_whatever_their_certificates_are_called(tmp_path: Path) -> None:
    authority = trustme.CA()
    server, _ = contexts(issued(tmp_path, authority, "a"))
    _, client = contexts(issued(tmp_path, authority, "b"))
    assert shake_hands(server, client) == "TLSv1.3"


def test_a_dialler_of_another_authority_is_refused(tmp_path: Path) -> None:
    ours = issued(tmp_path, trustme.CA(), "a")
    server, _ = contexts(ours)
    foreign = issued(tmp_path, trustme.CA(), "b")
    _, client = contexts(replace(foreign, tls_ca_file=ours.tls_ca_file))
    with pytest.raises(ssl.SSLError, match="verify failed"):
        shake_hands(server, client)


def test_a_dialler_without_a_certificate_is_refused(tmp_path: Path) -> None:
    settings = issued(tmp_path, trustme.CA())
    server, _ = contexts(settings)
    client = ssl.create_default_context(cafile=str(settings.tls_ca_file))
    client.check_hostname = False
    with pytest.raises(ssl.SSLError, match=r"(?i)peer did not return a certificate"):
        shake_hands(server, client)


def test_an_acceptor_of_another_authority_is_refused(tmp_path: Path) -> None:
    server, _ = contexts(issued(tmp_path, trustme.CA(), "a"))
    _, client = contexts(issued(tmp_path, trustme.CA(), "b"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client)


@pytest.mark.parametrize("setting", ["tls_cert_file", "tls_key_file", "tls_ca_file"])
@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    tmp_path: Path, setting: str, content: str | None
) -> None:
    wrong = tmp_path / "wrong.pem"
    if content is not None:
        wrong.write_text(content)
    settings = replace(issued(tmp_path, trustme.CA()), **{setting: wrong})
    with pytest.raises(SettingsError, match=rf"{setting} .*wrong\.pem"):
        peer_tls_contexts(settings)


def test_a_key_that_needs_a_password_is_refused_without_asking_at_the_terminal(tmp_path: Path) -> None:
    settings = issued(tmp_path, trustme.CA())
    assert settings.tls_key_file is not None
    key = serialization.load_pem_private_key(settings.tls_key_file.read_bytes(), None)
    settings.tls_key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(SettingsError, match="unencrypted key"):
        peer_tls_contexts(settings)
