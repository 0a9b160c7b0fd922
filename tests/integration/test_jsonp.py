"""Scripts on real sockets, by the list of what may go wrong with them: docs/explanation/jsonp.md."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.integration.house import play
from tests.integration.pages import CALLER, LIMIT_S, Place, Script, ScriptPage, place

pytestmark = pytest.mark.integration

SCRIPT = {"Referer": f"{CALLER}/record", "Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "cross-site"}
READY = '{"type":"set-mode","mode":"ready"}'


class Office:
    """One page with its token, and the session that it shows."""

    def __init__(self, at: Place, session: Any, page: ScriptPage) -> None:
        self.at = at
        self.session = session
        self.page = page

    async def get(self, path: str, parameters: Any = None, *, headers: Any = None, **more: str) -> httpx.Response:
        """Ask as anybody may."""
        given = parameters or {"callback": "cb", "client": "c1", "token": self.page.short, **more}
        async with httpx.AsyncClient(base_url=self.at.url, timeout=LIMIT_S) as client:
            return await client.get(f"/v1/jsonp/{path}", params=given, headers=SCRIPT if headers is None else headers)

    def asked(self) -> list[str]:
        """Which commands were taken."""
        return [each.id for each in self.at.world.state(self.session).commands]

    async def held(self) -> None:
        """Wait until a poll is being held."""
        connections: Any = self.at.world.server.push.connections
        async with asyncio.timeout(LIMIT_S):
            while not any(each._awaited is not None for each in connections._held.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


def story(steps: Any) -> None:
    """Run a story in an office whose page has opened its connection."""

    async def main() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            page = ScriptPage(at, token)
            try:
                await page._open((None, None))
                await steps(Office(at, session, page))
            finally:
                await page.cut()

    play(main())


def problem(answer: httpx.Response) -> tuple[int, str]:
    """See that an answer is a plain problem and nothing that runs."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.status_code, answer.json()["id"]


def failure(answer: httpx.Response) -> str:
    """See that an answer is a script that tells of a failure."""
    assert answer.status_code == 200
    envelope = Script(answer.text).envelope
    assert envelope["ok"] is False
    return str(envelope["error"]["id"])


BAD_CALLBACKS = (
    "",
    "alert(1)",
    "a;b",
    "a[0]",
    "a['b']",
    "1a",
    "a b",
    "a\n",
    "a.b.c.d.e",
    "a..b",
    ".a",
    "x" * 65,
    ".".join(["x" * 40] * 4),
    "é",
    "a\u2028",
    "<script>",
    "a/*",
    "a=1",
    "new",
    "a.constructor",
    "a.__proto__",
    "eval",
    "this.a",
    "CWSMIKI0hCD0Up0IZUnnnnnnnnnnnnnnnnnnnUU5nnnnnn3Snn7YNqdIbeUUUfV13333333333333333s03sDTVqefXAxooooD0C",
)


def test_a_bad_callback_of_each_class_gets_no_script() -> None:
    async def steps(office: Office) -> None:
        for callback in BAD_CALLBACKS:
            answer = await office.get("config", {"callback": callback})
            assert problem(answer) == (400, "jsonp.callback"), callback
            assert not callback or callback not in answer.text

    story(steps)


def test_a_missing_or_repeated_callback_gets_no_script() -> None:
    async def steps(office: Office) -> None:
        assert problem(await office.get("config", {"a": "b"})) == (400, "jsonp.callback")
        for pairs in ([("callback", "a"), ("callback", "b")], [("callback", "a"), ("token", "x"), ("token", "x")]):
            assert problem(await office.get("config", pairs)) == (400, "request.invalid")

    story(steps)


def test_prefix_charset_and_headers_are_exactly_these() -> None:
    async def steps(office: Office) -> None:
        answer = await office.get("config", {"callback": "a.b"})
        assert answer.content.startswith(b"/**/typeof a.b==='function'&&a.b({\"ok\":true,")
        assert answer.content.endswith(b"});")
        assert not set("<>&\u2028\u2029") & set(answer.text.replace("&&a.b(", "", 1))
        headers = dict(answer.headers)
        assert headers.pop("x-correlation-id")
        assert headers.pop("date")
        assert headers.pop("content-security-policy")
        assert headers == {
            "content-type": "text/javascript; charset=utf-8",
            "content-length": str(len(answer.content)),
            "content-disposition": 'attachment; filename="f.txt"',
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "cross-origin",
            "cross-origin-opener-policy": "same-origin",
        }

    story(steps)


