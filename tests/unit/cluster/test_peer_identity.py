from __future__ import annotations

import pytest
from tests.unit.links.fakes import ManualClock
from tests.unit.wire.peer.ends import SECRET, events_of, exchange

from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError
from unified_agent.wire.peer.connection import LinkTimes
from unified_agent.wire.peer.events import Ready, Refused
from unified_agent.wire.peer.handshake import Role, Versions

OTHER = b"the secret of another cluster, oh"


class Nonces:
    """Each other than the one before."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, length: int) -> bytes:
        self.made += 1
        return self.made.to_bytes(length, "big")


def identity(name: str = "a", secrets: list[bytes] | None = None, **changes: object) -> PeerIdentity:
    held = [SECRET] if secrets is None else secrets
    given = {"clock": ManualClock(), "make_nonce": Nonces()} | changes
    return PeerIdentity(InstanceId(name), secrets=lambda: held, **given)  # type: ignore[arg-type]


def test_two_identities_of_one_cluster_make_connections_that_agree() -> None:
    one = identity("a", versions=Versions(1, 3)).connection(Role.DIALLER, expected="b")
    other = identity("b", versions=Versions(2, 5)).connection(Role.ACCEPTOR)
    exchange(one, other)
    assert events_of(one) == [Ready("b", 3)]
    assert events_of(other) == [Ready("a", 3)]


def test_each_connection_has_a_nonce_of_its_own() -> None:
    ours = identity()
    assert ours.connection(Role.DIALLER).data_to_send() != ours.connection(Role.DIALLER).data_to_send()


def test_only_who_is_expected_will_do() -> None:
    one, other = identity("a").connection(Role.DIALLER, expected="c"), identity("b").connection(Role.ACCEPTOR)
    exchange(one, other)
    assert [type(event) for event in events_of(one)] == [Refused]


def test_secrets_are_those_of_the_moment() -> None:
    held = [OTHER]
    ours = identity("a", held)
    held[:] = [SECRET]
    one, other = ours.connection(Role.DIALLER), identity("b").connection(Role.ACCEPTOR)
    exchange(one, other)
    assert events_of(one) == [Ready("b", 1)]


def test_the_time_of_a_connection_begins_when_it_is_made() -> None:
    clock = ManualClock(now_s=50.0)
    ours = identity(clock=clock, times=LinkTimes(handshake_limit_s=7.0))
    clock.advance(10)
    assert ours.connection(Role.ACCEPTOR).next_timer() == 67.0


@pytest.mark.parametrize("held", [[], [b"x" * 15], [SECRET, b""]])
def test_a_secret_too_short_to_be_one_is_a_wrong_setting(held: list[bytes]) -> None:
    with pytest.raises(SettingsError, match="at least 16 bytes"):
        identity("a", held)
