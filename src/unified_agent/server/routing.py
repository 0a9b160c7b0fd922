"""Routing ids: the ``.INSTANCE`` at the end of a session cookie or a path parameter, by which a balancer finds the
instance that a desktop belongs to (mod_jk, mod_proxy, HAProxy and nginx by the files of ``unified-agent balancer``).

The name of the cookie is the one that balancers in front of application servers know. Nothing but the route in it
means anything to us: it proves nothing and opens nothing, and what precedes the dot is chance, because some balancers
take an id that is the same for everybody for no id at all.
"""

from __future__ import annotations

import re
from typing import Final

#: The cookie, and the path parameter of the same meaning in lower case.
COOKIE: Final = "JSESSIONID"
PARAMETER: Final = "jsessionid"
#: A route name that every balancer takes: a dot would begin a domain, longer ones are cut off.
ROUTE_PATTERN: Final = r"[A-Za-z0-9_-]{1,63}"

#: mod_jk joins several cookie lines by a comma (its bytes are shown in the AJP reference).
_COOKIE: Final = re.compile(rf"(?:^|[;,])\s*{COOKIE}=\"?[^;,\"\s]*\.({ROUTE_PATTERN})\"?(?=\s*(?:[;,]|$))")
_PARAMETERS: Final = re.compile(r";[^/]*")
_ROUTE: Final = re.compile(rf"{ROUTE_PATTERN}\Z")


def is_route(name: str) -> bool:
    """Say whether an instance of that name can be routed to."""
    return _ROUTE.match(name) is not None


def cookie_route(header: str | None) -> str:
    """Return the route that a request's ``Cookie`` header names; empty for none."""
    found = _COOKIE.search(header or "")
    return found[1] if found else ""


def without_parameters(path: str) -> str:
    """Return a path without its parameters: they are the balancer's, and no path of ours has any.

    Which path is meant is decided here and nowhere before, or ``/public;x/../secret`` would pass for public.
    """
    return _PARAMETERS.sub("", path)


def routing_cookie(route: str, chance: str, *, secure: bool) -> str:
    """Return the ``Set-Cookie`` by which balancers send a desktop to an instance from now on.

    Args:
        route: the instance.
        chance: letters and digits, another text for each desktop.
        secure: the page was loaded by TLS.
    """
    return f"{COOKIE}={chance}.{route}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
