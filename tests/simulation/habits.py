"""What an agent does next, seen from what the page shows: mostly sensible things, now and then an odd one."""

from __future__ import annotations

from random import Random
from typing import Any

View = dict[str, Any]
Command = dict[str, Any]

_ON_CALL = (
    "answer-call",
    "hold-call",
    "retrieve-call",
    "hang-up-call",
    "consult-call",
    "blind-transfer-call",
    "send-digits",
    "transfer-call",
    "conference-calls",
    "swap-calls",
    "reconnect-call",
)
_PAIRS = ("transfer-call", "conference-calls", "swap-calls", "reconnect-call")
_FREE: tuple[Command, ...] = (
    {"type": "set-mode", "mode": "ready"},
    {"type": "set-mode", "mode": "not-ready", "reason": 3},
    {"type": "set-mode", "mode": "wrap-up"},
    {"type": "make-call", "number": "5550123"},
    {"type": "take-items"},
    {"type": "pause-items"},
    {"type": "leave-job"},
    {"type": "join-job"},
    {"type": "cancel-pending"},
    {"type": "log-out"},
)
_FREE_WEIGHTS = {
    "set-mode:ready": 20,
    "set-mode:not-ready": 5,
    "set-mode:wrap-up": 1,
    "make-call": 2,
    "take-items": 20,
    "pause-items": 2,
    "leave-job": 1,
    "join-job": 10,
    "cancel-pending": 3,
    "log-out": 0.4,
}


def _word(command: Command) -> str:
    return f"{command['type']}:{command['mode']}" if command["type"] == "set-mode" else str(command["type"])


def next_command(view: View, random: Random) -> Command | None:
    """Return what the agent asks for now, None for nothing."""
    choice = random.random()
    for call in view["calls"]:
        possible = [each for each in _ON_CALL if each not in call["blocked"]]
        if "answer-call" in possible:
            return {"type": "answer-call", "call": call["id"]}
        if possible and choice < 0.5:
            return _about_call(random.choice(possible), view, call)
    item = view["item"]
    if item is not None and choice < 0.6:
        return _about_item(view, item, random)
    free = [each for each in _FREE if _word(each) not in view["blocked"]]
    if not free or choice < 0.3:
        return None
    command = dict(random.choices(free, weights=[_FREE_WEIGHTS[_word(each)] for each in free])[0])
    if command["type"] == "join-job":
        jobs = [each["name"] for each in view["jobs"]["list"] if each["active"]]
        if not jobs:
            return None
        command["job"] = random.choice(jobs)
    return command


def _about_call(kind: str, view: View, call: dict[str, Any]) -> Command:
    command: Command = {"type": kind, "call": call["id"]}
    if kind in {"consult-call", "blind-transfer-call", "add-to-call"}:
        command["number"] = "30005"
    if kind == "send-digits":
        command["digits"] = "12#"
    if kind in _PAIRS:
        other = next((each for each in view["calls"] if each["id"] != call["id"]), call)
        held, active = (call, other) if call["state"] == "held" else (other, call)
        command = {"type": kind, "held": held["id"], "active": active["id"]}
    return command


def _about_item(view: View, item: dict[str, Any], random: Random) -> Command:
    blocked = view["blocked"]
    keys = [each["code"] for each in view["jobs"]["keys"]]
    options: list[Command] = [{"type": "save-draft", "notes": f"note {random.random():.3f}"}]
    if "dial-item" not in blocked:
        options = [{"type": "dial-item"}]
    for kind in ("release-line", "hold-line", "unhold-line"):
        if kind not in blocked:
            options.append({"type": kind})
    if keys and "finish-item" not in blocked:
        code = item["suggested_code"] or random.choice(keys)
        options += [{"type": "finish-item", "code": code}] * 3
    return random.choice(options)