def test_what_a_customer_is_called_cannot_leave_its_string() -> None:
    async def steps(office: Office) -> None:
        nasty = "</script><script>alert(1)</script>\u2028\u2029&<!--"
        office.at.world.tell(office.session, nasty)
        answer = await office.get("poll", ack="1")
        assert not set("<>&\u2028\u2029") & set(answer.text.replace("&&cb(", "", 1))
        (event,) = Script(answer.text).envelope["events"]
        assert event["data"]["message"]["text"] == nasty

    story(steps)


def test_a_token_is_of_no_use_to_another_client_or_origin_or_after_its_time() -> None:
    async def steps(office: Office) -> None:
        token = office.page.short
        other = {"callback": "cb", "client": "c2", "token": token, "ack": "1"}
        assert failure(await office.get("poll", other)) == "jsonp.token"
        ours = {**SCRIPT, "Origin": office.at.url}
        assert failure(await office.get("poll", ack="1", headers=ours)) == "jsonp.token"
        assert failure(await office.get("poll", {**other, "client": "c1", "token": ""})) == "jsonp.token"
        async with httpx.AsyncClient(base_url=office.at.url) as client:
            by_rest = await client.get("/v1/session", headers={"Authorization": f"Bearer {token}"})
        assert problem(by_rest) == (401, "session.unknown")
        office.at.world.clock.advance(160.0)
        envelope = await office.page.ask("outcome", id="c1-1")
        assert envelope["next_token"] not in {"", token}
        office.at.world.clock.advance(145.0)
        assert failure(await office.get("outcome", {**other, "client": "c1", "id": "x"})) == "jsonp.token"
        assert (await office.page.ask("outcome", id="c1-1"))["error"]["id"] == "command.unknown"

    story(steps)


def test_a_nonce_does_one_thing_and_its_replay_changes_nothing() -> None:
    async def steps(office: Office) -> None:
        nonce = office.page.nonce
        first = Script((await office.get("command", id="c1-1", command=READY, nonce=nonce)).text).envelope
        for _ in range(3):  # a proxy, a scanner, somebody who read a log
            replayed = Script((await office.get("command", id="c1-1", command=READY, nonce=nonce)).text).envelope
            assert replayed["result"] == first["result"]
        for id_, used in (("c1-2", nonce), ("c1-3", "guessed"), ("c1-4", "")):
            assert failure(await office.get("command", id=id_, command=READY, nonce=used)) == "jsonp.nonce"
        assert failure(await office.get("command", id="c1-5", command=READY)) == "request.invalid"
        assert office.asked() == ["c1-1"]

    story(steps)


