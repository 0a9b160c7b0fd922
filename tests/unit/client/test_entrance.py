"""A desk's way into servers."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.unit.client.fakes import Site, now_s, on_virtual_time

from unified_agent.client.attachment import Attachment, End, Keys
from unified_agent.client.entrance import HELLO_LIMIT_S, PATIENCE_S, Entrance
from unified_agent.client.errors import SessionOver
from unified_agent.client.reaching import STAGGER_S
from unified_agent.client.servers import Servers


class Visitor:
    """Owns attachments; live is whoever sends a snapshot or has resumed."""

    def __init__(self, site: Site, *, session_at: str = "a", ticket: bool = True) -> None:
        self.site = site
        self.let_go: list[str] = []
        self.servers = Servers([each.url for each in site.servers.values()], "5001")
        opened = site[session_at].issue()
        keys = Keys(
            number=0,
            url=site[session_at].url,
            session="s1",
            token=opened["token"],
            ticket=opened["ticket"] if ticket else "",
        )
        self.entrance = Entrance(
            self,
            keys,
            client="client",
            servers=self.servers,
            rest=site.rest,
            opener=site.open,
            let_go=self._let_go,
            chance=site.chance,
        )

    async def enter(self, *names: str, **more: Any) -> str:
        """Try servers; return the one that took us, or an empty string."""
        urls = [self.site[name].url for name in names]
        entered = await self.entrance.enter_one(urls, lambda: (1, 4), **more)
        return self.entrance.keys.url.removeprefix("http://") if entered else ""

    def frame_received(self, attachment: Attachment, data: bytes) -> None:
        if attachment is self.entrance.guest and b'"snapshot"' in data:
            attachment.live_s = now_s()
            self.entrance.guest = None
            attachment.settle()

    def attachment_ended(self, attachment: Attachment, end: End) -> None:
        """Know it from ``Attachment.end``."""

    def attachment_gone(self, attachment: Attachment) -> None:
        """Nobody waits."""

    def _let_go(self, attachment: Attachment) -> None:
        self.let_go.append(attachment.url.removeprefix("http://"))
        attachment.let_go()


def refused(site: Site, name: str, status: int, id_: str, **more: Any) -> None:
    site[name].refusal = status, {"id": id_, "detail": "", "retry": "never", **more}


def sent_on(site: Site, name: str, to: str) -> None:
    refused(site, name, 421, "instance.elsewhere", next={"id": to, "url": f"http://{to}/"})


@on_virtual_time
async def test_where_the_token_is_known_no_ticket_is_shown():
    visitor = Visitor(Site("a", "b"))
    assert await visitor.enter("a", "b") == "a"
    assert visitor.site["a"].asked == []
    assert visitor.let_go == []


@on_virtual_time
async def test_elsewhere_the_ticket_brings_new_keys():
    visitor = Visitor(Site("a", "b"))
    assert await visitor.enter("b") == "b"
    (asked,) = visitor.site["b"].requests("/v1/session/resume")
    assert asked == {"ticket": "ticket of a-1", "token": "a-1"}
    keys = visitor.entrance.keys
    assert (keys.number, keys.token, keys.ticket, keys.refused) == (1, "b-1", "ticket of b-1", False)
    hello = visitor.site["b"].wire.heard[0]
    assert (hello["token"], hello["epoch"], hello["seq"]) == ("b-1", 1, 4)


@on_virtual_time
async def test_a_frozen_server_is_passed_over_and_nothing_is_asked_of_it():
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].freeze()
    assert await visitor.enter("a", "b") == "b"
    assert now_s() < PATIENCE_S + 0.1
    assert visitor.site["a"].asked == []


@on_virtual_time
async def test_a_server_that_has_forgotten_us_is_shown_the_ticket():
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].tokens.clear()
    assert await visitor.enter("a", "b") == "a"
    assert len(visitor.site["a"].requests("/v1/session/resume")) == 1
    assert visitor.entrance.keys.number == 1
    assert visitor.let_go == ["a"]


@on_virtual_time
async def test_a_session_that_has_moved_is_found_by_the_ticket():
    visitor = Visitor(Site("a", "b", "c"))
    visitor.site["a"].hello_refusal = "session.moved"
    sent_on(visitor.site, "a", "c")
    assert await visitor.enter("a", "b", "c") == "c"
    assert visitor.site["b"].asked == []


@on_virtual_time
async def test_without_a_ticket_a_forgotten_token_is_the_end():
    visitor = Visitor(Site("a", "b"), ticket=False)
    visitor.site["a"].tokens.clear()
    with pytest.raises(SessionOver, match=r"session\.unknown"):
        await visitor.enter("a", "b")


@on_virtual_time
async def test_a_token_that_is_refused_right_after_it_was_given_is_no_way_in():
    visitor = Visitor(Site("a", "b"))
    visitor.site["b"].hello_refusal = "session.unknown"
    assert await visitor.enter("b") == ""
    assert len(visitor.site["b"].requests("/v1/session/resume")) == 1
    visitor.site["b"].hello_refusal = ""
    assert await visitor.enter("b") == "b"


@on_virtual_time
async def test_a_redirect_is_followed_three_times_and_no_server_twice_in_vain():
    visitor = Visitor(Site("a", "b", "c", "d", "e", "f"))
    for name, to in zip("bcde", "cdef", strict=True):
        sent_on(visitor.site, name, to)
    assert await visitor.enter("b", "a") == "a"
    assert visitor.site["e"].requests("/v1/session/resume")
    assert not visitor.site["f"].wires


@on_virtual_time
async def test_a_redirect_to_one_that_is_gone_is_not_followed_again():
    visitor = Visitor(Site("a", "b", "c"))
    visitor.site["a"].state = "gone"
    sent_on(visitor.site, "b", "a")
    assert await visitor.enter("b", "c") == "c"
    assert [name for _, name in visitor.site.opened] == ["b", "a", "c"]


@on_virtual_time
async def test_whoever_is_sent_back_to_where_it_is_stays_there():
    visitor = Visitor(Site("a", "b"))
    sent_on(visitor.site, "b", "a")
    assert await visitor.enter("b", present="http://a") == ""
    assert [name for _, name in visitor.site.opened] == ["b"]


@on_virtual_time
@pytest.mark.parametrize(("status", "id_"), [(423, "taken-over"), (410, "session.ended")])
async def test_a_refusal_that_all_would_give_is_the_end(status, id_):
    visitor = Visitor(Site("a", "b", "c"))
    refused(visitor.site, "b", status, id_)
    with pytest.raises(SessionOver, match=id_):
        await visitor.enter("b", "c")
    assert visitor.let_go == ["b"]


@on_virtual_time
@pytest.mark.parametrize("id_", ["taken-over", "session.ended", "protocol.hello"])
async def test_a_hello_that_is_refused_for_good_is_the_end(id_):
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].hello_refusal = id_
    with pytest.raises(SessionOver, match=id_):
        await visitor.enter("a", "b")


@on_virtual_time
async def test_a_ticket_that_one_does_not_take_another_may():
    visitor = Visitor(Site("a", "b", "c"))
    refused(visitor.site, "b", 401, "ticket.invalid")
    assert await visitor.enter("b", "c") == "c"


@on_virtual_time
async def test_a_ticket_that_nobody_takes_now_or_later_is_the_end_unless_somebody_serves_us():
    visitor = Visitor(Site("a", "b", "c"))
    visitor.site["a"].state = "gone"
    for name in "bc":
        refused(visitor.site, name, 401, "ticket.invalid")
    assert await visitor.enter("b", "c", present="http://a") == ""
    with pytest.raises(SessionOver, match=r"ticket\.invalid"):
        await visitor.enter("a", "b", "c")


@on_virtual_time
async def test_while_one_may_take_it_later_it_is_not_the_end():
    visitor = Visitor(Site("a", "b", "c"))
    refused(visitor.site, "b", 409, "station.in-use")
    refused(visitor.site, "c", 503, "instance.full", retry="elsewhere")
    assert await visitor.enter("b", "c") == ""


@on_virtual_time
async def test_the_server_that_has_the_session_is_given_longer_before_another_is_opened():
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].freeze()
    await visitor.enter("a", "b")
    assert [at_s for at_s, _ in visitor.site.opened] == [0.0, PATIENCE_S]
    visitor = Visitor(Site("a", "b", "c"))
    began_s = now_s()
    visitor.site["b"].freeze()
    await visitor.enter("b", "c")
    assert [round(at_s - began_s, 3) for at_s, _ in visitor.site.opened] == [0.0, STAGGER_S]


@on_virtual_time
async def test_a_busy_server_is_left_alone_for_about_as_long_as_it_says():
    visitor = Visitor(Site("a", "b"))
    refused(visitor.site, "b", 503, "instance.busy", retry="later")
    visitor.site["b"].retry_after = "8"
    assert await visitor.enter("b") == ""
    assert visitor.site.chance.asked == [(0.75, 1.25)]
    assert visitor.servers.order(now_s()) == ("http://a",)
    assert visitor.servers.order(now_s() + 8.0) == ("http://a", "http://b")


@on_virtual_time
async def test_a_server_that_says_nothing_after_hello_has_its_limit():
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].greet = lambda wire, hello: None  # type: ignore[method-assign]
    assert await visitor.enter("a", "b") == "b"
    assert now_s() == pytest.approx(HELLO_LIMIT_S, abs=0.1)


@on_virtual_time
async def test_a_server_that_heard_no_hello_in_time_is_passed_over():
    visitor = Visitor(Site("a", "b"))
    visitor.site["a"].greet = lambda wire, hello: wire.lose(4408, "silent")  # type: ignore[method-assign]
    assert await visitor.enter("a", "b") == "b"


@on_virtual_time
async def test_a_server_that_does_not_answer_the_ticket_is_passed_over():
    visitor = Visitor(Site("a", "b", "c"))

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    visitor.site["b"].answer = never  # type: ignore[method-assign]
    assert await visitor.enter("b", "c") == "c"
    assert visitor.servers.order(now_s())[-1] == "http://b"


@on_virtual_time
async def test_when_nobody_is_there_nothing_is_entered():
    visitor = Visitor(Site("a", "b"))
    for name in "ab":
        visitor.site[name].state = "gone"
    assert await visitor.enter("a", "b") == ""
    assert visitor.entrance.guest is None
