"""The store that the demo's instances share: one member of a real etcd, on this machine, in the demo's folder."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from unified_agent.errors import SettingsError
from unified_agent.tools.demo.ports import HOST
from unified_agent.tools.load.processes import Child, ChildFailed

STORE: Final = "store"
#: How long it may take until it answers, seconds, and how often it is asked.
READY_LIMIT_S: Final = 20.0
_ASK_EVERY_S: Final = 0.03


def find_etcd(which: Callable[[str], str | None] = shutil.which) -> str:
    """Return the path of etcd.

    Raises:
        SettingsError: there is none; the sentence says how to get it, and how to do without.
    """
    program = which("etcd")
    if program is None:
        raise SettingsError(
            "the demo's instances share a store, and etcd is not installed; run\n"
            "    sudo apt-get update && sudo apt-get install -y --no-install-recommends etcd-server\n"
            "and then the same command again; or see one instance alone: --single"
        )
    return program


def etcd_command(program: str, data: Path, client: int, peer: int) -> tuple[str, ...]:
    """Write the command line of one member that is all of its cluster."""
    client_url, peer_url = f"http://{HOST}:{client}", f"http://{HOST}:{peer}"
    return (
        program,
        *("--name", "demo", "--data-dir", str(data)),
        *("--listen-client-urls", client_url, "--advertise-client-urls", client_url),
        *("--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url),
        *("--initial-cluster", f"demo={peer_url}"),
        *("--heartbeat-interval", "50", "--election-timeout", "500"),
        *("--logger", "zap", "--log-level", "warn", "--log-outputs", "stderr"),
    )


async def start_store(command: tuple[str, ...], client: int, folder: Path, http: httpx.AsyncClient) -> Child:
    """Start it, and return once it answers.

    Args:
        command: from ``etcd_command``.
        client: its port.
        folder: where its log goes.
        http: for asking it.

    Raises:
        ChildFailed: it ended, or did not answer in time; with the end of its log.
    """
    log = folder / f"{STORE}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=output
        )
    store = Child(STORE, process, log, {})
    try:
        async with asyncio.timeout(READY_LIMIT_S):
            while not await _is_healthy(http, client):
                store.check()
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError as error:
        await store.kill()
        raise ChildFailed(f"{STORE} did not answer within {READY_LIMIT_S:.0f} s; its log is {log}") from error
    except BaseException:
        await store.kill()
        raise
    return store


async def _is_healthy(http: httpx.AsyncClient, port: int) -> bool:
    try:
        answer = await http.get(f"http://{HOST}:{port}/health", timeout=1.0)
    except httpx.HTTPError:
        return False
    return answer.is_success and '"true"' in answer.text
