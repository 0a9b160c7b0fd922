"""What desks ask of instances over HTTP; one ``Rest`` serves one desk, or all of a process.

Desks that share one also share what is the same for all: a thousand that lose an instance at one moment ask for the
topology and for a second opinion once. Measured with httpx 0.28 on uvloop, a request costs 0.6 to 1.0 ms of CPU with
the few idle connections of ``LIMITS``, and 2 to 4 ms with 50: its pool looks through all of them for each request.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from unified_agent.client.errors import InstanceUnreachable, LoginRefused
from unified_agent.client.login import Login
from unified_agent.client.silence import Opinion
from unified_agent.client.topology import Topology, decode_topology

Json = dict[str, Any]
T = TypeVar("T")

#: Few idle connections are kept for the next request, and there is no bound on open ones: a frozen instance must not
#: hold up what is asked of others.
LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=4)
#: An answer that is the same for all desks is shared by those that ask within this time, seconds.
SHARED_S: Final = 0.5
#: Such answers are remembered of so many addresses at most.
SHARED_LIMIT: Final = 256
#: A witness that takes longer than this has no opinion, and a topology is not waited for, seconds.
QUICK_LIMIT_S: Final = 2.0


class Opened(Struct, frozen=True, kw_only=True):
    """A session that was opened or resumed.

    Attributes:
        ticket: with which another instance goes on with it; empty from an instance that has none.
    """

    session: str
    token: str
    ticket: str = ""

    def __repr__(self) -> str:
        return f"Opened(session={self.session!r})"


class Standing(Struct, frozen=True, kw_only=True):
    """How a command stands; see ``docs/reference/desktop-protocol.md``."""

    type: str
    outcome: str
    error: str = ""
    detail: str = ""


class Chosen(Struct, frozen=True, kw_only=True):
    """The instance that is to take a login, by its own URL."""

    url: str


class Initiated(Struct, frozen=True, kw_only=True):
    """The answer to session initiation.

    Attributes:
        ticket: goes with the login to that instance.
        topology: all instances.
    """

    instance: Chosen
    ticket: str
    topology: Topology


class Refusal(Struct, frozen=True, kw_only=True):
    """A request that was refused.

    Attributes:
        id: stable id of the reason, ``http.STATUS`` when the answer is not of ours.
        detail: for people.
        retry: ``never``, ``later`` or ``elsewhere``.
        retry_after_s: when asking again makes sense, None when the instance did not say.
        next_url: the instance to ask instead, empty when none was told.
    """

    status: int
    id: str
    detail: str
    retry: str
    retry_after_s: float | None
    next_url: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether another instance may well take the same request."""
        return self.retry == "elsewhere" or self.status == httpx.codes.MISDIRECTED_REQUEST or self.status >= 500

    @property
    def error(self) -> LoginRefused:
        """The same as an error."""
        return LoginRefused(self.id, self.detail, self.retry, self.retry_after_s)


@functools.cache
def trust_of_system() -> ssl.SSLContext:
    """Return the system's trust; made once, because that takes 20 ms."""
    return ssl.create_default_context()


