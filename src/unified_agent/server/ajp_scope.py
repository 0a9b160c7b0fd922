"""A request that came by AJP as the ASGI application sees it: the same as by HTTP, from the browser's point of view."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from unified_agent.wire.ajp13.codec import ForwardRequest
from unified_agent.wire.ajp13.codes import HOP_BY_HOP

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
_VERSIONS: Final = {"HTTP/1.0": "1.0", "HTTP/1.1": "1.1", "HTTP/2.0": "2", "HTTP/2": "2", "HTTP/3.0": "3"}
_PARAMETERS: Final = re.compile(rb";[^/]*")


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
        path = _PARAMETERS.sub(b"", path)
    if b"%" in path:
        path = unquote_to_bytes(path)
    ajp: dict[str, Any] = {
        "route": request.route,
        "activation": request.activation,
        "attributes": request.attributes,
    }
    if trust_remote_user:
        ajp["remote_user"] = request.remote_user
        ajp["auth_type"] = request.auth_type
        ajp["tls_certificate"] = request.tls_certificate
        ajp["tls_cipher"] = request.tls_cipher
        ajp["tls_protocol"] = request.tls_protocol
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
        "headers": [each for each in request.headers if each[0] not in HOP_BY_HOP],
        "state": {},
        "extensions": {"ajp": ajp},
    }


def wants_websocket(request: ForwardRequest) -> bool:
    """Whether a request asks for a WebSocket, which no web server tunnels through AJP."""
    return any(name == b"upgrade" and b"websocket" in value.lower() for name, value in request.headers)
