"""What both Apaches share: enough threads, nothing told that need not be, and no token in any log."""

import re

import pytest
from tests.unit.tools.balancer.described import PLACES, TOPOLOGY, described, settings_of

from unified_agent.tools.balancer.mod_jk import write_mod_jk
from unified_agent.tools.balancer.proxy_ajp import write_proxy_ajp
from unified_agent.tools.balancer.routes import OPERATORS

BOTH = pytest.mark.parametrize("write", [write_mod_jk, write_proxy_ajp])


@BOTH
@pytest.mark.parametrize(("agents", "threads"), [(1, 512), (394, 768), (1_000, 1_536), (5_000, 6_656)])
def test_there_is_a_thread_for_each_poll_and_more(write, agents, threads):
    text = write(described(agents=agents), PLACES)["apache.conf"]
    (most,), (children,) = settings_of(text, "MaxRequestWorkers"), settings_of(text, "ServerLimit")
    assert int(most) == threads == int(children) * 256
    assert int(most) >= 1.3 * agents
    (spare,) = settings_of(text, "MaxSpareThreads")
    assert 256 < int(spare) <= int(most)


@BOTH
def test_no_log_holds_a_query_string(write):
    text = write(TOPOLOGY, PLACES)["apache.conf"]
    for form in (*settings_of(text, "LogFormat"), *settings_of(text, "ErrorLogFormat")):
        assert not re.search(r"%[<>]?[rq]\b|%\{Referer\}", form), form
    assert settings_of(text, "CustomLog") == ['"/var/log/balancer/access.log" ua']


@BOTH
def test_the_server_tells_nothing_about_itself(write):
    text = write(TOPOLOGY, PLACES)["apache.conf"]
    assert settings_of(text, "ServerTokens") == ["Prod"]
    assert settings_of(text, "ServerSignature") == ["Off"]
    assert settings_of(text, "TraceEnable") == ["Off"]


@BOTH
def test_nothing_comes_from_the_disk_and_operators_paths_are_shut(write):
    text = write(TOPOLOGY, PLACES)["apache.conf"]
    assert re.search(r'<Directory "/">[^<]*Require all denied', text)
    assert f'<LocationMatch "{OPERATORS}">\n    Require all denied' in text


@BOTH
def test_it_serves_as_an_unprivileged_user_unless_told_otherwise(write):
    assert settings_of(write(TOPOLOGY, PLACES)["apache.conf"], "User") == ["www-data"]
    nobody = type(PLACES)(conf="/c", run="/r", log="/l")
    assert settings_of(write(TOPOLOGY, nobody)["apache.conf"], "User") == []


@BOTH
def test_tls_is_there_when_certificates_are(write):
    assert "ssl_module" not in write(TOPOLOGY, PLACES)["apache.conf"]
    text = write(described(tls_cert_file="/tls/ua.pem", tls_key_file="/tls/ua.key"), PLACES)["apache.conf"]
    assert settings_of(text, "SSLEngine") == ["on"]
    assert settings_of(text, "SSLCertificateFile") == ['"/tls/ua.pem"']
    assert settings_of(text, "SSLProtocol") == ["-all +TLSv1.2 +TLSv1.3"]


@BOTH
def test_without_a_status_port_there_is_no_status(write):
    text = write(described(status_port=0), PLACES)["apache.conf"]
    assert settings_of(text, "Listen") == ["0.0.0.0:443"]
    assert text.count("<VirtualHost") == 1


@BOTH
def test_all_of_both_internet_protocols_is_one_address(write):
    assert "[::]:443" in settings_of(write(described(listen="::"), PLACES)["apache.conf"], "Listen")
