"""Balancers in front of us are believed when the settings say so, and nobody becomes local by being passed on."""

import asyncio

import pytest

from unified_agent.server.edge import Message, Receive, Scope, Send
from unified_agent.server.forwarded import behind_proxies, behind_web_servers


def seen(
    peer: str, headers: dict[str, str], trusted: tuple[str, ...] = (), *, by_ajp: bool = False
) -> tuple[str | None, str]:
    """Return whom the application takes for the caller, and by which scheme it came."""
    found: list[tuple[str | None, str]] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        client: tuple[str, int] | None = scope["client"]
        found.append((client[0] if client else None, scope["scheme"]))

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        pass

    scope: Scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def ask() -> None:
        whole = behind_web_servers(application) if by_ajp else behind_proxies(application, trusted)
        await whole(scope, receive, send)

    asyncio.run(ask())
    (one,) = found
    return one


FORWARDED = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}


def test_a_trusted_balancer_tells_address_and_scheme():
    assert seen("10.0.0.5", FORWARDED, ("10.0.0.0/24",)) == ("203.0.113.9", "https")
    assert seen("10.0.0.5", FORWARDED, ("10.0.0.5",)) == ("203.0.113.9", "https")


@pytest.mark.parametrize("trusted", [(), ("10.0.1.0/24",)])
def test_what_others_say_of_the_caller_is_not_believed(trusted):
    assert seen("10.0.0.5", FORWARDED, trusted) == ("10.0.0.5", "http")


def test_a_caller_cannot_put_an_address_before_that_of_the_balancer():
    said = {"x-forwarded-for": "127.0.0.1, 198.51.100.7"}
    assert seen("10.0.0.5", said, ("10.0.0.5",)) == ("198.51.100.7", "http")


def test_a_request_that_was_not_passed_on_is_of_this_machine():
    assert seen("127.0.0.1", {"host": "localhost"}) == ("127.0.0.1", "http")


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_what_a_balancer_on_this_machine_passes_on_is_nobody_of_this_machine(header):
    assert seen("127.0.0.1", {header: "203.0.113.9"}) == (None, "http")


@pytest.mark.parametrize("said", ["127.0.0.1", "::1", "127.0.0.9"])
def test_a_person_at_the_balancer_is_nobody_of_this_machine(said):
    assert seen("10.0.0.5", {"x-forwarded-for": said}, ("10.0.0.5",)) == (None, "http")
    assert seen("127.0.0.1", {"x-forwarded-for": said}, ("127.0.0.1",)) == (None, "http")


def test_what_a_web_server_passes_on_by_ajp_is_never_of_this_machine():
    assert seen("203.0.113.9", {}, by_ajp=True) == ("203.0.113.9", "http")
    assert seen("127.0.0.1", {}, by_ajp=True) == (None, "http")
