"""Who is asking: desktops' tokens, pages' origins, operators; and how often an address may try to log in."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from unified_agent.domain.ids import SessionId

#: Tokens that are no longer good and are still told why, beyond which the oldest are simply unknown.
REVOKED_REMEMBERED: Final = 10_000
#: Addresses whose logins are counted at a time; beyond, the one longest quiet is forgotten.
ADDRESSES_REMEMBERED: Final = 10_000


class TokenRefusal(StrEnum):
    """Why a token is not good. The words are ids of ``failures.FAILURES``."""

    UNKNOWN = "session.unknown"
    TAKEN_OVER = "taken-over"
    ENDED = "session.ended"
    MOVED = "session.moved"


class Tokens:
    """Which token stands for which session; one good token each.

    Tokens are made by ``make_token``, unguessable. Only their hashes are kept, and looking one up tells nothing by its
    timing.
    """

    def __init__(self, make_token: Callable[[], str]) -> None:
        self._make_token = make_token
        self._sessions: dict[bytes, SessionId] = {}
        self._current: dict[SessionId, bytes] = {}
        self._revoked: OrderedDict[bytes, tuple[TokenRefusal, str, str]] = OrderedDict()

    def issue(self, session: SessionId) -> str:
        """Make a token; the session's earlier one is taken over."""
        self._revoke(session, TokenRefusal.TAKEN_OVER)
        token = self._make_token()
        digest = _digest(token)
        self._sessions[digest] = session
        self._current[session] = digest
        return token

    def find(self, token: str) -> SessionId | TokenRefusal:
        """Return whose token it is, or why it is not good."""
        digest = _digest(token)
        found = self._sessions.get(digest)
        return found if found is not None else self._revoked.get(digest, (TokenRefusal.UNKNOWN, "", ""))[0]

    def ending(self, token: str) -> tuple[str, str]:
        """Return why the session of a token has ended, and words that go with it; empty when that is not known.

        A login may be refused by the switch before its desktop has connected, which must still be told why.
        """
        _, reason, detail = self._revoked.get(_digest(token), (TokenRefusal.UNKNOWN, "", ""))
        return reason, detail

    def end(
        self, session: SessionId, how: TokenRefusal = TokenRefusal.ENDED, reason: str = "", detail: str = ""
    ) -> None:
        """Know that the session is over here: how, and why."""
        self._revoke(session, how, reason, detail)

    def _revoke(self, session: SessionId, why: TokenRefusal, reason: str = "", detail: str = "") -> None:
        digest = self._current.pop(session, None)
        if digest is None:
            return
        del self._sessions[digest]
        self._revoked[digest] = why, reason, detail
        while len(self._revoked) > REVOKED_REMEMBERED:
            self._revoked.popitem(last=False)


def bearer(authorization: str | None) -> str | None:
    """Take the token out of an ``Authorization`` header; None when it carries none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class Origins:
    """Pages that may call us: our own, and those of the settings. Callers without an origin are no pages."""

    def __init__(self, allowed: Iterable[str], ours: Callable[[], Iterable[str]] = tuple) -> None:
        """Know who may.

        Args:
            allowed: of the settings.
            ours: gives where desktops reach the cluster's instances now: a page of one may call every other.
        """
        self._allowed = _origins(allowed)
        self._ours = ours

    @property
    def allowed(self) -> frozenset[str]:
        """The foreign ones."""
        return self._allowed | _origins(self._ours())

    def accepts(self, origin: str | None, host: str | None) -> bool:
        """Say whether a request may be answered.

        Args:
            origin: its ``Origin`` header.
            host: its ``Host`` header. Our own pages have an origin of that name; the scheme is left out, because in
                front of us somebody else may speak TLS.
        """
        if origin is None:
            return True
        origin = origin.lower()
        return origin in self.allowed or (bool(host) and urlsplit(origin).netloc == (host or "").lower())


def _origins(urls: Iterable[str]) -> frozenset[str]:
    return frozenset(each.rstrip("/").lower() for each in urls)


class Operators:
    """Who may read the status: whoever knows the token; without one, callers on this machine."""

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token)

    def accepts(self, authorization: str | None, address: str | None) -> bool:
        """Say whether a request may be answered."""
        if self._digest is None:
            return is_loopback(address)
        token = bearer(authorization)
        return token is not None and hmac.compare_digest(_digest(token), self._digest)


def is_loopback(address: str | None) -> bool:
    """Say whether an address is this machine's own."""
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


class LoginLimiter:
    """Counts logins by address: a bucket that holds one minute's worth and fills evenly."""

    def __init__(self, rate_per_min: int, now_s: Callable[[], float]) -> None:
        self._capacity = float(rate_per_min)
        self._per_s = rate_per_min / 60.0
        self._now_s = now_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Take one login from an address's bucket.

        Returns:
            0.0 when there was one; otherwise how many seconds from now there will be.
        """
        now = self._now_s()
        level, at_s = self._buckets.pop(address, (self._capacity, now))
        level = min(self._capacity, level + (now - at_s) * self._per_s)
        allowed = level >= 1.0
        self._buckets[address] = (level - 1.0 if allowed else level, now)
        while len(self._buckets) > ADDRESSES_REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else math.ceil((1.0 - level) / self._per_s)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
