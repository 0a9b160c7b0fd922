"""Logging in over HTTP."""

import httpx
import msgspec
import pytest

from unified_agent.client.errors import InstanceUnreachable, LoginRefused
from unified_agent.client.login import DiallerLogin, ask_for_session

pytestmark = pytest.mark.asyncio


async def ask(answer, dialler: DiallerLogin | None = None):
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), verify=False) as http:
        return await ask_for_session(
            http, "http://ua", agent="5001", station="2001", password="1234", dialler=dialler, limit_s=1.0
        )


async def test_a_login_carries_both_worlds_and_brings_the_session():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url), msgspec.json.decode(request.content)))
        return httpx.Response(201, json={"session": "s1", "token": "t"})

    dialler = DiallerLogin(name="agent0001", password="secret", headset="301", job="SPRING25")
    assert (await ask(answer, dialler))["session"] == "s1"
    await ask(answer)
    login = {"agent": "5001", "station": "2001", "password": "1234"}
    headset = {"name": "agent0001", "password": "secret", "headset": "301", "job": "SPRING25"}
    assert asked == [
        ("http://ua/v1/session", {**login, "dialler": headset}),
        ("http://ua/v1/session", {**login, "dialler": None}),
    ]


async def test_a_refusal_says_why_and_when_to_try_again():
    body = {"id": "login.too-many", "detail": "try again in 7 s", "retry": "later"}
    with pytest.raises(LoginRefused) as caught:
        await ask(lambda _: httpx.Response(429, json=body, headers={"Retry-After": "7"}))
    refused = caught.value
    assert (refused.id, refused.detail, refused.retry, refused.retry_after_s) == (*body.values(), 7.0)


async def test_an_answer_that_is_not_ours_is_a_refusal_with_its_status():
    with pytest.raises(LoginRefused) as caught:
        await ask(lambda _: httpx.Response(502, text="<html>bad gateway</html>"))
    assert (caught.value.id, caught.value.retry_after_s) == ("http.502", None)


async def test_an_instance_that_is_not_there_is_unreachable():
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(InstanceUnreachable, match="refused"):
        await ask(answer)
