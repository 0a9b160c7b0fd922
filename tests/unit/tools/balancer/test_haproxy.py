"""HAProxy is told to find, leave and probe instances as measured."""

import re

import pytest
from tests.unit.tools.balancer.described import PLACES, TOPOLOGY, described, settings_of

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.haproxy import write_haproxy
from unified_agent.tools.balancer.routes import OPERATORS
from unified_agent.tools.balancer.topology import BalancedInstance


def sections(topology=TOPOLOGY):
    """Return each section by its first line."""
    text = write_haproxy(topology, PLACES)["haproxy.cfg"]
    parts = re.split(r"^((?:global|defaults|frontend \S+|backend \S+|resolvers \S+)$)", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_instance_is_checked_once_for_both_backends():
    servers = settings_of(sections()["backend ua"], "server")
    assert servers == [
        "budapest-1 10.1.0.1:8080",
        "budapest-2 10.1.0.2:8080",
        "vienna-1 10.2.0.1:8080 backup",
    ]
    tracking = settings_of(sections()["backend ua_entry"], "server")
    assert tracking == [f"{server} track ua/{server.split()[0]}" for server in servers]


def test_readiness_is_asked_and_404_means_leaving():
    backend = sections()["backend ua"]
    assert "http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host ua.example" in backend
    assert "http-check disable-on-404" in backend
    assert not re.search(r"^\s*http-check expect", backend, re.MULTILINE)
    assert "inter 1s fastinter 500ms downinter 1s fall 2 rise 2" in backend
    assert "on-marked-down shutdown-sessions" in backend


def test_sessions_stay_by_cookie_and_path():
    rules = settings_of(sections()["backend ua"], "use-server")
    assert (
        "budapest-1 if { req.cook(JSESSIONID) -m end .budapest-1 } or { path,field(2,;) -m end .budapest-1 }" in rules
    )
    assert len(rules) == 3
    assert not settings_of(sections()["backend ua_entry"], "use-server")


def test_only_the_choice_of_an_instance_is_asked_twice():
    assert settings_of(sections()["defaults"], "retry-on") == ["conn-failure"]
    assert settings_of(sections()["backend ua"], "retry-on") == []
    entry = sections()["backend ua_entry"]
    assert settings_of(entry, "retry-on") == ["conn-failure empty-response response-timeout 503"]
    assert "timeout server 1500ms" in entry
    assert settings_of(sections()["frontend public"], "use_backend") == [
        "ua_entry if METH_GET { path /v1/entry /v1/jsonp/entry }"
    ]


def test_polls_may_be_held_and_events_are_not_delayed():
    defaults = sections(described(hold_s=12.5))["defaults"]
    assert "timeout server 27500ms" in defaults
    assert "timeout client 27500ms" in defaults
    assert "option http-no-delay" in defaults


def test_no_log_holds_a_query_string_and_operators_paths_are_shut():
    public = sections()["frontend public"]
    (form,) = settings_of(public, "log-format")
    assert not re.search(r"%(HU|HQ|r|\{\+Q\}r)\b", form)
    assert f"http-request deny deny_status 403 if {{ path,url_dec -m reg {OPERATORS} }}" in public


def test_what_callers_say_of_themselves_is_not_passed_on():
    public = sections()["frontend public"]
    assert public.index("del-header X-Forwarded-For") < public.index("option forwardfor")
    assert "http-request set-header X-Forwarded-Proto http\n" in public


def test_the_status_and_the_socket_are_for_this_machine_only():
    assert "bind 127.0.0.1:9180" in sections()["frontend status"]
    assert "mode 600 level admin" in sections()["global"]
    assert "frontend status" not in sections(described(status_port=0))


def test_the_key_is_found_where_haproxy_looks_for_it():
    for cert, key, line in (
        ("/tls/ua.pem", "/tls/ua.pem", False),
        ("/tls/ua.pem", "/tls/ua.pem.key", False),
        ("/tls/ua.crt", "/tls/ua.key", True),
    ):
        found = sections(described(tls_cert_file=cert, tls_key_file=key))
        assert ("ssl-load-extra-del-ext" in found["global"]) is line
        assert f"bind 0.0.0.0:443 ssl crt {cert} alpn http/1.1" in found["frontend public"]
    with pytest.raises(SettingsError, match=r"and not in /keys/ua\.key: copy or link the key there"):
        sections(described(tls_cert_file="/tls/ua.pem", tls_key_file="/keys/ua.key"))


def test_instances_with_tls_are_known_by_their_certificate():
    found = sections(described(instances_https=True, instances_ca_file="/ca.pem", instances_tls_name="i.example"))
    assert (
        "budapest-1 10.1.0.1:8080 ssl verify required ca-file /ca.pem sni str(i.example) verifyhost i.example"
        in settings_of(found["backend ua"], "server")
    )
    with pytest.raises(SettingsError, match="instances_https needs instances_tls_name"):
        sections(described(instances_https=True, instances_ca_file="/ca.pem", name=""))


def test_instances_by_name_are_found_when_their_name_is():
    named = BalancedInstance(name="a", host="a.example", http_port=8080)
    found = sections(described(instances=(named,)))
    assert "resolvers system" in found
    assert "resolvers system init-addr last,libc,none" in settings_of(found["backend ua"], "server")[0]
    assert "resolvers system" not in sections()
