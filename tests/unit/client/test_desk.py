"""One agent's desktop, on servers that the test plays."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.unit.client.fakes import Site, at_server, now_s, on_virtual_time

from unified_agent.client import desk as module
from unified_agent.client.attachment import Keys
from unified_agent.client.desk import Desk
from unified_agent.client.errors import LoginRefused, SessionOver
from unified_agent.client.rest import Rest
from unified_agent.client.servers import Servers

READY = {"type": "set-mode", "mode": "ready"}
END = {"command_type": "set-mode", "error": "", "detail": ""}
#: The wall clock of desks here: 20 ms after the envelopes' ``at``.
WALL_S = 1_795_362_051.143


async def asked(desk: Desk, **more: Any) -> "asyncio.Task[Any]":
    task = asyncio.create_task(desk.command(READY, **more))
    await asyncio.sleep(0)
    return task


async def seated(**more: Any) -> tuple[Site, Desk]:
    """A desk at ``a`` of a cluster of two."""
    site = Site("a", "b")
    site.in_one_cluster()
    return site, await site.live("a", "b", **more)


# --- logging in


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A cluster whose servers are reached by ``Desk.log_in`` as well."""

    async def open_websocket(*args: Any, **more: Any) -> Any:
        opened.append(more)
        return await site.open(*args)

    site = Site("a", "b")
    site.in_one_cluster()
    opened: list[dict[str, Any]] = []
    site.open_options = opened  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "open_websocket", open_websocket)
    return site


@on_virtual_time
@pytest.mark.parametrize("urls", ["http://a/", ["http://b", "http://a"]])
async def test_one_url_or_several_lead_to_the_view(site, urls):
    desk = await Desk.log_in(urls, agent="5001", station="2001", password="1234", rest=site.rest)
    assert desk.view == {"at": desk.server.removeprefix("http://")}
    assert (desk.agent, desk.session, desk.connected, desk.connections) == ("5001", "s1", True, 1)
    assert desk.position == (1, 0)
    assert desk.headers == {"Authorization": f"Bearer {desk.view['at']}-1"}
    assert desk.moves == []
    await desk.close()


@on_virtual_time
async def test_a_client_of_its_own_is_let_go_of_after_the_login_and_made_anew(site, monkeypatch):
    made: list[httpx.AsyncClient] = []

    class Own(Rest):
        @property
        def _http(self) -> httpx.AsyncClient:
            if self._own is None:
                self._own = httpx.AsyncClient(transport=site.http._transport, verify=False)
                made.append(self._own)
            return self._own

    monkeypatch.setattr(module, "Rest", Own)
    desk = await Desk.log_in("http://a", agent="5001", station="2001", password="1234")
    assert [each.is_closed for each in made] == [True]
    first = desk.view["at"]
    site[first].crash()
    await desk.until(lambda view: view["at"] != first, 10.0)
    await desk.close()
    assert [each.is_closed for each in made] == [True, True]


@on_virtual_time
async def test_whom_to_trust_is_told_to_connections_too(site):
    tls = object()
    desk = await Desk.log_in(
        "http://a",
        agent="5001",
        station="2001",
        password="1234",
        rest=site.rest,
        tls=tls,  # type: ignore[arg-type]
    )
    assert site.open_options == [{"tls": tls}]
    await desk.close()


@on_virtual_time
async def test_a_login_without_a_view_within_the_limit_is_given_up(site):
    for name in "ab":
        site[name].greet = lambda wire, hello: None
    with pytest.raises(TimeoutError):
        await Desk.log_in("http://a", agent="5001", station="2001", password="1234", rest=site.rest, limit_s=3.0)
    assert not any(wire.open for name in "ab" for wire in site[name].wires)


@on_virtual_time
async def test_a_login_that_is_not_taken_says_why(site):
    for name in "ab":
        site[name].refusal = 401, {"id": "agent.wrong-password", "retry": "never"}
    with pytest.raises(LoginRefused, match=r"agent\.wrong-password"):
        await Desk.log_in("http://a", agent="5001", station="2001", password="1234", rest=site.rest)


# --- the view


@on_virtual_time
async def test_the_first_hello_has_no_place_and_a_later_one_the_last():
    site, desk = await seated()
    site["a"].wire.tell(1, "calls-changed", {"calls": [1]})
    site["a"].seq = 2
    site["a"].resumes = True
    desk.cut()
    await asyncio.sleep(3.0)
    first, second = (wire.heard[0] for wire in site["a"].wires)
    assert (first["epoch"], first["seq"], second["epoch"], second["seq"]) == (None, None, 1, 1)
    assert first["client"] == second["client"]
    site["a"].wire.tell(2, "calls-changed", {"calls": [2]})
    assert (desk.view["calls"], desk.gaps, desk.connections) == ([2], 0, 2)
    await desk.close()


