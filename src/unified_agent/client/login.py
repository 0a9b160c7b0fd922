"""Logging in over HTTP."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import httpx

from unified_agent.client.errors import InstanceUnreachable, LoginRefused

Json = dict[str, Any]


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
    password: str
    headset: str
    job: str = ""


async def ask_for_session(
    http: httpx.AsyncClient,
    url: str,
    *,
    agent: str,
    station: str,
    password: str,
    dialler: DiallerLogin | None,
    limit_s: float,
) -> Json:
    """Open a session at the instance.

    Returns:
        ``{session, token, now}``.

    Raises:
        LoginRefused: the instance does not take the login.
        InstanceUnreachable: it cannot be asked, or not within the limit.
    """
    body = {
        "agent": agent,
        "station": station,
        "password": password,
        "dialler": None if dialler is None else asdict(dialler),
    }
    try:
        answer = await http.post(f"{url}/v1/session", json=body, timeout=limit_s)
    except httpx.HTTPError as error:
        raise InstanceUnreachable(f"{url}: {error!r}") from error
    try:
        content: Json = answer.json()
    except ValueError:
        content = {}
    if answer.status_code == httpx.codes.CREATED:
        return content
    after = answer.headers.get("retry-after", "")
    raise LoginRefused(
        content.get("id", f"http.{answer.status_code}"),
        content.get("detail", ""),
        content.get("retry", "later"),
        float(after) if after.isdecimal() else None,
    )
