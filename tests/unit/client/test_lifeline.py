"""Keeping a desk attached, whatever its servers do."""

import asyncio
from typing import Any

import pytest
from tests.unit.client.fakes import Site, at_server, now_s, on_virtual_time

from unified_agent.client.desk import Desk
from unified_agent.client.lifeline import STEADY_S
from unified_agent.client.moves import ConnectionState

NAMES = ("a", "b", "c")


async def steady(site: Site, **more: Any) -> Desk:
    """A desk that has been at ``a`` for long enough."""
    desk = await site.live("a", "b", "c", **more)
    await asyncio.sleep(STEADY_S + 0.2)
    return desk


def cluster(**more: Any) -> Site:
    site = Site(*NAMES)
    site.in_one_cluster(**more)
    return site


def told(desk: Desk) -> list[tuple[str, str]]:
    """Have every change of the connection noted."""
    statuses: list[tuple[str, str]] = []
    desk.on_connection(lambda status: statuses.append((status.state.value, status.reason)))
    return statuses


def goodbye(to: str | None, reason: str = "drain") -> dict[str, Any]:
    following = None if to is None else {"id": to, "url": f"http://{to}"}
    return {"type": "goodbye", "reason": reason, "next": following, "after_ms": 4_000}


# --- losses


@on_virtual_time
async def test_a_crash_leads_elsewhere_after_a_delay_within_the_window():
    site = cluster(window_ms=1_000)
    desk = await steady(site)
    statuses = told(desk)
    crashed_s = now_s()
    site["a"].crash()
    assert not desk.connected
    await desk.until(lambda view: view["at"] != "a", 5.0)
    (move,) = desk.moves
    assert (move.source, move.target, move.reason) == ("http://a", desk.server, "closed")
    assert move.is_elsewhere
    assert (move.lost_at_s, move.noticed_at_s) == (crashed_s, crashed_s)
    assert crashed_s + 0.5 < move.attached_at_s <= move.live_at_s < crashed_s + 0.7
    assert site.chance.asked == [(0.0, 1.0)]
    assert statuses == [("waiting", "closed"), ("connecting", "closed"), ("live", "")]
    await desk.close()


@on_virtual_time
async def test_a_connection_that_is_cut_is_made_again_to_the_same_server_with_the_token():
    site = cluster()
    desk = await steady(site)
    desk.cut()
    await asyncio.sleep(3.0)
    assert desk.connected
    (move,) = desk.moves
    assert (move.target, move.is_elsewhere, move.reason) == ("http://a", False, "closed")
    assert all(not each.requests("/v1/session/resume") for each in site.servers.values())
    await desk.close()


@on_virtual_time
async def test_a_frozen_server_that_others_call_dead_is_left_within_half_a_second():
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    for name in "bc":
        site[name].opinions["a"] = {"instance": "a", "verdict": "dead", "can_take": True, "next": None}
    frozen_s = now_s()
    site["a"].freeze()
    await desk.until(lambda view: view["at"] != "a", 5.0)
    (move,) = desk.moves
    assert move.reason == "witnessed"
    assert move.lost_at_s is not None
    assert move.noticed_at_s is not None
    assert move.lost_at_s <= frozen_s < move.noticed_at_s
    assert move.noticed_at_s - move.lost_at_s == pytest.approx(1.5, abs=0.05)
    assert site.chance.asked == [(0.0, 0.5)]
    assert now_s() < frozen_s + 2.0
    assert [state for state, _ in statuses] == ["waiting", "connecting", "live"]
    await desk.close()


@on_virtual_time
async def test_a_frozen_server_that_nobody_speaks_of_is_suspected_and_left():
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    site["a"].freeze()
    await desk.until(lambda view: view["at"] != "a", 15.0)
    assert desk.moves[0].reason == "silent"
    assert desk.moves[0].outage_s == pytest.approx(6.0 + 1.0, abs=0.1)
    assert statuses[:2] == [("suspect", "silent"), ("waiting", "silent")]
    assert site.opened[-1][1] != "a"
    await desk.close()


