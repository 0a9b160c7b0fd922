"""What there is to try, each as a command to copy and as a key that does the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from unified_agent.tools.demo.plan import DIALLER_NAMES, JOB, ON_THE_JOB, VDN

Json = dict[str, Any]

AES: Final = "aes"
#: Stands for every dialler; its command is printed for the first one.
DIALLERS: Final = "diallers"
#: One request to a control port, seconds.
_REQUEST_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trick:
    """One thing to try.

    Attributes:
        key: small letters do something, the same capital letter undoes it.
        title: what happens, in a few words.
        where: whose control port is asked: ``aes``, a dialler's name, or ``diallers``: each, and one must accept.
        path: of the control port.
        body: what is posted.
    """

    key: str
    title: str
    where: str
    path: str
    body: Json

    def command(self, controls: Mapping[str, str]) -> str:
        """Write it for a shell.

        Args:
            controls: URLs of the control ports by the names of the simulators.
        """
        url = controls[DIALLER_NAMES[0] if self.where == DIALLERS else self.where]
        return f"curl -d {shlex.quote(json.dumps(self.body))} {url}{self.path}"


TRICKS: Final = (
    (
        Trick(
            key="c",
            title="a caller rings at the agent who is ready for longest",
            where=AES,
            path="/calls",
            body={"number": VDN, "user_data": "ACC=4711"},
        ),
    ),
    (
        Trick(
            key="x",
            title="cut the link to AES; it comes back by itself",
            where=AES,
            path="/connections/cut",
            body={"how": "reset"},
        ),
    ),
    (
        Trick(
            key="s",
            title="AES falls silent: nothing is closed, noticed within 10 s",
            where=AES,
            path="/connections/silence",
            body={"silent": True},
        ),
        Trick(key="S", title="AES speaks again", where=AES, path="/connections/silence", body={"silent": False}),
    ),
    (
        Trick(key="l", title="AES loses its switch, and says so", where=AES, path="/link", body={"up": False}),
        Trick(key="L", title="the switch is back", where=AES, path="/link", body={"up": True}),
    ),
    (
        Trick(
            key="d",
            title="dialler-1 crashes; its agents go on at dialler-2",
            where=DIALLER_NAMES[0],
            path="/dialler/down",
            body={"announce": False},
        ),
        Trick(
            key="D",
            title="dialler-1 is back; nobody is moved off dialler-2",
            where=DIALLER_NAMES[0],
            path="/connections/accept",
            body={"accept": True},
        ),
    ),
    (
        Trick(key="e", title=f"the job {JOB} ends", where=DIALLERS, path="/jobs/end", body={"job": JOB}),
        Trick(key="E", title=f"{JOB} starts again", where=DIALLERS, path="/jobs/start", body={"job": JOB}),
    ),
    (
        Trick(
            key="m",
            title="a supervisor writes to everybody at the diallers",
            where=DIALLERS,
            path="/agents/message",
            body={"text": "Team meeting at 15:00"},
        ),
    ),
    (
        Trick(
            key="h",
            title=f"the headset of {ON_THE_JOB.dialler_name} breaks",
            where=DIALLERS,
            path="/agents/headset",
            body={"agent": ON_THE_JOB.dialler_name, "broken": True},
        ),
        Trick(
            key="H",
            title="it works again",
            where=DIALLERS,
            path="/agents/headset",
            body={"agent": ON_THE_JOB.dialler_name, "broken": False},
        ),
    ),
)

BY_KEY: Final = {trick.key: trick for group in TRICKS for trick in group}


async def play(trick: Trick, controls: Mapping[str, str], http: httpx.AsyncClient) -> str:
    """Do it.

    Args:
        trick: what.
        controls: URLs of the control ports by the names of the simulators.
        http: for the requests.

    Returns:
        A sentence: what happened, or why nothing did.
    """
    names = DIALLER_NAMES if trick.where == DIALLERS else (trick.where,)
    answers = [(name, *(await _post(http, f"{controls[name]}{trick.path}", trick.body))) for name in names]
    good = [f"{name}: {words}" for name, done, words in answers if done]
    bad = [f"{name}: {words}" for name, done, words in answers if not done]
    return f"{trick.title}  ({', '.join(good)})" if good else f"nothing happened  ({'; '.join(bad)})"


async def _post(http: httpx.AsyncClient, url: str, body: Json) -> tuple[bool, str]:
    try:
        answer = await http.post(url, json=body, timeout=_REQUEST_LIMIT_S)
        told: Json = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return False, f"no answer, {type(error).__name__}"
    if answer.is_success:
        return True, ", ".join(f"{name} {json.dumps(value)}" for name, value in told.items())
    return False, str(told.get("detail", answer.status_code))
