"""A certificate made on the spot, for a simulator that is to speak TLS without further ado."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from unified_agent.errors import SettingsError

_VALID_FOR = timedelta(days=30)


def load_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what a TLS listener needs.

    Raises:
        SettingsError: the files are not a certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"{certificate} and {key} are not a certificate and its key: {error}") from error
    return context


def self_signed(host: str, *, now_s: float) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for a host (and for localhost) that is its own authority.

    Args:
        host: name or address that clients use.
        now_s: Unix seconds; it is valid from an hour before and for 30 days.

    Returns:
        What a TLS listener needs, and the certificate in PEM form for clients to trust.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"simulator on {host}"[:64])])
    began = datetime.fromtimestamp(now_s, UTC) - timedelta(hours=1)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        address = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        names.append(x509.DNSName(host))
    else:
        names.append(address)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys(names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    with tempfile.TemporaryDirectory() as folder:
        certificate_file, key_file = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate_file.write_text(pem)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return load_context(certificate_file, key_file), pem
