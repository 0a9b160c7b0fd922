from __future__ import annotations

import hashlib
import hmac

import pytest

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.peer.handshake import (
    PROOF_BYTES,
    Hello,
    Refusal,
    RefusalReason,
    Role,
    Versions,
    prove,
    read_hello,
    read_refusal,
    secret_proved,
    write,
)

SECRET, OTHER = b"s" * 32, b"o" * 32
HELLO = Hello(name="a", nonce=bytes(range(32)), versions=Versions(1, 2))
WRITTEN = b'{"name":"a","nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","versions":{"lowest":1,"highest":2}}'


def test_a_hello_is_written_and_read() -> None:
    assert write(HELLO) == WRITTEN
    assert read_hello(WRITTEN) == HELLO


def test_unknown_fields_of_a_hello_are_ignored() -> None:
    assert read_hello(WRITTEN[:-1] + b',"features":["x"]}') == HELLO


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"\xff",
        WRITTEN.replace(b'"a"', b'""'),
        WRITTEN.replace(b'"a"', b'"' + b"a" * 201 + b'"'),
        WRITTEN.replace(b"AAECAwQF", b""),
        WRITTEN.replace(b"AAECAwQF", b"!!!!!!!!"),
        WRITTEN.replace(b'"lowest":1', b'"lowest":0'),
        WRITTEN.replace(b'"lowest":1', b'"lowest":3'),
        WRITTEN[:-1] + b',"deep":' + b"[" * 4000,
    ],
)
def test_what_is_no_hello_is_the_peers_fault(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_hello(content)


def test_a_refusal_is_written_and_read_and_may_have_a_reason_of_a_later_version() -> None:
    refusal = Refusal(reason=RefusalReason.FULL, detail="256 connections")
    assert write(refusal) == b'{"reason":"full","detail":"256 connections"}'
    assert read_refusal(write(refusal)) == refusal
    assert read_refusal(b'{"reason":"too-hot"}') == Refusal(reason="too-hot")


@pytest.mark.parametrize("content", [b"", b'{"detail":"x"}', b'{"reason":1}', b'{"x":' + b"[" * 4000])
def test_what_is_no_refusal_is_the_peers_fault(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_refusal(content)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Versions(1, 1), Versions(1, 1), 1),
        (Versions(1, 2), Versions(2, 3), 2),
        (Versions(1, 9), Versions(1, 4), 4),
        (Versions(1, 1), Versions(2, 2), None),
        (Versions(1, 2), Versions(3, 9), None),
    ],
)
def test_the_highest_version_that_both_speak_is_chosen(one: Versions, other: Versions, common: int | None) -> None:
    assert one.common_with(other) == common
    assert other.common_with(one) == common


def test_a_proof_is_made_as_the_reference_says() -> None:
    said = b"".join(
        len(part).to_bytes(4, "big") + part for part in (b"unified-agent peer link 1", b"acceptor", b"one", b"two")
    )
    proof = prove(SECRET, Role.ACCEPTOR, dialler_hello=b"one", acceptor_hello=b"two")
    assert proof == hmac.new(SECRET, said, hashlib.sha256).digest()
    assert len(proof) == PROOF_BYTES


def test_a_proof_is_of_one_secret_one_role_and_two_hellos_to_the_byte() -> None:
    proofs = {
        prove(secret, role, dialler_hello=one, acceptor_hello=two)
        for secret in (SECRET, OTHER)
        for role in Role
        for one, two in [(b"one", b"two"), (b"two", b"one"), (b"on", b"etwo"), (b"onetwo", b""), (b"one ", b"two")]
    }
    assert len(proofs) == 2 * 2 * 5


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER, SECRET]])
def test_the_secret_that_was_proved_is_found_among_several(secrets: list[bytes]) -> None:
    proof = prove(SECRET, Role.DIALLER, dialler_hello=b"one", acceptor_hello=b"two")
    assert secret_proved(proof, secrets, Role.DIALLER, dialler_hello=b"one", acceptor_hello=b"two") == SECRET


def test_nothing_is_proved_by_another_secret_role_hello_or_part_of_a_proof() -> None:
    proof = prove(SECRET, Role.DIALLER, dialler_hello=b"one", acceptor_hello=b"two")
    for given, secrets, role, one in [
        (proof, [OTHER], Role.DIALLER, b"one"),
        (proof, [SECRET], Role.ACCEPTOR, b"one"),
        (proof, [SECRET], Role.DIALLER, b"On"),
        (proof[:-1], [SECRET], Role.DIALLER, b"one"),
        (b"", [SECRET], Role.DIALLER, b"one"),
        (proof, [], Role.DIALLER, b"one"),
    ]:
        assert secret_proved(given, secrets, role, dialler_hello=one, acceptor_hello=b"two") is None


def test_each_role_has_the_other_as_its_other() -> None:
    assert Role.DIALLER.other is Role.ACCEPTOR
    assert Role.ACCEPTOR.other is Role.DIALLER