@on_virtual_time
async def test_a_pause_that_ends_is_told_and_nothing_else_comes_of_it():
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    site["a"].beats = False
    await asyncio.sleep(5.0)
    site["a"].wire.say({"type": "beat", "now": ""})
    assert statuses == [("suspect", "silent"), ("live", "")]
    assert desk.moves == []
    site["a"].wire.say({"type": "beat", "now": ""})
    assert len(statuses) == 2
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize(("code", "reason"), [(4420, "moved"), (4401, "unknown")])
async def test_a_server_that_no_longer_has_the_session_is_asked_where_it_is(code, reason):
    site = cluster()
    desk = await steady(site)
    site["a"].refusal = 421, {"id": "instance.elsewhere", "next": {"id": "c", "url": "http://c"}}
    site["a"].wire.lose(code)
    await desk.until(at_server("c"), 5.0)
    assert desk.moves[0].reason == reason
    assert not site["b"].wires
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize(
    ("code", "reason"), [(1012, "restart"), (4408, "slow"), (1011, "closed"), (1006, "closed"), (1000, "closed")]
)
async def test_other_close_codes_are_losses_with_a_delay(code, reason):
    site = cluster()
    desk = await steady(site)
    site["a"].wire.lose(code)
    assert desk.connection.reason == reason
    await asyncio.sleep(2.5)
    assert desk.connected
    assert site.chance.asked == [(0.0, 2.0)]
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize(("code", "reason"), [(4409, "taken-over"), (4410, "session.ended"), (4400, "protocol.frame")])
async def test_some_close_codes_are_the_end(code, reason):
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    site["a"].wire.lose(code)
    assert desk.over is not None
    assert desk.over.reason == reason
    assert statuses == [("over", reason)]
    await asyncio.sleep(60.0)
    assert len(site.opened) == 1
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize("code", [4401, 4420])
async def test_without_a_ticket_there_is_nowhere_to_go_on(code):
    site = cluster()
    desk = await steady(site, ticket=False)
    site["a"].wire.lose(code)
    assert desk.over is not None
    await desk.close()


@on_virtual_time
async def test_a_gap_is_mended_at_once_and_a_second_one_with_a_delay():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.tell(7, "calls-changed", {"calls": []})
    await asyncio.sleep(0.1)
    assert desk.connected
    assert site.chance.asked == []
    site["a"].wire.tell(7, "calls-changed", {"calls": []})
    await asyncio.sleep(2.0)
    assert (desk.connected, desk.gaps) == (True, 2)
    assert site.chance.asked == [(0.0, 1.0)]
    assert [move.reason for move in desk.moves] == ["gap", "gap"]
    await desk.close()


@on_virtual_time
@pytest.mark.parametrize("frame", [b"nonsense", b"[]", b"{}"])
async def test_a_frame_that_cannot_be_read_breaks_the_connection_off(frame):
    site = cluster()
    desk = await steady(site)
    site["a"].wire.say(frame)
    assert desk.connection.reason == "bad-frame"
    await asyncio.sleep(3.0)
    assert desk.connected
    await desk.close()


@on_virtual_time
async def test_delays_grow_while_nobody_is_there_and_begin_anew_after_a_steady_connection():
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    for name in NAMES:
        site[name].state = "gone"
    site["a"].wire.lose()
    await asyncio.sleep(40.0)
    assert site.chance.asked[:6] == [(0.0, 2.0), (0.0, 1.0), (0.0, 2.0), (0.0, 4.0), (0.0, 8.0), (0.0, 10.0)]
    assert ("waiting", "closed") in statuses[2:]
    for name in NAMES:
        site[name].state = "up"
    await asyncio.sleep(10.0)
    assert desk.connected
    desk.cut()
    assert site.chance.asked[-1] == (0.0, 10.0)
    await asyncio.sleep(11.0)
    assert desk.connected
    await asyncio.sleep(STEADY_S)
    desk.cut()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert site.chance.asked[-1] == (0.0, 2.0)
    await desk.close()


@on_virtual_time
async def test_a_fourth_switch_within_a_minute_waits():
    site = cluster(window_ms=0)
    desk = await steady(site)
    for _ in range(3):
        desk.cut()
        await asyncio.sleep(6.0)
    assert [move.is_elsewhere for move in desk.moves] == [False] * 3
    for _ in range(3):
        name = desk.server.removeprefix("http://")
        site[name].crash()
        await asyncio.sleep(6.0)
        site[name].state = "up"
    assert [move.is_elsewhere for move in desk.moves[3:]] == [True] * 3
    site[desk.server.removeprefix("http://")].crash()
    held_s = now_s()
    await asyncio.sleep(5.5)
    assert not desk.connected
    assert {name for at_s, name in site.opened if at_s > held_s} == {desk.server.removeprefix("http://")}
    await asyncio.sleep(20.0)
    assert desk.connected
    await desk.close()


