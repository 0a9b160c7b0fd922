"""Apache httpd with mod_jk or mod_proxy_ajp, started on loopback with a folder of its own.

    async with started(folder, jk({"ua-1": 8009}, secret="s3cr3t"), limits="...") as apache:
        ... apache.url, apache.log() ...

``jk`` and ``proxy_ajp`` give the part of the configuration that says how instances are reached; anything else that
httpd understands can be given in its place. Nothing of the system's own configuration is read or changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from unified_agent.tools.free_ports import find_free_ports

PROGRAM: Final = shutil.which("apache2") or shutil.which("apache2", path="/usr/sbin")
MODULES: Final = Path("/usr/lib/apache2/modules")
#: How long httpd may take to listen, or to end, seconds; it takes a tenth of one.
START_LIMIT_S: Final = 30.0
#: Process model unless a test wants another: few processes, as each has connections of its own.
LIMITS: Final = "ThreadsPerChild 64\nServerLimit 4\nMaxRequestWorkers 256"
#: What every configuration needs, in the order in which httpd loads it.
_BASE: Final = ("mpm_event", "authz_core", "authz_host", "env", "setenvif")


@dataclass(frozen=True)
class Way:
    """How instances are reached: modules to load, directives, and files beside the configuration."""

    modules: tuple[str, ...]
    directives: str
    files: Mapping[str, str] = field(default_factory=dict)


def missing(*modules: str) -> str:
    """Say what is not installed here, for ``pytest.mark.skipif``; empty when all is there."""
    if PROGRAM is None:
        return "apache2 is not installed: apt-get install apache2 libapache2-mod-jk"
    absent = [each for each in modules if not (MODULES / f"mod_{each}.so").exists()]
    return f"httpd has no module {', '.join(absent)}: apt-get install apache2 libapache2-mod-jk" if absent else ""


def jk(
    nodes: Mapping[str, int],
    *,
    secret: str = "",
    packet_size_bytes: int = 8_192,
    mounts: Mapping[str, str] | None = None,
    worker: Mapping[str, object] | None = None,
    balancer: Mapping[str, object] | None = None,
    maintain_s: int = 5,
    directives: str = "",
) -> Way:
    """Reach instances by mod_jk's balancer ``ua``.

    Args:
        nodes: AJP port on loopback by route.
        secret: of all of them, empty for none.
        packet_size_bytes: as the instances have it.
        mounts: worker by path; everything goes to the balancer without.
        worker, balancer: properties to add or change, for each worker and for the balancer.
        maintain_s: how often lost instances are tried again, besides ``recover_time``.
        directives: more lines for httpd.
    """
    assert not {"ua", "t", "jkstatus"} & set(nodes), "workers of ours are called so, and mod_jk would crash"
    common: dict[str, object] = {
        "type": "ajp13",
        "max_packet_size": packet_size_bytes,
        "ping_mode": "A",
        "ping_timeout": 10_000,
        "socket_connect_timeout": 5_000,
        "socket_keepalive": "true",
        "connection_pool_timeout": 60,
        "connection_pool_minsize": 0,
        "retries": 1,
        "recovery_options": 7,
        "fail_on_status": -503,
    }
    if secret:
        common["secret"] = secret
    together: dict[str, object] = {
        "type": "lb",
        "balance_workers": ",".join(nodes),
        "sticky_session": "true",
        "method": "Next",
        "recover_time": 5,
        "error_escalation_time": 0,
        "retries": 1,
    }
    lines = ["worker.list=ua,jkstatus", f"worker.maintain={maintain_s}", "worker.jkstatus.type=status"]
    lines += [f"worker.t.{name}={value}" for name, value in (common | dict(worker or {})).items()]
    for name, port in nodes.items():
        lines += [f"worker.{name}.reference=worker.t", f"worker.{name}.host=127.0.0.1"]
        lines += [f"worker.{name}.port={port}", f"worker.{name}.route={name}"]
    lines += [f"worker.ua.{name}={value}" for name, value in (together | dict(balancer or {})).items()]
    mounted = mounts or {"/*": "ua"}
    written = [
        "JkWorkersFile workers.properties",
        "JkShmFile jk-runtime-status",
        "JkLogFile mod_jk.log",
        "JkLogLevel info",
        f"JkWatchdogInterval {maintain_s}",
        "JkOptions +RejectUnsafeURI",
        *[f"JkMount {path} {name}" for path, name in mounted.items()],
        "JkMount /jk-status jkstatus",
        directives,
    ]
    return Way(("jk",), "\n".join(written), {"workers.properties": "\n".join(lines) + "\n"})


def proxy_ajp(
    nodes: Mapping[str, int],
    *,
    secret: str = "",
    packet_size_bytes: int = 8_192,
    member: str = "ping=10 retry=5 connectiontimeout=5 timeout=60 ttl=60 flushpackets=auto",
    directives: str = "",
) -> Way:
    """Reach instances by mod_proxy_ajp's balancer; the arguments are as those of ``jk``."""
    proof = f" secret={secret}" if secret else ""
    members = [f"  BalancerMember ajp://127.0.0.1:{port} route={name}{proof} {member}" for name, port in nodes.items()]
    written = [
        "<Proxy balancer://ua>",
        *members,
        "  ProxySet stickysession=JSESSIONID|jsessionid lbmethod=byrequests nofailover=Off",
        "</Proxy>",
        f"ProxyIOBufferSize {packet_size_bytes}",
        "ProxyPreserveHost On",
        "SetEnv ap_trust_cgilike_cl yes",
        "ProxyPass / balancer://ua/",
        directives,
    ]
    modules = ("proxy", "proxy_ajp", "slotmem_shm", "lbmethod_byrequests", "proxy_balancer")
    return Way(modules, "\n".join(written))


