"""The JTAPI test peer keeps its word, before anything is tested with it: each scenario in a process with a JVM."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.jtapi_peer import build
from tests.jtapi_peer.build import Family, NoCompilerError, class_path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),  # the first compiles the peer, which a busy machine takes a minute for
    pytest.mark.skipif(importlib.util.find_spec("jpype") is None, reason="JPype1 is not installed"),
]

#: A scenario takes 1 to 5 s on a quiet machine.
LIMIT_S = 100.0
AGENTS = {"many": 1000}
FAMILIES = {"standard": Family.STANDARD, "none": Family.NONE}
SCENARIOS = (
    "calls",
    "joining",
    "found",
    "agents",
    "standard",
    "none",
    "lost_switch",
    "lost_switch_ended_first",
    "lost_socket",
    "silent",
    "overload",
    "wrong_login",
    "repeated",
    "snapshot_here",
    "late",
    "asked_state",
    "no_agent_events",
    "numbers",
    "callback",
    "many",
    "leaving",
)


def test_all_scenarios_are_played() -> None:
    source = Path(build.SOURCES / "scenarios.py").read_text()
    assert set(re.findall(r"^def (\w+)\(open_site: Open\)", source, re.MULTILINE)) == set(SCENARIOS)


@contextmanager
def simulated_aes(agents: int) -> Iterator[dict[str, str]]:
    """Run a simulated AES; gives its ports by their names."""
    command = [sys.executable, "-m", "unified_agent.tools.simulators.aes", "--agents", str(agents)]
    process = subprocess.Popen(
        [*command, "--port=0", "--control-port=0", "--log-level=error"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ports = {}
        for line in iter(process.stdout.readline, "ready\n"):
            assert line, "the simulated AES has ended"
            name, _, where = line.strip().partition(" ")
            ports[name] = where
        yield ports
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompilerError, match="apt-get install"):
        class_path(cache=tmp_path / "cache")


@pytest.mark.parametrize("name", SCENARIOS)
def test_peer(name: str) -> None:
    try:
        entries = class_path(FAMILIES.get(name, Family.VENDOR))
    except NoCompilerError as error:
        pytest.skip(str(error))
    with simulated_aes(AGENTS.get(name, 4)) as ports:
        command = [sys.executable, "-m", "tests.jtapi_peer.scenarios", name]
        command += [f"--class-path={each}" for each in entries]
        done = subprocess.run(
            [*command, f"--aes={ports['plain']}", f"--control={ports['control']}"],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Exception" not in done.stderr or name == "callback", done.stderr
