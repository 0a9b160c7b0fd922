"""Who logs in, and the instance that takes the login."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DiallerLogin:
    """How to log on to the dialler.

    Attributes:
        name: the agent's name there.
        password: for it.
        headset: the number that the dialler rings.
        job: joined at once; empty to choose later.
    """

    name: str
    password: str = field(repr=False)
    headset: str
    job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who logs in, and how.

    Attributes:
        agent: the agent's id at the switch, digits.
        station: the telephone's number.
        password: the agent's at the switch.
        dialler: how to log on to the dialler, None for an agent without.
    """

    agent: str
    station: str
    password: str = field(repr=False)
    dialler: DiallerLogin | None = None