@on_virtual_time
async def test_until_looks_after_each_notice_and_at_what_is_so_already():
    site, desk = await seated()
    assert await desk.until(at_server("a"), 1.0) == {"at": "a"}
    task = asyncio.create_task(desk.until(lambda view: len(view.get("calls", ())) == 2, 1.0))
    await asyncio.sleep(0)
    site["a"].wire.tell(1, "calls-changed", {"calls": [1]})
    site["a"].wire.tell(2, "calls-changed", {"calls": [1, 2]})
    assert (await task)["calls"] == [1, 2]
    await desk.close()


@on_virtual_time
async def test_listeners_hear_each_envelope_once_with_its_delay_and_none_for_what_was_resent():
    site = Site("a")
    opened = site["a"].issue()
    keys = Keys(number=0, url="http://a", session="s1", token=opened["token"])
    desk = Desk(
        Servers(["http://a"], "5001"), keys, agent="5001", rest=site.rest, opener=site.open, wall_s=lambda: WALL_S
    )
    desk.start()
    await desk.until(lambda _: True, 1.0)
    told: list[tuple[int, float | None]] = []
    end = desk.on_notice(
        lambda each, delay_s: told.append((each["seq"], None if delay_s is None else round(delay_s, 6)))
    )
    site["a"].wire.tell(1, "calls-changed", {"calls": [1]})
    site["a"].wire.tell(1, "calls-changed", {"calls": [1]})
    site["a"].resumes, site["a"].seq = True, 2
    desk.cut()
    await asyncio.sleep(3.0)
    site["a"].wire.tell(2, "calls-changed", {"calls": []})
    site["a"].wire.tell(3, "calls-changed", {"calls": []})
    end()
    site["a"].wire.tell(4, "calls-changed", {"calls": []})
    end()
    assert told == [(1, 0.02), (2, None), (3, 0.02)]
    assert desk.duplicates == 1
    await desk.close()


# --- commands


@on_virtual_time
async def test_a_command_is_done_when_its_notice_says_so():
    site, desk = await seated()
    task = await asked(desk)
    (name,) = site["a"].wire.commands()
    site["a"].wire.say({"type": "answer", "id": name, "outcome": "accepted", **END})
    await asyncio.sleep(0)
    assert not task.done()
    site["a"].wire.tell(1, "command-settled", {"command": name, "outcome": "done", **END})
    assert (await task).done
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize("resumes", [False, True])
async def test_back_at_the_server_that_has_it_a_command_is_asked_again_with_its_id(resumes):
    site, desk = await seated()
    task = await asked(desk)
    (name,) = site["a"].wire.commands()
    site["a"].resumes = resumes
    desk.cut()
    await asyncio.sleep(3.0)
    assert site["a"].wire.commands() == [name]
    site["a"].wire.say(
        {"type": "answer", "id": name, "command_type": "x", "outcome": "refused", "error": "e", "detail": ""}
    )
    assert (await task).error == "e"
    assert site["a"].asked == []
    await desk.close()


@on_virtual_time
async def test_after_a_snapshot_commands_are_asked_again_because_their_end_may_have_been_lost():
    site, desk = await seated()
    task = await asked(desk)
    (name,) = site["a"].wire.commands()
    site["a"].wire.tell(9, "snapshot", {"view": {"at": "a"}, "reason": "slow"})
    assert site["a"].wire.commands() == [name, name]
    await desk.close()
    with pytest.raises(SessionOver):
        await task


@on_virtual_time
async def test_a_command_asked_while_away_is_sent_to_whoever_takes_us():
    site, desk = await seated()
    site["a"].crash()
    task = await asked(desk)
    await desk.until(at_server("b"), 10.0)
    await asyncio.sleep(0)
    assert len(site["b"].wire.commands()) == 1
    assert not [path for _, path, _ in site["b"].asked if path.endswith("/resolve")]
    await desk.close()
    with pytest.raises(SessionOver):
        await task


