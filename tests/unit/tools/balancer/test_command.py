"""From a description to files on the disk, in one command."""

from pathlib import Path

import pytest
from tests.unit.tools.balancer.described import SECRET, described
from tests.unit.tools.balancer.test_live import WHOLE

from unified_agent.errors import SettingsError
from unified_agent.settings_file import read_table
from unified_agent.tools.balancer.check import CheckFailed
from unified_agent.tools.balancer.command import SourceOptions, find_topology
from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.topology import BalancerTopology, write_toml
from unified_agent.tools.cli import main


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "topology.toml"
    (tmp_path / "secret").write_text(SECRET)
    file.write_text(write_toml(described(port=8080, ajp_secret_file=tmp_path / "secret")))
    return file


@pytest.mark.parametrize("name", KINDS)
def test_each_product_has_a_command_that_writes_its_files(name, source, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["balancer", name, "--from", str(source), "--out", str(out)]) == 0
    assert (out / KINDS[name].product.file).is_file()
    told = capsys.readouterr().out
    assert f"new       {out}/{KINDS[name].product.file}" in told
    assert "Next" in told
    assert SECRET not in told


def test_a_second_run_changes_nothing_and_another_description_is_shown_and_refused(source, tmp_path, capsys):
    arguments = ["balancer", "haproxy", "--from", str(source), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert main(arguments) == 0
    assert "unchanged" in capsys.readouterr().out
    assert main([*arguments, "--port", "9443"]) == 2
    told = capsys.readouterr()
    assert "+  bind 0.0.0.0:9443" in told.out
    assert "give --force" in told.err
    assert main([*arguments, "--port", "9443", "--force"]) == 0
    assert "bind 0.0.0.0:9443" in (tmp_path / "out" / "haproxy.cfg").read_text()


def test_places_go_into_the_files(source, tmp_path):
    places = ["--conf-dir", "/srv/conf", "--run-dir", "/srv/run", "--log-dir", "/srv/log", "--user", "somebody"]
    assert main(["balancer", "mod-jk", "--from", str(source), "--out", str(tmp_path / "out"), *places]) == 0
    text = (tmp_path / "out" / "apache.conf").read_text()
    assert 'JkWorkersFile "/srv/conf/workers.properties"' in text
    assert 'PidFile "/srv/run/apache2.pid"' in text
    assert 'ErrorLog "/srv/log/error.log"' in text
    assert "User somebody" in text


def test_a_check_that_fails_is_status_1_with_the_product_s_words(source, tmp_path, capsys, monkeypatch):
    def check(product, places):
        raise CheckFailed("line 3: no")

    monkeypatch.setattr("unified_agent.tools.balancer.check.check", check)
    assert main(["balancer", "nginx", "--from", str(source), "--out", str(tmp_path / "out"), "--check"]) == 1
    assert capsys.readouterr().err == "line 3: no\n"


def test_files_for_another_machine_are_not_checked_here(source, tmp_path, capsys):
    arguments = ["balancer", "nginx", "--from", str(source), "--out", str(tmp_path / "out"), "--conf-dir", "/srv/x"]
    assert main([*arguments, "--check"]) == 2
    assert "--check reads the files where they will lie" in capsys.readouterr().err


@pytest.mark.parametrize("source", [SourceOptions(), SourceOptions(from_file=Path("x"), server="http://a")])
def test_the_cluster_comes_from_one_place(source):
    with pytest.raises(SettingsError, match="by --from FILE or by --server URL"):
        find_topology(source)


def test_a_running_instance_is_a_source_and_options_win_over_it(tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    asked = []

    def ask(access):
        asked.append(access.url)
        return WHOLE

    given = SourceOptions(
        server="http://10.0.0.1:8080",
        name="desk.example",
        port=443,
        ajp_port=8010,
        ajp_secret_file=tmp_path / "secret",
        tls_cert_file=tmp_path / "a.pem",
        tls_key_file=tmp_path / "a.key",
    )
    found = find_topology(given, ask)
    assert asked == ["http://10.0.0.1:8080"]
    assert (found.name, found.port, found.ajp_secret) == ("desk.example", 443, SECRET)
    assert {each.ajp_port for each in found.instances} == {8010}
    assert found.tls_cert_file == f"{tmp_path}/a.pem"


def test_options_win_over_a_file_too_and_are_checked_like_it(source):
    assert find_topology(SourceOptions(from_file=source, name="other.example")).name == "other.example"
    with pytest.raises(SettingsError, match="without scheme and port"):
        find_topology(SourceOptions(from_file=source, name="https://other.example"))
    with pytest.raises(SettingsError, match="the AJP secret cannot be read from"):
        find_topology(SourceOptions(from_file=source, ajp_secret_file=source.parent / "none"))


def test_the_description_of_a_cluster_is_written_to_be_completed(source, tmp_path, capsys):
    out = tmp_path / "other.toml"
    assert main(["balancer", "topology", "--from", str(source), "--out", str(out), "--name", "b.example"]) == 0
    assert read_table(out, BalancerTopology).name == "b.example"
    assert f"unified-agent balancer haproxy --from {out} --out DIR --check" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["topology", *KINDS])
def test_every_option_is_explained(name, capsys):
    assert main(["balancer", name, "--help"]) == 0
    told = capsys.readouterr().out
    for option in ("--from", "--server", "--name", "--port", "--out", "--force"):
        (line,) = (each for each in told.splitlines() if option in each.replace(",", " ").split()[:3])
        assert len(line.split()) > 3, line
