"""What the application sees of a request that came by AJP."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.wire.ajp13 import front

from unified_agent.server.ajp_scope import scope_of, wants_websocket
from unified_agent.wire.ajp13.codec import ForwardRequest, read_forward_request


def request_of(packet: bytes) -> ForwardRequest:
    return read_forward_request(packet[4:], 100)[0]


def scope(packet: bytes, *, trust: bool = False) -> dict[str, Any]:
    return scope_of(request_of(packet), trust_remote_user=trust)


def test_a_request_looks_as_the_browser_sent_it_to_the_web_server() -> None:
    headers = [(b"Host", b"desk.example.com"), (b"X-L1", b"caf\xe9"), (b"authorization", b"Bearer t")]
    ports = front.request_attribute(b"AJP_REMOTE_PORT", b"53176") + front.request_attribute(b"JK_LB_ACTIVATION", b"DIS")
    seen = scope(front.request("POST", b"/v1/session", headers, query=b"a=%20b", attributes=ports))
    assert seen == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "server": ("desk.example.com", 443),
        "client": ("192.0.2.7", 53176),
        "root_path": "",
        "path": "/v1/session",
        "raw_path": b"/v1/session",
        "query_string": b"a=%20b",
        "headers": [(b"host", b"desk.example.com"), (b"x-l1", b"caf\xe9"), (b"authorization", b"Bearer t")],
        "state": {},
        "extensions": {"ajp": {"route": "", "activation": "DIS", "attributes": {}}},
    }


def test_what_an_application_does_to_its_scope_the_next_request_does_not_see() -> None:
    packet = front.request("GET", b"/same", [(b"host", b"desk.example.com")])
    first = scope(packet)
    untouched = scope(packet)
    first["headers"].append((b"x-own", b"1"))
    first["state"]["seen"] = first["extensions"]["ajp"]["attributes"]["seen"] = True
    assert scope(packet) == untouched


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (b"/", "/"),
        (b"/a/b", "/a/b"),
        (b"/a;jsessionid=x.n1", "/a"),
        (b"/a;x=1/b;y=2;z/c", "/a/b/c"),
        (b"/;/admin", "//admin"),
        (b"/a%3Bb", "/a;b"),
        (b"/a%20b%2Fc", "/a b/c"),
        (b"/%C3%A9", "/é"),
        (b"/%FF", "/�"),
        (b"/%zz", "/%zz"),
        (b"*", "*"),
    ],
)
def test_the_path_is_decoded_once_and_without_parameters(sent: bytes, path: str) -> None:
    seen = scope(front.request(path=sent))
    assert (seen["path"], seen["raw_path"]) == (path, sent)


@pytest.mark.parametrize(
    ("protocol", "version"), [(b"HTTP/1.0", "1.0"), (b"HTTP/1.1", "1.1"), (b"HTTP/2.0", "2"), (b"http", "1.1")]
)
def test_the_version_is_that_of_the_browser(protocol: bytes, version: str) -> None:
    assert scope(front.request(protocol=protocol))["http_version"] == version


def test_who_asks_may_be_unknown_and_tls_absent() -> None:
    seen = scope(front.request(remote=None, tls=False))
    assert (seen["client"], seen["scheme"]) == (None, "http")


def test_headers_about_the_browsers_connection_do_not_reach_the_application() -> None:
    names = (b"connection", b"Keep-Alive", b"te", b"upgrade", b"expect", b"trailer", b"proxy-connection")
    seen = scope(front.request(headers=[(b"accept", b"*/*"), *((name, b"x") for name in names)]))
    assert seen["headers"] == [(b"accept", b"*/*")]


def test_whom_the_web_server_found_is_told_only_where_it_is_trusted() -> None:
    certificate = front.attribute(3, b"agent1000") + front.attribute(4, b"Basic") + front.attribute(7, b"PEM")
    packet = front.request(attributes=certificate + front.attribute(8, b"AES"))
    assert "agent1000" not in repr(scope(packet))
    assert scope(packet, trust=True)["extensions"]["ajp"] == {
        "route": "",
        "activation": "",
        "attributes": {},
        "remote_user": "agent1000",
        "auth_type": "Basic",
        "tls_certificate": "PEM",
        "tls_cipher": "AES",
        "tls_protocol": "",
    }


@pytest.mark.parametrize(
    ("headers", "wants"),
    [
        ([(b"connection", b"Upgrade"), (b"Upgrade", b"websocket")], True),
        ([(b"Upgrade", b"WebSocket")], True),
        ([(b"Upgrade", b"h2c")], False),
        ([(b"accept", b"websocket")], False),
        ([], False),
    ],
)
def test_only_who_asks_for_a_websocket_wants_one(headers: list[tuple[bytes, bytes]], wants: bool) -> None:
    assert wants_websocket(request_of(front.request(headers=headers))) is wants
