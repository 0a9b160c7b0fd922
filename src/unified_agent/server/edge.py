"""What holds for every HTTP request, around the application: origins, correlation, HEAD, headers that protect pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, cast

from unified_agent.observe import get_logger, log_event
from unified_agent.server.auth import Origins
from unified_agent.server.failures import FAILURES, PROBLEM_TYPE, encode_problem, problem
from unified_agent.server.jsonp_guard import PATH as SCRIPT_PATH
from unified_agent.server.routing import cookie_route, is_route, routing_cookie, without_parameters

LOGGER: Final = get_logger("server")

#: Nothing from elsewhere, nothing inline; data: images are the desktop's own symbols.
CONTENT_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
#: In other pages a script of ours runs; opened by itself it is a file to be saved, whatever its name.
_SCRIPT_HEADERS: Final = (
    (b"content-disposition", b'attachment; filename="f.txt"'),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
#: Pages that show how a page of one's own is written.
_SAMPLES_PATH: Final = "/samples/"
#: The client library, which pages of others load.
_LIBRARY_PATH: Final = "/client/"
_LIBRARY_HEADERS: Final = ((b"cross-origin-resource-policy", b"cross-origin"), (b"vary", b"origin"))
_FOREIGN_METHODS: Final = b"GET, HEAD, POST, DELETE"
_FOREIGN_HEADERS: Final = b"authorization, content-type"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def content_policy(instances: Iterable[str], *, runs_answers: bool = False) -> str:
    """Return what a page of ours may do: besides its own origin it may call the cluster's other instances.

    Args:
        instances: where desktops reach them, as known when the page is loaded; one that joins later is reached after
            the page has been loaded again.
        runs_answers: it may also run their answers as scripts (JSONP).
    """
    origins = sorted({each.rstrip("/") for each in instances})
    if not origins:
        return CONTENT_POLICY
    sockets = [f"ws{each.removeprefix('http')}" for each in origins]
    scripts = f"; script-src 'self' {' '.join(origins)}" if runs_answers else ""
    return f"{CONTENT_POLICY}; connect-src 'self' {' '.join((*origins, *sockets))}{scripts}"


class Edge:
    """An ASGI application around another."""

    def __init__(
        self,
        inner: Application,
        origins: Origins,
        make_correlation: Callable[[], str],
        instances: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Be ready.

        Args:
            inner: answers the requests; finds ``correlation`` in the request's state.
            origins: pages that may call us.
            make_correlation: makes the word by which a request is found in the logs.
            instances: gives where desktops reach the cluster's instances now.
        """
        self._instances = instances
        self._inner = inner
        self._origins = origins
        self._make_correlation = make_correlation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        correlation = self._make_correlation()
        scope.setdefault("state", {})["correlation"] = correlation
        origin, host = _header(scope, b"origin"), _header(scope, b"host")
        foreign = origin if origin is not None and origin.lower() in self._origins.allowed else None
        head = scope["method"] == "HEAD"
        if ";" in scope["path"]:
            scope["path"] = without_parameters(scope["path"])
            scope["raw_path"] = scope["path"].encode()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message["headers"], *_headers_of(scope["path"])]
                policy = content_policy(self._instances(), runs_answers=scope["path"].startswith(_SAMPLES_PATH))
                headers = _complete(given, correlation, foreign, policy)
                message = {**message, "headers": [*headers, *self._route(scope)]}
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        is_script = scope["path"].startswith(SCRIPT_PATH)  # which page asks for one is judged apart
        if not is_script and not self._origins.accepts(origin, host):
            log_event(LOGGER, "origin_refused", level="warning", origin=origin, host=host)
            await _answer_problem(send_on, "origin.refused", "see the setting http.allowed_origins", correlation)
        elif foreign is not None and scope["method"] == "OPTIONS":
            await _answer(send_on, 204, (), b"")
        else:
            if head and not is_script:  # a GET of a script may do something
                scope["method"] = "GET"
            await self._inner(scope, receive, send_on)

    def _route(self, scope: Scope) -> Iterable[tuple[bytes, bytes]]:
        """Return what has balancers send the desktop to another instance from now on, if a handler said to which."""
        route = scope["state"].get("route", "")
        if route and is_route(route) and cookie_route(_header(scope, b"cookie")) != route:
            cookie = routing_cookie(route, self._make_correlation(), secure=scope["scheme"] == "https")
            yield b"set-cookie", cookie.encode()


def _headers_of(path: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return what is special about the answers of a path."""
    if path.startswith(SCRIPT_PATH):
        return _SCRIPT_HEADERS
    return _LIBRARY_HEADERS if path.startswith(_LIBRARY_PATH) else ()


def _header(scope: Scope, name: bytes) -> str | None:
    value = next((value for key, value in scope["headers"] if key == name), None)
    return None if value is None else cast("bytes", value).decode("latin-1")


def _complete(headers: Any, correlation: str, foreign: str | None, policy: str) -> list[tuple[bytes, bytes]]:
    given = [(bytes(name).lower(), bytes(value)) for name, value in headers]
    names = {name for name, _ in given}
    given.extend(each for each in _HEADERS if each[0] not in names)
    if b"content-security-policy" not in names:
        given.append((b"content-security-policy", policy.encode()))
    given.append((b"x-correlation-id", correlation.encode()))
    if b"cache-control" not in names:
        given.append((b"cache-control", b"no-store"))
    if foreign is not None:
        given += [
            (b"access-control-allow-origin", foreign.encode("latin-1")),
            (b"access-control-allow-methods", _FOREIGN_METHODS),
            (b"access-control-allow-headers", _FOREIGN_HEADERS),
            (b"access-control-expose-headers", b"x-correlation-id, retry-after"),
            (b"access-control-max-age", b"600"),
            (b"vary", b"origin"),
        ]
    return given


async def _answer_problem(send: Send, failure: str, detail: str, correlation: str) -> None:
    body = encode_problem(problem(failure, detail, correlation))
    await _answer(send, FAILURES[failure].status, ((b"content-type", PROBLEM_TYPE.encode()),), body)


async def _answer(send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
