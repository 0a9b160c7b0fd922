"""The program by itself."""

from __future__ import annotations

import pytest

from unified_agent.tools.simulators.aes.__main__ import app


def test_program_takes_each_option_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--agents", "2", "--calls-per-minute", "3", "--no-agent-events", "--print-config"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "agents = 2" in printed
    assert "agent_events = false" in printed


def test_program_ends_with_a_sentence_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--config", "nowhere.toml"])
    assert ended.value.code == 2
    assert "nowhere.toml cannot be read" in capsys.readouterr().err
