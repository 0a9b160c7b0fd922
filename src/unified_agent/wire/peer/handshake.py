"""Who we are, which versions we speak, and the proof that we know the cluster's secret, which is never sent.

Both sides say hello: name, versions, a nonce. Then both send an HMAC under the secret over their own role and both
hellos, byte for byte as they went over the wire. So

- an old proof is worth nothing: the nonce of the other side is new each time;
- a proof sent back to where it came from is worth nothing: the role is in it;
- nobody on the way can change a name or lower a version, or a field that only one of the two knows.

It says who is at the other end when the connection begins. What is said afterwards is protected against somebody on
the way by TLS alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from unified_agent.errors import RemoteProtocolError

#: Random bytes in a hello, no fewer.
NONCE_BYTES: Final = 32
#: A secret has no fewer bytes.
SECRET_BYTES: Final = 16
#: Bytes of a proof.
PROOF_BYTES: Final = hashlib.sha256().digest_size

#: Before everything that is proved, so that no other use of the secret can be made to produce a proof.
_PURPOSE: Final = b"unified-agent peer link 1"
_LENGTH_BYTES: Final = 4
_ENCODER: Final = msgspec.json.Encoder()


class Role(StrEnum):
    """Which end of a connection: who made it, or who took it."""

    DIALLER = "dialler"
    ACCEPTOR = "acceptor"

    @property
    def other(self) -> Role:
        """The other end's."""
        return Role.ACCEPTOR if self is Role.DIALLER else Role.DIALLER


class RefusalReason(StrEnum):
    """Why one side will not talk to the other.

    WRONG_SECRET: the proof does not fit: not of this cluster. NO_COMMON_VERSION: the program of one is too old for the
    other. WRONG_NAME: somebody else was meant to be at that address. FULL: as many connections as there may be.
    """

    WRONG_SECRET = "wrong-secret"  # noqa: S105 - a word, not a secret
    NO_COMMON_VERSION = "no-common-version"
    WRONG_NAME = "wrong-name"
    FULL = "full"


class Versions(Struct, frozen=True):
    """Versions of the peer protocol that one side speaks: these two and all between."""

    lowest: Annotated[int, Meta(ge=1)]
    highest: Annotated[int, Meta(ge=1)]

    def common_with(self, other: Versions) -> int | None:
        """Return the highest that both speak, or None."""
        highest = min(self.highest, other.highest)
        return highest if highest >= max(self.lowest, other.lowest) else None

    def __str__(self) -> str:
        return str(self.highest) if self.lowest == self.highest else f"{self.lowest} to {self.highest}"


#: What this program speaks. A change that the version before could not ignore raises the highest; the lowest follows
#: one release later, so that a cluster can be brought up to date one instance after the other.
OUR_VERSIONS: Final = Versions(1, 1)


class Hello(Struct, frozen=True, kw_only=True):
    """The first that each side says. Unknown fields are ignored, but proved like all the others.

    Attributes:
        name: of the instance.
        nonce: random, of this connection only.
        versions: what it speaks.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=2 * NONCE_BYTES)]
    versions: Versions


class Refusal(Struct, frozen=True, kw_only=True):
    """The last that one side says when it will not talk to the other.

    Attributes:
        reason: a ``RefusalReason``, or a word of a later version.
        detail: a sentence for people.
    """

    reason: Annotated[str, Meta(max_length=100)]
    detail: Annotated[str, Meta(max_length=1000)] = ""


_HELLO_DECODER: Final = msgspec.json.Decoder(Hello)
_REFUSAL_DECODER: Final = msgspec.json.Decoder(Refusal)


def write(message: Hello | Refusal) -> bytes:
    """Return the content of the frame."""
    return _ENCODER.encode(message)


def read_hello(content: bytes) -> Hello:
    """Read a hello.

    Raises:
        RemoteProtocolError: it is none, or its versions are upside down.
    """
    try:
        hello = _HELLO_DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not a hello: {error}") from error
    if hello.versions.lowest > hello.versions.highest:
        raise RemoteProtocolError("the lowest version of a hello is above its highest")
    return hello


def read_refusal(content: bytes) -> Refusal:
    """Read a refusal.

    Raises:
        RemoteProtocolError: it is none.
    """
    try:
        return _REFUSAL_DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not a refusal: {error}") from error


def prove(secret: bytes, role: Role, *, dialler_hello: bytes, acceptor_hello: bytes) -> bytes:
    """Return what only somebody who knows the secret can say in this role after these two hellos.

    Args:
        secret: of the cluster.
        role: of the one who proves.
        dialler_hello, acceptor_hello: contents of the frames as they were sent.
    """
    parts = (_PURPOSE, role.encode(), dialler_hello, acceptor_hello)
    # Each with its length before it, so that no two different conversations give the same bytes.
    said = b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)
    return hmac.digest(secret, said, hashlib.sha256)


def secret_proved(
    proof: bytes, secrets: Sequence[bytes], role: Role, *, dialler_hello: bytes, acceptor_hello: bytes
) -> bytes | None:
    """Return the one of our secrets that the other side has proved to know, or None.

    Args:
        proof: what it sent.
        secrets: all that are good: while keys are rotated the two may not use the same one.
        role: of the one who proved.
        dialler_hello, acceptor_hello: as in ``prove``.
    """
    found = None
    for secret in secrets:
        ours = prove(secret, role, dialler_hello=dialler_hello, acceptor_hello=acceptor_hello)
        if hmac.compare_digest(ours, proof) and found is None:
            found = secret
    return found
