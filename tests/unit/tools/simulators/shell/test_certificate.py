"""A certificate made on the spot serves TLS to clients that trust it, under its host's name and no other."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.shell.certificate import load_context, self_signed


def handshake(server: ssl.SSLContext, pem: str, name: str) -> None:
    """Shake hands in memory.

    Raises:
        ssl.SSLError: the client does not trust the server under this name.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cadata=pem)
    client_end = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    server_end = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (client_end, server_end, client_end, server_end):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("host", ["aes.example", "10.1.2.3", "127.0.0.1", "localhost"])
def test_client_that_trusts_the_certificate_connects_by_host_and_by_localhost(host: str) -> None:
    context, pem = self_signed(host, now_s=time.time())
    for name in (host, "localhost", "127.0.0.1"):
        handshake(context, pem, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(context, pem, "elsewhere.example")


def test_certificate_is_valid_around_the_time_given() -> None:
    _, pem = self_signed("aes.example", now_s=1_700_000_000.0)
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert certificate.not_valid_before_utc.timestamp() == 1_700_000_000 - 3600
    assert certificate.not_valid_after_utc.timestamp() > 1_700_000_000 + 29 * 86_400


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    for text in (None, "nonsense"):
        if text is not None:
            certificate.write_text(text)
            key.write_text(text)
        with pytest.raises(SettingsError, match=r"c\.pem and .*k\.pem are not a certificate and its key"):
            load_context(certificate, key)
