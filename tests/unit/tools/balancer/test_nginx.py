"""nginx is told to find and leave instances as measured."""

import re

import pytest
from tests.unit.tools.balancer.described import PLACES, TOPOLOGY, described, settings_of

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.nginx import write_nginx


def nginx(topology=TOPOLOGY):
    return write_nginx(topology, PLACES)["nginx.conf"]


def upstreams(text):
    return dict(re.findall(r"upstream (\S+) \{(.*?)\n  \}", text, re.DOTALL))


def locations(text):
    """Return each location's lines, by the path that it matches with or without parameters."""
    found = {}
    for name, body in re.findall(r"location ([^{]*?) \{(.*?)\n    \}", text, re.DOTALL):
        exact = re.fullmatch(r'~ "\^(.*)\(;\|\$\)"', name.strip())
        found[exact[1] if exact else name.strip()] = body
    return found


def test_anybody_goes_to_the_first_datacentre_and_sessions_to_their_instance():
    found = upstreams(nginx())
    assert settings_of(found["ua"], "server") == [
        "10.1.0.1:8080 max_fails=1 fail_timeout=5s;",
        "10.1.0.2:8080 max_fails=1 fail_timeout=5s;",
        "10.2.0.1:8080 max_fails=1 fail_timeout=5s backup;",
    ]
    assert settings_of(found["ua-vienna-1"], "server") == [
        "10.2.0.1:8080 max_fails=1 fail_timeout=5s;",
        "10.1.0.1:8080 max_fails=1 fail_timeout=5s backup;",
        "10.1.0.2:8080 max_fails=1 fail_timeout=5s backup;",
    ]


@pytest.mark.parametrize(
    ("uri", "route"),
    [
        ("/v1/session;jsessionid=abc.vienna-1", "vienna-1"),
        ("/v1/session;jsessionid=a.b.c?x=.no", "c"),
        ("/v1;jsessionid=x.a/session", "a"),
        ("/v1/session?x=;jsessionid", None),
        ("/v1/session;jsessionid=abc", None),
    ],
)
def test_the_route_is_read_from_the_path(uri, route):
    (expression,) = re.findall(r"'~(;jsessionid=.*?)' \$in_path;", nginx())
    found = re.search(expression.replace("(?<", "(?P<"), uri)
    assert (found and found["in_path"]) == route


def test_routes_are_matched_by_exact_names():
    names = re.findall(r'"~\^(\S+)\$" ua-(\S+);', nginx())
    assert [re.sub(r"\\", "", pattern) for pattern, _ in names] == [name for _, name in names]
    assert len(names) == 3


def test_only_the_choice_of_an_instance_and_plain_reading_are_asked_twice():
    found = locations(nginx())
    for path in ("/v1/entry", "/v1/jsonp/entry"):
        assert "proxy_read_timeout 1500ms" in found[path]
        assert "proxy_next_upstream off" not in found[path]
        assert "proxy_pass http://ua;" in found[path]
    for path in ("/v1/events", "/v1/events/poll", "/v1/jsonp/poll", "/v1/jsonp/command"):
        assert "proxy_next_upstream off" in found[path]
    assert "non_idempotent" not in nginx()
    assert settings_of(nginx(), "proxy_next_upstream_tries") == ["3;"]


def test_polls_may_be_held_and_events_are_not_kept_back():
    found = locations(nginx(described(hold_s=12)))
    assert "proxy_read_timeout 27000ms" in found["/v1/events/poll"]
    assert "proxy_buffering off" in found["/v1/events"]


def test_no_log_holds_a_query_string():
    text = nginx()
    (form,) = re.findall(r"log_format ua (.*?);", text, re.DOTALL)
    assert not re.search(r"\$(request|request_uri|args|query_string|http_referer)\b", form)
    assert settings_of(text, "access_log")[0] == "/var/log/balancer/access.log ua;"
    assert settings_of(text, "error_log") == ["/var/log/balancer/error.log crit;"]


def test_what_callers_say_of_themselves_is_not_passed_on():
    headers = settings_of(nginx(), "proxy_set_header")
    assert "X-Forwarded-For $remote_addr;" in headers
    assert 'Forwarded "";' in headers
    assert "Host $http_host;" in headers


def test_operators_paths_are_shut_and_nothing_is_told_of_the_server():
    assert [body.strip() for name, body in locations(nginx()).items() if name.startswith("~")] == ["return 403;"]
    assert settings_of(nginx(), "server_tokens") == ["off;"]


def test_tls_is_there_when_certificates_are():
    text = nginx(described(tls_cert_file="/tls/ua.pem", tls_key_file="/tls/ua.key"))
    assert "listen 0.0.0.0:443 ssl;" in text
    assert settings_of(text, "ssl_protocols") == ["TLSv1.2 TLSv1.3;"]
    assert "ssl_" not in nginx()


def test_instances_with_tls_are_known_by_their_certificate():
    text = nginx(described(instances_https=True, instances_ca_file="/ca.pem"))
    assert settings_of(text, "proxy_ssl_verify") == ["on;"]
    assert settings_of(text, "proxy_ssl_name") == ["ua.example;"]
    assert "proxy_pass http://" not in text
    with pytest.raises(SettingsError, match="instances_https needs instances_tls_name"):
        nginx(described(instances_https=True, instances_ca_file="/ca.pem", name=""))


def test_the_status_is_for_this_machine_only():
    assert "listen 127.0.0.1:9180;" in nginx()
    assert "stub_status" not in nginx(described(status_port=0))
