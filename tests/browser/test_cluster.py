"""Agents of a cluster in Chromium while its instances are killed, frozen, drained, cut from their store or replaced.

Pictures are kept in ``artefacts/browser/`` (ignored), and how long each way back took, in ``cluster-seconds.txt``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.browser.cluster_centre import Cluster, cluster_centre
from tests.browser.scripts import needs_browser, run
from tests.contract.etcd_servers import PROGRAM

pytestmark = [
    needs_browser,
    pytest.mark.skipif(PROGRAM is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"),
]

STORIES: Final = {
    "killed": "an_agent_on_a_call_whose_server_is_killed_goes_on_elsewhere",
    "frozen": "an_agent_whose_server_freezes_goes_on_elsewhere",
    "drained": "agents_of_a_drained_server_are_moved_without_interruption_and_after_their_record",
    "record_open": "a_record_open_at_a_killed_server_is_left_to_be_read_and_the_work_goes_on",
    "login_elsewhere": "a_login_at_another_server_takes_the_desktop_over",
    "refreshed": "a_refreshed_page_finds_its_session_and_outlives_the_server_it_came_from",
    "no_store": "a_store_that_does_not_answer_is_not_noticed_until_a_server_is_lost",
}


@pytest.fixture(scope="module")
def one_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_centre(tmp_path_factory.mktemp("site"), {"home": ("ua-1", "ua-2", "ua-3")}) as cluster:
        yield cluster


@pytest.mark.parametrize("story", STORIES, ids=STORIES.values())
def test_story(story: str, one_site: Cluster) -> None:
    one_site.mend()
    run(f"stories/cluster/{story}.mjs", where=one_site)


@pytest.mark.parametrize(
    ("transport", "how", "agent", "station"),
    [
        ("poll", "frozen", "5009", "2009"),
        ("jsonp", "frozen", "5010", "2010"),
        ("jsonp", "killed", "5011", "2011"),
        ("stream", "frozen", "5012", "2012"),
    ],
)
def test_a_page_leaves_a_server_that_is_lost(
    transport: str, how: str, agent: str, station: str, one_site: Cluster
) -> None:
    one_site.mend()
    run("stories/cluster/lost_page.mjs", transport, how, agent, station, where=one_site)


def test_agents_go_to_the_other_datacentre_and_back(tmp_path: Path) -> None:
    with cluster_centre(tmp_path, {"east": ("east-1", "east-2"), "west": ("west-1", "west-2")}) as cluster:
        run("stories/cluster/datacentre.mjs", where=cluster)
