"""Event stream, long poll and scripts through real Apache httpd, with mod_jk and with mod_proxy_ajp."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.integration import apache
from tests.integration.ajp_node import SECRET, serving
from tests.integration.house import play
from tests.integration.pages import WITH_SCRIPTS, Place, page
from tests.unit.server.serving import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(apache.missing("jk", "proxy_ajp", "proxy_balancer")),
        reason=apache.missing("jk", "proxy_ajp", "proxy_balancer"),
    ),
]

over_each = pytest.mark.parametrize("transport", ["stream", "poll", "jsonp"])
by_both = pytest.mark.parametrize("way", [apache.jk, apache.proxy_ajp], ids=["mod_jk", "mod_proxy_ajp"])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that httpd's children, which are another user's, may enter."""
    top = Path(tempfile.mkdtemp(prefix="ua-apache-"))
    top.chmod(0o755)
    yield top / "httpd"
    shutil.rmtree(top)


@asynccontextmanager
async def fronted(folder: Path, way: Callable[..., apache.Way]) -> AsyncIterator[Place]:
    """Serve by AJP, with httpd in front."""
    world = World(WITH_SCRIPTS)
    async with serving(world.server.application) as listener:
        try:
            async with apache.started(folder, way({"ua-1": listener.port}, secret=SECRET)) as httpd:
                yield Place(world, httpd.url)
        finally:
            world.desks.close_all(1012, "restart")


@by_both
@over_each
def test_a_desktop_is_told_at_once_and_misses_nothing(
    transport: str, way: Callable[..., apache.Way], folder: Path
) -> None:
    async def story() -> None:
        async with fronted(folder, way) as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as first, page(transport, at, token) as second:
                await first.open()
                for number in range(1, 6):  # each is there before the next is told: nothing is held back on the way
                    at.world.tell(session, str(number))
                    await first.until(lambda number=number: first.texts[-1:] == [str(number)])  # type: ignore[misc]
                await first.say({"type": "command", "id": "c1-1", "command": {"type": "set-mode", "mode": "ready"}})
                await first.until(lambda: first.of("answer"))
                position, told = first.position, len(first.texts)
                await first.cut()
                at.world.tell(session, "missed")
                await second.open(position)
                await second.until(lambda: second.texts[-1:] == ["missed"])
                assert second.of("welcome")[0]["outcome"] == "resumed"
                assert told == 5
                at.world.host.force_log_out(session, "supervisor-logged-out", now=True)
                await second.until(lambda: second.closed)
                assert second.closed == 4410

    play(story())
