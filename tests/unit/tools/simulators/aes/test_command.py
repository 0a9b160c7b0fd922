"""Options win over the file, and contradictions are told in a sentence."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.command import AesOptions, plan_of, run
from unified_agent.tools.simulators.aes.plan_file import PlanFile

PAGE = (Path(__file__).parents[5] / "docs" / "reference" / "simulate-aes.md").read_text(encoding="utf-8")


def test_without_options_the_defaults_are_simulated() -> None:
    assert plan_of(AesOptions()) == PlanFile()


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "aes.toml"
    file.write_text('[numbers]\nagents = 5\nvdn = "8100"\n[aes]\nuser_name = "cti"\n[[traffic]]\nburst_size = 4\n')
    plan = plan_of(
        AesOptions(
            config=file,
            agents=7,
            password="9",
            auto_answer=True,
            agent_events=False,
            user_password="p",
            calls_per_minute=12.0,
        )
    )
    assert (plan.numbers.agents, plan.numbers.vdn, plan.numbers.password) == (7, "8100", "9")
    assert (plan.aes.user_name, plan.aes.password, plan.aes.agent_events) == ("cti", "p", False)
    assert (plan.traffic[0].calls_per_minute, plan.traffic[0].burst_size) == (12.0, 4)


def test_options_that_the_file_leaves_nothing_to_change_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "aes.toml"
    file.write_text('[[switch.stations]]\nnumber = "1"\n')
    with pytest.raises(SettingsError, match="so agents must be set there"):
        plan_of(AesOptions(config=file, agents=3))
    file.write_text("traffic = []\n")
    with pytest.raises(SettingsError, match="no calls_per_minute to set"):
        plan_of(AesOptions(config=file, calls_per_minute=3.0))


def test_configuration_is_printed_and_reads_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(run(AesOptions(agents=3, print_config=True)))
    file = tmp_path / "aes.toml"
    file.write_text(capsys.readouterr().out)
    assert plan_of(AesOptions(config=file)) == plan_of(AesOptions(agents=3))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (AesOptions(tls_cert=Path("c.pem"), plain=False, control_port=0), "--tls-cert and --tls-key belong together"),
        (
            AesOptions(tls_cert=Path("c.pem"), tls_key=Path("k.pem"), plain=False, control_port=0),
            "c.pem and k.pem are not a certificate and its key",
        ),
    ],
)
def test_certificate_that_cannot_be_used_stops_the_start(options: AesOptions, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        asyncio.run(run(options))


@pytest.mark.parametrize("option", [item.name for item in fields(AesOptions)])
def test_option_is_on_the_page(option: str) -> None:
    assert f"-{option.replace('_', '-')}" in PAGE
