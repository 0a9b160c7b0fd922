"""What one CSTA message costs: microseconds to read and to write, for the messages that a busy link carries most.

Method: the worked examples of the reference (tests/vectors/csta) are decoded and encoded in batches of 2,000, nine
batches each; the best batch counts, because on a shared machine everything else only adds. The stream figure feeds
1,000 framed DeliveredEvents in pieces of 64 KiB into a client's connection and takes its events. Run it with

    python benchmarks/csta_codec.py

and compare with a run of the commit before, on the same machine. Once seen on two shared cores, Python 3.11: 39 µs to
read a DeliveredEvent of 1,449 bytes, 9 µs to write it, 40 µs from the stream to the event.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from timeit import repeat

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.connection import ClientConnection
from unified_agent.wire.csta.framing import EVENT_INVOKE_ID, frame_bytes
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.values import Secret, SessionId

VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "csta"
EXAMPLES = {
    "DeliveredEvent": "35-delivered-event.xml",
    "EstablishedEvent": "38-established-event.xml",
    "ConnectionClearedEvent": "43-connection-cleared-event.xml",
    "AgentNotReadyEvent": "34-agent-not-ready-event.xml",
    "GetAgentStateResponse": "33-get-agent-state-response.xml",
    "AnswerCall": "36-answer-call.xml",
    "AnswerCallResponse": "37-answer-call-response.xml",
    "MonitorStart": "23-monitor-start.xml",
}
BATCH = 2_000
BATCHES = 9
STREAM_MESSAGES = 1_000
PIECE_BYTES = 65_536


def stream_us(document: bytes) -> float:
    """Return the microseconds per message from bytes of a stream to an event taken."""
    data = frame_bytes(EVENT_INVOKE_ID, document) * STREAM_MESSAGES
    client = ClientConnection(SessionSettings(user="user", password=Secret("secret")))
    client.start(0.0)
    started = csta.StartApplicationSessionPosResponse(session_id=SessionId("1"))
    client.receive_data(frame_bytes(1, encode(started)), 0.0)
    client.next_event()

    def feed() -> None:
        for at in range(0, len(data), PIECE_BYTES):
            client.receive_data(data[at : at + PIECE_BYTES], 0.0)
            while client.next_event() is not None:
                pass

    return min(repeat(feed, number=1, repeat=BATCHES)) / STREAM_MESSAGES * 1e6


def main() -> None:
    """Print the table."""
    print(f"Python {sys.version.split()[0]}; best of {BATCHES} batches of {BATCH}")
    print(f"{'message':24}{'bytes':>8}{'read µs':>10}{'write µs':>10}")
    for name, file in EXAMPLES.items():
        document = (VECTORS / file).read_bytes()
        message = decode(document)
        read_s = min(repeat(partial(decode, document), number=BATCH, repeat=BATCHES))
        write_s = min(repeat(partial(encode, message), number=BATCH, repeat=BATCHES))
        print(f"{name:24}{len(document):>8}{read_s / BATCH * 1e6:>10.1f}{write_s / BATCH * 1e6:>10.1f}")
    delivered = (VECTORS / EXAMPLES["DeliveredEvent"]).read_bytes()
    print(f"DeliveredEvent through framing and connection: {stream_us(delivered):.1f} µs")


if __name__ == "__main__":
    main()
