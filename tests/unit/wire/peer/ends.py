"""Two ends of a connection between instances, joined by hand."""

from __future__ import annotations

from typing import Any

from unified_agent.wire.peer.connection import PeerConnection
from unified_agent.wire.peer.events import Event
from unified_agent.wire.peer.handshake import Role

SECRET = b"the secret of the cluster, no less"
NONCES = {"a": b"a" * 32, "b": b"b" * 32}


def dialler(**changes: Any) -> PeerConnection:
    given: dict[str, Any] = {"name": "a", "secrets": [SECRET], "nonce": NONCES["a"], "now_s": 0.0, "expected": "b"}
    return PeerConnection(Role.DIALLER, **given | changes)


def acceptor(**changes: Any) -> PeerConnection:
    given: dict[str, Any] = {"name": "b", "secrets": [SECRET], "nonce": NONCES["b"], "now_s": 0.0}
    return PeerConnection(Role.ACCEPTOR, **given | changes)


def exchange(one: PeerConnection, other: PeerConnection, now_s: float = 0.0) -> tuple[bytes, bytes]:
    """Carry bytes to and fro until neither has any; return what each sent."""
    sent = [b"", b""]
    while True:
        there, back = one.data_to_send(), other.data_to_send()
        if not there and not back:
            return sent[0], sent[1]
        sent[0] += there
        sent[1] += back
        other.receive_data(there, now_s)
        one.receive_data(back, now_s)


def events_of(connection: PeerConnection) -> list[Event]:
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    return found


def ready_pair(**both: Any) -> tuple[PeerConnection, PeerConnection]:
    """Both ends after the handshake, their events taken."""
    one, other = dialler(**both), acceptor(**both)
    exchange(one, other)
    events_of(one)
    events_of(other)
    return one, other