@pytest.mark.parametrize(
    "headers",
    [
        {**SCRIPT, "Origin": "https://evil.example"},
        {**SCRIPT, "Origin": "null"},
        {**SCRIPT, "Referer": "https://evil.example/"},
        {**SCRIPT, "Sec-Fetch-Dest": "document"},
        {**SCRIPT, "Sec-Fetch-Dest": "image"},
        {**SCRIPT, "Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
    ids=["origin", "no origin", "referrer", "opened", "image", "ahead", "no element", "nothing"],
)
def test_a_foreign_page_and_whoever_is_no_page_get_no_script(headers: dict[str, str]) -> None:
    async def steps(office: Office) -> None:
        for path, more in (("config", {}), ("command", {"id": "c1-1", "command": READY, "nonce": office.page.nonce})):
            assert problem(await office.get(path, headers=headers, **more)) == (403, "jsonp.caller")
        assert office.asked() == []

    story(steps)


def test_a_page_without_referrer_may_ask_by_a_script_element() -> None:
    async def steps(office: Office) -> None:
        headers = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "cross-site"}
        assert Script((await office.get("config", headers=headers)).text).envelope["ok"]

    story(steps)


def test_a_cookie_gives_nothing_and_takes_nothing() -> None:
    async def steps(office: Office) -> None:
        for cookie in ("session=abc", "JSESSIONID=x.ua-1; other=1", f"token={office.page.short}"):
            headers = {**SCRIPT, "Cookie": cookie}
            with_token = await office.get("config", headers=headers)
            assert Script(with_token.text).envelope["ok"]
            assert "set-cookie" not in with_token.headers
            without = Script(
                (await office.get("poll", {"callback": "cb", "client": "c1", "ack": "1"}, headers=headers)).text
            ).envelope
            assert (without["ok"], without["error"]["id"]) == (False, "request.invalid")
            wrong = Script((await office.get("poll", ack="1", token="x", headers=headers)).text).envelope
            assert (wrong["ok"], wrong["error"]["id"]) == (False, "jsonp.token")

    story(steps)


def test_of_two_polls_the_first_is_answered_at_once_as_superseded() -> None:
    async def steps(office: Office) -> None:
        first = asyncio.create_task(office.get("poll", ack="1"))
        await office.held()
        second = asyncio.create_task(office.get("poll", ack="1"))
        superseded = Script((await first).text).envelope
        assert (superseded["ok"], superseded["superseded"], superseded["events"]) == (True, True, [])
        office.at.world.tell(office.session, "1")
        envelope = Script((await second).text).envelope
        assert [each["type"] for each in envelope["events"]] == ["message-arrived"]
        assert "superseded" not in envelope

    story(steps)


def test_a_late_answer_is_known_by_its_number_and_what_it_held_is_given_again() -> None:
    async def steps(office: Office) -> None:
        office.at.world.tell(office.session, "1")
        late = Script((await office.get("poll", ack="1")).text).envelope  # the page has given up waiting for this one
        again = Script((await office.get("poll", ack="1")).text).envelope
        assert late["reply"] < again["reply"]
        assert late["events"] == again["events"]
        office.at.world.tell(office.session, "2")
        after = Script((await office.get("poll", ack=str(again["reply"]))).text).envelope
        assert [each["data"]["message"]["text"] for each in after["events"]] == ["2"]

    story(steps)


def test_a_frozen_server_can_be_told_because_a_poll_is_answered_within_the_hold() -> None:
    async def steps(office: Office) -> None:
        opened = await office.page.ask("poll", ack="0")
        hold_s = opened["hold_s"]
        assert hold_s == 8.0
        held = asyncio.create_task(office.get("poll", ack="1"))
        await office.held()
        office.at.world.clock.advance(hold_s - 0.1)
        await asyncio.sleep(0.05)
        assert not held.done()
        office.at.world.clock.advance(0.2)
        envelope = Script((await held).text).envelope
        assert [each["type"] for each in envelope["events"]] == ["beat"]
        # A page that gives up a poll sooner loses nothing by it.
        given_up = asyncio.create_task(office.get("poll", ack=str(envelope["reply"])))
        await office.held()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        office.at.world.tell(office.session, "1")
        told = Script((await office.get("poll", ack=str(envelope["reply"]))).text).envelope
        assert [each["type"] for each in told["events"]] == ["message-arrived"]

    story(steps)


def test_a_url_of_2000_characters_is_answered_and_one_of_2001_is_told_that_it_is_too_long() -> None:
    async def steps(office: Office) -> None:
        query = {"callback": "cb", "client": "c1", "token": office.page.short, "id": "c1-1", "padding": ""}
        start = f"{office.at.url}/v1/jsonp/outcome?{urlencode(query)}"
        for length, expected in ((2_000, "command.unknown"), (2_001, "jsonp.too-long")):
            async with httpx.AsyncClient() as client:
                url = start + "x" * (length - len(start))
                assert len(url) == length
                assert failure(await client.get(url, headers=SCRIPT)) == expected

    story(steps)


def test_an_answer_has_at_most_100_events_and_says_that_there_are_more() -> None:
    async def steps(office: Office) -> None:
        for number in range(150):
            office.at.world.tell(office.session, str(number))
        first = Script((await office.get("poll", ack="1")).text).envelope
        second = Script((await office.get("poll", ack=str(first["reply"]))).text).envelope
        assert (len(first["events"]), first["more"]) == (100, True)
        assert (len(second["events"]), second["more"]) == (50, False)
        assert second["position"]["seq"] == second["events"][-1]["seq"]

    story(steps)


def test_an_answer_has_at_most_256_kib_as_it_is_written() -> None:
    async def steps(office: Office) -> None:
        ack, got, more = "1", 0, True
        for _ in range(6):
            office.at.world.tell(office.session, "<" * 10_000)
        while more:
            answer = await office.get("poll", ack=ack)
            assert len(answer.content) <= 262_144
            envelope = Script(answer.text).envelope
            ack, got, more = str(envelope["reply"]), got + len(envelope["events"]), envelope["more"]
        assert got > 0

    story(steps)