class Apache:
    """A running httpd."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def log(self) -> str:
        """Return all that httpd and its modules have written."""
        return "".join(each.read_text(errors="replace") for each in sorted(self.folder.glob("*.log")))

    def pids(self) -> list[int]:
        """Return the process and its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def reload(self) -> None:
        """Have it read its configuration again without breaking off what is running."""
        self.process.send_signal(signal.SIGUSR1)

    async def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self.process.wait, START_LIMIT_S)
        if self.process.poll() is None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


def write(folder: Path, way: Way, port: int, limits: str = "") -> Path:
    """Write a whole configuration, and return its file."""
    modules = "\n".join(f"LoadModule {each}_module {MODULES}/mod_{each}.so" for each in (*_BASE, *way.modules))
    configuration = f"""ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile httpd.pid
{modules}
{"User www-data" if os.getuid() == 0 else ""}
{"Group www-data" if os.getuid() == 0 else ""}
Mutex file:{folder} default
DefaultRuntimeDir {folder}
ErrorLog error.log
LogLevel warn
TransferLog access.log
DocumentRoot {folder}/pages
<Directory {folder}/pages>
  Require all granted
</Directory>
KeepAlive On
KeepAliveTimeout 15
Timeout 60
{limits or LIMITS}
{way.directives}
"""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pages").mkdir(exist_ok=True)
    for each in (folder, folder / "pages"):
        each.chmod(0o777)  # children of a server that root starts are another user's
    for name, text in way.files.items():
        (folder / name).write_text(text)
    file = folder / "httpd.conf"
    file.write_text(configuration)
    return file


@contextlib.asynccontextmanager
async def started(folder: Path, way: Way, *, limits: str = "") -> AsyncIterator[Apache]:
    """Have httpd within this block.

    Args:
        folder: for its files; empty, or not there yet.
        way: how instances are reached.
        limits: directives of the process model; 64 threads a process without.
    """
    assert PROGRAM is not None, missing()
    (port,) = find_free_ports(1)
    file = write(folder, way, port, limits)
    output = (folder / "output.log").open("wb")
    with output:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns as soon as it is forked
            [PROGRAM, "-f", str(file), "-DFOREGROUND"], stdout=output, stderr=subprocess.STDOUT
        )
    apache = Apache(folder, port, process)
    try:
        await _wait_listening(apache)
        yield apache
    finally:
        await apache.stop()


async def _wait_listening(apache: Apache) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            if apache.process.poll() is not None:
                raise AssertionError(f"httpd ended with {apache.process.returncode}:\n{apache.log()}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", apache.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                return
