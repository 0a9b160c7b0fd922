"""What an agent would press next."""

import pytest
from tests.unit.tools.load.views import call, item, view

from unified_agent.tools.load.presses import ANY_CODE, next_press


def pressed(**changed) -> str | None:
    press = next_press(view(**changed))
    return press.what if press is not None else None


def test_an_agent_at_the_switch_answers_talks_and_is_ready_again():
    at_switch = {"session__uses_dialler": False}
    assert pressed(**at_switch) == "set-mode ready"
    assert pressed(**at_switch, calls=[call("alerting")]) == "answer-call 7"
    assert pressed(**at_switch, calls=[call("active")]) == "hang-up-call 7"
    assert pressed(**at_switch, calls=[call("held")]) == "retrieve-call 7"
    assert pressed(**at_switch, agent__switch_mode="wrap-up") == "set-mode ready"
    assert pressed(**at_switch, agent__switch_mode="ready") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"agent__asked": "ready"},
        {"agent__pending": [{"what": "not-ready", "reason": None}]},
        {"blocked": {"set-mode:ready": "telephony-checking"}},
        {"links__telephony__state": "down"},
        {"session__phase": "resetting"},
        {"calls": [call("dialling")]},
        {"calls": [call("alerting", blocked={"answer-call": "telephony-checking"})]},
    ],
)
def test_nothing_is_pressed_that_is_asked_greyed_or_without_a_link(changed):
    assert pressed(session__uses_dialler=False, **changed) is None


def test_an_agent_at_the_dialler_takes_items_talks_and_finishes():
    assert pressed() == "take-items"
    assert pressed(blocked={"take-items": "already-so"}) is None
    working = {"dialler__stage": "working"}
    assert pressed(**working, item=item("on-call")) == "release-line 1"
    assert pressed(**working, item=item("line-gone")) == "finish-item 1"
    assert pressed(**working, item=item("previewing")) is None
    assert pressed(**working, item=item("on-call"), blocked={"release-line": "dialler-down"}) is None


@pytest.mark.parametrize(
    ("suggested", "keys", "code"),
    [("13", [{"code": "21"}], "13"), ("", [{"code": "21"}], "21"), ("", [], ANY_CODE)],
)
def test_a_record_is_finished_with_the_suggested_code_or_one_of_the_job(suggested, keys, code):
    press = next_press(view(item=item("line-gone", suggested_code=suggested), jobs__keys=keys))
    assert press is not None
    assert press.command == {"type": "finish-item", "code": code}


def test_the_same_press_is_recognised_and_another_call_is_another_press():
    first, again, other = (next_press(view(calls=[call("alerting", name)])) for name in ("7", "7", "8"))
    assert first == again
    assert first != other
