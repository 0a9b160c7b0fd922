"""Every way to a server in Chromium, and what becomes of a desk when one of them does not get through.

Pictures are kept in ``artefacts/browser/`` (ignored).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from tests.browser import names
from tests.browser.centre import Centre, centre
from tests.browser.scripts import needs_browser, run

from unified_agent.tools.free_ports import find_free_ports

pytestmark = needs_browser

#: What is on the way, whether it keeps streams back, and an agent of its own for each.
ON_THE_WAY: Final = (
    ("refuse", "streaming", "5005", "2005"),
    ("hang", "streaming", "5006", "2006"),
    ("swallow", "streaming", "5007", "2007"),
    ("refuse", "buffering", "5008", "2008"),
)


@pytest.fixture(scope="module")
def foreign() -> str:
    """Return the origin of somebody else's page."""
    (port,) = find_free_ports(1)
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def a_centre(tmp_path_factory: pytest.TempPathFactory, foreign: str) -> Iterator[Centre]:
    scripts = f'[jsonp]\nenabled = true\ncallers = ["{foreign}"]\n'
    with centre(tmp_path_factory.mktemp("transports"), scripts) as where:
        yield where


@pytest.mark.parametrize(
    ("transport", "agent", "station"),
    [("websocket", "5001", "2001"), ("stream", "5002", "2002"), ("poll", "5003", "2003"), ("jsonp", "5004", "2004")],
)
def test_an_agent_works_over_one_transport_and_no_other(
    a_centre: Centre, transport: str, agent: str, station: str
) -> None:
    run("stories/transports/forced.mjs", transport, agent, station, where=a_centre)


@pytest.mark.parametrize(("upgrades", "streams", "agent", "station"), ON_THE_WAY)
def test_a_desk_goes_on_by_what_gets_through(
    a_centre: Centre, upgrades: str, streams: str, agent: str, station: str
) -> None:
    run("stories/transports/downgrade.mjs", upgrades, streams, agent, station, where=a_centre)


def test_a_login_finds_the_server_that_lives(a_centre: Centre) -> None:
    run("stories/transports/half_dead_list.mjs", where=a_centre)


def test_a_page_of_a_foreign_origin_works_by_scripts(a_centre: Centre, foreign: str) -> None:
    run("stories/transports/foreign_origin.mjs", foreign, where=a_centre)


@pytest.mark.skipif(names.MISSING != "", reason=names.MISSING)
@pytest.mark.parametrize("gone", ["process", "host"])
def test_of_a_name_with_several_addresses_the_dead_ones_cost_little(
    a_centre: Centre, tmp_path: Path, gone: str
) -> None:
    port = urlsplit(a_centre.desktop).port
    assert port is not None
    with contextlib.ExitStack() as held:
        if gone == "host":
            for address in ("127.0.0.2", "127.0.0.3"):
                held.enter_context(names.silent(address, port))
        known = {"desk.test": ("127.0.0.2", "127.0.0.3", "127.0.0.1")}
        before = held.enter_context(names.names(tmp_path, known))
        run("stories/transports/dead_address.mjs", gone, where=a_centre, before=before)


def test_the_sample_without_the_library_works_too(a_centre: Centre) -> None:
    run("stories/transports/rest_sample.mjs", where=a_centre)


def test_a_desk_needs_no_other_way_than_the_websocket(a_centre: Centre) -> None:
    run("stories/transports/absent.mjs", where=a_centre)
