"""Pages of other origins in Chromium: scripts, event streams, the client library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace
from tests.browser.scripts import needs_browser, run
from tests.integration.pages import place
from tests.unit.server.serving import SETTINGS

from unified_agent.settings import JsonpSettings

pytestmark = needs_browser

PAGE = b"<!doctype html><meta charset=utf-8><title>a record system</title>"


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    """Serve an empty page, everywhere, from an origin of its own; gives the origin."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        policy = b"Referrer-Policy: no-referrer\r\n" if b"/without-referrer" in request else b""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n" % len(PAGE)
        writer.write(head + policy + b"\r\n" + PAGE)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_a_listed_page_may_load_what_a_foreign_one_may_not() -> None:
    async def story() -> None:
        async with site() as listed, site() as foreign:
            settings = replace(SETTINGS, jsonp=JsonpSettings(enabled=True, callers=(listed,)))
            async with place(settings) as at:
                where = json.dumps({"server": at.url, "listed": listed, "foreign": foreign})
                await asyncio.to_thread(run, "foreign_pages.mjs", where)

    asyncio.run(story())
