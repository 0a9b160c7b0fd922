"""Views and truths of one agent at rest, to be changed by tests: at the switch not ready, at the dialler joined."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]
AGENT, STATION, NAME = "50001", "20001", "agent0000"

_VIEW: Json = {
    "session": {"agent": AGENT, "station": STATION, "phase": "active", "uses_dialler": True},
    "agent": {"switch_mode": "not-ready", "known": True, "asked": None, "pending": []},
    "calls": [],
    "dialler": {
        "stage": "joined",
        "dialler": "dialler-1",
        "job": "LOAD",
        "headset": "connected",
        "known": True,
        "take_items": False,
    },
    "jobs": {"list": [], "keys": [{"code": "21", "text": "Paid"}]},
    "item": None,
    "links": {"telephony": {"state": "up", "lost": None}, "dialler": {"state": "up", "lost": None}},
    "blocked": {},
}
_SWITCH: Json = {"agents": {AGENT: {"station": STATION, "work_mode": "auxWork"}}, "stations": {STATION: {"calls": {}}}}
_SEAT: Json = {"name": NAME, "stage": "D", "job": "LOAD", "headset": {"state": "connected"}, "call": None}


def view(**changed: Any) -> Json:
    """The agent's view; ``agent__known=False`` changes a value within a slice."""
    return _changed(_VIEW, changed)


def switch(**changed: Any) -> Json:
    return _changed(_SWITCH, changed)


def on_call(local: str = "connected", call: str = "7") -> Json:
    """The switch with one call at the station."""
    return switch(stations={STATION: {"calls": {call: local}}})


def seat(**changed: Any) -> Json:
    return _changed(_SEAT, changed)


def diallers(one: Json | None, two: Json | None = None) -> dict[str, dict[str, Json]]:
    return {
        "dialler-1": {} if one is None else {one["name"]: one},
        "dialler-2": {} if two is None else {two["name"]: two},
    }


def call(state: str = "active", name: str = "7", **changed: Any) -> Json:
    return {"id": name, "state": state, "blocked": {}, **changed}


def item(stage: str = "on-call", **changed: Any) -> Json:
    return {
        "number": 1,
        "stage": stage,
        "suggested_code": "",
        "fields": [{"name": "NAME", "value": "PAT LEE"}, {"name": "UNKNOWN", "value": "x"}],
        **changed,
    }


def record(line: str = "talking", name: str = "PAT LEE   ") -> Json:
    return {"line": line, "record": {"fields": {"NAME": name}}}


def _changed(whole: Json, changed: Json) -> Json:
    result = copy.deepcopy(whole)
    for path, value in changed.items():
        *slices, last = path.split("__")
        inner = result
        for each in slices:
            inner = inner[each]
        inner[last] = value
    return result
