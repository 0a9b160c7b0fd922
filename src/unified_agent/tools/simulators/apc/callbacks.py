"""Dates and times of callbacks, as agents write them.

Source: Agent API guide, AGTSetCallback. Times are ``HHMM`` or ``HH:MM``, followed by nothing, by A or P, or by + for
"from now on". Which error belongs to which fault is the order of the guide's list.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from unified_agent.tools.simulators.apc.floor import Refused


def due_in_s(date: str, time: str, now: datetime, legal_hours: tuple[int, int]) -> float:
    """Say in how many seconds a callback is due.

    Args:
        date: ``CCYY/MM/DD``; may be empty with a relative time.
        time: ``0930``, ``09:30``, ``05:00p``, ``00:30+``.
        now: local date and time.
        legal_hours: hour of day from and until calls are legal.

    Raises:
        Refused: E28831 to E28840 for what cannot be read, E28847 for a date past, E28848 outside legal hours.
    """
    hours, minutes, mark = _read_time(time)
    if mark == "+":
        due = now + timedelta(hours=hours, minutes=minutes)
    else:
        year, month, day = _read_date(date)
        try:
            due = now.replace(year=year, month=month, day=day, hour=hours, minute=minutes, second=0, microsecond=0)
        except ValueError:
            raise Refused("E28835") from None
    if due < now:
        raise Refused("E28847")
    if not legal_hours[0] <= due.hour < legal_hours[1]:
        raise Refused("E28848")
    return (due - now).total_seconds()


def _read_date(date: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"(\d{4})/(\d{2})/(\d{2})", date)
    if found is None:
        raise Refused("E28832" if re.fullmatch(r"[\d/.-]+", date) else "E28831")
    year, month, day = map(int, found.groups())
    if not 1 <= month <= 12:
        raise Refused("E28833")
    if not 2000 <= year <= 2099:
        raise Refused("E28834")
    if not 1 <= day <= 31:
        raise Refused("E28835")
    return year, month, day


def _read_time(time: str) -> tuple[int, int, str]:
    found = re.fullmatch(r"(\d{2}):?(\d{2})([AaPp+]?)", time)
    if found is None:
        raise Refused("E28840" if re.fullmatch(r"[\d:AaPp+]+", time) else "E28836")
    hours, minutes, mark = int(found[1]), int(found[2]), found[3].upper()
    if hours > 23 or (mark in {"A", "P"} and not 1 <= hours <= 12):
        raise Refused("E28837")
    if minutes > 59:
        raise Refused("E28838")
    if mark in {"A", "P"}:
        hours = hours % 12 + (12 if mark == "P" else 0)
    return hours, minutes, mark
