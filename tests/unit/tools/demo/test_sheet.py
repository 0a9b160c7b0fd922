from pathlib import Path

import pytest

from unified_agent.tools.demo.plan import DIALLER_NAMES, LOGINS
from unified_agent.tools.demo.sheet import write_sheet, write_status
from unified_agent.tools.demo.tricks import AES, BY_KEY

URL = "http://127.0.0.1:8080"
CONTROLS = {AES: "http://127.0.0.1:4780", "dialler-1": "http://127.0.0.1:22780", "dialler-2": "http://127.0.0.1:22781"}
PIDS = {AES: 11, "dialler-1": 12, "dialler-2": 13}


def sheet(*, keys: bool, colour: bool = False) -> str:
    return write_sheet(URL, CONTROLS, PIDS, Path("/tmp/here"), keys=keys, colour=colour)


@pytest.mark.parametrize("keys", [False, True])
def test_the_sheet_names_the_page_every_login_every_command_and_the_logs(keys: bool) -> None:
    text = sheet(keys=keys)
    assert f"{URL}/ " in text
    assert all(f"{each.agent}   {each.station}" in text for each in LOGINS)
    assert all(trick.command(CONTROLS) in text for trick in BY_KEY.values())
    assert "kill -9 12" in text
    assert "/tmp/here" in text


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
    status = {"sessions": 1, "ready": True, "links": [{"doing": "dmcc: up"}]}
    switch = {"calls": {}, "agents": {"5002": {"work_mode": "auxWork"}}}
    dialler = {"agents": [{"name": "agent5002", "job": None}, {"name": ""}]}
    text = write_status(status, switch, {DIALLER_NAMES[0]: dialler, DIALLER_NAMES[1]: {"agents": []}})
    assert "1 session, ready: yes" in text
    assert "0 calls; logged on: 5002 auxWork" in text
    assert "dialler-1  logged on: agent5002 without a job" in text
    assert "dialler-2  nobody is logged on" in text


def test_the_status_says_who_does_not_answer() -> None:
    text = write_status(None, None, {DIALLER_NAMES[0]: None})
    assert text.count("does not answer") == 3