@on_virtual_time
async def test_all_being_busy_it_waits_for_the_first_that_is_free():
    site = cluster(window_ms=0)
    desk = await steady(site)
    for name in NAMES:
        site[name].refusal = 503, {"id": "instance.busy", "retry": "later"}
        site[name].retry_after = "8"
    site["a"].wire.lose(4401)
    await asyncio.sleep(7.0)
    assert [len(site[name].requests("/v1/session/resume")) for name in NAMES] == [1, 1, 1]
    for name in NAMES:
        site[name].refusal = None
    await asyncio.sleep(3.0)
    assert desk.connected
    await desk.close()


# --- what servers tell


@on_virtual_time
async def test_a_desk_that_knew_one_server_learns_of_the_others():
    site = cluster()
    desk = await site.live("a")
    site["a"].crash()
    await desk.until(lambda view: view["at"] in {"b", "c"}, 5.0)
    await desk.close()


@on_virtual_time
async def test_a_topology_that_cannot_be_read_is_passed_over():
    site = cluster()
    desk = await site.live("a")
    site["a"].wire.say({"type": "topology", "cluster": "c"})
    assert desk.connected
    await desk.close()


@on_virtual_time
async def test_the_newest_ticket_is_the_one_that_is_shown():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.say({"type": "ticket", "ticket": "newer"})
    site["a"].crash()
    await desk.until(lambda view: view["at"] != "a", 5.0)
    assert desk.server == f"http://{desk.view['at']}"
    (asked,) = site[desk.view["at"]].requests("/v1/session/resume")
    assert asked == {"ticket": "newer", "token": "a-1"}
    await desk.close()


@on_virtual_time
async def test_a_former_owner_is_not_believed():
    site = cluster(window_ms=0)
    site["a"].term = 3
    desk = await steady(site)
    site["a"].state = "gone"
    site["b"].term, site["c"].term = 2, 4
    site["a"].wire.lose()
    await desk.until(at_server("c"), 30.0)
    assert desk.term == 4
    site["c"].wire.tell(1, "calls-changed", {"calls": [1]}, term=3)
    assert (desk.stale, "calls" in desk.view) == (1, False)
    await desk.close()


@on_virtual_time
async def test_another_servers_stream_counts_from_anywhere():
    site = cluster()
    site["a"].epoch, site["a"].seq = 9, 50
    desk = await steady(site)
    site["a"].crash()
    await desk.until(lambda view: view["at"] != "a", 5.0)
    assert desk.position == (1, 0)
    await desk.close()


# --- planned moves


@on_virtual_time
async def test_a_goodbye_is_followed_before_the_old_connection_is_closed():
    site = cluster()
    desk = await steady(site)
    statuses = told(desk)
    site["b"].refusal = None
    old = site["a"].wire
    seen: list[tuple[str, bool, bool]] = []
    desk.on_notice(lambda envelope, _: seen.append((desk.server, old.open, desk.connected)))
    old.say(goodbye("b"))
    await asyncio.sleep(0.015)
    old.tell(1, "calls-changed", {"calls": [7]})
    assert desk.view["calls"] == [7]
    await desk.until(at_server("b"), 1.0)
    await asyncio.sleep(0)
    assert seen == [("http://a", True, True), ("http://b", False, True)]
    assert (old.open, site["b"].wire.open, desk.connected) == (False, True, True)
    (move,) = desk.moves
    assert (move.reason, move.target, move.lost_at_s, move.outage_s) == ("drain", "http://b", None, 0.0)
    assert statuses == [("live", "")]
    assert site.chance.asked == []
    await desk.close()


@on_virtual_time
async def test_a_goodbye_that_names_nobody_leads_to_the_next_ready_one():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.say(goodbye(None, "move"))
    await desk.until(lambda view: view["at"] in {"b", "c"}, 1.0)
    assert desk.moves[0].reason == "move"
    await desk.close()


@on_virtual_time
async def test_where_there_is_nowhere_to_go_the_desk_stays_until_a_topology_tells_of_somewhere():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.say(site.in_one_cluster(b="joining", c="down"))
    site["a"].wire.say(goodbye(None))
    await asyncio.sleep(5.0)
    assert desk.server == "http://a"
    site["a"].wire.say(site.in_one_cluster(c="down"))
    await desk.until(at_server("b"), 1.0)
    assert desk.moves[0].lost_at_s is None
    await desk.close()


