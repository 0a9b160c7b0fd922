"""TLS between instances: each side proves itself by a certificate of one authority, which signs for nobody else.

Names in certificates are not looked at: who is at the other end is proved inside, by the cluster's secret
(``wire/peer/handshake.py``). Give the cluster an authority of its own: whoever holds a certificate of it could stand
between two instances and pass on their proofs.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from unified_agent.errors import SettingsError
from unified_agent.settings import PeerSettings


def peer_tls_contexts(settings: PeerSettings) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Turn settings into what ``Peers`` needs.

    Returns:
        For connections that we take and for those that we make; None for both when no certificate is set.

    Raises:
        SettingsError: a file cannot be read or does not hold what it should; the sentence names file and setting.
    """
    certificate, key, authority = settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file
    if certificate is None or key is None or authority is None:
        return None, None
    server = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key, authority)
    return server, _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key, authority)


def _context(protocol: int, certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # both ends are ours
    try:
        # Without a password function OpenSSL would ask for one at the terminal, and wait.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        raise SettingsError(
            f"cluster.peers.tls_cert_file {certificate} and tls_key_file {key} are not a certificate and its "
            f"unencrypted key in PEM form ({_words(error)})"
        ) from error
    try:
        context.load_verify_locations(cafile=authority)
    except OSError as error:
        raise SettingsError(
            f"cluster.peers.tls_ca_file {authority} holds no usable certificate in PEM form ({_words(error)})"
        ) from error
    return context


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else error.strerror or str(error)
