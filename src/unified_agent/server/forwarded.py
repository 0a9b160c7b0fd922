"""Whose request it is when a balancer stands in front of us.

A balancer that the settings trust tells the caller's address and scheme (X-Forwarded-For, X-Forwarded-Proto), and
uvicorn's own middleware believes it. Callers on this machine may read the status without a token, so a request that
was passed on is never one of theirs, whatever address it shows: a balancer on this machine would open that to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from unified_agent.server.auth import is_loopback
from unified_agent.server.edge import Application, Receive, Scope, Send

#: A request with one of these was passed on, or says so.
_PASSED_ON: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})


def behind_web_servers(inner: Application) -> Application:
    """Return an application for requests all of which were passed on: those that come by AJP."""

    async def never_local(scope: Scope, receive: Receive, send: Send) -> None:
        _forget_if_local(scope)
        await inner(scope, receive, send)

    return never_local


def behind_proxies(inner: Application, trusted: Sequence[str]) -> Application:
    """Return an application that learns from trusted balancers who the caller is.

    Args:
        inner: finds the caller in ``client`` of the scope; None when that is not known.
        trusted: addresses and networks whose word is believed.
    """

    async def never_local(scope: Scope, receive: Receive, send: Send) -> None:
        if any(name in _PASSED_ON for name, _ in scope["headers"]):
            _forget_if_local(scope)
        await inner(scope, receive, send)

    if not trusted:
        return never_local
    return cast("Application", ProxyHeadersMiddleware(cast("Any", never_local), list(trusted)))


def _forget_if_local(scope: Scope) -> None:
    caller = scope.get("client")
    if caller and is_loopback(caller[0]):
        scope["client"] = None
