"""Do desktop, session, switch and dialler agree about one agent? Pure: JSON in, sentences about differences out.

The desktop's view is what its agent sees, the session's what the instance answers to ``GET /v1/session``; switch and
dialler are the simulators' ``GET /truth``. Compared are the work mode, the calls at the station and what the agent's
leg of each does, and at the dialler the stage, the job, the headset and the customer record on screen. Not compared:
times, and what only one of the four can know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Json = dict[str, Any]

#: Work modes of the switch in the view's words.
_MODES: Final = {
    "auxWork": "not-ready",
    "autoIn": "ready",
    "manualIn": "ready",
    "afterCallWork": "wrap-up",
    "loggedOff": "logged-out",
}
#: What a leg's state at the switch may be called in a view; a called party's ringing is the caller's "dialling".
_LEGS: Final = {
    "alerting": {"alerting"},
    "connected": {"active", "dialling", "conferenced"},
    "initiated": {"dialling"},
    "hold": {"held"},
    "fail": {"failed"},
}
#: Stages of an agent at the simulated dialler in the view's words. C (attached, not available) is on its way.
_STAGES: Final = {
    "B": {"logged-on"},
    "C": {"joining", "leaving"},
    "D": {"joined"},
    "E": {"ready"},
    "P": {"working"},
    "F": {"working"},
    "W": {"working"},
}
_WITH_RECORD: Final = frozenset("PFW")
#: What the line of a record may be called in a view: by the agent's stage, and where that leaves it open by the line.
_LINES: Final = {
    "P": {"previewing", "dialling"},
    "W": {"line-gone"},
    "held": {"on-hold"},
    "open": {"on-call", "line-gone"},
}
#: Slices that desktop and session share.
_SLICES: Final = ("session", "agent", "calls", "dialler", "item", "links")
#: Views of an agent who is not at any dialler.
_NOT_THERE: Final = frozenset({"off", "waiting", "refused", "logging-on"})


def differences(view: Json, switch: Json, diallers: Mapping[str, Mapping[str, Json]], dialler_name: str) -> list[str]:
    """Compare what a desktop shows with what is true at the switch and at the diallers.

    Args:
        view: the desktop's.
        switch: the whole truth of the simulated AES.
        diallers: by the dialler's name in the instance's settings: the agents logged on there, by ``by_name``.
        dialler_name: the agent's name at the dialler, empty for one who uses none.

    Returns:
        One sentence for each difference; empty when all agree.
    """
    found = list(_at_switch(view, switch))
    if dialler_name:
        found += _at_dialler(view, diallers, dialler_name)
    return found


def between_views(desktop: Json, session: Json) -> list[str]:
    """Compare what a desktop shows with what the instance says of the session; both at one place of the stream."""
    return list(_between(desktop, session))


def by_name(dialler_truth: Json) -> dict[str, Json]:
    """Order the agents of a simulated dialler's truth by their names."""
    return {each["name"]: each for each in dialler_truth["agents"]}


def back_at_work(view: Json) -> bool:
    """Say whether the desktop shows everything as known and in its place: links up, and, with a dialler, in a job."""
    if view["links"]["telephony"]["state"] != "up" or not view["agent"]["known"]:
        return False
    if not view["session"]["uses_dialler"]:
        return True
    dialler = view["dialler"]
    return bool(dialler["known"]) and dialler["stage"] in {"joined", "ready", "working"}


def _between(desktop: Json, session: Json) -> Iterable[str]:
    for name in _SLICES:
        shown, true = desktop.get(name), session.get(name)
        if shown == true:
            continue
        if isinstance(shown, dict) and isinstance(true, dict):
            keys = sorted(key for key in shown.keys() | true.keys() if shown.get(key) != true.get(key))
            yield f"{name}: desktop and session differ in {', '.join(keys)}"
        else:
            yield f"{name}: desktop and session differ"


def _at_switch(view: Json, switch: Json) -> Iterable[str]:
    agent, station = view["session"]["agent"], view["session"]["station"]
    there = switch["agents"].get(agent)
    mode = "logged-out" if there is None else _MODES.get(there["work_mode"], there["work_mode"])
    if view["agent"]["switch_mode"] != mode:
        yield f"mode: desktop says {view['agent']['switch_mode']}, switch says {mode}"
    if there is not None and there["station"] != station:
        yield f"station: desktop says {station}, switch says {there['station']}"
    legs: Mapping[str, str] = switch["stations"].get(station, {}).get("calls", {})
    shown = {call["id"]: call["state"] for call in view["calls"]}
    for call in sorted(legs.keys() | shown.keys()):
        if call not in shown:
            yield f"call {call}: switch says {legs[call]}, desktop shows none"
        elif call not in legs:
            yield f"call {call}: desktop says {shown[call]}, switch has none"
        elif shown[call] not in _LEGS.get(legs[call], set()):
            yield f"call {call}: desktop says {shown[call]}, switch says {legs[call]}"


def _at_dialler(view: Json, diallers: Mapping[str, Mapping[str, Json]], name: str) -> Iterable[str]:
    shown = view["dialler"]
    here = shown["dialler"] if shown["stage"] not in _NOT_THERE else None
    for dialler, agents in diallers.items():
        if dialler != here and name in agents:
            yield f"dialler: logged on at {dialler}, desktop says {here or shown['stage']}"
    if here is None:
        return
    there = diallers.get(here, {}).get(name)
    if there is None:
        yield f"dialler: desktop says {shown['stage']} at {here}, dialler knows nobody"
        return
    if shown["stage"] not in _STAGES.get(there["stage"], set()):
        yield f"dialler stage: desktop says {shown['stage']}, dialler says {there['stage']}"
    if (shown["job"] or "") != (there["job"] if there["stage"] != "B" else ""):
        yield f"job: desktop says {shown['job']}, dialler says {there['job']}"
    if shown["headset"] != there["headset"]["state"]:
        yield f"headset: desktop says {shown['headset']}, dialler says {there['headset']['state']}"
    yield from _record(view["item"], there)


def _record(item: Json | None, there: Json) -> Iterable[str]:
    has_record = there["stage"] in _WITH_RECORD
    if (item is not None) != has_record:
        yield f"record: desktop shows {'one' if item else 'none'}, dialler says {there['stage']}"
        return
    if item is None or there["call"] is None:
        return
    fields = there["call"]["record"]["fields"]
    for each in item["fields"]:
        true = fields.get(each["name"])
        if true is not None and each["value"] != true.strip():
            yield f"record: desktop shows another value of {each['name']}"
    line = there["call"]["line"]
    stages = _LINES.get(there["stage"]) or _LINES.get(line, {"on-call"})
    if item["stage"] not in stages:
        yield f"line: desktop says {item['stage']}, dialler says {there['stage']} {line}"
