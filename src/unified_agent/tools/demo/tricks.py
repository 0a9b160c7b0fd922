"""What there is to try, each as a command to copy and as a key that does the same."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import msgspec

from unified_agent.tools.cluster.access import DEFAULT_URL
from unified_agent.tools.demo.plan import AWAY_S, DIALLER_NAMES, INSTANCE_NAMES, JOB, ON_THE_JOB, VDN
from unified_agent.tools.demo.store import STORE

Json = dict[str, Any]

AES: Final = "aes"
#: Stands for every dialler; its command is printed for the first one.
DIALLERS: Final = "diallers"
#: Stands for the instance that serves most agents; its command is printed for the first one.
BUSIEST: Final = "busiest"
#: One request, seconds.
_REQUEST_LIMIT_S: Final = 5.0


class Stage(Protocol):
    """What the tricks are played on."""

    @property
    def controls(self) -> Mapping[str, str]:
        """URLs of the control ports by the names of the simulators."""
        ...

    @property
    def urls(self) -> Mapping[str, str]:
        """URLs of the instances by name."""
        ...

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of all that run now, by name; of an instance that of the process that serves."""
        ...

    @property
    def folder(self) -> Path:
        """Where NAME.pid has the process id of each."""
        ...

    @property
    def program(self) -> str:
        """How our own command is called in a shell here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request to a control port.

    Attributes:
        where: whose: ``aes``, a dialler's name, or ``diallers``: each, and one must accept.
        path: of the control port.
        body: what is posted.
    """

    where: str
    path: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal to a process.

    Attributes:
        where: ``store``, or ``busiest``. What the same key did before to the busiest is undone where it was done.
        number: of the signal.
    """

    where: str
    number: signal.Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An operator's order about the instance that serves most agents.

    Attributes:
        word: ``drain`` or ``resume``, as in REST and in the command.
    """

    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trick:
    """One thing to try.

    Attributes:
        key: small letters do something, the same capital letter undoes it.
        title: what happens, in a few words.
        deed: how.
    """

    key: str
    title: str
    deed: Post | Signal | Order

    def command(self, stage: Stage) -> str:
        """Write it for a shell."""
        match self.deed:
            case Post(where=where, path=path, body=body):
                url = stage.controls[DIALLER_NAMES[0] if where == DIALLERS else where]
                return f"curl -d {shlex.quote(msgspec.json.encode(body).decode())} {url}{path}"
            case Signal(where=where, number=number):
                name = INSTANCE_NAMES[0] if where == BUSIEST else where
                return kill_command(stage, name, number)
            case Order(word=word):
                return cluster_command(stage, f"{word} {INSTANCE_NAMES[0]}")


def kill_command(stage: Stage, name: str, number: signal.Signals) -> str:
    """Write a signal to a process for a shell; it finds the process also after it was started again."""
    word = "9" if number is signal.SIGKILL else number.name.removeprefix("SIG")
    return f'kill -{word} "$(cat {shlex.quote(str(stage.folder / f"{name}.pid"))})"'


def cluster_command(stage: Stage, words: str) -> str:
    """Write a ``unified-agent cluster`` command for a shell."""
    url = stage.urls[INSTANCE_NAMES[0]]
    return f"{stage.program} cluster {words}" + ("" if url == DEFAULT_URL else f" --url {url}")


#: What happens to instances and their store; an instance alone has neither.
OF_THE_CLUSTER: Final = (
    (
        Trick(
            key="k",
            title=f"the instance that serves most agents is killed; it is back after {AWAY_S:.0f} s",
            deed=Signal(where=BUSIEST, number=signal.SIGKILL),
        ),
    ),
    (
        Trick(
            key="f",
            title="the one that serves most freezes; its guardian ends it after 3 s",
            deed=Signal(where=BUSIEST, number=signal.SIGSTOP),
        ),
        Trick(
            key="F",
            title="it goes on, if that comes soon enough",
            deed=Signal(where=BUSIEST, number=signal.SIGCONT),
        ),
    ),
    (
        Trick(key="g", title="the one that serves most is drained: its agents go to others", deed=Order(word="drain")),
        Trick(key="G", title="it takes agents again", deed=Order(word="resume")),
    ),
    (
        Trick(
            key="o",
            title="the store stops answering; everybody is served on",
            deed=Signal(where=STORE, number=signal.SIGSTOP),
        ),
        Trick(key="O", title="the store answers again", deed=Signal(where=STORE, number=signal.SIGCONT)),
    ),
)

