"""Options of ``unified-agent chaos``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.tools.chaos.test_report import WELL, report

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos import command, namespaces, store
from unified_agent.tools.chaos.command import ChaosOptions, course_of, plan_of, run
from unified_agent.tools.chaos.namespaces import NetworkFailed
from unified_agent.tools.chaos.report import ChaosReport
from unified_agent.tools.chaos.scenarios import SCENARIOS


def test_the_defaults_are_a_thousand_agents_and_every_fault() -> None:
    plan, course = plan_of(ChaosOptions()), course_of(ChaosOptions())
    assert (plan.agents, plan.on_dialler) == (1_000, 500)
    assert course.scenarios == tuple(SCENARIOS.values())


def test_faults_are_chosen_in_the_order_given() -> None:
    course = course_of(ChaosOptions(scenario=("drain", "kill", "kill")))
    assert [each.name for each in course.scenarios] == ["drain", "kill", "kill"]


def test_what_is_wrong_is_said_by_the_option() -> None:
    with pytest.raises(SettingsError, match="--scenario kil is not known; --list lists them all"):
        course_of(ChaosOptions(scenario=("kil",)))
    with pytest.raises(SettingsError, match="--seconds must not be negative"):
        course_of(ChaosOptions(seconds=-1))
    with pytest.raises(SettingsError, match="--agents must be 1 to 9999"):
        plan_of(ChaosOptions(agents=0))


@pytest.mark.asyncio
async def test_the_list_needs_neither_root_nor_etcd(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert await run(ChaosOptions(list=True)) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(SCENARIOS)


@pytest.mark.asyncio
async def test_who_is_not_root_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SettingsError, match="by root only"):
        await run(ChaosOptions())


@pytest.fixture
def possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "check_possible", lambda: None)
    monkeypatch.setattr(store, "check_possible", lambda: None)


@pytest.mark.asyncio
@pytest.mark.usefixtures("possible")
async def test_figures_are_printed_and_written_and_the_status_says_whether_aims_were_met(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def well(*_: object) -> ChaosReport:
        return report(WELL)

    async def unproven(*_: object) -> ChaosReport:
        return report(WELL, recorded=0)

    monkeypatch.setattr(command, "_run", well)
    assert await run(ChaosOptions(json=tmp_path / "figures.json")) == 0
    assert "nothing went wrong" in capsys.readouterr().out
    assert b'"wrong": []' in (tmp_path / "figures.json").read_bytes()
    monkeypatch.setattr(command, "_run", unproven)
    assert await run(ChaosOptions()) == 1


@pytest.mark.asyncio
@pytest.mark.usefixtures("possible")
async def test_a_run_that_cannot_be_finished_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object) -> ChaosReport:
        raise NetworkFailed("ip netns add: no space")

    monkeypatch.setattr(command, "_run", fails)
    assert await run(ChaosOptions()) == 1
    assert "could not be finished: ip netns add: no space" in capsys.readouterr().err


def test_a_folder_that_is_kept_must_be_empty_so_that_two_histories_never_mix(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with command._folder(kept) as folder:
        (folder / "a1.history").touch()
    assert (kept / "a1.history").exists()
    with pytest.raises(SettingsError, match="is not empty"), command._folder(kept):
        pass
    with command._folder(None) as thrown_away:
        assert thrown_away.is_dir()
    assert not thrown_away.exists()
