"""What is fuzzed: the decoders and both sides' connections of each wire protocol, given any bytes at all.

A target takes bytes and returns, or raises what the protocol's own error is not: that is the bug. Each also checks that
the bytes mean the same however they are cut into pieces. The first byte of an input says how they are cut.

``run`` gives them to a fuzzer that is guided by coverage, ``tests/property/test_fuzz_targets.py`` to Hypothesis.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import Ended, Phase, RequestReceived
from unified_agent.wire.ajp13.limits import AjpLimits
from unified_agent.wire.apc.codec import MessageDecoder
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings
from unified_agent.wire.apc.events import SessionLost
from unified_agent.wire.apc.server_connection import ServerConnection as DiallerConnection
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.connection import ClientConnection
from unified_agent.wire.csta.framing import frame_bytes
from unified_agent.wire.csta.server_connection import ServerConnection as AesConnection
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.shapes import UnknownMessage
from unified_agent.wire.csta.values import Secret

VECTORS: Final = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that takes bytes.

    Attributes:
        name: on the command line.
        run: given any bytes, returns; anything that it raises is a bug.
        seeds: gives inputs that mean something, to begin with.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield all but the first byte, cut as that one says: whole, byte by byte, or in pieces of so many."""
    if not data:
        return
    size = {0: len(data), 1: 1}.get(data[0], data[0])
    body = data[1:]
    for at in range(0, len(body), max(1, size)):
        yield body[at : at + size]


def events_of(connection: Any) -> list[Any]:
    """Return all events that wait."""
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    return found


def fed(connection: Any, parts: Iterator[bytes] | list[bytes]) -> tuple[list[Any], bytes, bool]:
    """Give bytes to a connection: what it reported, what it would send, whether it refused them."""
    refused = False
    for part in parts:
        try:
            connection.receive_data(part, 1.0)
        except RemoteProtocolError:
            refused = True
            break
    return events_of(connection), connection.data_to_send(), refused


# --- the dialler's protocol


def fuzz_apc_messages(data: bytes) -> None:
    for from_server in (True, False):
        outcomes = []
        for parts in (list(pieces(data)), [data[1:]]):
            decoder = MessageDecoder(from_server=from_server, limit_bytes=4_096)
            found: list[object] = []
            try:
                for part in parts:
                    decoder.feed(part)
                    while (message := decoder.next_message()) is not None:
                        found.append(message)
            except RemoteProtocolError:
                found.append("refused")
            outcomes.append(found)
        assert outcomes[0] == outcomes[1], "it matters how the bytes are cut"


def fuzz_apc_agent(data: bytes) -> None:
    """The agent's end: whatever a dialler sends, it is read, or the connection says that it has ended."""
    connection = AgentConnection(AgentConnectionSettings(), now_s=0.0)
    found, _, refused = fed(connection, pieces(data))
    if refused:
        assert isinstance(found[-1], SessionLost), "the bytes were refused and nobody was told"
    assert sum(isinstance(event, SessionLost) for event in found) == connection.ended


def fuzz_apc_dialler(data: bytes) -> None:
    """The simulated dialler's end, which takes bytes of any program."""
    fed(DiallerConnection(process_id="1"), pieces(data))


def apc_seeds() -> Iterator[bytes]:
    for file in sorted((VECTORS / "apc").glob("*.txt")):
        frames = [line.split(None, 2)[2] for line in file.read_text().splitlines() if line[:3] in {"C>S", "S>C"}]
        for direction in ("C>S", "S>C"):
            lines = [line for line in file.read_text().splitlines() if line.startswith(direction)]
            yield b"\x00" + b"".join(_apc_frame(line.split(None, 2)[2]) for line in lines)
        yield from (b"\x01" + _apc_frame(frame) for frame in frames)


def _apc_frame(text: str) -> bytes:
    return text.replace("␞", "\x1e").replace("␗", "\x17").replace("␃", "\x03").encode("latin-1")


