"""One screen tells what is to be done with the files."""

import pytest
from tests.unit.tools.balancer.described import PLACES, described

from unified_agent.tools.balancer.advice import tell_next
from unified_agent.tools.balancer.products import KINDS


def told(name, **other):
    return list(tell_next(name, described(**other), PLACES))


@pytest.mark.parametrize("name", KINDS)
def test_it_fits_a_screen_and_names_the_file_and_the_folders(name):
    lines = told(name)
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 120
    text = "\n".join(lines)
    assert f"/etc/balancer/{KINDS[name].product.file}" in text
    assert f"systemctl enable --now /etc/balancer/unified-agent-{name}.service" in text
    assert "mkdir -p /run/balancer /var/log/balancer" in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mod-jk", "mkdir -p /run/balancer /var/log/balancer && apache2 -k start -f /etc/balancer/apache.conf"),
        ("haproxy", "systemctl reload unified-agent-haproxy"),
        ("haproxy", "systemctl disable --now haproxy"),
        ("haproxy", "kill -USR2 $(cat /run/balancer/haproxy.pid)"),
        ("nginx", "nginx -s reload -c /etc/balancer/nginx.conf"),
        ("dns", "mkdir -p /run/balancer /var/log/balancer && dnsmasq -C /etc/balancer/dnsmasq.conf"),
    ],
)
def test_it_says_how_to_start_and_to_reload(name, line):
    assert any(each.strip().startswith(line) for each in told(name))


def test_instances_must_believe_a_proxy_and_let_its_pages_call_them():
    assert any("trusted_proxies" in line for line in told("haproxy"))
    assert not any("trusted_proxies" in line for line in told("dns"))
    assert any("[ajp] port = 8009" in line for line in told("mod-jk"))
    assert any('allowed_origins = ["http://ua.example:443"]' in line for line in told("haproxy"))


def test_what_is_not_safe_yet_is_said():
    assert any("There is no TLS yet" in line for line in told("haproxy"))
    secure = {"tls_cert_file": "/a.pem", "tls_key_file": "/a.pem"}
    assert not any("There is no TLS yet" in line for line in told("haproxy", **secure))
    assert any("There is no AJP secret yet" in line for line in told("mod-jk", ajp_secret=""))
    assert not any("AJP secret" in line for line in told("haproxy", ajp_secret=""))