class Rest:
    """Requests to instances.

    Args:
        http: to be used and not closed, made with ``LIMITS``; None for one of its own, made when it is first needed.
        tls: whom to trust, None for the system's choice; not with ``http``.
    """

    def __init__(self, http: httpx.AsyncClient | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self._given = http
        self._own: httpx.AsyncClient | None = None
        self._tls = tls
        self._shared: dict[str, tuple[float, asyncio.Future[Any]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of what is open; another request opens it anew."""
        shared, self._shared = self._shared, {}
        for _, asked in shared.values():
            asked.cancel()
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    async def initiate(self, url: str, agent: str) -> Initiated | None:
        """Ask which instance is to take an agent; None when nobody answers, or none can.

        Args:
            url: of any instance, or of what stands in front of them.
            agent: the agent's id at the switch.
        """
        return await self._look_up(f"{url}/v1/entry?agent={quote(agent, safe='')}", _decode_initiated)

    async def open(self, url: str, login: Login, limit_s: float, *, entry: str = "") -> Opened | Refusal:
        """Ask for a session.

        Args:
            url: of an instance.
            login: who comes.
            limit_s: for the answer.
            entry: ticket of session initiation, empty for none.

        Raises:
            InstanceUnreachable: the instance cannot be asked, or not within the limit.
        """
        body = asdict(login) | ({"entry": entry} if entry else {})
        return _read(await self._post(f"{url}/v1/session", body, limit_s), Opened)

    async def resume(self, url: str, ticket: str, token: str, limit_s: float) -> Opened | Refusal:
        """Ask an instance to go on with a session.

        Raises:
            InstanceUnreachable: the instance cannot be asked, or not within the limit.
        """
        body = {"ticket": ticket, "token": token}
        return _read(await self._post(f"{url}/v1/session/resume", body, limit_s), Opened)

    async def resolve(self, url: str, token: str, command_id: str, command: Json, limit_s: float) -> Standing | Refusal:
        """Ask what became of a command that was asked of another instance.

        Raises:
            InstanceUnreachable: the instance cannot be asked, or not within the limit.
        """
        path = f"{url}/v1/session/commands/{quote(command_id, safe='')}/resolve"
        answer = await self._post(path, {"command": command}, limit_s, {"Authorization": f"Bearer {token}"})
        return _read(answer, Standing)

    async def topology(self, url: str) -> Topology | None:
        """Ask for the topology; None when the instance cannot be asked, or knows of none."""
        return await self._once_for_all(f"{url}/v1/topology", decode_topology)

    async def opinion(self, url: str, instance: str) -> Opinion | None:
        """Ask an instance what it thinks of another; None when it cannot be asked, or has no opinion."""
        return await self._once_for_all(f"{url}/v1/witness?instance={quote(instance, safe='')}", _decode_opinion)

    # --- inside

    async def _once_for_all(self, url: str, decode: Callable[[bytes], T]) -> T | None:
        now_s = asyncio.get_running_loop().time()
        asked_s, asked = self._shared.get(url, (0.0, None))
        if asked is None or asked.cancelled() or now_s - asked_s > SHARED_S:
            if len(self._shared) >= SHARED_LIMIT:
                self._shared.clear()
            asked = asyncio.ensure_future(self._look_up(url, decode))
            self._shared[url] = now_s, asked
        answer: T | None = await asyncio.shield(asked)
        return answer

    async def _look_up(self, url: str, decode: Callable[[bytes], T]) -> T | None:
        try:
            answer = await self._request("GET", url, QUICK_LIMIT_S)
            return decode(answer.content) if answer.is_success else None
        except (InstanceUnreachable, msgspec.MsgspecError):
            return None

    async def _post(
        self, url: str, body: Json, limit_s: float, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        content = msgspec.json.encode(body)
        return await self._request(
            "POST", url, limit_s, content=content, headers={"Content-Type": "application/json", **(headers or {})}
        )

    async def _request(self, method: str, url: str, limit_s: float, **what: Any) -> httpx.Response:
        try:
            async with asyncio.timeout(limit_s):
                return await self._http.request(method, url, timeout=limit_s, **what)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise InstanceUnreachable(f"{url}: {error!r}") from error

    @property
    def _http(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = httpx.AsyncClient(verify=self._tls or trust_of_system(), limits=LIMITS)
        return self._own


def _read(answer: httpx.Response, kind: type[T]) -> T | Refusal:
    if not answer.is_success:
        return _refusal(answer)
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise InstanceUnreachable(f"{answer.url} does not answer as an instance does: {error}") from error


def _refusal(answer: httpx.Response) -> Refusal:
    problem = _object(answer)
    after = answer.headers.get("retry-after", "")
    is_our_fault = answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS
    return Refusal(
        status=answer.status_code,
        id=_word(problem, "id") or f"http.{answer.status_code}",
        detail=_word(problem, "detail"),
        retry=_word(problem, "retry") or ("never" if is_our_fault else "later"),
        retry_after_s=float(after) if after.isdecimal() else None,
        next_url=_next_url(problem),
    )


def _decode_initiated(data: bytes) -> Initiated:
    return msgspec.json.decode(data, type=Initiated)


def _decode_opinion(data: bytes) -> Opinion:
    answer = msgspec.json.decode(data, type=Json)
    return Opinion(verdict=_word(answer, "verdict"), can_take=answer.get("can_take") is True)


def _object(answer: httpx.Response) -> Json:
    """Read a JSON object; whatever else came is an empty one."""
    try:
        return msgspec.json.decode(answer.content, type=Json)
    except msgspec.MsgspecError:
        return {}


def _word(holder: Json, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _next_url(holder: Json) -> str:
    value = holder.get("next")
    return _word(value, "url") if isinstance(value, dict) else ""
