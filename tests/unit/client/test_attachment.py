"""One connection of a desk to one server."""

import asyncio

import pytest
from tests.unit.client.fakes import Site, Wire, now_s, on_virtual_time

from unified_agent.client.attachment import CLOSE_LIMIT_S, OPEN_LIMIT_S, Attachment, End, Keys
from unified_agent.client.connection import TextHandler


class Owning:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.ends: list[End] = []
        self.gone = 0

    def frame_received(self, attachment: Attachment, data: bytes) -> None:
        self.frames.append(data)

    def attachment_ended(self, attachment: Attachment, end: End) -> None:
        self.ends.append(end)

    def attachment_gone(self, attachment: Attachment) -> None:
        self.gone += 1


def keys(url: str = "http://a", ticket: str = "x") -> Keys:
    return Keys(number=0, url=url, session="s1", token="t", ticket=ticket)


async def opened(site: Site, owner: Owning) -> Attachment:
    return await Attachment.open("http://a", owner, site.open)


@on_virtual_time
async def test_it_says_hello_with_its_place_and_waits_for_the_view():
    site, owner = Site("a"), Owning()
    site["a"].tokens.add("t")
    attachment = await opened(site, owner)
    greeting = asyncio.create_task(attachment.greet(keys(), (3, 17), "client"))
    await asyncio.sleep(1.0)
    assert not greeting.done()
    assert site["a"].wire.heard == [{"type": "hello", "token": "t", "epoch": 3, "seq": 17, "client": "client"}]
    attachment.live_s = now_s()
    attachment.settle()
    assert await greeting


@on_virtual_time
async def test_a_server_that_closes_instead_ends_the_greeting():
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    assert not await attachment.greet(keys(), (None, None), "client")
    assert attachment.end is not None
    assert attachment.end.id == "session.unknown"
    assert not await attachment.greet(keys(), (None, None), "client")


@on_virtual_time
@pytest.mark.parametrize(
    ("code", "id_"),
    [
        (4400, "protocol.frame"),
        (4401, "session.unknown"),
        (4409, "taken-over"),
        (4410, "session.ended"),
        (4420, "session.moved"),
        (1012, ""),
        (1006, ""),
    ],
)
async def test_what_a_close_code_means_is_told_once(code, id_):
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    site["a"].wire.lose(code, "why")
    attachment.finish(End(id="late"))
    assert owner.ends == [attachment.end] == [End(id=id_, code=code, reason="why")]
    assert owner.gone == 1
    attachment.send(b"late")
    attachment.cut()
    assert not attachment.let_go()


@on_virtual_time
async def test_the_first_end_counts_and_the_closing_is_told_all_the_same():
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    attachment.finish(End(id="taken-over"))
    site["a"].wire.lose(4410)
    assert [end.id for end in owner.ends] == ["taken-over"]
    assert owner.gone == 1


@on_virtual_time
async def test_times_of_hearing_and_saying_are_kept():
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    await asyncio.sleep(2.0)
    attachment.send(b'{"type":"beat"}')
    await asyncio.sleep(1.0)
    site["a"].wire.say({"type": "beat"})
    assert (attachment.said_s, attachment.heard_s) == (pytest.approx(2.01), pytest.approx(3.01))
    assert owner.frames == [b'{"type":"beat"}']


@on_virtual_time
async def test_a_server_that_does_not_answer_our_close_is_cut():
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    site["a"].wire.answers_close = False
    assert attachment.let_go()
    assert site["a"].wire.open
    await asyncio.sleep(CLOSE_LIMIT_S + 0.01)
    assert not site["a"].wire.open
    assert owner.gone == 1


@on_virtual_time
async def test_a_server_that_answers_it_is_gone_at_once():
    site, owner = Site("a"), Owning()
    attachment = await opened(site, owner)
    assert not attachment.let_go()
    assert owner.gone == 1


@on_virtual_time
async def test_a_server_that_does_not_open_has_its_limit_and_one_that_closes_at_once_is_not_open():
    site, owner = Site("a"), Owning()
    site["a"].freeze()
    with pytest.raises(TimeoutError):
        await opened(site, owner)
    assert now_s() == OPEN_LIMIT_S

    async def closing(url: str, handler: TextHandler, limit_s: float) -> Wire:
        wire = Wire(site["a"], handler)
        wire.lose(1012)
        return wire

    with pytest.raises(ConnectionResetError):
        await Attachment.open("http://a", owner, closing)


def test_the_ticket_is_needed_where_the_token_is_not_known():
    assert not keys().need_ticket("http://a")
    assert keys().need_ticket("http://b")
    assert not keys(ticket="").need_ticket("http://b")
    refused = keys()
    refused.refused = True
    assert refused.need_ticket("http://a")


def test_keys_are_not_shown():
    shown = repr(Keys(number=0, url="http://a", session="s1", token="hidden", ticket="hidden"))
    assert "http://a" in shown
    assert "hidden" not in shown
