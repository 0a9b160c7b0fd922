"""Record what mod_jk and mod_proxy_ajp of the Apache httpd installed here say to our listener, and what it answers.

    PYTHONPATH=src:. python tests/vectors/ajp13/capture.py > tests/vectors/ajp13/captured.toml

Between httpd and the listener stands a relay that writes down every packet. The application reads the whole body and
answers ``ok``; every answer must reach the client as it was given, or nothing is written.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import trustme
from tests.integration import apache

from unified_agent.observe import Metrics, configure_logging
from unified_agent.server.ajp_listener import AjpListener
from unified_agent.settings import AjpSettings
from unified_agent.tools.free_ports import find_free_ports

SECRET = "s3cr3t-Ajp"
HOST = b"Host: desk.example.com\r\nUser-Agent: t\r\n"
LENGTH, CHUNKED = b"Content-Length: 11\r\n", b"Transfer-Encoding: chunked\r\n"
REQUESTS = {
    "get": b"GET /ua/ping?x=1&y=%20z HTTP/1.1\r\n" + HOST + b"Cookie: JSESSIONID=abc.ua-1\r\nX-Emp2:\r\n\r\n",
    "get with an empty query": b"GET /ua/x? HTTP/1.1\r\n" + HOST + b"\r\n",
    "head": b"HEAD /ua/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "patch": b"PATCH /ua/p HTTP/1.1\r\n" + HOST + LENGTH + b"\r\nuser=a&pw=b",
    "post": b"POST /ua/p HTTP/1.1\r\n" + HOST + LENGTH + b"\r\nuser=a&pw=b",
    "post, chunked": b"POST /ua/p HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n12\r\nhello-chunked-body\r\n0\r\n\r\n",
    "post, chunked, nothing": b"POST /ua/p HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "post, 9000 bytes": b"POST /ua/p HTTP/1.1\r\n" + HOST + b"Content-Length: 9000\r\n\r\n" + b"A" * 9_000,
    "http/1.0 without a host": b"GET /ua/x HTTP/1.0\r\n\r\n",
    "an address for a path": b"GET http://other.example/ua/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header twice": b"GET /ua/x HTTP/1.1\r\n" + HOST + b"X-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n",
    "bytes above ASCII": b"GET /ua/x?b=\xc3\xa9 HTTP/1.1\r\n" + HOST + b"X-L1: caf\xe9\r\n\r\n",
    "a websocket": b"GET /ua/ws HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a user": b"GET /ua/user HTTP/1.1\r\n"
    + HOST
    + b"Authorization: Basic "
    + base64.b64encode(b"agent1000:pw")
    + b"\r\n\r\n",
}
DIRECTIVES = """
<Location /ua/user>
  AuthType Basic
  AuthName ua
  AuthUserFile users
  Require valid-user
</Location>
"""
TLS = """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  {mounts}
  SSLEngine on
  SSLCertificateFile server.pem
  SSLCertificateKeyFile server.key
  SSLVerifyClient optional_no_ca
  SSLOptions +StdEnvVars +ExportCertData
</VirtualHost>
"""


async def answer(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Relay:
    """Passes bytes on and writes them down, in the order in which they came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[tuple[str, bytes]] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(self.pass_on("front", reader, inner_writer), self.pass_on("node", inner_reader, writer))

    async def pass_on(self, who: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.seen and self.seen[-1][0] == who:
                self.seen[-1] = (who, self.seen[-1][1] + data)
            else:
                self.seen.append((who, data))
            writer.write(data)
        writer.close()


async def ask(port: int, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(data)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    body = b"" if data.startswith(b"HEAD") or b"426" in head[:16] else await reader.readexactly(2)
    writer.close()
    return head.split(b"\r\n")[0] + b" " + body


async def run(top: Path) -> None:
    configure_logging(level="error")
    listener = AjpListener(AjpSettings(port=0, secret=SECRET), answer, Metrics())
    serving = asyncio.create_task(listener.serve())
    await listener.wait_started()
    relay = Relay(listener.port)
    server = await asyncio.start_server(relay.connected, "127.0.0.1", 0)
    nodes = {"ua-1": server.sockets[0].getsockname()[1]}
    for name in ("mod_jk", "mod_proxy_ajp"):
        await record(top / name, name, nodes, relay)
    listener.stop()
    await serving
    server.close()


def prepare(folder: Path) -> ssl.SSLContext:
    """Put users, certificate and key into the folder; returns what a client with a certificate of its own needs."""
    folder.mkdir()
    hashed = subprocess.check_output(["openssl", "passwd", "-apr1", "pw"], text=True)
    (folder / "users").write_text("agent1000:" + hashed)
    authority = trustme.CA()
    certificate = authority.issue_cert("desk.example.com")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    authority.issue_cert("agent1000").configure_cert(context)
    return context


async def record(folder: Path, name: str, nodes: dict[str, int], relay: Relay) -> None:
    context = prepare(folder)
    (tls_port,) = find_free_ports(1)
    jk_like = name == "mod_jk"
    extra = DIRECTIVES + TLS.format(port=tls_port, mounts="JkMountCopy On" if jk_like else "ProxyPass / balancer://ua/")
    if jk_like:
        way = apache.jk(nodes, secret=SECRET, directives="JkOptions +ForwardKeySize\n" + extra)
    else:
        way = apache.proxy_ajp(nodes, secret=SECRET, directives=extra)
    modules = (*way.modules, "authn_core", "authn_file", "auth_basic", "authz_user", "ssl")
    async with apache.started(folder, apache.Way(modules, way.directives, way.files)) as httpd:
        for what, data in REQUESTS.items():
            await one(name, what, relay, ask(httpd.port, data))
        await one(name, "tls", relay, ask(tls_port, REQUESTS["get"], context))


async def one(name: str, what: str, relay: Relay, asking: Any) -> None:
    relay.seen.clear()
    said = await asking
    await asyncio.sleep(0.2)
    print(f'\n[["{name}"]]\nwhat = "{what}"\nclient = "{said.decode()}"\npackets = [')
    for who, data in relay.seen:
        magic = b"\x12\x34" if who == "front" else b"AB"
        while data:
            assert data[:2] == magic, (who, data[:10])
            length = 4 + int.from_bytes(data[2:4], "big")
            print(f'  ["{who}", "{data[:length].hex()}"],')
            data = data[length:]
    print("]")


def main() -> None:
    version = subprocess.run([str(apache.PROGRAM), "-v"], capture_output=True, text=True, check=True).stdout
    print("# Conversations of web servers with our listener, recorded by capture.py beside this file.")
    print(f"# {version.splitlines()[0].removeprefix('Server version: ')}; mod_jk 1.2.48, and mod_proxy_ajp of httpd.")
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        asyncio.run(run(Path(top)))


if __name__ == "__main__":
    main()
