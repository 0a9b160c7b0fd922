import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import unified_agent
from unified_agent import __version__
from unified_agent.cluster.guarded import FD_VARIABLE
from unified_agent.tools.cli import main

SMALLEST = '[[telephony.servers]]\nname = "aes-1"\nhost = "aes"\n'


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(SMALLEST)
    return file


@pytest.fixture(autouse=True)
def _no_settings_around_us(monkeypatch):
    monkeypatch.setattr("os.environ", {})


def test_good_settings_are_called_good(settings, capsys):
    assert main(["settings", "check", str(settings)]) == 0
    assert "is good: 1 AES, 0 diallers, up to 1200 sessions" in capsys.readouterr().out


def test_bad_settings_end_with_status_2_and_a_sentence(settings, capsys):
    settings.write_text(SMALLEST + "[http]\nprot = 1\n")
    assert main(["settings", "check", str(settings)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "settings.toml:5: http.prot is not a setting; did you mean http.port?" in said.err


def test_serve_with_bad_settings_ends_before_it_began(settings, capsys):
    settings.write_text("")
    assert main(["serve", str(settings)]) == 2
    assert "name at least one AES server" in capsys.readouterr().err


def test_the_check_also_tries_the_tls_files(settings, tmp_path, capsys):
    (tmp_path / "ca.pem").write_text("nonsense")
    settings.write_text(SMALLEST + '[telephony.servers.tls]\nenabled = true\nca_file = "ca.pem"\n')
    assert main(["settings", "check", str(settings)]) == 2
    assert "holds no usable certificate" in capsys.readouterr().err


def test_the_check_also_looks_for_what_jtapi_needs(settings, capsys):
    given = (
        '[telephony]\nkind = "jtapi"\nuser = "cti"\npassword = "secret"\n[telephony.jtapi]\nclass_path = ["gone.jar"]\n'
    )
    settings.write_text(given + SMALLEST)
    assert main(["settings", "check", str(settings)]) == 2
    said = capsys.readouterr().err
    assert "gone.jar is not there" in said or "JPype1 is not installed" in said


@pytest.fixture
def in_a_cluster(settings, tmp_path):
    assert main(["keys", "new", str(tmp_path / "keys.toml")]) == 0
    settings.write_text(SMALLEST + '[cluster]\nkeys_file = "keys.toml"\n[cluster.store]\nendpoints = ["127.0.0.1:1"]\n')
    return settings


@pytest.fixture
def served(monkeypatch):
    """How serving was begun, instead of serving."""
    calls: list[object] = []

    def serve(_settings, _announce, **options):
        calls.append(options)
        return 0

    def guard(command, _settings):
        calls.append(command)
        return 137

    monkeypatch.setattr("unified_agent.observe.configure_logging", lambda **_: None)
    monkeypatch.setattr(unified_agent, "assembly", SimpleNamespace(serve=serve), raising=False)
    monkeypatch.setattr("unified_agent.guardian.guard", guard)
    return calls


def test_an_instance_alone_needs_no_guardian(settings, served):
    assert main(["serve", str(settings)]) == 0
    assert served == [{"with_uvloop": True}]


def test_in_a_cluster_an_instance_is_served_under_guard_and_its_status_passed_on(in_a_cluster, served):
    assert main(["serve", str(in_a_cluster), "--loop", "asyncio"]) == 137
    ((program, *arguments),) = served
    assert program == sys.executable
    assert arguments[-4:] == ["serve", str(in_a_cluster), "--loop", "asyncio"]


def test_a_guarded_instance_and_one_that_wants_no_guardian_serve_themselves(in_a_cluster, served, monkeypatch):
    assert main(["serve", str(in_a_cluster), "--no-guardian"]) == 0
    hearing, telling = os.pipe()
    monkeypatch.setattr("os.environ", {FD_VARIABLE: str(telling)})
    assert main(["serve", str(in_a_cluster)]) == 0
    assert served == 2 * [{"with_uvloop": True}]
    os.close(hearing)
    os.close(telling)


def test_the_check_also_tries_the_store_and_the_keys(in_a_cluster, tmp_path, capsys):
    assert main(["settings", "check", str(in_a_cluster)]) == 0
    (tmp_path / "keys.toml").chmod(0o644)
    assert main(["settings", "check", str(in_a_cluster)]) == 2
    assert "is open to everybody on this machine" in capsys.readouterr().err
    (tmp_path / "keys.toml").chmod(0o600)
    in_a_cluster.write_text(in_a_cluster.read_text() + 'prefix = "/ua"\n')
    assert main(["settings", "check", str(in_a_cluster)]) == 2
    assert "prefix must end with /" in capsys.readouterr().err


def test_settings_are_shown_with_their_origin_and_without_secrets(settings, capsys):
    settings.write_text(SMALLEST + '[telephony]\npassword = "hunter2"\n')
    assert main(["settings", "show", str(settings), "--origin", "--meaning"]) == 0
    out = capsys.readouterr().out
    assert 'telephony.servers.0.host = "aes"' in out
    assert "settings.toml:3" in out
    assert "http.port = 8080  # default" in out
    assert "# after this long what is left is closed." in out
    assert "telephony.password = (hidden)" in out
    assert "hunter2" not in out


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "settings",
        "settings check",
        "settings show",
        "settings reference",
        "simulate",
        "simulate aes",
        "simulate apc",
        "load",
        "keys",
        "keys new",
        "keys rotate",
        "keys show",
        "keys prune",
        "cluster",
        "cluster status",
        "cluster drain",
        "cluster resume",
        "cluster move",
        "cluster activate",
    ],
)
def test_every_command_has_help(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert "Usage: unified-agent" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_the_command_line_comes_up_without_loading_the_server():
    heavy = "litestar", "uvicorn", "uvloop", "msgspec", "prometheus_client"
    program = f"import sys, unified_agent.tools.cli; sys.exit(any(each in sys.modules for each in {heavy}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
