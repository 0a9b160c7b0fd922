"""The program by itself."""

from __future__ import annotations

import pytest

from unified_agent.tools.simulators.apc import __main__ as program
from unified_agent.tools.simulators.apc.command import ApcOptions


def test_program_takes_each_option_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[ApcOptions] = []

    async def run(options: ApcOptions) -> None:
        ran.append(options)

    monkeypatch.setattr(program, "run", run)
    with pytest.raises(SystemExit) as ended:
        program.app(["--accept-any", "--calls-per-minute", "3", "--port", "0", "--tls-self-signed"])
    assert ended.value.code == 0
    assert ran == [ApcOptions(accept_any=True, calls_per_minute=3.0, port=0, tls_self_signed=True)]


def test_program_ends_with_a_sentence_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.app(["--config", "nowhere.toml"])
    assert ended.value.code == 2
    assert "nowhere.toml" in capsys.readouterr().err
