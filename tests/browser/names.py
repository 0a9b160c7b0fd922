"""Names as a real DNS server answers them, for one process and its children: a name may have several addresses.

A hosts file with two lines would not do, nor would an option of Chromium: both are read as one address.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

DNSMASQ: Final = shutil.which("dnsmasq", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
UNSHARE: Final = shutil.which("unshare")
#: Why names cannot be had here; empty when they can.
MISSING: Final = (
    "needs root, for a resolver of its own"
    if os.geteuid() != 0
    else "needs dnsmasq and unshare: apt-get install dnsmasq-base util-linux"
    if DNSMASQ is None or UNSHARE is None
    else ""
)
#: Where the DNS server listens; resolvers ask on port 53 only.
ADDRESS: Final = "127.0.0.53"
START_LIMIT_S: Final = 20.0


@contextlib.contextmanager
def names(folder: Path, addresses: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Run a DNS server.

    Args:
        folder: for its files.
        addresses: of each name.

    Yields:
        What is to stand before a command, so that it knows these names and no others.
    """
    assert DNSMASQ is not None
    assert UNSHARE is not None
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{each} {name}\n" for name, several in addresses.items() for each in several))
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {ADDRESS}\noptions timeout:2 attempts:2\n")
    log = folder / "dnsmasq.log"
    arguments = (
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        f"--addn-hosts={hosts}",
        f"--listen-address={ADDRESS}",
        "--bind-interfaces",
        "--pid-file=",
        "--user=root",
        "--log-facility=-",
        "--log-queries",
    )
    with log.open("w") as output, subprocess.Popen((DNSMASQ, *arguments), stdout=output, stderr=output) as server:
        try:
            _wait_until("read", log, server)
            inner = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
            yield UNSHARE, "--mount", "sh", "-c", inner, str(resolver)
        finally:
            server.terminate()


def _wait_until(word: str, log: Path, server: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while word not in log.read_text():
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < until_s, log.read_text()
        time.sleep(0.05)


@contextlib.contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """Have an address answer nothing at all on a port, as that of a host that is gone: it takes no more connections."""
    with contextlib.ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(4):  # the first fills the queue; what comes after it is dropped by the kernel
            filling = held.enter_context(socket.socket())
            filling.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filling.connect((address, port))
        yield
