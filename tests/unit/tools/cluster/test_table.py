import re

import pytest
from msgspec.structs import replace
from tests.unit.tools.cluster.told import URL, alone, cluster, instance, me

from unified_agent.server.cluster_ports import (
    ActivationStatus,
    ClusterStatus,
    Decision,
    DrainStatus,
    InstanceState,
    KeysStatus,
    StoreStatus,
    Verdict,
)
from unified_agent.tools.cluster.table import ASCII, Look, age, choose_look, state_of, write_status

SIGNS = Look()


def written(status: ClusterStatus, look: Look = SIGNS) -> list[str]:
    return write_status(status, look, asked=URL)


def line(status: ClusterStatus, beginning: str) -> str:
    found = [each for each in written(status) if each.strip(" ●◆○▲■").startswith(beginning)]
    assert found, "\n".join(written(status))
    return found[0].strip()


def test_a_cluster_that_is_well_is_shown_like_this() -> None:
    assert "\n".join(written(cluster())) == (
        """\
prod, as ua-1 sees it at 15:40:51 UTC  http://ua-1.test  all well

  east  ● active since 14:00 UTC (101 min), epoch 4: first start
  west  ○ passive, 1 instance is warm

    instance  state       agents  links   store  heard     version
  east
  ● ua-1      ready  300 / 1,200  all up  yes    this one  0.1.0
  ● ua-2      ready  300 / 1,200  all up  yes    0.3 s     0.1.0
  west
  ● wa-1      ready    0 / 1,200  all up  yes    0.3 s     0.1.0

  store     ● up, heard 0.2 s ago: the lease was renewed
  east      ● serves: east is active
  keys      k7 seals; k6 opens what is older"""
    )


def test_an_instance_alone_is_shown_without_a_word_of_what_it_has_not() -> None:
    text = "\n".join(written(alone()))
    assert "all well" in text
    assert "store     ○ none: there is none: this instance is alone" in text
    assert "keys" not in text


def test_what_needs_a_person_is_counted_at_the_top_and_told_at_the_bottom() -> None:
    lines = written(cluster(me(), instance("ua-2", verdict=Verdict.SUSPECT), instance("ua-3"), instance("wa-1")))
    assert lines[0].endswith("1 thing needs you")
    assert "  ▲ 1. ua-2 (east) is not heard." in lines
    two = written(cluster(me(), instance("ua-2", verdict=Verdict.SUSPECT), instance("wa-1")))
    assert two[0].endswith("2 things need you")


def test_what_is_only_to_be_known_leaves_a_cluster_well() -> None:
    lines = written(cluster(me(version="0.2.0"), instance("ua-2"), instance("wa-1")))
    assert lines[0].endswith("all well")
    assert any("○ 1. Versions differ" in each for each in lines)
    assert line(cluster(me(version="0.2.0"), instance("ua-2"), instance("wa-1")), "ua-2").endswith("0.1.0 (older)")


def test_what_a_dead_instance_said_last_is_not_shown_as_if_it_were_so() -> None:
    down = instance("ua-2", state=InstanceState.DOWN, verdict=Verdict.DEAD, heard_s=61.0)
    row = line(cluster(me(), down, instance("ua-3"), instance("wa-1")), "ua-2")
    assert row.split() == ["■", "ua-2", "down", "–", "–", "–", "61", "s", "0.1.0"]


def test_lost_links_and_a_lost_store_stand_in_the_row() -> None:
    row = line(cluster(me(), instance("ua-2", links_down=("aes-1", "pc-1"), has_store=False), instance("wa-1")), "ua-2")
    assert "aes-1, pc-1 down  NO" in row


def test_a_drain_has_a_line_of_its_own() -> None:
    drains = DrainStatus(left=1_120, moved=180, waiting_for_items=3)
    one = instance("ua-2", state=InstanceState.DRAINING, drain=drains)
    lines = written(cluster(me(), one, instance("ua-3"), instance("wa-1")))
    assert "      1,120 left, 3 of them with a dialler's record open; 180 moved" in lines


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"state": InstanceState.READY}, "ready"),
        ({"state": InstanceState.JOINING}, "joining"),
        ({"state": InstanceState.FENCED}, "stepped down"),
        ({"state": InstanceState.DRAINING, "verdict": Verdict.SUSPECT}, "not heard"),
        ({"state": InstanceState.READY, "verdict": Verdict.DEAD}, "down"),
        ({"state": InstanceState.DOWN}, "down"),
    ],
)
def test_each_state_has_a_word(changed: dict[str, object], word: str) -> None:
    assert state_of(instance("ua-2", **changed), "east")[0] == word


