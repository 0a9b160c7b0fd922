"""Short tokens for URLs, and the nonces without which nothing is done by a GET.

A token in a URL may be read by others: in a history, in a proxy's log. So it is good for minutes, for one session as
shown by one page, for that page's origin, and for nothing but scripts. What it opens is a ``Page``.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock
from unified_agent.server.failures import RequestRefused
from unified_agent.server.push_transports.long_poll import Poll

#: Nonces handed out and not yet used, and used ones whose repeat is recognised; beyond, the oldest are forgotten.
NONCES_OPEN: Final = 64
NONCES_REMEMBERED: Final = 256
#: Good tokens of one page at a time.
TOKENS_OF_PAGE: Final = 16
#: Random bytes of a token, and of a nonce.
TOKEN_BYTES: Final = 18
NONCE_BYTES: Final = 9


class Page:
    """One page that shows a session by scripts.

    Attributes:
        session, client: which.
        bearer: the session's own token, which a page proved to have; never sent in a URL.
        poll: its connection, None before the first.
        position: epoch and seq of the last envelope it was given, None for none.
        tokens: digests of its good tokens, oldest first.
    """

    def __init__(self, session: SessionId, client: str, bearer: str) -> None:
        self.session: Final = session
        self.client: Final = client
        self.bearer: Final = bearer
        self.poll: Poll | None = None
        self.position: tuple[int, int] | None = None
        self.tokens: list[bytes] = []
        self._open: OrderedDict[str, None] = OrderedDict()
        self._spent: OrderedDict[str, str] = OrderedDict()

    def add_nonce(self, nonce: str) -> str:
        """Let something be done once with a nonce; returns it."""
        self._open[nonce] = None
        while len(self._open) > NONCES_OPEN:
            self._open.popitem(last=False)
        return nonce

    def spend(self, nonce: str, what: str) -> bool:
        """Use a nonce.

        Args:
            what: is to be done with it.

        Returns:
            True: it is to be done. False: it was asked before, with the same nonce.

        Raises:
            RequestRefused: the nonce is none of ours, or was used for something else.
        """
        if self._spent.get(nonce) == what:
            return False
        if nonce not in self._open:
            raise RequestRefused("jsonp.nonce", "take the one of the last answer")
        del self._open[nonce]
        self._spent[nonce] = what
        while len(self._spent) > NONCES_REMEMBERED:
            self._spent.popitem(last=False)
        return True


class _Good(Struct, frozen=True):
    """A token that is good: for which page, from which origin (None for any), until when."""

    page: Page
    origin: str | None
    expires_s: float


class JsonpTokens:
    """All good tokens. Only their hashes are kept."""

    def __init__(self, make_secret: Callable[[int], str], clock: Clock, lifetime_s: float) -> None:
        self._make_secret = make_secret
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._good: OrderedDict[bytes, _Good] = OrderedDict()  # in the order in which they expire
        self._pages: dict[tuple[SessionId, str], Page] = {}

    def __len__(self) -> int:
        return len(self._good)

    def issue(self, session: SessionId, bearer: str, client: str, origin: str | None) -> tuple[Page, str]:
        """Give a page its first token, or another one.

        Args:
            session, bearer: the session and its own token.
            client: what the page calls itself.
            origin: where it comes from; None binds the token to none.
        """
        self._forget_old()
        page = self._pages.get((session, client))
        if page is None or page.bearer != bearer:
            page = self._pages[session, client] = Page(session, client, bearer)
        return page, self._add(page, origin)

    def find(self, token: str, client: str, origin: str | None) -> Page:
        """Return whose token it is.

        Args:
            origin: of the page that asks, None when that cannot be told.

        Raises:
            RequestRefused: it is not good, or not for that client or origin; which of those is not told.
        """
        good = self._good.get(_digest(token))
        if (
            good is None
            or good.expires_s <= self._clock.now_s()
            or good.page.client != client
            or (origin is not None and good.origin is not None and origin != good.origin)
        ):
            raise RequestRefused("jsonp.token", "get another one by POST /v1/session/jsonp")
        return good.page

    def renew(self, token: str) -> str:
        """Return a token in the place of one that has less than half of its life left; empty while it has more."""
        good = self._good.get(_digest(token))
        if good is None or good.expires_s - self._clock.now_s() > self._lifetime_s / 2:
            return ""
        self._forget_old()
        return self._add(good.page, good.origin)

    def nonce(self, page: Page) -> str:
        """Let a page do one thing more."""
        return page.add_nonce(self._make_secret(NONCE_BYTES))

    def _add(self, page: Page, origin: str | None) -> str:
        token = self._make_secret(TOKEN_BYTES)
        digest = _digest(token)
        self._good[digest] = _Good(page, origin, self._clock.now_s() + self._lifetime_s)
        page.tokens.append(digest)
        while len(page.tokens) > TOKENS_OF_PAGE:
            self._good.pop(page.tokens.pop(0), None)
        return token

    def _forget_old(self) -> None:
        now_s = self._clock.now_s()
        while self._good:
            digest, good = next(iter(self._good.items()))
            if good.expires_s > now_s:
                return
            del self._good[digest]
            page = good.page
            page.tokens.remove(digest)
            if not page.tokens and self._pages.get((page.session, page.client)) is page:
                del self._pages[page.session, page.client]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
