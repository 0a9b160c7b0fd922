"""Binds a port to listen on, and says in a sentence why it cannot be had."""

from __future__ import annotations

import errno
import socket

from unified_agent.errors import SettingsError


def bind_port(host: str, port: int, table: str) -> socket.socket:
    """Bind a port; nothing is listened for yet.

    Args:
        host: an address of this machine, empty for all.
        port: 0 for a free one.
        table: of the settings that host and port come from, for the sentence.

    Raises:
        SettingsError: it cannot be had; the sentence says what to do.
    """
    address = host or "::"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and not host:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((address, port))
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise SettingsError(_why_not(error, host, port, table)) from error
    return listening


def _why_not(error: OSError, host: str, port: int, table: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program: stop that one (ss -ltnp 'sport = :{port}' names it), "
            f"or choose another {table}.port"
        )
    if error.errno == errno.EACCES:
        return f"we may not listen on port {port}: take one from 1024 on as {table}.port, or grant CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{table}.host {host!r} is not an address of this machine: take one of its own, or 0.0.0.0 for all"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
