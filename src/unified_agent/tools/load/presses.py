"""What an agent would press next, seen from the view alone. Pure.

An agent at the switch answers, talks, hangs up, finishes the wrap-up and is ready again. An agent at the dialler takes
items, talks, releases the line, types and finishes with a completion code. Only what is not greyed is pressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

#: How long an agent takes before each press, seconds, from and to.
ANSWER_S: Final = (0.5, 2.5)
READY_S: Final = (0.3, 1.0)
TALK_S: Final = (18.0, 30.0)
WRAP_UP_S: Final = (6.0, 12.0)
FINISH_S: Final = (10.0, 15.0)
#: Finished with when the job names no code.
ANY_CODE: Final = "20"


@dataclass(frozen=True, slots=True)
class Press:
    """One press of a button.

    Attributes:
        what: names it with what it is about, so that the same press is recognised: ``answer-call 17``.
        command: for the instance.
        after_s: how long the agent takes before it, from and to.
    """

    what: str
    command: Json
    after_s: tuple[float, float]


def next_press(view: Json) -> Press | None:
    """Say what the agent would press next, None for nothing."""
    if view["links"]["telephony"]["state"] != "up" or view["session"]["phase"] != "active":
        return None
    for call in view["calls"]:
        press = _on_call(call)
        if press is not None:
            return press
    if view["calls"]:
        return None
    return _at_dialler(view) if view["session"]["uses_dialler"] else _at_switch(view)


def _on_call(call: Json) -> Press | None:
    command = {"alerting": "answer-call", "active": "hang-up-call", "held": "retrieve-call"}.get(call["state"])
    if command is None or command in call["blocked"]:
        return None
    after_s = TALK_S if command == "hang-up-call" else ANSWER_S
    return Press(f"{command} {call['id']}", {"type": command, "call": call["id"]}, after_s)


def _at_switch(view: Json) -> Press | None:
    agent = view["agent"]
    if agent["asked"] or agent["pending"] or "set-mode:ready" in view["blocked"]:
        return None
    after_s = {"wrap-up": WRAP_UP_S, "not-ready": READY_S}.get(agent["switch_mode"])
    return None if after_s is None else Press("set-mode ready", {"type": "set-mode", "mode": "ready"}, after_s)


def _at_dialler(view: Json) -> Press | None:
    item, blocked = view["item"], view["blocked"]
    if item is None:
        return None if "take-items" in blocked else Press("take-items", {"type": "take-items"}, READY_S)
    if item["stage"] == "on-call" and "release-line" not in blocked:
        return Press(f"release-line {item['number']}", {"type": "release-line"}, TALK_S)
    if item["stage"] == "line-gone" and "finish-item" not in blocked:
        keys = view["jobs"]["keys"]
        code = item["suggested_code"] or (keys[0]["code"] if keys else ANY_CODE)
        return Press(f"finish-item {item['number']}", {"type": "finish-item", "code": code}, FINISH_S)
    return None