@on_virtual_time
async def test_after_a_move_a_command_is_asked_about_and_never_repeated():
    site, desk = await seated()
    known, finding_out, never = await asked(desk), await asked(desk), await asked(desk)
    names = site["a"].wire.commands()
    assert len(names) == 3
    site["b"].standings = {
        names[0]: {"id": names[0], "type": "set-mode", "outcome": "done", "error": "", "detail": ""},
        names[1]: {"id": names[1], "type": "set-mode", "outcome": "unknown", "error": "", "detail": ""},
    }
    site["a"].crash()
    await desk.until(at_server("b"), 10.0)
    assert (await known).done
    settled = await never
    assert (settled.outcome, settled.error) == ("unknown", "request.path")
    assert not finding_out.done()
    site["b"].wire.tell(
        1, "command-settled", {"command": names[1], "outcome": "refused", **END, "error": "command.not-performed"}
    )
    assert (await finding_out).error == "command.not-performed"
    assert site["b"].wire.commands() == []
    assert site["b"].requests(f"/v1/session/commands/{names[0]}/resolve") == [{"command": READY}]
    await desk.close()


@on_virtual_time
async def test_a_second_move_while_asking_asks_the_next_one():
    site = Site("a", "b", "c")
    site.in_one_cluster()
    desk = await site.live("a", "b", "c")
    task = await asked(desk, limit_s=60.0)
    (name,) = site["a"].wire.commands()
    site["a"].crash()
    await desk.until(lambda view: view["at"] != "a", 10.0)
    second = site[desk.view["at"]]
    (third,) = {"b", "c"} - {second.name}
    site[third].standings = {name: {"type": "set-mode", "outcome": "done"}}
    second.crash()
    await desk.until(at_server(third), 30.0)
    assert (await task).done
    await desk.close()


@on_virtual_time
async def test_a_command_that_nobody_ends_is_waited_for_no_longer_than_its_limit():
    site, desk = await seated()
    with pytest.raises(TimeoutError):
        await desk.command(READY, limit_s=2.0)
    desk.cut()
    await asyncio.sleep(3.0)
    assert site["a"].wire.commands() == []
    await desk.close()


@on_virtual_time
async def test_log_out_waits_for_the_end():
    site, desk = await seated()
    task = asyncio.create_task(desk.log_out())
    await asyncio.sleep(0.1)
    assert site["a"].wire.heard[-1]["command"] == {"type": "log-out"}
    site["a"].wire.tell(1, "session-ended", {"reason": "agent", "detail": ""})
    assert (await task).reason == "agent"
    await desk.close()


# --- the end


@on_virtual_time
@pytest.mark.parametrize(
    ("say", "code", "reason"),
    [
        ({"type": "refused", "id": "taken-over", "detail": ""}, 4409, "taken-over"),
        ({"type": "refused", "id": "session.ended", "reason": "switch.wrong-password"}, 4410, "switch.wrong-password"),
        (None, 4410, "session.ended"),
        ({"reason": "switch.wrong-password", "detail": "d"}, 4410, "switch.wrong-password"),
    ],
)
async def test_the_end_of_a_session_is_told_to_all_who_wait_and_nothing_connects_again(say, code, reason):
    site, desk = await seated()
    waiting = [await asked(desk), asyncio.create_task(desk.until(lambda _: False, 5.0))]
    await asyncio.sleep(0)
    wire = site["a"].wire
    if say is not None and "type" in say:
        wire.say(say)
    elif say is not None:
        wire.tell(1, "session-ended", say)
    wire.lose(code)
    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, SessionOver)
        assert result.reason == reason
    assert desk.over is not None
    with pytest.raises(SessionOver):
        await desk.command(READY)
    with pytest.raises(SessionOver):
        await desk.until(lambda _: False, 1.0)
    await asyncio.sleep(30.0)
    assert len(site.opened) == 1
    await desk.close()


@on_virtual_time
async def test_a_closed_desk_is_gone_and_whoever_waits_is_told():
    site, desk = await seated()
    async with desk:
        task = asyncio.create_task(desk.until(lambda _: False, 60.0))
        await asyncio.sleep(0)
    with pytest.raises(SessionOver, match="closed"):
        await task
    assert str(desk.over) == "closed"
    assert not site["a"].wire.open
    assert now_s() < 1.0


@on_virtual_time
async def test_a_session_that_ends_while_commands_are_asked_about_asks_no_more():
    site, desk = await seated()
    task = await asked(desk)
    site["a"].crash()
    site["b"].answer_resolve = False  # type: ignore[attr-defined]
    await desk.until(at_server("b"), 10.0)
    site["b"].wire.tell(1, "session-ended", {"reason": "agent", "detail": ""})
    with pytest.raises(SessionOver, match="agent"):
        await task
    await desk.close()
