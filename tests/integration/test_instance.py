"""``unified-agent serve`` as a process: what it says, how it stops, what a wrong start is told."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from tests.unit.server.ajp_ends import Line
from tests.unit.wire.ajp13 import front
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

SETTINGS = """\
[http]
port = 0
drain_wait_s = 0.2
drain_limit_s = 5.0
{http}
[telephony]
user = "ctiuser"
password = "hunter2"
[[telephony.servers]]
name = "aes-1"
host = "127.0.0.1"
port = 1
"""
LOGIN = {"agent": "5001", "station": "2001", "password": "s3cret"}


class Process:
    def __init__(self, process: asyncio.subprocess.Process, url: str, ajp: str) -> None:
        self.process = process
        self.url = url
        self.ajp = ajp

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> tuple[int, list[dict[str, object]]]:
        """Wait for the end; returns the exit status and the log."""
        async with asyncio.timeout(15.0):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, [json.loads(line) for line in said.splitlines()]


async def start(settings: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from unified_agent.tools.cli import main; sys.exit(main())",
        "serve",
        str(settings),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def serving(tmp_path: Path, *options: str, http: str = "") -> AsyncIterator[Process]:
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS.format(http=http))
    process = await start(file, *options)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(15.0):
            told: dict[str, str] = {}
            while "ready" not in told:
                line = (await process.stdout.readline()).decode().strip()
                assert line, await process.communicate()
                word, _, rest = line.partition(" ")
                told[word] = rest
        yield Process(process, told["http"], told.get("ajp", ""))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_sigterm_says_goodbye_closes_and_ends_with_0(tmp_path, loop):
    async with serving(tmp_path, "--loop", loop) as served, httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.get("/readyz")).status_code == 200
        token = (await client.post("/v1/session", json=LOGIN)).json()["token"]
        words: list[str] = []
        async with connect(served.url.replace("http", "ws") + "v1/events") as desktop:
            await desktop.send(json.dumps({"type": "hello", "token": token}))
            waiting = await connect(served.url.replace("http", "ws") + "v1/events")
            assert json.loads(await desktop.recv())["type"] == "welcome"
            served.signal(signal.SIGTERM)
            try:
                while True:
                    words.append(json.loads(await asyncio.wait_for(desktop.recv(), 10.0))["type"])
            except ConnectionClosed:
                pass
            assert words.index("goodbye") < words.index("session-ended")
            assert desktop.close_code == 4410
        await asyncio.wait_for(waiting.wait_closed(), 10.0)
        assert waiting.close_code == 1012
        status, log = await served.end()
    assert status == 0
    events = [line["event"] for line in log]
    assert events.index("drain_began") < events.index("drain_ended") < events.index("instance_stopped")
    written = json.dumps(log)
    assert "s3cret" not in written
    assert "hunter2" not in written
    assert token not in written


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_web_servers_are_answered_by_ajp_until_sigterm(tmp_path, loop):
    table = '[ajp]\nport = 0\nsecret = "s3cr3t-Ajp"\n'
    async with serving(tmp_path, "--loop", loop, http=table) as served:
        line = await Line.connect(int(served.ajp.removeprefix("127.0.0.1:")))
        line.writer.write(front.CPING)
        assert await line.packet() == b"\x09"
        answer = await line.ask(front.request(path=b"/readyz", secret=b"s3cr3t-Ajp"))
        assert (answer.status, json.loads(answer.body)["instance"], answer.reuse) == (200, "ua-1", True)
        headers = [(b"content-type", b"application/json")]
        body = json.dumps(LOGIN).encode()
        headers.append((b"content-length", str(len(body)).encode()))
        login = front.request("POST", b"/v1/session", headers, secret=b"s3cr3t-Ajp") + front.body(body)
        answer = await line.ask(login)
        token = json.loads(answer.body)["token"]
        assert answer.status == 201
        bearer = [(b"authorization", f"Bearer {token}".encode())]
        answer = await line.ask(front.request(path=b"/v1/session", headers=bearer, secret=b"s3cr3t-Ajp"))
        assert answer.status == 200
        assert b'"5001"' in answer.body
        async with httpx.AsyncClient(base_url=served.url) as client:
            assert 'ua_ajp_requests_total{status="2xx"} 3.0' in (await client.get("/metrics")).text
        served.signal(signal.SIGTERM)
        assert await line.is_closed()
        await line.close()
        status, log = await served.end()
    assert status == 0
    events = [line["event"] for line in log]
    assert events.index("ajp_listening") < events.index("drain_ended") < events.index("ajp_listener_closed")
    assert "s3cr3t-Ajp" not in json.dumps(log)


async def test_ajp_without_a_secret_where_others_reach_it_ends_the_start_with_a_sentence(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(SETTINGS.format(http='[ajp]\nport = 0\nhost = "0.0.0.0"\n'))
    process = await start(file)
    out, said = await asyncio.wait_for(process.communicate(), 15.0)
    assert (process.returncode, out) == (2, b"")
    assert "ajp is wrong: secret_file is missing: whoever reaches 0.0.0.0 could say to be anybody" in said.decode()


async def test_a_port_in_use_ends_the_start_with_2_and_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        file = tmp_path / "settings.toml"
        file.write_text(SETTINGS.format(http="").replace("port = 0", f"port = {port}"))
        process = await start(file)
        out, said = await asyncio.wait_for(process.communicate(), 15.0)
    assert process.returncode == 2
    assert out == b""
    assert said.decode().startswith(f"port {port} on 127.0.0.1 is in use by another program")
    assert len(said.splitlines()) == 1


async def test_sighup_takes_a_new_certificate_and_keeps_the_old_for_a_bad_one(tmp_path):
    def issue(authority: trustme.CA) -> None:
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "tls.pem"))

    async def is_trusted(authority: trustme.CA, url: str) -> bool:
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        async with httpx.AsyncClient(verify=trust) as client:
            try:
                return (await client.get(f"{url}healthz")).status_code == 200
            except httpx.ConnectError:
                return False

    old, new = trustme.CA(), trustme.CA()
    issue(old)
    http = 'tls_cert_file = "tls.pem"\ntls_key_file = "tls.pem"'
    async with serving(tmp_path, http=http) as served:
        assert await is_trusted(old, served.url)
        (tmp_path / "tls.pem").write_text("nonsense")
        served.signal(signal.SIGHUP)
        await asyncio.sleep(0.3)
        assert await is_trusted(old, served.url)
        issue(new)
        served.signal(signal.SIGHUP)
        await asyncio.sleep(0.3)
        assert await is_trusted(new, served.url)
        served.signal(signal.SIGTERM)
        status, log = await served.end()
    assert status == 0
    assert [line["event"] for line in log if "certificate" in str(line["event"])] == [
        "certificate_not_taken",
        "certificate_taken",
    ]


async def test_a_second_signal_ends_every_wait(tmp_path, monkeypatch):
    monkeypatch.setenv("UA_HTTP__DRAIN_WAIT_S", "60")
    async with serving(tmp_path) as served:
        async with httpx.AsyncClient(base_url=served.url) as client:
            await client.post("/v1/session", json=LOGIN)
            served.signal(signal.SIGINT)
            while (await client.get("/readyz")).status_code == 200:
                pass
        served.signal(signal.SIGINT)
        status, _ = await served.end()
    assert status == 0
