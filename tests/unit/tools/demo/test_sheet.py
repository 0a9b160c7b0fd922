import pytest
from tests.unit.tools.demo.stages import FakeStage

from unified_agent.tools.demo.plan import DIALLER_NAMES, LOGINS
from unified_agent.tools.demo.sheet import write_sheet, write_status
from unified_agent.tools.demo.tricks import OF_THE_CLUSTER, TRICKS

STAGE = FakeStage()


def sheet(*, cluster: bool = True, keys: bool = False, colour: bool = False) -> str:
    return write_sheet(STAGE, cluster=cluster, keys=keys, colour=colour)


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("cluster", [False, True])
def test_the_sheet_names_the_page_every_login_every_command_and_the_logs(cluster: bool, keys: bool) -> None:
    text = sheet(cluster=cluster, keys=keys)
    assert "http://127.0.0.1:8080/ " in text
    assert all(f"{each.agent}   {each.station}" in text for each in LOGINS)
    groups = (*OF_THE_CLUSTER, *TRICKS) if cluster else TRICKS
    assert all(trick.command(STAGE) in text for group in groups for trick in group)
    assert f'kill -9 "$(cat {STAGE.folder}/dialler-1.pid)"' in text
    assert f"Settings and logs: {STAGE.folder}" in text


def test_a_cluster_names_its_other_pages_and_how_to_watch_it() -> None:
    text = sheet()
    assert "http://127.0.0.1:8081/ and http://127.0.0.1:8082/ are the other two instances" in text
    assert ".venv/bin/unified-agent cluster status --watch" in text


def test_an_instance_alone_says_nothing_of_others() -> None:
    text = sheet(cluster=False)
    assert "8081" not in text
    assert "store" not in text
    assert "cluster" not in text


@pytest.mark.parametrize("name", ["jsonp", "module", "rest"])
def test_each_sample_is_named(name: str) -> None:
    assert f"http://127.0.0.1:8080/samples/{name}/index.html  " in sheet(cluster=False)


def test_a_cluster_has_a_sample_of_a_foreign_origin() -> None:
    assert "http://localhost:8080/samples/jsonp/index.html?servers=http://127.0.0.1:8080\n" in sheet()
    assert "localhost" not in sheet(cluster=False)


def test_tricks_are_numbered_through() -> None:
    numbers = [line.split(".")[0].strip() for line in sheet().splitlines() if line[2:4].strip().isdigit()]
    assert numbers == [str(number) for number in range(1, len(OF_THE_CLUSTER) + len(TRICKS) + 2)]


def test_keys_are_shown_only_where_they_can_be_pressed() -> None:
    assert "  q  quit" in sheet(keys=True)
    assert "quit" not in sheet(keys=False)
    assert "SIGTERM" in sheet(keys=False)


def test_without_colour_there_is_no_escape_in_it() -> None:
    assert "\x1b" not in sheet(keys=True)
    assert "\x1b[1mhttp" in sheet(keys=True, colour=True)


def test_a_line_fits_a_usual_terminal() -> None:
    assert max(map(len, sheet(keys=True).splitlines())) <= 100


def test_the_status_tells_who_is_where() -> None:
    status = {"sessions": 1, "ready": True, "reasons": [], "links": [{"state": "up", "doing": "dmcc: up"}]}
    switch = {"calls": {}, "agents": {"5002": {"work_mode": "auxWork"}}}
    dialler = {"agents": [{"name": "agent5002", "job": None}, {"name": ""}]}
    text = write_status({"ua-1": status}, switch, {DIALLER_NAMES[0]: dialler, DIALLER_NAMES[1]: {"agents": []}})
    assert "ua-1       1 session, ready: yes" in text
    assert "dmcc: up" in text
    assert "0 calls; logged on: 5002 auxWork" in text
    assert "dialler-1  logged on: agent5002 without a job" in text
    assert "dialler-2  nobody is logged on" in text


def test_of_several_instances_only_those_with_trouble_tell_of_their_links() -> None:
    well = {"sessions": 2, "ready": True, "reasons": [], "links": [{"state": "up", "doing": "dmcc: up"}]}
    ill = {
        "sessions": 0,
        "ready": False,
        "reasons": ["draining", "full"],
        "links": [{"state": "down", "doing": "dials"}],
    }
    text = write_status({"ua-1": well, "ua-2": ill}, None, {})
    assert "dmcc: up" not in text
    assert "ua-2       0 sessions, ready: no, draining, full" in text
    assert "           dials" in text


def test_the_status_says_who_does_not_answer() -> None:
    text = write_status({"ua-1": None}, None, {DIALLER_NAMES[0]: None})
    assert text.count("does not answer") == 3