TRICKS: Final = (
    (
        Trick(
            key="c",
            title="a caller rings at the agent who is ready for longest",
            deed=Post(where=AES, path="/calls", body={"number": VDN, "user_data": "ACC=4711"}),
        ),
    ),
    (
        Trick(
            key="x",
            title="cut the link to AES; it comes back by itself",
            deed=Post(where=AES, path="/connections/cut", body={"how": "reset"}),
        ),
    ),
    (
        Trick(
            key="s",
            title="AES falls silent: nothing is closed, noticed within 10 s",
            deed=Post(where=AES, path="/connections/silence", body={"silent": True}),
        ),
        Trick(
            key="S",
            title="AES speaks again",
            deed=Post(where=AES, path="/connections/silence", body={"silent": False}),
        ),
    ),
    (
        Trick(
            key="l",
            title="AES loses its switch, and says so",
            deed=Post(where=AES, path="/link", body={"up": False}),
        ),
        Trick(key="L", title="the switch is back", deed=Post(where=AES, path="/link", body={"up": True})),
    ),
    (
        Trick(
            key="d",
            title="dialler-1 crashes; its agents go on at dialler-2",
            deed=Post(where=DIALLER_NAMES[0], path="/dialler/down", body={"announce": False}),
        ),
        Trick(
            key="D",
            title="dialler-1 is back; nobody is moved off dialler-2",
            deed=Post(where=DIALLER_NAMES[0], path="/connections/accept", body={"accept": True}),
        ),
    ),
    (
        Trick(
            key="e",
            title=f"the job {JOB} ends",
            deed=Post(where=DIALLERS, path="/jobs/end", body={"job": JOB}),
        ),
        Trick(
            key="E",
            title=f"{JOB} starts again",
            deed=Post(where=DIALLERS, path="/jobs/start", body={"job": JOB}),
        ),
    ),
    (
        Trick(
            key="m",
            title="a supervisor writes to everybody at the diallers",
            deed=Post(where=DIALLERS, path="/agents/message", body={"text": "Team meeting at 15:00"}),
        ),
    ),
    (
        Trick(
            key="h",
            title=f"the headset of {ON_THE_JOB.dialler_name} breaks",
            deed=Post(where=DIALLERS, path="/agents/headset", body={"agent": ON_THE_JOB.dialler_name, "broken": True}),
        ),
        Trick(
            key="H",
            title="it works again",
            deed=Post(where=DIALLERS, path="/agents/headset", body={"agent": ON_THE_JOB.dialler_name, "broken": False}),
        ),
    ),
)


class Player:
    """Plays tricks, one at a time, and remembers which instance each was played on, so that it can be undone there."""

    def __init__(self, stage: Stage, http: httpx.AsyncClient, *, cluster: bool) -> None:
        """Be ready.

        Args:
            stage: what they are played on.
            http: for the requests.
            cluster: there are several instances.
        """
        groups = (*OF_THE_CLUSTER, *TRICKS) if cluster else TRICKS
        self.by_key: Final = {trick.key: trick for group in groups for trick in group}
        self._stage = stage
        self._http = http
        self._played_on: dict[str, str] = {}

    async def play(self, trick: Trick) -> str:
        """Do it.

        Returns:
            A sentence: what happened, or why nothing did.
        """
        match trick.deed:
            case Post():
                return await self._post(trick.title, trick.deed)
            case Signal(where=where, number=number):
                name = where if where == STORE else await self._choose(trick.key)
                return self._signal(trick.title, name, number)
            case Order(word=word):
                return await self._order(trick.title, await self._choose(trick.key), word)

    async def _post(self, title: str, deed: Post) -> str:
        names = DIALLER_NAMES if deed.where == DIALLERS else (deed.where,)
        controls = self._stage.controls
        answers = [(name, *(await self._ask(f"{controls[name]}{deed.path}", deed.body))) for name in names]
        good = [f"{name}: {words}" for name, done, words in answers if done]
        bad = [f"{name}: {words}" for name, done, words in answers if not done]
        return f"{title}  ({', '.join(good)})" if good else f"nothing happened  ({'; '.join(bad)})"

    def _signal(self, title: str, name: str | None, number: signal.Signals) -> str:
        if name is None:
            return "nothing happened  (no instance answers)"
        pid = self._stage.pids.get(name)
        if pid is None:
            return f"nothing happened  ({name} does not run now)"
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return f"nothing happened  ({name} has just ended)"
        return f"{title}  ({name})"

    async def _order(self, title: str, name: str | None, word: str) -> str:
        if name is None:
            return "nothing happened  (no instance answers)"
        done, words = False, ""
        for url in self._stage.urls.values():
            done, words = await self._ask(f"{url}/v1/cluster/instances/{name}/{word}", {})
            if done:
                return f"{title}  ({name})"
        return f"nothing happened  ({name}: {words})"

    async def _choose(self, key: str) -> str | None:
        """Return the instance that serves most agents; to undo, the one on which it was played."""
        if key.isupper():
            return self._played_on.get(key.lower(), INSTANCE_NAMES[0])
        sessions = {name: await self._sessions(url) for name, url in self._stage.urls.items()}
        living = {name: count for name, count in sessions.items() if count is not None}
        if not living:
            return None
        chosen = max(living, key=lambda name: living[name])
        self._played_on[key] = chosen
        return chosen

    async def _sessions(self, url: str) -> int | None:
        try:
            answer = await self._http.get(f"{url}/v1/status", timeout=1.0)
            count: int = answer.json()["sessions"]
        except (httpx.HTTPError, ValueError, KeyError):
            return None
        return count

    async def _ask(self, url: str, body: Json) -> tuple[bool, str]:
        try:
            answer = await self._http.post(url, json=body, timeout=_REQUEST_LIMIT_S)
            told: Json = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return False, f"no answer, {type(error).__name__}"
        if answer.is_success:
            return True, ", ".join(f"{name} {msgspec.json.encode(value).decode()}" for name, value in told.items())
        return False, str(told.get("detail", answer.status_code))