# --- the switch's protocol


def fuzz_csta_document(data: bytes) -> None:
    """One document: read or refused; what was read and can be written is read again as the same."""
    try:
        message = decode(data)
    except RemoteProtocolError:
        return
    if not isinstance(message, UnknownMessage):
        assert decode(encode(message)) == message, "it does not come back as it was"


def fuzz_csta_client(data: bytes) -> None:
    settings = SessionSettings(
        user="user",
        password=Secret("secret"),
        silence_limit_s=10.0,
        request_timeout_s=7.0,
        requested_duration_s=30,
        in_flight_limit=3,
        queue_limit=4,
    )
    outcomes = []
    for parts in (list(pieces(data)), [data[1:]]):
        connection = ClientConnection(settings)
        connection.start(0.0)
        connection.data_to_send()
        outcomes.append(fed(connection, parts))
    assert outcomes[0] == outcomes[1], "it matters how the bytes are cut"


def fuzz_csta_aes(data: bytes) -> None:
    fed(AesConnection(), pieces(data))


def csta_documents() -> Iterator[bytes]:
    for file in sorted((VECTORS / "csta").glob("*.xml")):
        yield file.read_bytes()


def csta_streams() -> Iterator[bytes]:
    documents = list(csta_documents())
    for invoke_id, document in enumerate(documents):
        yield b"\x00" + frame_bytes(invoke_id % 10_000, document)
        yield b"\x03" + frame_bytes(0, document) + frame_bytes(9_999, documents[0])


# --- the web server's protocol


def fuzz_ajp(data: bytes) -> None:
    """Our end, with an application that wants the whole body of every request, and answers.

    It never raises; it is over once, with a reason, or open; and what it writes is whole packets.
    """
    limits = AjpLimits(
        packet_size_bytes=8_192,
        header_limit=100,
        allowed_attributes=frozenset({b"UA_SITE"}),
        idle_timeout_s=75.0,
        read_timeout_s=10.0,
    )
    connection = AjpConnection(limits, b"s3cr3t-Ajp", 0.0)
    said = b""
    endings = 0
    for number, part in enumerate(pieces(data)):
        connection.receive_data(part, float(number))
        while (event := connection.next_event()) is not None:
            if isinstance(event, Ended):
                endings += 1
            elif connection.phase is not Phase.ANSWERING:
                pass  # it has ended since
            elif event.has_body if isinstance(event, RequestReceived) else event.more:
                connection.ask_body(float(number))
            else:
                connection.send_headers(200, [(b"content-length", b"2")])
                connection.send_body(b"ok")
                connection.send_end(float(number))
        said += connection.data_to_send()
    assert endings == (connection.phase is Phase.OVER), "it is over once, and says so"
    while said:
        assert said[:2] == b"AB", "what we write is packets"
        length = int.from_bytes(said[2:4], "big")
        assert len(said) >= 4 + length, "a packet is not whole"
        said = said[4 + length :]


def ajp_seeds() -> Iterator[bytes]:
    captured = tomllib.loads((VECTORS / "ajp13" / "captured.toml").read_text())
    for conversation in (each for front in captured.values() for each in front):
        packets = [bytes.fromhex(octets) for side, octets in conversation["packets"] if side == "front"]
        yield b"\x00" + b"".join(packets)
        yield from (b"\x05" + each for each in packets)


TARGETS: Final = {
    each.name: each
    for each in (
        Target("apc-messages", fuzz_apc_messages, apc_seeds),
        Target("apc-agent", fuzz_apc_agent, apc_seeds),
        Target("apc-dialler", fuzz_apc_dialler, apc_seeds),
        Target("csta-document", fuzz_csta_document, csta_documents),
        Target("csta-client", fuzz_csta_client, csta_streams),
        Target("csta-aes", fuzz_csta_aes, csta_streams),
        Target("ajp", fuzz_ajp, ajp_seeds),
    )
}
