"""What desks ask of instances, over HTTP that the test answers."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from tests.unit.client.fakes import on_virtual_time

from unified_agent.client.errors import InstanceUnreachable
from unified_agent.client.login import DiallerLogin, Login
from unified_agent.client.rest import SHARED_LIMIT, SHARED_S, Opened, Refusal, Rest, Standing, trust_of_system
from unified_agent.client.silence import Opinion

LOGIN = Login(agent="5001", station="2001", password="1234")
TOPOLOGY = {"cluster": "c", "epoch": 1, "version": 1, "active": "east", "reconnect_window_ms": 0, "instances": []}


class Answering:
    """Answers every request alike; ``asked`` notes them."""

    def __init__(self, answer: httpx.Response | Exception | None = None) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []
        self.rest = Rest(httpx.AsyncClient(transport=httpx.MockTransport(self._take), verify=False))

    async def _take(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await asyncio.sleep(0.01)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or await asyncio.get_running_loop().create_future()


def json(status: int, body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


@on_virtual_time
async def test_a_login_carries_both_worlds_and_brings_the_session():
    answering = Answering(json(201, {"session": "s1", "token": "t", "ticket": "x", "now": ""}))
    dialler = DiallerLogin(name="agent0001", password="secret", headset="301", job="SPRING25")
    with_dialler = Login(agent="5001", station="2001", password="1234", dialler=dialler)
    assert await answering.rest.open("http://ua", with_dialler, 1.0) == Opened(session="s1", token="t", ticket="x")
    await answering.rest.open("http://ua", LOGIN, 1.0)
    login = {"agent": "5001", "station": "2001", "password": "1234"}
    headset = {"name": "agent0001", "password": "secret", "headset": "301", "job": "SPRING25"}
    assert [str(each.url) for each in answering.asked] == ["http://ua/v1/session"] * 2
    assert [msgspec.json.decode(each.content) for each in answering.asked] == [
        {**login, "dialler": headset},
        {**login, "dialler": None},
    ]


@on_virtual_time
async def test_an_instance_without_tickets_gives_none():
    answering = Answering(json(201, {"session": "s1", "token": "t", "now": ""}))
    assert await answering.rest.open("http://ua", LOGIN, 1.0) == Opened(session="s1", token="t")


@on_virtual_time
async def test_a_session_is_resumed_by_ticket_and_token():
    answering = Answering(json(200, {"session": "s1", "token": "t2", "ticket": "x2", "now": ""}))
    assert isinstance(await answering.rest.resume("http://ua", "x", "t", 1.0), Opened)
    (request,) = answering.asked
    assert (request.method, request.url.path) == ("POST", "/v1/session/resume")
    assert msgspec.json.decode(request.content) == {"ticket": "x", "token": "t"}


@on_virtual_time
async def test_a_command_is_resolved_with_the_token_and_what_it_was():
    said = {"id": "d-1", "type": "set-mode", "outcome": "refused", "error": "command.not-performed", "detail": ""}
    answering = Answering(json(200, said))
    standing = await answering.rest.resolve("http://ua", "t", "d-1", {"type": "set-mode"}, 1.0)
    assert standing == Standing(type="set-mode", outcome="refused", error="command.not-performed")
    (request,) = answering.asked
    assert request.url.path == "/v1/session/commands/d-1/resolve"
    assert request.headers["Authorization"] == "Bearer t"
    assert msgspec.json.decode(request.content) == {"command": {"type": "set-mode"}}


@on_virtual_time
async def test_a_refusal_says_why_and_when_and_where_to_try_again():
    problem = {"id": "instance.elsewhere", "detail": "d", "retry": "elsewhere", "next": {"id": "b", "url": "http://b"}}
    refusal = await Answering(json(421, problem, **{"Retry-After": "7"})).rest.open("http://ua", LOGIN, 1.0)
    assert refusal == Refusal(
        status=421, id="instance.elsewhere", detail="d", retry="elsewhere", retry_after_s=7.0, next_url="http://b"
    )
    assert refusal.is_elsewhere
    error = refusal.error
    assert (error.id, error.detail, error.retry, error.retry_after_s) == ("instance.elsewhere", "d", "elsewhere", 7.0)


@on_virtual_time
@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"[]", b'{"id": 7, "next": "b"}'])
async def test_a_refusal_that_is_not_ours_is_told_by_its_status(body):
    answer = httpx.Response(502, content=body, headers={"Retry-After": "Sat, 28 Nov 2026 00:00:00 GMT"})
    refusal = await Answering(answer).rest.open("http://ua", LOGIN, 1.0)
    assert isinstance(refusal, Refusal)
    assert (refusal.id, refusal.retry, refusal.retry_after_s, refusal.next_url) == ("http.502", "later", None, "")


@on_virtual_time
@pytest.mark.parametrize(("status", "retry"), [(400, "never"), (404, "never"), (429, "later"), (500, "later")])
async def test_a_refusal_that_does_not_say_whether_to_try_again_is_judged_by_its_status(status, retry):
    refusal = await Answering(json(status, {})).rest.open("http://ua", LOGIN, 1.0)
    assert isinstance(refusal, Refusal)
    assert refusal.retry == retry


@pytest.mark.parametrize(
    ("status", "retry", "elsewhere"),
    [
        (401, "never", False),
        (421, "never", True),
        (409, "later", False),
        (503, "elsewhere", True),
        (502, "later", True),
    ],
)
def test_some_refusals_are_of_this_instance_alone(status, retry, elsewhere):
    refusal = Refusal(status=status, id="x", detail="", retry=retry, retry_after_s=None, next_url="")
    assert refusal.is_elsewhere is elsewhere


@on_virtual_time
async def test_an_instance_that_is_not_there_or_silent_or_no_instance_is_unreachable():
    for answer in (httpx.ConnectError("refused"), httpx.InvalidURL("?"), None, httpx.Response(200, text="hello")):
        with pytest.raises(InstanceUnreachable, match="http://ua"):
            await Answering(answer).rest.open("http://ua", LOGIN, 1.0)


@on_virtual_time
async def test_a_session_is_initiated_for_an_agent_and_the_ticket_goes_with_the_login():
    told = {"instance": {"id": "a", "url": "http://a"}, "ticket": "x", "ticket_s": 60.0, "topology": TOPOLOGY}
    answering = Answering(json(200, told))
    initiated = await answering.rest.initiate("http://ua", "5001")
    assert initiated is not None
    assert (initiated.instance.url, initiated.ticket, initiated.topology.cluster) == ("http://a", "x", "c")
    assert str(answering.asked[0].url) == "http://ua/v1/entry?agent=5001"
    for answer in (httpx.ConnectError("refused"), None, json(503, {}), json(200, TOPOLOGY)):
        assert await Answering(answer).rest.initiate("http://ua", "5001") is None
    answering = Answering(json(201, {"session": "s1", "token": "t", "now": ""}))
    await answering.rest.open("http://ua", LOGIN, 1.0, entry="x")
    assert msgspec.json.decode(answering.asked[0].content)["entry"] == "x"


@on_virtual_time
async def test_a_topology_and_an_opinion_are_asked_for_without_a_token():
    topology = await Answering(json(200, TOPOLOGY)).rest.topology("http://ua")
    assert topology is not None
    assert topology.cluster == "c"
    answering = Answering(json(200, {"instance": "a", "verdict": "dead", "can_take": True, "next": None}))
    opinion = await answering.rest.opinion("http://ua", "a b")
    assert opinion == Opinion(verdict="dead", can_take=True)
    assert str(answering.asked[0].url) == "http://ua/v1/witness?instance=a%20b"
    assert "Authorization" not in answering.asked[0].headers
    for answer in (httpx.ConnectError("refused"), None, json(429, {}), httpx.Response(200, text="hello")):
        assert await Answering(answer).rest.topology("http://ua") is None
        assert await Answering(answer).rest.opinion("http://ua", "a") is None
    assert await Answering(json(200, {"next": None})).rest.opinion("http://ua", "a") == Opinion(verdict="")


@on_virtual_time
async def test_those_that_ask_the_same_at_about_the_same_time_share_the_answer():
    answering = Answering(json(200, TOPOLOGY))
    ask: Callable[[], Any] = lambda: answering.rest.topology("http://ua")  # noqa: E731
    first, second = await asyncio.gather(ask(), ask())
    assert first is second
    await ask()
    assert len(answering.asked) == 1
    await asyncio.sleep(SHARED_S)
    await ask()
    await answering.rest.topology("http://other")
    assert len(answering.asked) == 3


@on_virtual_time
async def test_one_who_no_longer_waits_takes_the_answer_from_nobody():
    answering = Answering(json(200, TOPOLOGY))
    impatient = asyncio.create_task(answering.rest.topology("http://ua"))
    patient = asyncio.create_task(answering.rest.topology("http://ua"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient is not None
    assert len(answering.asked) == 1


@on_virtual_time
async def test_shared_answers_are_remembered_of_so_many_addresses_only():
    answering = Answering(json(200, TOPOLOGY))
    for number in range(SHARED_LIMIT + 1):
        await answering.rest.topology(f"http://ua-{number}")
    assert len(answering.rest._shared) == 1


@on_virtual_time
async def test_closing_calls_off_what_is_asked_for_all_and_leaves_a_given_client_open():
    answering = Answering()
    async with answering.rest:
        asking = asyncio.create_task(answering.rest.topology("http://ua"))
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await asking
    answering.answer = json(200, TOPOLOGY)
    assert await answering.rest.topology("http://ua") is not None


@on_virtual_time
async def test_a_client_of_its_own_is_made_when_it_is_needed_and_opened_anew_after_closing():
    rest = Rest(tls=trust_of_system())
    assert rest._own is None
    first = rest._http
    assert rest._http is first
    await rest.close()
    assert first.is_closed
    assert not rest._http.is_closed
    await rest.close()


def test_secrets_are_not_shown():
    opened = Opened(session="s1", token="secret", ticket="secret")
    assert "secret" not in repr(opened)
