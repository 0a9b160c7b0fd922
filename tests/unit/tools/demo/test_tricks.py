import json
import shlex

import httpx
import pytest

from unified_agent.tools.demo.plan import DIALLER_NAMES
from unified_agent.tools.demo.tricks import AES, BY_KEY, DIALLERS, TRICKS, Trick, play

CONTROLS = {AES: "http://127.0.0.1:1", DIALLER_NAMES[0]: "http://127.0.0.1:2", DIALLER_NAMES[1]: "http://127.0.0.1:3"}


def client(answers: dict[str, tuple[int, object]], asked: list[tuple[str, object]]) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url), json.loads(request.content)))
        status, body = answers[f"{request.url.scheme}://{request.url.host}:{request.url.port}"]
        if body is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status, json=body)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def test_every_key_is_used_once_and_a_capital_undoes_its_small_letter() -> None:
    keys = [trick.key for group in TRICKS for trick in group]
    assert len(keys) == len(set(keys)) == len(BY_KEY)
    assert not set(keys) & {"q", "Q", "i", "?"}
    for group in TRICKS:
        assert [trick.key for trick in group] == [group[0].key, group[0].key.upper()][: len(group)]


@pytest.mark.parametrize("trick", BY_KEY.values(), ids=BY_KEY)
@pytest.mark.asyncio
async def test_a_command_posts_just_what_its_key_posts(trick: Trick) -> None:
    asked: list[tuple[str, object]] = []
    async with client({url: (200, {}) for url in CONTROLS.values()}, asked) as http:
        await play(trick, CONTROLS, http)
    curl, dash_d, body, url = shlex.split(trick.command(CONTROLS))
    assert (curl, dash_d) == ("curl", "-d")
    assert (url, json.loads(body)) == asked[0]


@pytest.mark.asyncio
async def test_what_concerns_the_diallers_is_good_when_one_accepts() -> None:
    answers = {
        CONTROLS[DIALLER_NAMES[0]]: (404, {"detail": "nobody"}),
        CONTROLS[DIALLER_NAMES[1]]: (200, {"agents": 1}),
    }
    trick = Trick(key="t", title="it happened", where=DIALLERS, path="/x", body={})
    async with client(answers, []) as http:
        assert await play(trick, CONTROLS, http) == "it happened  (dialler-2: agents 1)"


@pytest.mark.asyncio
async def test_a_refusal_and_a_silence_are_told_with_their_reasons() -> None:
    answers: dict[str, tuple[int, object]] = {
        CONTROLS[DIALLER_NAMES[0]]: (404, {"detail": "nobody"}),
        CONTROLS[DIALLER_NAMES[1]]: (0, None),
    }
    trick = Trick(key="t", title="it happened", where=DIALLERS, path="/x", body={})
    async with client(answers, []) as http:
        told = await play(trick, CONTROLS, http)
    assert told == "nothing happened  (dialler-1: nobody; dialler-2: no answer, ConnectError)"
