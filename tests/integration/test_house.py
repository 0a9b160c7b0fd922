"""An agent's day through the whole house over TLS; the loss of each link; what bad input gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.house import LIMIT_S, House, house, play

from unified_agent.client import Desk, LoginRefused
from unified_agent.tools.simulators.apc import happenings

pytestmark = pytest.mark.integration


async def make_ready(desk: Desk) -> None:
    assert (await desk.command({"type": "set-mode", "mode": "ready"})).outcome == "done"
    await desk.until(lambda view: view["agent"]["mode"] == "ready", LIMIT_S)


async def take_item(home: House, desk: Desk, number: int) -> None:
    await desk.command({"type": "take-items"})
    await desk.until(lambda view: view["dialler"]["stage"] == "ready", LIMIT_S)
    place = home.dialler_of(number)
    assert place is not None
    dialler = home.diallers[place]
    name = f"agent{number:04}"
    dialler.act(lambda floor: happenings.place_call(floor, happenings.find_agent(floor, name), "", {}))
    await desk.until(lambda view: view["item"] is not None, LIMIT_S)


def test_an_agents_day_over_tls(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path) as home:
            desk = await home.working(1, job="SPRING25")
            await make_ready(desk)

            home.call("2001")
            view = await desk.until(lambda view: view["calls"], LIMIT_S)
            call = view["calls"][0]["id"]
            assert view["agent"]["mode"] == "reserved"
            assert (await desk.command({"type": "answer-call", "call": call})).outcome == "done"
            await desk.until(lambda view: view["agent"]["mode"] == "talking", LIMIT_S)
            await desk.command({"type": "hold-call", "call": call})
            await desk.until(lambda view: view["agent"]["mode"] == "holding", LIMIT_S)
            await desk.command({"type": "retrieve-call", "call": call})
            await desk.until(lambda view: view["calls"][0]["state"] == "active", LIMIT_S)
            await desk.command({"type": "hang-up-call", "call": call})
            await desk.until(lambda view: not view["calls"], LIMIT_S)

            await take_item(home, desk, 1)
            fields = {each["name"]: each for each in desk.view["item"]["fields"]}
            assert fields["BAL"]["editable"]
            assert not fields["NAME"]["editable"]
            assert (await desk.command({"type": "update-field", "field": "BAL", "value": "12.00"})).outcome == "done"
            await desk.until(lambda view: any(each["value"] == "12.00" for each in view["item"]["fields"]), LIMIT_S)
            await desk.command({"type": "release-line"})
            await desk.until(lambda view: view["item"]["stage"] == "line-gone", LIMIT_S)
            await desk.command({"type": "pause-items"})
            code = desk.view["jobs"]["keys"][0]["code"]
            assert (await desk.command({"type": "finish-item", "code": code})).outcome == "done"
            await desk.until(lambda view: view["item"] is None, LIMIT_S)

            assert (await desk.log_out()).reason == "agent"
            await home.until(lambda: not home.left_behind())

    play(steps())


@pytest.mark.parametrize("loss", ["reset", "silence", "switch-link-down"])
def test_the_aes_link_is_lost_in_the_middle_of_a_call_and_all_is_found_again(tmp_path: Path, loss: str):
    async def steps() -> None:
        async with house(tmp_path) as home:
            desk = await home.working(1)
            await make_ready(desk)
            home.call("2001")
            view = await desk.until(lambda view: view["calls"], LIMIT_S)
            call = view["calls"][0]["id"]
            await desk.command({"type": "answer-call", "call": call})
            await desk.until(lambda view: view["calls"][0]["state"] == "active", LIMIT_S)

            if loss == "reset":
                home.aes.cut(reset=True)
            elif loss == "silence":
                home.aes.set_silent(silent=True)
            else:
                home.aes.act(lambda sim: sim.aes.set_link(up=False))
            await desk.until(lambda view: view["session"]["phase"] == "resetting", LIMIT_S)
            assert not desk.view["agent"]["known"]
            home.aes.set_silent(silent=False)
            home.aes.act(lambda sim: sim.aes.set_link(up=True))

            await desk.until(lambda view: view["session"]["phase"] == "active", LIMIT_S)
            assert [each["id"] for each in desk.view["calls"]] == [call]
            await desk.until(lambda view: view["agent"]["switch_mode"] == "ready" and view["agent"]["known"], LIMIT_S)
            await desk.command({"type": "hang-up-call", "call": call})
            await desk.until(lambda view: not view["calls"], LIMIT_S)
            await desk.log_out()
            await home.until(lambda: not home.left_behind())

    play(steps())


def test_a_dialler_that_dies_gives_its_agents_to_the_next_and_gets_none_back_while_that_one_works(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path) as home:
            desks = [await home.working(number, job="SPRING25") for number in (1, 2)]
            alone = await home.working(3)
            await take_item(home, desks[0], 1)
            await home.diallers["dialler-1"].shut_down(announce=False, back_after_s=None)
            for desk in desks:
                await desk.until(lambda view: view["links"]["dialler"]["state"] != "up", LIMIT_S)
            assert desks[0].view["item"] is None
            for desk in desks:
                await desk.until(
                    lambda view: view["dialler"]["dialler"] == "dialler-2" and view["dialler"]["job"] == "SPRING25",
                    LIMIT_S,
                )
            await home.diallers["dialler-1"].set_accepting(accepting=True)
            late = await home.working(4, job="SPRING25")
            await late.until(lambda view: view["dialler"]["dialler"] is not None, LIMIT_S)
            assert {desk.view["dialler"]["dialler"] for desk in desks} == {"dialler-2"}
            assert alone.view["session"]["phase"] == "active"
            for desk in (*desks, alone, late):
                await desk.log_out()
            await home.until(lambda: not home.left_behind())

    play(steps())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "9999"}, "switch.wrong-password"),
        ({"station": "2999"}, "switch.unknown-station"),
        ({"agent": "5999"}, "switch.unknown-agent"),
        ({"job": "SPRING25", "dialler_password": "wrong"}, "dialler.wrong-password"),
    ],
)
def test_a_login_that_a_peer_refuses_ends_with_the_reason_and_leaves_nothing(
    tmp_path: Path, change: dict[str, str], reason: str
):
    async def steps() -> None:
        async with house(tmp_path) as home:
            assert (await home.refused(1, **change)).reason == reason
            await home.until(lambda: not home.left_behind())
            again = await home.working(1, job="SPRING25")
            await again.log_out()

    play(steps())


def test_a_station_in_use_and_a_full_instance_are_told_at_once(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path, capacity=2) as home:
            first, _ = await home.working(1), await home.working(2)
            for change, reason in (
                ({"agent": "5003", "station": "2001"}, "instance.full"),
                ({"agent": "5001", "station": "2001", "password": "0000"}, "agent.wrong-password"),
            ):
                with pytest.raises(LoginRefused) as refused:
                    await home.log_in(3, **change)
                assert refused.value.id == reason
            await first.log_out()
            with pytest.raises(LoginRefused) as in_use:
                await home.log_in(3, station="2002")
            assert in_use.value.id == "station.in-use"
            home.instance.host.draining = True
            with pytest.raises(LoginRefused) as draining:
                await home.log_in(3)
            assert draining.value.id == "instance.draining"

    play(steps())


def test_a_station_where_somebody_is_logged_in_at_the_telephone_names_them(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path) as home:
            home.aes.act(lambda sim: sim.switch.agents.log_on("2001", "5002", "1234"))
            over = await home.refused(1)
            assert (over.reason, over.detail) == ("switch.station-in-use", "5002")
            truth = home.aes.truth()
            assert list(truth["agents"]) == ["5002"], "the other one was disturbed"
            assert not any(each["monitors"] for each in truth["sessions"].values())

    play(steps())


def test_an_unknown_job_is_told_and_another_can_be_joined(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path) as home:
            desk = await home.log_in(1, job="NOSUCHJOB")
            view = await desk.until(lambda view: view["dialler"]["trouble"], LIMIT_S)
            assert view["dialler"]["trouble"] == "dialler.no-such-job"
            assert (await desk.command({"type": "join-job", "job": "SPRING25"})).outcome == "done"
            await desk.until(lambda view: view["dialler"]["job"] == "SPRING25", LIMIT_S)
            await desk.log_out()
            await home.until(lambda: not home.left_behind())

    play(steps())


def test_rubbish_from_either_peer_costs_one_link_and_not_the_instance(tmp_path: Path):
    async def steps() -> None:
        async with house(tmp_path, tls=False) as home:
            desk = await home.working(1, job="SPRING25")
            home.aes.garble(b"\x00\x00\x00\x03rubbish")  # a frame shorter than its own header
            await desk.until(lambda view: view["session"]["phase"] == "resetting", LIMIT_S)
            await desk.until(lambda view: view["session"]["phase"] == "active", LIMIT_S)
            home.diallers["dialler-1"].garble(b"no frame at all\x03")
            await desk.until(lambda view: view["dialler"]["stage"] != "joined", LIMIT_S)
            await desk.until(lambda view: view["dialler"]["stage"] == "joined", LIMIT_S)
            await desk.log_out()

    play(steps())
