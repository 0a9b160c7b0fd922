"""Watching over a server's silence."""

import asyncio

import msgspec
import pytest
from tests.unit.client.fakes import Site, now_s, on_virtual_time
from tests.unit.client.test_attachment import Owning

from unified_agent.client.attachment import Attachment
from unified_agent.client.moves import Loss
from unified_agent.client.servers import Servers
from unified_agent.client.topology import decode_topology
from unified_agent.client.watch import SAY_S, Watch


class Watching:
    """Watches one server of several; notes when what was found."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.silent: list[float] = []
        self.given_up: list[tuple[float, Loss]] = []
        self.servers = Servers(["http://a"], "5001")
        if site.topology is not None:
            self.servers.learn(decode_topology(msgspec.json.encode(site.topology)))
        self.watch = Watch(self, self.servers, site.rest)

    async def begin(self) -> Attachment:
        attachment = await Attachment.open("http://a", Owning(), self.site.open)
        attachment.heard_s = attachment.said_s = now_s()
        attachment.instance = "a"
        self.watch.begin(attachment)
        return attachment

    def fell_silent(self) -> None:
        self.silent.append(round(now_s(), 3))

    def gave_up(self, reason: Loss) -> None:
        self.given_up.append((round(now_s(), 3), reason))


def cluster(**opinions: str) -> Site:
    site = Site("a", "b", "c", "d")
    site.in_one_cluster()
    for name, verdict in opinions.items():
        site[name].opinions["a"] = {"instance": "a", "verdict": verdict, "can_take": True, "next": None}
    return site


def askings(site: Site) -> list[float]:
    return sorted(round(at_s, 1) for each in site.servers.values() for at_s, path, _ in each.asked)


@on_virtual_time
async def test_a_silent_server_without_others_is_given_up_after_six_seconds():
    watching = Watching(Site("a"))
    await watching.begin()
    await asyncio.sleep(20.0)
    assert watching.silent == [3.01]
    assert watching.given_up == [(6.01, Loss.SILENT)]


@on_virtual_time
async def test_a_server_that_says_something_each_second_is_never_suspected():
    site = cluster(b="dead", c="dead", d="dead")
    watching = Watching(site)
    attachment = await watching.begin()
    for _ in range(60):
        await asyncio.sleep(1.0)
        attachment.text_received(b"{}")
    assert (watching.silent, watching.given_up, askings(site)) == ([], [], [])
    watching.watch.end()


@on_virtual_time
async def test_two_others_are_asked_after_a_beat_and_a_half_and_then_each_second():
    site = cluster(b="suspect", c="unknown")
    watching = Watching(site)
    await watching.begin()
    await asyncio.sleep(20.0)
    assert askings(site) == [1.5, 1.5, 2.5, 2.5, 3.5, 3.5, 4.5, 4.5, 5.5, 5.5]
    assert watching.given_up == [(6.01, Loss.SILENT)]


@on_virtual_time
@pytest.mark.parametrize("verdict", ["dead", "draining"])
async def test_one_who_knows_that_it_is_gone_is_enough(verdict):
    site = cluster(b="alive", c=verdict, d=verdict)
    watching = Watching(site)
    await watching.begin()
    await asyncio.sleep(20.0)
    assert watching.given_up == [(1.52, Loss.WITNESSED)]
    assert watching.silent == []


@on_virtual_time
async def test_a_server_that_others_hear_is_waited_for_longer():
    watching = Watching(cluster(b="alive", c="alive", d="alive"))
    await watching.begin()
    await asyncio.sleep(20.0)
    assert watching.given_up == [(10.01, Loss.SILENT)]


@on_virtual_time
async def test_an_opinion_that_comes_too_late_counts_no_more():
    site = cluster(b="dead", c="dead", d="dead")
    watching = Watching(site)
    attachment = await watching.begin()
    await asyncio.sleep(1.505)
    attachment.text_received(b"{}")
    await asyncio.sleep(1.0)
    assert len(askings(site)) == 2
    assert watching.given_up == []
    watching.watch.end()
    await asyncio.sleep(20.0)
    assert watching.given_up == []


@on_virtual_time
async def test_witnesses_that_do_not_answer_have_no_opinion():
    site = cluster()
    site["b"].state, site["c"].state, site["d"].state = "gone", "frozen", "gone"
    watching = Watching(site)
    await watching.begin()
    await asyncio.sleep(20.0)
    assert watching.given_up == [(6.01, Loss.SILENT)]
    await watching.watch.close()


@on_virtual_time
async def test_time_in_which_we_did_not_run_is_nobodys_silence():
    watching = Watching(Site("a"))
    attachment = await watching.begin()
    await asyncio.sleep(1.0)
    asyncio.get_running_loop().now_s += 30.0  # type: ignore[attr-defined]
    await asyncio.sleep(0.1)
    assert (watching.silent, watching.given_up) == ([], [])
    assert attachment.heard_s > 29.0
    await asyncio.sleep(6.0)
    assert [reason for _, reason in watching.given_up] == [Loss.SILENT]


@on_virtual_time
async def test_we_say_something_every_five_seconds_unless_we_did():
    site = Site("a")
    watching = Watching(site)
    attachment = await watching.begin()
    for _ in range(21):
        await asyncio.sleep(1.0)
        attachment.text_received(b"{}")
        if round(now_s()) == 13:
            attachment.send(b'{"type":"command"}')
    assert [frame["type"] for frame in site["a"].wire.heard] == ["beat", "beat", "command", "beat"]
    assert attachment.said_s == pytest.approx(18.01, abs=0.02)
    assert SAY_S == 5.0
    watching.watch.end()


@on_virtual_time
async def test_another_attachment_is_watched_in_the_place_of_the_one_before():
    watching = Watching(Site("a"))
    await watching.begin()
    await asyncio.sleep(5.0)
    await watching.begin()
    await asyncio.sleep(5.0)
    assert watching.given_up == []
    assert watching.silent == [3.01, 8.02]
    watching.watch.end()
