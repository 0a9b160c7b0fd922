"""Which requests for a script are answered with one: hurdles before any token is looked at.

A script element sends no header of the page's choosing, so anybody's page can make these requests, and so can whoever
follows links. What is refused here is answered as a plain problem, never as a script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from unified_agent.server.failures import RequestRefused
from unified_agent.settings import JsonpSettings
from unified_agent.wire.push import QueryRefused, is_callback, read_query

#: Below it all scripts are found.
PATH: Final = "/v1/jsonp/"
#: Characters of a whole URL: older browsers and proxies cut longer ones.
URL_LIMIT_CHARS: Final = 2_000
#: Headers by which a browser says that it only looks ahead.
_LOOKING_AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")


class JsonpGuard:
    """The hurdles, as set for this instance."""

    def __init__(self, settings: JsonpSettings, ours: Callable[[], Iterable[str]] = tuple) -> None:
        """Know who may.

        Args:
            settings: of the site.
            ours: gives where desktops reach the cluster's instances now: a page of one may ask every other.
        """
        self._settings = settings
        self._ours = ours
        self._callers = frozenset(each.lower() for each in settings.callers)

    def read(self, query: bytes) -> tuple[str, dict[str, str]]:
        """Return which callback is asked for, and the other parameters.

        Raises:
            RequestRefused: there can be no script.
        """
        if not self._settings.enabled:
            raise RequestRefused("jsonp.off", "see the setting jsonp.enabled")
        try:
            parameters = read_query(query)
        except QueryRefused as error:
            raise RequestRefused("request.invalid", str(error)) from None
        callback = parameters.pop("callback", "")
        if not is_callback(callback):
            raise RequestRefused("jsonp.callback", "one to four identifiers joined by dots, at most 128 characters")
        return callback, parameters

    def admit(self, headers: Mapping[str, str]) -> str | None:
        """Return the origin of the page that asks; None when it cannot be told but may be any.

        Cookies are not looked at: they prove nothing here, and those of a domain that page and instance share come with
        every script.

        Args:
            headers: as ``joined``.

        Raises:
            RequestRefused: it may not ask.
        """
        if any(headers.get(name) for name in _LOOKING_AHEAD):
            raise RequestRefused("jsonp.caller", "the browser only looks ahead")
        destination = headers.get("sec-fetch-dest")
        if destination not in {None, "script"}:
            raise RequestRefused("jsonp.caller", "no script element asks")
        origin = headers.get("origin")
        if origin is None and "referer" in headers:
            origin = _origin_of(headers["referer"])
        if origin is not None:
            origin = origin.lower()
            if origin in self._callers or self._is_ours(origin, headers.get("host", "")):
                return origin
            raise RequestRefused("jsonp.caller", "see the setting jsonp.callers")
        if destination == "script" and headers.get("sec-fetch-site") != "none":
            return None
        if self._settings.allow_unknown_callers:
            return None
        raise RequestRefused("jsonp.caller", "nothing says which page asks; see jsonp.allow_unknown_callers")

    def _is_ours(self, origin: str, host: str) -> bool:
        """Say whether a page is of this instance or of another one of the cluster."""
        netloc = urlsplit(origin).netloc
        return (bool(netloc) and netloc == host.lower()) or origin in {
            each.rstrip("/").lower() for each in self._ours()
        }

    @staticmethod
    def measure(scheme: str, host: str, target: bytes) -> None:
        """See that a URL is not too long.

        Raises:
            RequestRefused: it is. Answered by a script: a page must be able to see it.
        """
        length = len(f"{scheme}://{host}") + len(target)
        if length > URL_LIMIT_CHARS:
            raise RequestRefused("jsonp.too-long", f"{length} characters, and {URL_LIMIT_CHARS} are taken")


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return a request's headers by lower-case names, with all values of one that comes more than once."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _origin_of(url: str) -> str:
    """Return the origin of a page's address, ``null`` for one that has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and parts.netloc else "null"
