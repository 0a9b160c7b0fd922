"""Routing ids as balancers write and read them."""

from __future__ import annotations

import pytest

from unified_agent.server.routing import cookie_route, is_route, routing_cookie, without_parameters


@pytest.mark.parametrize(
    ("header", "route"),
    [
        (None, ""),
        ("", ""),
        ("JSESSIONID=abc.ua-1", "ua-1"),
        ("a=1; JSESSIONID=abc.ua-1; b=2", "ua-1"),
        ("a=1, JSESSIONID=abc.ua-1, b=2", "ua-1"),  # two lines, joined by Apache
        ('JSESSIONID="abc.ua_2"', "ua_2"),
        ("JSESSIONID=.ua-1", "ua-1"),  # issued by mod_jk itself
        ("JSESSIONID=a.b.ua-3", "ua-3"),
        ("JSESSIONID=abc", ""),
        ("JSESSIONID=abc.", ""),
        ("XJSESSIONID=abc.ua-1", ""),
        ("other=JSESSIONID=abc.ua-1", ""),
        ("JSESSIONID=abc.ua-1\r\nX: y", ""),
        (f"JSESSIONID=abc.{'x' * 64}", ""),
    ],
)
def test_the_route_of_a_cookie(header: str | None, route: str):
    assert cookie_route(header) == route


@pytest.mark.parametrize("name", ["ua-1", "UA_2", "x" * 63])
def test_a_route_is_what_every_balancer_takes(name: str):
    assert is_route(name)
    assert cookie_route(routing_cookie(name, "k3", secure=True).partition(";")[0]) == name


@pytest.mark.parametrize("name", ["", "dc1.ua-1", "ua 1", "ua;1", "x" * 64, "ua-1\n"])
def test_another_name_is_none(name: str):
    assert not is_route(name)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/v1/entry", "/v1/entry"),
        ("/v1/entry;jsessionid=abc.ua-1", "/v1/entry"),
        ("/v1;x=1/session;jsessionid=abc.ua-1", "/v1/session"),
        ("/;a;b=c", "/"),
        ("/public;x/../secret", "/public/../secret"),
    ],
)
def test_parameters_are_taken_out_of_a_path(path: str, plain: str):
    assert without_parameters(path) == plain


def test_the_cookie_is_kept_from_scripts_and_from_plain_connections():
    assert routing_cookie("ua-1", "k3", secure=True) == "JSESSIONID=k3.ua-1; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert routing_cookie("ua-1", "k3", secure=False) == "JSESSIONID=k3.ua-1; Path=/; HttpOnly; SameSite=Lax"