@on_virtual_time
async def test_without_a_ticket_a_goodbye_changes_nothing():
    site = cluster()
    desk = await steady(site, ticket=False)
    site["a"].wire.say(goodbye("b"))
    await asyncio.sleep(5.0)
    assert (desk.server, desk.connected) == ("http://a", True)
    await desk.close()


@on_virtual_time
async def test_a_move_that_the_next_one_does_not_take_yet_is_tried_again():
    site = cluster()
    desk = await steady(site)
    for name in "bc":
        site[name].refusal = 409, {"id": "agent.in-item", "retry": "later"}
    site["a"].wire.say(goodbye("b"))
    await asyncio.sleep(3.0)
    assert desk.connected
    assert len(site["b"].requests("/v1/session/resume")) >= 2
    site["b"].refusal = None
    await desk.until(at_server("b"), 5.0)
    assert desk.moves[0].outage_s == 0.0
    await desk.close()


@on_virtual_time
async def test_an_old_server_that_closes_before_the_new_one_is_live_is_lost_only():
    site = cluster()
    desk = await steady(site)
    real = site["b"].greet

    def late(wire: Any, hello: Any) -> None:
        site["a"].wire.lose(4409, "taken-over")
        real(wire, hello)

    site["b"].greet = late  # type: ignore[method-assign]
    left_s = now_s()
    site["a"].wire.say(goodbye("b"))
    await desk.until(at_server("b"), 1.0)
    (move,) = desk.moves
    assert move.reason == "drain"
    assert move.lost_at_s is not None
    assert left_s < move.lost_at_s <= move.live_at_s
    assert desk.over is None
    await desk.close()


@on_virtual_time
async def test_a_server_that_goes_before_we_could_move_is_followed_to_where_it_said():
    site = cluster()
    desk = await steady(site)
    for name in "bc":
        site[name].state = "gone"
    site["a"].wire.say(goodbye("c"))
    await asyncio.sleep(0.5)
    site["a"].wire.lose(1012)
    site["c"].state = "up"
    await desk.until(at_server("c"), 20.0)
    assert desk.moves[0].reason == "drain"
    await desk.close()


@on_virtual_time
async def test_a_goodbye_to_a_place_where_nobody_may_be_sent_names_nobody():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.say({**goodbye(None), "next": {"id": "x", "url": "http://0.0.0.0"}})
    await desk.until(lambda view: view["at"] in {"b", "c"}, 1.0)
    await desk.close()


@on_virtual_time
async def test_a_second_goodbye_takes_the_place_of_the_first():
    site = cluster()
    desk = await steady(site)
    site["b"].freeze()
    site["a"].wire.say(goodbye("b"))
    site["a"].wire.say(goodbye("c"))
    await desk.until(at_server("c"), 10.0)
    await desk.close()


# --- the end


@on_virtual_time
async def test_whatever_it_was_doing_a_desk_that_is_closed_is_gone():
    for doing in ("waiting", "connecting", "moving", "live"):
        site = cluster()
        desk = await steady(site)
        if doing == "moving":
            site["b"].freeze()
            site["a"].wire.say(goodbye("b"))
        elif doing != "live":
            for name in NAMES:
                site[name].state = "gone" if doing == "waiting" else "frozen"
            site["a"].wire.lose()
            await asyncio.sleep(0.0 if doing == "waiting" else 1.5)
            assert desk.connection.state.value == doing
        await asyncio.sleep(0.2)
        await desk.close()
        assert desk.connection.state is ConnectionState.OVER
        assert not any(wire.open for each in site.servers.values() for wire in each.wires if each.state == "up")
        tries = len(site.opened)
        await asyncio.sleep(60.0)
        assert len(site.opened) == tries


@on_virtual_time
async def test_a_server_that_does_not_answer_our_close_is_let_go():
    site = cluster()
    desk = await steady(site)
    site["a"].wire.answers_close = False
    left_s = now_s()
    await desk.close()
    assert now_s() == pytest.approx(left_s + 1.0)
    assert not site["a"].wire.open


@on_virtual_time
async def test_a_defect_ends_the_session_by_its_name():
    site = cluster()
    desk = await steady(site)
    del site.servers["a"]
    site["b"].wires.clear()
    desk.cut()
    await asyncio.sleep(3.0)
    assert desk.over is not None
    assert desk.over.reason == "desk.defect"
    assert "KeyError" in desk.over.detail
    await desk.close()
