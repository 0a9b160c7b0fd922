"""Resume tickets: what another instance needs to go on with a session, kept by the desktop and sealed against it.

A desktop cannot read its ticket, and nobody can use it without the session's token, whose hash is in it. No store and
no other instance need be asked to read one: whoever has the cluster's keys can. What a ticket cannot tell is whether a
later login has won since; for that its ``term`` is held against the claim.

The form is MessagePack with named fields. Fields that a version does not know are skipped, and one that is added gets a
default, so tickets pass between neighbouring versions both ways.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from unified_agent.domain.ids import AgentId, Secret, SessionId, StationId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import DiallerLogin, Identity
from unified_agent.observe import get_logger, log_event
from unified_agent.sealing import Keyring, SealBroken
from unified_agent.server.failures import RequestRefused

LOGGER: Final = get_logger("server.tickets")

#: How long a ticket is good for: a shift. Keys stay for twice that (``tools.keys.KEEP_HOURS``).
LIFETIME_S: Final = 12 * 3_600.0
#: Characters of a ticket. One with all its fields at their bounds has under 2,000.
TICKET_LIMIT_CHARS: Final = 4_096
#: What tickets are sealed for.
PURPOSE: Final = "ticket"

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*\Z")


class TicketRefused(RequestRefused):
    """A ticket is not good. Its holder is not told in which way; our log is."""

    code: ClassVar[str] = "ticket-refused"

    def __init__(self) -> None:
        super().__init__("ticket.invalid")


class TicketContent(Struct, frozen=True, kw_only=True):
    """What is sealed in a ticket.

    Attributes:
        agent, station, password, dialler: as in ``Identity``; passwords are hidden from every repr.
        session: the session it goes on with.
        term: of the claim under which it was written; a higher one means that a later login has won.
        epoch: of the active datacentre when it was written.
        token_hash: SHA-256, hexadecimal, of the token that must come with it.
        issued_s, expires_s: Unix seconds.
        verified: the switch has accepted the password in this session.
    """

    agent: AgentId
    station: StationId
    password: Secret
    dialler: DiallerLogin | None = None
    session: SessionId
    term: int
    epoch: int
    token_hash: str
    issued_s: float
    expires_s: float
    verified: bool = False

    @property
    def identity(self) -> Identity:
        """Who works there and with what they prove it."""
        return Identity(agent=self.agent, station=self.station, password=self.password, dialler=self.dialler)


class Tickets:
    """Writes tickets and reads them."""

    def __init__(self, keyring: Keyring, clock: Clock, *, lifetime_s: float = LIFETIME_S) -> None:
        self._keyring = keyring
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(TicketContent)

    def write(
        self, identity: Identity, *, session: SessionId, token: str, term: int, epoch: int, verified: bool
    ) -> str:
        """Write a ticket, good from now on for the lifetime.

        Args:
            identity: whose fields are within the bounds of a login.
            token: the session's, which must come with the ticket.
            session, term, epoch, verified: as in ``TicketContent``.

        Returns:
            Letters, digits, ``-`` and ``_``; never the same twice.
        """
        now_s = self._clock.now_s()
        content = TicketContent(
            agent=identity.agent,
            station=identity.station,
            password=identity.password,
            dialler=identity.dialler,
            session=session,
            term=term,
            epoch=epoch,
            token_hash=_hash(token),
            issued_s=now_s,
            expires_s=now_s + self._lifetime_s,
            verified=verified,
        )
        text = _encode(self._keyring.seal(PURPOSE, self._encoder.encode(content)))
        assert len(text) <= TICKET_LIMIT_CHARS, "the bounds of a login keep a ticket short"
        return text

    def read(self, text: str, token: str) -> TicketContent:
        """Read a ticket that came with a token.

        Raises:
            TicketRefused: it is not one of ours, is no longer good, or belongs to another token.
        """
        try:
            content = self._open(text)
        except _NotATicket as error:
            raise _refused(str(error)) from None
        if not hmac.compare_digest(_hash(token), content.token_hash):
            raise _refused("the token is another one", content)
        if self._clock.now_s() >= content.expires_s:
            raise _refused("it has expired", content)
        return content

    def is_stale(self, text: str) -> bool:
        """Say whether to write the ticket anew: another key seals now, half its time is over, or it is none."""
        try:
            content = self._open(text)
        except _NotATicket:
            return True
        half_s = (content.issued_s + content.expires_s) / 2
        return self._clock.now_s() >= half_s or self._keyring.needs_resealing(_decode(text))

    def _open(self, text: str) -> TicketContent:
        try:
            return self._decoder.decode(self._keyring.open(PURPOSE, _decode(text)))
        except SealBroken as error:
            raise _NotATicket(str(error)) from None
        except msgspec.DecodeError as error:
            raise _NotATicket(f"its content is of another version: {error}") from None


class _NotATicket(Exception):
    """Says why."""


def _decode(text: str) -> bytes:
    if len(text) > TICKET_LIMIT_CHARS:
        raise _NotATicket(f"{len(text)} characters are too many")
    if not _ALPHABET.match(text):
        raise _NotATicket("it has characters that no ticket has")
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise _NotATicket(str(error)) from None
    if _encode(sealed) != text:
        raise _NotATicket("its last character has bits that stand for nothing")
    return sealed


def _encode(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refused(why: str, content: TicketContent | None = None) -> TicketRefused:
    session = content.session if content is not None else None
    log_event(LOGGER, "ticket_refused", level="debug", reason=why, session=session)
    return TicketRefused()
