import sys
from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.demo import command
from unified_agent.tools.demo.command import DemoOptions, check_pages, run, say, wanted_ports
from unified_agent.tools.demo.ports import FREE_PORTS, Ports


def test_the_page_has_the_port_that_was_given() -> None:
    assert wanted_ports(DemoOptions()) == Ports()
    assert wanted_ports(DemoOptions(port=9000)).page == 9000
    assert wanted_ports(DemoOptions(free_ports=True)) == FREE_PORTS
    assert wanted_ports(DemoOptions(free_ports=True, port=9000)).page == 9000


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="--port"):
        wanted_ports(DemoOptions(port=70_000))


def test_pages_that_were_not_built_are_missed_with_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="make setup"):
        check_pages(tmp_path)
    (tmp_path / "desktop").mkdir()
    (tmp_path / "desktop" / "index.html").touch()
    check_pages(tmp_path)


@pytest.mark.asyncio
async def test_a_negative_time_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError, match="--exit-after"):
        await run(DemoOptions(exit_after=-1))


@pytest.mark.asyncio
async def test_a_missing_etcd_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise SettingsError("etcd is not installed")

    monkeypatch.setattr(command, "check_pages", lambda: None)
    monkeypatch.setattr(command, "find_etcd", missing)
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: pytest.fail("a folder was made"))
    with pytest.raises(SettingsError, match="etcd"):
        await run(DemoOptions())


def test_a_terminal_that_is_gone_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, text: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    say("anybody?")
