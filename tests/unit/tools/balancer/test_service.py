"""systemd takes the unit, and it runs and reloads what was written."""

import shutil
import subprocess

import pytest
from tests.unit.tools.balancer.described import PLACES, settings_of

from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.service import write_service

EACH = pytest.mark.parametrize("name", KINDS)


def unit(name):
    ((file, text),) = write_service(name, "main", KINDS[name].product, PLACES).items()
    assert file == f"unified-agent-{name}.service"
    return text


def commands(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


@EACH
def test_it_runs_the_program_in_the_foreground_after_a_check(name):
    product = KINDS[name].product
    folders, check = commands(unit(name), "ExecStartPre")
    assert folders == "/bin/mkdir -p /run/balancer /var/log/balancer"
    assert check == f"/usr/sbin/{product.program} {' '.join(product.check)} /etc/balancer/{product.file}"
    (start,) = commands(unit(name), "ExecStart")
    assert start.startswith(f"/usr/sbin/{product.program} ")
    assert start.endswith(f" /etc/balancer/{product.file}")


@EACH
def test_files_that_are_not_taken_are_not_loaded(name):
    check, reload = commands(unit(name), "ExecReload")
    assert check == commands(unit(name), "ExecStartPre")[1]
    assert "{" not in reload


def test_nginx_is_kept_in_the_foreground_by_one_word():
    assert commands(unit("nginx"), "ExecStart") == ["/usr/sbin/nginx -g 'daemon off;' -c /etc/balancer/nginx.conf"]


@EACH
def test_it_comes_back_by_itself(name):
    assert commands(unit(name), "Restart") == ["always"]
    assert settings_of(unit(name), "[Install]") == [""]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
@EACH
def test_systemd_takes_it(name, tmp_path):
    if shutil.which(KINDS[name].product.program, path="/usr/sbin") is None:
        pytest.skip(f"{KINDS[name].product.program} is not in /usr/sbin, and systemd would miss it")
    assert verify(tmp_path / f"unified-agent-{name}.service", unit(name)) == []
    assert verify(tmp_path / "unified-agent-broken.service", unit(name).replace("ExecReload=", "ExceReload="))


def verify(file, text):
    """Return what systemd has to say of a unit."""
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", file], check=False, capture_output=True, text=True, timeout=60
    )
    return [line for line in done.stderr.splitlines() if file.name in line]
