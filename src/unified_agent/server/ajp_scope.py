"""A request that came by AJP as the ASGI application sees it: the same as by HTTP, from the browser's point of view."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_to_bytes

from unified_agent.server.routing import without_parameters
from unified_agent.wire.ajp13.codec import ForwardRequest
from unified_agent.wire.ajp13.codes import KNOWN_ATTRIBUTES, TLS_PROTOCOL, Attribute

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
_VERSIONS: Final = {b"HTTP/1.0": "1.0", b"HTTP/1.1": "1.1", b"HTTP/2.0": "2", b"HTTP/2": "2", b"HTTP/3.0": "3"}


def scope_of(request: ForwardRequest, *, trust_remote_user: bool) -> dict[str, Any]:
    """Make the scope.

    Args:
        request: as the web server passed it on.
        trust_remote_user: tell the application whom the web server has found the user to be.

    Returns:
        The scope. What there is only by AJP stands under ``extensions``, ``ajp``. The path is without parameters and
        decoded, so that what the application protects is what it serves: a web server that looks at the path before
        it is so may have been led past its own rules.
    """
    path = request.path
    if b";" in path:
        path = without_parameters(path.decode("latin-1")).encode("latin-1")
    if b"%" in path:
        path = unquote_to_bytes(path)
    attributes = request.attributes
    ajp: dict[str, Any] = {
        "route": request.route,
        "activation": request.activation,
        "attributes": {} if attributes.keys() <= KNOWN_ATTRIBUTES else _others(attributes),
    }
    if trust_remote_user:
        ajp["remote_user"] = request.text(Attribute.REMOTE_USER)
        ajp["auth_type"] = request.text(Attribute.AUTH_TYPE)
        ajp["tls_certificate"] = request.text(Attribute.SSL_CERT)
        ajp["tls_cipher"] = request.text(Attribute.SSL_CIPHER)
        ajp["tls_protocol"] = attributes.get(TLS_PROTOCOL, b"").decode("latin-1")
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": _VERSIONS.get(request.protocol, "1.1"),
        "method": request.method,
        "scheme": "https" if request.is_tls else "http",
        "server": (request.server_name, request.server_port),
        "client": (request.remote_address, request.remote_port) if request.remote_address else None,
        "root_path": "",
        "path": path.decode("utf-8", "replace"),
        "raw_path": request.path,
        "query_string": request.query,
        "headers": request.headers.copy(),
        "state": {},
        "extensions": {"ajp": ajp},
    }


def _others(attributes: dict[bytes, bytes]) -> dict[str, str]:
    """Return the request attributes that were configured; all others are known by other names."""
    given = attributes.items()
    return {name.decode(): value.decode("latin-1") for name, value in given if name not in KNOWN_ATTRIBUTES}


def wants_websocket(request: ForwardRequest) -> bool:
    """Whether a request asks for a WebSocket, which no web server tunnels through AJP."""
    return b"websocket" in request.upgrade.lower()
