"""Do desktop, session, switch and dialler agree?"""

import pytest
from tests.unit.tools.load.views import (
    AGENT,
    NAME,
    STATION,
    call,
    diallers,
    item,
    on_call,
    record,
    seat,
    switch,
    view,
)

from unified_agent.tools.load.truths import back_at_work, between_views, by_name, differences


def found(desktop=None, at_switch=None, one=None, two=None) -> list[str]:
    return differences(desktop or view(), at_switch or switch(), diallers(one or seat(), two), NAME)


def test_an_agent_at_rest_agrees_everywhere():
    assert found() == []


@pytest.mark.parametrize(
    ("shown", "true"),
    [("not-ready", "auxWork"), ("ready", "autoIn"), ("ready", "manualIn"), ("wrap-up", "afterCallWork")],
)
def test_work_modes_are_compared_in_the_views_words(shown, true):
    desktop = view(agent__switch_mode=shown)
    at_switch = switch(agents={AGENT: {"station": STATION, "work_mode": true}})
    assert found(desktop, at_switch) == []
    other = view(agent__switch_mode="logged-out")
    assert found(other, at_switch) == [f"mode: desktop says logged-out, switch says {shown}"]


def test_an_agent_whom_the_switch_does_not_know_is_logged_out():
    at_switch = switch(agents={})
    assert found(None, at_switch) == ["mode: desktop says not-ready, switch says logged-out"]
    assert found(view(agent__switch_mode="logged-out"), at_switch) == []


def test_an_agent_at_another_station_is_told():
    at_switch = switch(agents={AGENT: {"station": "20009", "work_mode": "auxWork"}})
    assert found(None, at_switch) == [f"station: desktop says {STATION}, switch says 20009"]


@pytest.mark.parametrize(
    ("shown", "true", "agree"),
    [
        ("alerting", "alerting", True),
        ("active", "connected", True),
        ("conferenced", "connected", True),
        ("dialling", "connected", True),
        ("dialling", "initiated", True),
        ("held", "hold", True),
        ("failed", "fail", True),
        ("active", "alerting", False),
        ("held", "connected", False),
        ("active", "queued", False),
    ],
)
def test_legs_are_compared_in_the_views_words(shown, true, agree):
    different = found(view(calls=[call(shown)]), on_call(true))
    assert different == ([] if agree else [f"call 7: desktop says {shown}, switch says {true}"])


def test_a_call_that_only_one_knows_is_told():
    assert found(view(calls=[call()])) == ["call 7: desktop says active, switch has none"]
    assert found(None, on_call()) == ["call 7: switch says connected, desktop shows none"]


def test_a_station_without_anything_is_not_in_the_truth_and_has_no_calls():
    assert found(None, switch(stations={})) == []


@pytest.mark.parametrize(
    ("shown", "true"),
    [
        ("logged-on", "B"),
        ("joining", "C"),
        ("leaving", "C"),
        ("joined", "D"),
        ("ready", "E"),
    ],
)
def test_stages_at_the_dialler_are_compared_in_the_views_words(shown, true):
    job = None if shown == "logged-on" else "LOAD"
    desktop = view(dialler__stage=shown, dialler__job=job)
    assert found(desktop, one=seat(stage=true)) == []
    assert found(view(dialler__stage="working"), one=seat(stage="E", job="LOAD")) != []


def test_an_agent_who_is_on_no_dialler_agrees_while_off_or_waiting():
    for stage in ("off", "waiting", "refused", "logging-on"):
        assert differences(view(dialler__stage=stage), switch(), diallers(None), NAME) == []
    waiting = view(dialler__stage="waiting")
    assert found(waiting) == ["dialler: logged on at dialler-1, desktop says waiting"]


def test_an_agent_on_the_wrong_or_on_two_diallers_is_told():
    assert found(two=seat()) == ["dialler: logged on at dialler-2, desktop says dialler-1"]
    assert differences(view(), switch(), diallers(None, seat()), NAME) == [
        "dialler: logged on at dialler-2, desktop says dialler-1",
        "dialler: desktop says joined at dialler-1, dialler knows nobody",
    ]


def test_a_dialler_that_cannot_be_asked_knows_nobody():
    assert differences(view(), switch(), {}, NAME) == [
        "dialler: desktop says joined at dialler-1, dialler knows nobody"
    ]


def test_job_and_headset_are_compared():
    assert found(one=seat(job="OTHER")) == ["job: desktop says LOAD, dialler says OTHER"]
    assert found(one=seat(headset={"state": "broken"})) == ["headset: desktop says connected, dialler says broken"]


@pytest.mark.parametrize(
    ("shown", "stage", "line", "agree"),
    [
        ("on-call", "F", "talking", True),
        ("on-hold", "F", "held", True),
        ("line-gone", "F", "open", True),
        ("on-call", "F", "held", False),
        ("line-gone", "F", "talking", False),
        ("line-gone", "W", "gone", True),
        ("on-call", "W", "gone", False),
        ("previewing", "P", "none", True),
        ("dialling", "P", "dialling", True),
        ("on-call", "P", "none", False),
    ],
)
def test_the_line_of_a_record_is_compared(shown, stage, line, agree):
    desktop = view(dialler__stage="working", item=item(shown))
    different = found(desktop, one=seat(stage=stage, call=record(line)))
    assert different == ([] if agree else [f"line: desktop says {shown}, dialler says {stage} {line}"])


def test_another_customers_record_is_told():
    desktop = view(dialler__stage="working", item=item())
    assert found(desktop, one=seat(stage="F", call=record(name="SAM OYE"))) == [
        "record: desktop shows another value of NAME"
    ]


def test_a_record_that_only_one_has_is_told():
    working = view(dialler__stage="working", item=item())
    assert "record: desktop shows one, dialler says D" in found(working)
    assert "record: desktop shows none, dialler says F" in found(None, one=seat(stage="F", call=record()))


def test_an_agent_who_uses_no_dialler_is_compared_with_the_switch_alone():
    assert differences(view(dialler__stage="joined"), switch(), {}, "") == []


def test_desktop_and_session_are_compared_slice_by_slice():
    assert between_views(view(), view()) == []
    assert between_views(view(agent__known=False), view()) == ["agent: desktop and session differ in known"]
    assert between_views(view(), view(item=item())) == ["item: desktop and session differ"]
    assert between_views(view(blocked={"x": "y"}), view()) == []


def test_agents_of_a_dialler_are_ordered_by_name():
    assert by_name({"agents": [seat(), seat(name="other")]}).keys() == {NAME, "other"}


@pytest.mark.parametrize(
    ("changed", "back"),
    [
        ({}, True),
        ({"links__telephony__state": "checking"}, False),
        ({"agent__known": False}, False),
        ({"dialler__stage": "logging-on"}, False),
        ({"dialler__stage": "working"}, True),
        ({"dialler__known": False}, False),
        ({"dialler__stage": "off", "session__uses_dialler": False}, True),
    ],
)
def test_back_at_work_means_all_known_and_in_its_place(changed, back):
    assert back_at_work(view(**changed)) is back
