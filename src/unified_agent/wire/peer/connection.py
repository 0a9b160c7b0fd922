"""Either end of a connection between two instances: the handshake, then notices, questions and answers, and pings.

    dialler   HELLO ─────────▶ acceptor       the dialler says who it is
              ◀───────── HELLO
              PROOF ─────────▶                checked before the acceptor proves anything itself
              ◀───────── PROOF
              READY             READY         from here on both ends are alike

Instead of its next word each side may send REFUSAL, and close. Nothing but the handshake goes over the wire before
both have proved themselves, and frames are short until then.

A silent peer is found within ``silence_limit_s``: whoever has heard nothing for ``ping_after_s`` sends PING, which the
other answers with PONG, and any byte counts as a sign of life.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from unified_agent.errors import LinkNotReady, LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.peer.events import (
    AnswerReceived,
    Event,
    LossReason,
    Lost,
    NoticeReceived,
    QuestionReceived,
    Ready,
    Refused,
)
from unified_agent.wire.peer.framing import (
    FRAME_LIMIT_BYTES,
    UNPROVED_LIMIT_BYTES,
    FrameKind,
    frame_bytes,
    numbered_frame_bytes,
    split_number,
    take_frame,
)
from unified_agent.wire.peer.handshake import (
    NONCE_BYTES,
    OUR_VERSIONS,
    SECRET_BYTES,
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
from unified_agent.wire.receive_buffer import ReceiveBuffer

#: Woken this much later than asked, we did not run: what came meanwhile may not have been read yet.
LATE_S: Final = 0.25


class LinkTimes(Struct, frozen=True, kw_only=True):
    """How soon silence counts.

    Attributes:
        handshake_limit_s: from connecting until both have proved themselves.
        ping_after_s: without a byte for this long the other side is asked for one, and again after as long.
        silence_limit_s: without a byte for this long the connection is over. At least three times ``ping_after_s``, so
            that two pings can be lost in a process that was busy.
    """

    handshake_limit_s: float = 3.0
    ping_after_s: float = 0.6
    silence_limit_s: float = 2.0

    def __post_init__(self) -> None:
        if min(self.handshake_limit_s, self.ping_after_s) <= 0:
            raise SettingsError("handshake_limit_s and ping_after_s must be greater than zero")
        if self.silence_limit_s < 3 * self.ping_after_s:
            raise SettingsError("silence_limit_s must be at least three times ping_after_s")


#: How soon silence counts unless somebody says otherwise.
TIMES: Final = LinkTimes()


class Phase(Enum):
    """How far a connection has come."""

    HELLO = "hello"
    PROOF = "proof"
    READY = "ready"
    OVER = "over"


class PeerConnection:
    """One end; the doors are those of ``wire.doors.Connection``.

    Args:
        role: whether we made the connection or took it.
        name: of our instance.
        secrets: of the cluster, at least one. We prove ourselves with the first and take a proof with any of them.
        nonce: NONCE_BYTES that were never used before.
        now_s: the present.
        expected: whose name the other side must give; empty for anybody's but our own.
        versions: what we speak.
        times: how soon silence counts.

    Raises:
        LocalProtocolError: secrets or nonce are too short.
    """

    def __init__(
        self,
        role: Role,
        *,
        name: str,
        secrets: Sequence[bytes],
        nonce: bytes,
        now_s: float,
        expected: str = "",
        versions: Versions = OUR_VERSIONS,
        times: LinkTimes = TIMES,
    ) -> None:
        if not secrets or min(map(len, secrets)) < SECRET_BYTES:
            raise LocalProtocolError(f"a secret of a cluster has at least {SECRET_BYTES} bytes")
        if len(nonce) < NONCE_BYTES:
            raise LocalProtocolError(f"a nonce has at least {NONCE_BYTES} bytes")
        self._role = role
        self._name = name
        self._secrets = tuple(secrets)
        self._expected = expected
        self._versions = versions
        self._times = times
        self._hello = write(Hello(name=name, nonce=nonce, versions=versions))
        self._peer_hello = b""
        self._peer = ""
        self._version = 0
        self._begun_s = now_s
        self._heard_s = now_s
        self._pinged_s = now_s
        self._phase = Phase.HELLO
        self._buffer = ReceiveBuffer()
        self._outgoing: list[bytes] = []
        self._events: deque[Event] = deque()
        #: Frames of kinds that we do not know, passed over.
        self.unknown_frames = 0
        if role is Role.DIALLER:
            self._send(FrameKind.HELLO, self._hello)

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        return self._phase

    @property
    def _is_over(self) -> bool:
        return self._phase is Phase.OVER

    @property
    def peer(self) -> str:
        """The other's name, as it says until both have proved themselves; empty before its hello."""
        return self._peer

    # --- what the owner asks for

    def send_notice(self, payload: bytes) -> None:
        """Tell the other side something. Raises as ``send_question``."""
        self._check_ready()
        self._outgoing.append(frame_bytes(FrameKind.NOTICE, payload))

    def send_question(self, number: int, payload: bytes) -> None:
        """Ask the other side; the answer carries the same number.

        Args:
            number: 1 to LAST_NUMBER, of no other question that waits for its answer.
            payload: at most PAYLOAD_LIMIT_BYTES.

        Raises:
            LinkNotReady: the two have not proved themselves yet, or the connection is over.
            LocalProtocolError: the number cannot be written, or the payload is too long.
        """
        self._check_ready()
        self._outgoing.append(numbered_frame_bytes(FrameKind.QUESTION, number, payload))

    def send_answer(self, number: int, payload: bytes) -> None:
        """Answer the question of this number. Raises as ``send_question``."""
        self._check_ready()
        self._outgoing.append(numbered_frame_bytes(FrameKind.ANSWER, number, payload))

    def refuse(self, reason: RefusalReason, detail: str) -> None:
        """Say why we will not talk, and end; ``Refused`` follows. Nothing happens when the connection is over."""
        if self._is_over:
            return
        refusal = Refusal(reason=reason, detail=detail)
        self._send(FrameKind.REFUSAL, write(refusal))
        self._end(Refused(refusal=refusal, by_us=True, peer=self._peer))

    # --- the doors

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take bytes from the other side. After the last event they are ignored.

        Raises:
            RemoteProtocolError: as in ``wire.doors``.
        """
        if self._is_over or not data:
            return
        self._heard_s = now_s
        self._buffer.append(data)
        try:
            while not self._is_over:
                proved = self._phase is Phase.READY
                limit_bytes = FRAME_LIMIT_BYTES if proved else UNPROVED_LIMIT_BYTES
                frame = take_frame(self._buffer, limit_bytes=limit_bytes)
                if frame is None:
                    return
                if proved:
                    self._take(frame.kind, frame.content)
                else:
                    self._take_unproved(frame.kind, frame.content)
        except RemoteProtocolError:
            self._phase = Phase.OVER
            raise

    def receive_eof(self, now_s: float) -> None:
        """See ``doors``."""
        self._end(Lost(LossReason.CLOSED, "the other side closed the connection"))

    def data_to_send(self) -> bytes:
        """See ``doors``."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def next_event(self) -> Event | None:
        """See ``doors``."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """See ``doors``."""
        if self._is_over:
            return None
        if self._phase is not Phase.READY:
            return self._begun_s + self._times.handshake_limit_s
        return min(self._ping_due_s, self._heard_s + self._times.silence_limit_s)

    def handle_timer(self, now_s: float) -> None:
        """Do what is due: give up, or ask for a sign of life."""
        due_s, times = self.next_timer(), self._times
        if due_s is None or now_s < due_s:
            return
        if self._phase is not Phase.READY:
            self._end(Lost(LossReason.LATE, f"no handshake within {times.handshake_limit_s:g} s"))
            return
        if now_s - due_s > LATE_S:
            # A loop may call timers before it reads: time in which we did not run is nobody's silence.
            self._heard_s = max(self._heard_s, now_s - times.silence_limit_s + times.ping_after_s)
        if now_s >= self._heard_s + times.silence_limit_s:
            self._end(Lost(LossReason.SILENT, f"nothing was heard for {times.silence_limit_s:g} s"))
        elif now_s >= self._ping_due_s:
            self._pinged_s = now_s
            self._send(FrameKind.PING)

    # --- inside

    @property
    def _ping_due_s(self) -> float:
        return max(self._heard_s, self._pinged_s) + self._times.ping_after_s

    def _take(self, kind: int, content: bytes) -> None:
        match kind:
            case FrameKind.NOTICE:
                self._events.append(NoticeReceived(content))
            case FrameKind.QUESTION:
                self._events.append(QuestionReceived(*split_number(content)))
            case FrameKind.ANSWER:
                self._events.append(AnswerReceived(*split_number(content)))
            case FrameKind.PING:
                self._send(FrameKind.PONG)
            case FrameKind.PONG:
                pass
            case FrameKind.REFUSAL:
                self._take_refusal(content)
            case FrameKind.HELLO | FrameKind.PROOF:
                raise RemoteProtocolError(f"{FrameKind(kind).name} after the handshake")
            case _:
                self.unknown_frames += 1

    def _take_unproved(self, kind: int, content: bytes) -> None:
        if kind == FrameKind.REFUSAL:
            self._take_refusal(content)
        elif kind == FrameKind.HELLO and self._phase is Phase.HELLO:
            self._take_hello(content)
        elif kind == FrameKind.PROOF and self._phase is Phase.PROOF:
            self._take_proof(content)
        else:
            raise RemoteProtocolError(f"a frame of kind {kind} where {self._phase.name} was due")

    def _take_refusal(self, content: bytes) -> None:
        self._end(Refused(refusal=read_refusal(content), by_us=False, peer=self._peer))

    def _take_hello(self, content: bytes) -> None:
        hello = read_hello(content)
        self._peer_hello, self._peer = content, hello.name
        if hello.name == self._name or (self._expected and hello.name != self._expected):
            wanted = f"{self._expected} was expected" if self._expected else "which is our own name"
            self.refuse(
                RefusalReason.WRONG_NAME, f"{self._name} met an instance that calls itself {hello.name}; {wanted}"
            )
            return
        version = self._versions.common_with(hello.versions)
        if version is None:
            spoken = f"{self._name} speaks versions {self._versions}, {hello.name} speaks {hello.versions}"
            self.refuse(RefusalReason.NO_COMMON_VERSION, spoken)
            return
        self._version = version
        self._phase = Phase.PROOF
        if self._role is Role.DIALLER:
            self._send_proof(self._secrets[0])
        else:
            self._send(FrameKind.HELLO, self._hello)

    def _take_proof(self, content: bytes) -> None:
        dialler_hello, acceptor_hello = self._hellos()
        secret = secret_proved(
            content, self._secrets, self._role.other, dialler_hello=dialler_hello, acceptor_hello=acceptor_hello
        )
        if secret is None:
            self.refuse(RefusalReason.WRONG_SECRET, f"{self._peer} and {self._name} do not share the cluster's secret")
            return
        self._phase = Phase.READY
        self._pinged_s = self._heard_s
        self._events.append(Ready(self._peer, self._version))
        if self._role is Role.ACCEPTOR:
            self._send_proof(secret)  # the one that the other side is certain to know

    def _send_proof(self, secret: bytes) -> None:
        dialler_hello, acceptor_hello = self._hellos()
        proof = prove(secret, self._role, dialler_hello=dialler_hello, acceptor_hello=acceptor_hello)
        self._send(FrameKind.PROOF, proof)

    def _hellos(self) -> tuple[bytes, bytes]:
        ours, theirs = self._hello, self._peer_hello
        return (ours, theirs) if self._role is Role.DIALLER else (theirs, ours)

    def _send(self, kind: FrameKind, content: bytes = b"") -> None:
        self._outgoing.append(frame_bytes(kind, content))

    def _check_ready(self) -> None:
        if self._phase is not Phase.READY:
            raise LinkNotReady(
                f"the connection to {self._peer or 'another instance'} is not ready ({self._phase.value})"
            )

    def _end(self, event: Refused | Lost) -> None:
        if not self._is_over:
            self._phase = Phase.OVER
            self._events.append(event)
