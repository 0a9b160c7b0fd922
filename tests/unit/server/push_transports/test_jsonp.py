"""What pages ask by scripts with a token: polls, commands once each, positions."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import msgspec
import pytest
from tests.unit.server.serving import SETTINGS, Desktop, World

from unified_agent.server.failures import RequestRefused
from unified_agent.server.jsonp_tokens import JsonpTokens
from unified_agent.server.push_transports.held import HeldConnections
from unified_agent.server.push_transports.jsonp import FRAMES_LIMIT, Asked, Envelope, JsonpPush

pytestmark = pytest.mark.asyncio
READY = '{"type":"set-mode","mode":"ready"}'


class Office:
    """A world with one page that shows a session by scripts."""

    def __init__(self) -> None:
        self.world = World()
        numbers = count()
        self.tokens = JsonpTokens(lambda size: f"secret-{next(numbers)}", self.world.clock, 300.0)
        connections = HeldConnections(lambda: f"c{len(connections)}")
        self.connections = connections
        self.push = JsonpPush(self.world.desks, connections, self.tokens, SETTINGS.desktop, self.world.clock)

    async def open(self, **parameters: str) -> Envelope:
        self.session, self.bearer = await self.world.log_in()
        self.page, self.token = self.tokens.issue(self.session, self.bearer, "c1", None)
        return await self.poll(**parameters)

    async def poll(self, **parameters: str) -> Envelope:
        return await self.push.poll(self.page, Asked(parameters, None))

    async def command(self, **parameters: str) -> Any:
        return (await self.push.command(self.page, Asked(parameters, None))).result

    def nonce(self) -> str:
        return self.tokens.nonce(self.page)

    def asked(self) -> int:
        return len(self.world.state(self.session).commands)


def types(envelope: Envelope) -> list[str]:
    return [msgspec.json.decode(each)["type"] for each in envelope.events]


async def refusal(asking: Any) -> str:
    with pytest.raises(RequestRefused) as caught:
        await asking
    return caught.value.id


async def test_a_first_poll_opens_and_says_where_the_stream_is():
    office = Office()
    opened = await office.open(ack="0", epoch="", seq="")
    assert types(opened) == ["welcome", "snapshot", "topology", "ticket"]
    snapshot = msgspec.json.decode(opened.events[1])
    assert opened.position is not None
    assert (opened.position.epoch, opened.position.seq) == (snapshot["epoch"], snapshot["seq"])
    assert (opened.reply, opened.hold_s, opened.closed) == (1, SETTINGS.desktop.poll_hold_s, None)
    assert 'ua_connections{transport="jsonp"} 1.0' in office.world.metrics.render().decode()


async def test_a_page_that_comes_back_gets_what_it_missed_in_the_place_of_its_former_connection():
    office = Office()
    opened = await office.open()
    assert opened.position is not None
    former = office.page.poll
    epoch, seq = str(opened.position.epoch), str(opened.position.seq)
    resumed = await office.poll(ack="0", epoch=epoch, seq=seq)
    assert types(resumed) == ["welcome", "topology", "ticket"]
    assert resumed.position == opened.position
    assert former is not None
    assert former.end is not None
    assert former.end.code == 1000
    office.world.tell(office.session, "missed")
    resumed = await office.poll(ack="0", epoch=epoch, seq=seq)
    assert types(resumed) == ["welcome", "message-arrived", "topology", "ticket"]
    assert resumed.position is not None
    assert resumed.position.seq == int(seq) + 1


async def test_events_and_their_size_are_those_of_the_script():
    office = Office()
    await office.open()
    office.world.tell(office.session, "</script>\u2028" * 10)
    held: Any = office.page.poll
    (frame,) = [each for each in held._frames if b"message-arrived" in each]
    assert b"<" not in frame
    assert b"\\u003c/script\\u003e\\u2028" in frame
    told = await office.poll(ack="1")
    (event,) = told.events
    assert msgspec.json.decode(event)["data"]["message"]["text"] == "</script>\u2028" * 10


async def test_a_poll_without_a_connection_or_of_another_one_says_so():
    office = Office()
    office.session, office.bearer = await office.world.log_in()
    office.page, _ = office.tokens.issue(office.session, office.bearer, "c1", None)
    assert await refusal(office.poll(ack="1")) == "connection.unknown"
    await office.poll(ack="0")
    assert await refusal(office.poll(ack="7")) == "connection.unknown"


@pytest.mark.parametrize(
    "parameters",
    [
        {"ack": "x"},
        {"ack": "1.5"},
        {"epoch": "x"},
        {"seq": "9" * 40},
        {"frames": "x"},
        {"frames": "{}"},
        {"frames": "[" + ",".join(["{}"] * (FRAMES_LIMIT + 1)) + "]", "nonce": "n"},
    ],
)
async def test_a_parameter_that_is_not_as_described_is_refused(parameters):
    office = Office()
    await office.open()
    known = office.page.poll
    assert await refusal(office.poll(**parameters)) == "request.invalid"
    assert office.page.poll is known


async def test_frames_of_a_poll_need_a_nonce_and_its_repeat_says_nothing_twice():
    office = Office()
    await office.open()
    frames = f'[{{"type":"command","id":"c1-1","command":{READY}}}]'
    assert await refusal(office.poll(ack="1", frames=frames)) == "request.invalid"
    assert await refusal(office.poll(ack="1", frames=frames, nonce="guessed")) == "jsonp.nonce"
    assert office.asked() == 0
    nonce = office.nonce()
    first = await office.poll(ack="1", frames=frames, nonce=nonce)
    again = await office.poll(ack="1", frames=frames, nonce=nonce)
    assert types(first).count("answer") == types(again).count("answer") == 1
    assert office.asked() == 1
    other = frames.replace("c1-1", "c1-2")
    assert await refusal(office.poll(ack="1", frames=other, nonce=nonce)) == "jsonp.nonce"


async def test_a_command_is_done_once_with_its_nonce_and_a_repeat_is_answered_from_memory():
    office = Office()
    await office.open()
    nonce = office.nonce()
    first = await office.command(id="c1-1", command=READY, nonce=nonce)
    again = await office.command(id="c1-1", command=READY, nonce=nonce)
    assert first == again
    assert (first.id, first.type) == ("c1-1", "set-mode")
    assert office.asked() == 1
    assert await refusal(office.command(id="c1-2", command=READY, nonce=nonce)) == "jsonp.nonce"
    assert await refusal(office.command(id="c1-2", command=READY, nonce="guessed")) == "jsonp.nonce"
    assert await refusal(office.command(id="c1-2", command=READY)) == "request.invalid"
    assert office.asked() == 1


@pytest.mark.parametrize(
    ("parameters", "failure"),
    [
        ({"id": "c1-1", "command": "{}"}, "command.invalid"),
        ({"id": "c1-1", "command": "x"}, "command.invalid"),
        ({"id": "", "command": READY}, "request.invalid"),
        ({"id": "a b", "command": READY}, "request.invalid"),
        ({"command": READY}, "request.invalid"),
        ({"id": "c1-1"}, "request.invalid"),
    ],
)
async def test_a_command_that_is_not_as_described_leaves_the_nonce_good(parameters, failure):
    office = Office()
    await office.open()
    nonce = office.nonce()
    assert await refusal(office.command(nonce=nonce, **parameters)) == failure
    assert (await office.command(id="c1-1", command=READY, nonce=nonce)).id == "c1-1"


async def test_the_outcome_of_a_command_can_be_asked_for_and_what_became_of_one_elsewhere():
    office = Office()
    await office.open()
    asked = Asked({"id": "c1-1"}, None)
    assert await refusal(office.push.outcome(office.page, asked)) == "command.unknown"
    done = await office.command(id="c1-1", command=READY, nonce=office.nonce())
    assert (await office.push.outcome(office.page, asked)).result == done
    nonce = office.nonce()
    doubted = Asked({"id": "c9-1", "command": READY, "nonce": nonce}, None)
    first = (await office.push.resolve(office.page, doubted)).result
    again = (await office.push.resolve(office.page, doubted)).result
    assert first == again
    assert first.id == "c9-1"
    without = Asked({"id": "c9-2", "command": READY, "nonce": nonce}, None)
    assert await refusal(office.push.resolve(office.page, without)) == "jsonp.nonce"


async def test_whoever_lost_the_session_may_ask_for_nothing_and_hears_why():
    office = Office()
    await office.open()
    nonce = office.nonce()
    _, newer = await office.world.log_in()
    assert newer != office.bearer
    assert await refusal(office.command(id="c1-1", command=READY, nonce=nonce)) == "taken-over"
    assert await refusal(office.push.outcome(office.page, Asked({"id": "c1-1"}, None))) == "taken-over"
    last = await office.poll(ack="1")
    assert types(last) == ["refused"]
    assert last.closed is not None
    assert last.closed.code == 4409
    again = await office.poll(ack="0")
    assert types(again) == ["refused"]
    assert again.closed is not None
    assert again.closed.code == 4409


async def test_of_two_polls_the_first_is_told_that_it_is_superseded():
    office = Office()
    await office.open()
    first = asyncio.create_task(office.poll(ack="1"))
    await asyncio.sleep(0)
    second = asyncio.create_task(office.poll(ack="1"))
    superseded = await first
    assert superseded.superseded is True
    assert superseded.events == ()
    office.world.tell(office.session)
    assert types(await second) == ["message-arrived"]


async def test_a_command_is_a_sign_of_life():
    office = Office()
    await office.open()
    for number in range(4):
        office.world.clock.advance(10.0)
        await office.command(id=f"c1-{number}", command=READY, nonce=office.nonce())
        for portion in office.world.desks._portions:
            for each in tuple(portion):
                each.look_after(office.world.clock.now_s(), b"{}")
    assert office.page.poll is not None
    assert office.page.poll.is_open


async def test_an_answer_says_what_to_use_next():
    office = Office()
    opened = await office.open()
    asked = Asked({"token": office.token}, None)
    early = office.push.furnish(opened, office.page, asked)
    assert early.next_token == ""
    assert office.page.spend(early.next_nonce, "command")
    office.world.clock.advance(200.0)
    late = office.push.furnish(opened, office.page, asked)
    assert office.tokens.find(late.next_token, "c1", None) is office.page


async def test_a_websocket_of_the_same_page_replaces_it_silently():
    office = Office()
    await office.open()
    Desktop(office.world).hello(office.bearer, client="c1")
    last = await office.poll(ack="1")
    assert last.closed is not None
    assert (types(last), last.closed.code) == ([], 1000)


async def test_a_page_is_that_of_its_token_client_and_origin():
    office = Office()
    await office.open()
    good = {"token": office.token, "client": "c1"}
    assert office.push.page_of(Asked(good, None)) is office.page
    for wrong in ({**good, "client": "c2"}, {**good, "token": "x"}, {"token": office.token}):
        with pytest.raises(RequestRefused):
            office.push.page_of(Asked(wrong, None))