def test_an_instance_that_waits_for_its_datacentre_to_be_active_is_warm() -> None:
    passive = instance("wa-1", state=InstanceState.JOINING)
    assert state_of(passive, "east") == ("warm", "waiting")
    assert state_of(passive, "west") == ("joining", "waiting")
    assert state_of(passive, "")[0] == "joining"


def test_each_kind_of_state_has_a_shape_of_its_own() -> None:
    for look in (Look(), ASCII):
        assert len({look.good, look.busy, look.waiting, look.odd, look.bad}) == 5


@pytest.mark.parametrize(
    ("status", "east", "west"),
    [
        (cluster(has_witness=False), "● active", "without a witness only a person makes it active"),
        (
            cluster(active="", handed_to="west", epoch=5),
            "◆ stands down for west (epoch 5)",
            "◆ is taking over (epoch 5)",
        ),
        (cluster(me(), instance("ua-2")), "● active", "■ passive, and no instance lives there"),
        (
            cluster(instance("wa-1", is_me=True), instance("wa-2"), datacentre="west"),
            "■ active since 14:00 UTC (101 min), epoch 4, and no instance lives there",
            "○ passive, 2 instances are warm",
        ),
        (
            cluster(
                instance("wa-1", is_me=True),
                datacentre="west",
                activation=ActivationStatus(decision=Decision.PREPARE, reason="nobody lives there for 3.0 s"),
            ),
            "■ active since",
            "◆ prepares to take over: nobody lives there for 3.0 s",
        ),
    ],
)
def test_each_datacentre_says_what_it_is(status: ClusterStatus, east: str, west: str) -> None:
    lines = written(status)
    assert east in lines[2]
    assert west in lines[3]


@pytest.mark.parametrize("since", ["", "yesterday"])
def test_a_time_that_is_not_known_is_left_out(since: str) -> None:
    assert line(cluster(active_since=since), "east").endswith("active, epoch 4: first start")


def test_a_time_of_another_day_has_its_date() -> None:
    assert "since 2026-11-20 14:00 UTC (2 days)" in line(cluster(active_since="2026-11-20T14:00:00Z"), "east")


def test_a_store_that_is_not_reached_is_told_in_capitals() -> None:
    lines = written(cluster(store=StoreStatus(up=False, said="no leader", heard_s=12.0)))
    assert "  store     ■ NOT REACHED, heard 12 s ago: no leader" in lines


def test_one_key_has_none_beside_it() -> None:
    assert "  keys      k7 seals" in written(cluster(keys=KeysStatus(current="k7", known=("k7",))))


def test_colours_change_nothing_but_the_colours() -> None:
    status = cluster(me(), instance("ua-2", state=InstanceState.FENCED), instance("wa-1"))
    coloured = "\n".join(written(status, Look(colour=True)))
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == "\n".join(written(status))


def test_an_output_that_shows_ascii_only_gets_ascii_only() -> None:
    look = choose_look("ascii", colour=False)
    assert look == ASCII
    assert choose_look(None, colour=True) == replace(ASCII, colour=True)
    assert choose_look("no-such-encoding", colour=False) == ASCII
    assert choose_look("utf-8", colour=False) == Look()
    "\n".join(written(cluster(me(), instance("ua-2", verdict=Verdict.DEAD), instance("wa-1")), look)).encode("ascii")


def test_long_advice_is_wrapped() -> None:
    assert all(len(each) <= 120 for each in written(cluster(me(), instance("ua-2", verdict=Verdict.DEAD))))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0.0 s"), (0.34, "0.3 s"), (61, "61 s"), (600, "10 min"), (7_300, "2 h"), (200_000, "2 days")],
)
def test_an_age_is_as_rough_as_a_person_would_say_it(seconds: float, text: str) -> None:
    assert age(seconds) == text
