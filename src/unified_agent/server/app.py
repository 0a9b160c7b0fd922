"""The ASGI application: routes, OpenAPI document, and our errors as problems.

REST is not the hot path, so a kept framework does it (Litestar, about 70 µs a request, with OpenAPI 3.1 from our own
structs); notices go past it, see ``websocket_protocol``.
"""

from __future__ import annotations

import inspect
import secrets
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Tag

from unified_agent import __version__
from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.ports import Clock
from unified_agent.domain.topology import Next
from unified_agent.observe import Metrics, log_event
from unified_agent.sealing import Keyring
from unified_agent.server.auth import LoginLimiter, Operators, Origins, Tokens
from unified_agent.server.cluster_api import ClusterController, ClusterDesk
from unified_agent.server.cluster_ports import ClusterOperations
from unified_agent.server.desk_api import Desk, DeskController, DeskRequest
from unified_agent.server.edge import LOGGER, Application, Edge
from unified_agent.server.entry import Entry
from unified_agent.server.entry_tickets import EntryTickets
from unified_agent.server.failures import FAILURES, PROBLEM_TYPE, RequestRefused, encode_problem, problem
from unified_agent.server.initiation import Initiation, InitiationController
from unified_agent.server.jsonp_api import JsonpController, JsonpDesk
from unified_agent.server.jsonp_guard import JsonpGuard
from unified_agent.server.jsonp_tokens import JsonpTokens
from unified_agent.server.ops_api import Operations, OpsController
from unified_agent.server.pages import STATIC, Pages
from unified_agent.server.ports import Instance, Whereabouts
from unified_agent.server.push_api import BODIES, PushController, PushDesk
from unified_agent.server.push_transports.desks import Desks
from unified_agent.server.push_transports.held import HeldConnections
from unified_agent.server.push_transports.jsonp import JsonpPush
from unified_agent.server.tickets import Tickets
from unified_agent.sessions.admission import OpenRefused
from unified_agent.sessions.host import Host
from unified_agent.settings import Settings

#: Longest request body taken.
BODY_LIMIT_BYTES: Final = 65_536
#: Random bytes of a desktop's token, and of the word by which a request is found in the logs.
TOKEN_BYTES: Final = 32
CORRELATION_BYTES: Final = 9
#: Random bytes of the id of a push connection that is no socket.
CONNECTION_BYTES: Final = 18
#: Second opinions from one address: a whole office may lose its instance at once, and asks twice a second each.
WITNESS_RATE_PER_MIN: Final = 60_000
#: Session initiations from one address: all of a site's may come from its balancer, at the start of a shift.
INITIATION_RATE_PER_MIN: Final = 60_000
#: Everything that is described in the OpenAPI document.
CONTROLLERS: Final = (
    InitiationController,
    DeskController,
    PushController,
    JsonpController,
    OpsController,
    ClusterController,
)
_BY_STATUS: Final = {
    400: "request.invalid",
    404: "request.path",
    405: "request.method",
    413: "request.too-large",
    415: "request.media-type",
}


class Server:
    """The application with what it is made of.

    Attributes:
        application: for any ASGI server.
        desks: the connected desktops; its ``route`` decides about WebSocket handshakes.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        host: Host,
        instance: Instance,
        clock: Clock,
        metrics: Metrics,
        whereabouts: Whereabouts,
        keyring: Keyring,
        cluster: ClusterOperations | None = None,
        static: Path = STATIC,
        make_secret: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        """Make it.

        Args:
            settings: checked.
            host: live agents.
            instance: what is so of the whole.
            clock: the time.
            metrics: to count with.
            whereabouts: where agents live and desktops may go.
            keyring: tickets are sealed with it.
            cluster: carries operators' orders out; None for an instance alone.
            static: the desktop's built files.
            make_secret: gives a text of so many random bytes.

        Raises:
            SettingsError: a file named by the settings cannot be read.
        """
        tokens = Tokens(lambda: make_secret(TOKEN_BYTES))
        callers = settings.jsonp.callers if settings.jsonp.enabled else ()
        origins = Origins((*settings.http.allowed_origins, *callers), whereabouts.urls)
        tickets, entry_tickets = Tickets(keyring, clock), EntryTickets(keyring, clock)
        operators_file = settings.http.operators_token_file
        operators = Operators(None if operators_file is None else operators_file.read_text().strip())
        self.desks: Final = Desks(
            host=host,
            tokens=tokens,
            origins=origins,
            settings=settings.desktop,
            clock=clock,
            metrics=metrics,
            whereabouts=whereabouts,
            tickets=tickets,
            instance=settings.instance,
        )
        self.tokens: Final = tokens
        self.tickets: Final = tickets
        self.entry: Final = Entry(
            host=host,
            desks=self.desks,
            tokens=tokens,
            tickets=tickets,
            entry_tickets=entry_tickets,
            instance=settings.instance,
            whereabouts=whereabouts,
            clock=clock,
            metrics=metrics,
        )
        initiation = Initiation(
            whereabouts=whereabouts,
            tickets=entry_tickets,
            limiter=LoginLimiter(INITIATION_RATE_PER_MIN, clock.now_s),
            clock=clock,
            metrics=metrics,
            make_secret=make_secret,
        )
        desk = Desk(
            host=host,
            desks=self.desks,
            tokens=tokens,
            limiter=LoginLimiter(settings.http.login_rate_per_min, clock.now_s),
            witness_limiter=LoginLimiter(WITNESS_RATE_PER_MIN, clock.now_s),
            entry=self.entry,
            whereabouts=whereabouts,
            instance=instance,
            clock=clock,
            settings=settings,
        )
        operations = Operations(
            host=host,
            instance=instance,
            whereabouts=whereabouts,
            operators=operators,
            metrics=metrics,
            clock=clock,
            settings=settings,
        )
        connections = HeldConnections(lambda: make_secret(CONNECTION_BYTES))
        self.push: Final = PushDesk(self.desks, connections, settings.desktop, clock)
        script_tokens = JsonpTokens(make_secret, clock, settings.jsonp.token_s)
        self.jsonp: Final = JsonpDesk(
            guard=JsonpGuard(settings.jsonp, whereabouts.urls),
            tokens=script_tokens,
            push=JsonpPush(self.desks, connections, script_tokens, settings.desktop, clock),
            desk=desk,
            initiation=initiation,
            operations=operations,
            metrics=metrics,
        )
        provided = {
            "desk": _provide(desk),
            "initiation": _provide(initiation),
            "operations": _provide(operations),
            "push": _provide(self.push),
            "jsonp": _provide(self.jsonp),
            "cluster": _provide(ClusterDesk(operations, cluster)),
        }
        self.litestar: Final = _litestar(provided, Pages(static))
        self.application: Final[Application] = Edge(
            cast("Application", self.litestar), origins, lambda: make_secret(CORRELATION_BYTES), whereabouts.urls
        )


def _litestar(provided: dict[str, Provide], pages: Pages) -> Litestar:
    @get(["/", "/{path:path}"], include_in_schema=False, sync_to_thread=False)
    def page(request: DeskRequest) -> Response[bytes]:
        path = request.url.path
        if not path.endswith("/") and request.scope["raw_path"].endswith(b"/"):
            path += "/"  # Litestar leaves it out
        return pages.answer(
            path,
            tag=request.headers.get("if-none-match"),
            accepts=request.headers.get("accept-encoding", ""),
        )

    @get("/openapi.json", include_in_schema=False, media_type="application/json", sync_to_thread=False)
    def openapi(request: DeskRequest) -> bytes:
        return msgspec.json.encode(_complete(request.app.openapi_schema.to_schema()))

    return Litestar(
        route_handlers=[*CONTROLLERS, openapi, page],
        dependencies=provided,
        exception_handlers={
            RequestRefused: _refused,
            OpenRefused: _refused,
            HTTPException: _foreign,
            Exception: _internal,
        },
        openapi_config=_openapi(),
        request_max_body_size=BODY_LIMIT_BYTES,
        logging_config=None,
        debug=False,
    )


def _provide(it: object) -> Provide:
    return Provide(lambda: it, use_cache=True, sync_to_thread=False)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Unified Agent",
        version=__version__,
        summary="A contact-centre agent's telephone and dialler.",
        description=(
            "REST for desktops and operators. Notices travel over the WebSocket at /v1/events, which is described in "
            "docs/reference/desktop-protocol.md. Errors are problem details (RFC 9457) with a stable id."
        ),
        contact=Contact(name="Unified Agent"),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        tags=[
            Tag(name="desk", description="One agent's session."),
            Tag(name="push", description="Notices where there is no WebSocket."),
            Tag(name="scripts", description="The same by scripts (JSONP), where nothing else comes through."),
            Tag(name="operations", description="Probes, status, metrics."),
            Tag(name="cluster", description="All instances, for operators."),
        ],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="The token that a login was answered with."
                ),
                "jsonp": SecurityScheme(
                    type="apiKey", security_scheme_in="query", name="token", description="The short token for scripts."
                ),
                "operator": SecurityScheme(
                    type="http", scheme="bearer", description="The content of http.operators_token_file."
                ),
            }
        ),
        create_examples=False,
        use_handler_docstrings=True,
        path="/openapi",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """Say what the generator leaves out: of commands their meaning, and that they take no other fields; of push bodies
    all, because their frames are read elsewhere.
    """
    schemas = document["components"]["schemas"]
    for command in typing.get_args(AnyCommand):
        schema = schemas[command.__name__]
        schema["additionalProperties"] = False
        schema["description"] = inspect.cleandoc(command.__doc__ or "")
    _, bodies = msgspec.json.schema_components(BODIES.values(), ref_template="#/components/schemas/{name}")
    schemas.update(bodies)
    for item in document["paths"].values():
        for operation in item.values():
            body = BODIES.get(operation["operationId"])
            if body is not None:
                schema = {"$ref": f"#/components/schemas/{body.__name__}"}
                operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return document


# --- errors


def _answer(
    request: Request[Any, Any, Any],
    failure: str,
    detail: str,
    headers: dict[str, str],
    *,
    next_instance: Next | None = None,
    epoch: int | None = None,
) -> Response[bytes]:
    correlation = request.scope["state"].get("correlation", "")
    body = problem(failure, detail, correlation, next_instance=next_instance, epoch=epoch)
    log_event(LOGGER, "request_refused", level="debug", id=body.id, path=request.url.path, correlation=body.correlation)
    if body.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(encode_problem(body), status_code=body.status, media_type=PROBLEM_TYPE, headers=headers)


def _refused(request: Request[Any, Any, Any], refused: RequestRefused | OpenRefused) -> Response[bytes]:
    headers = {}
    retry_after_s = refused.retry_after_s if isinstance(refused, RequestRefused) else None
    if retry_after_s is None and refused.id in FAILURES and FAILURES[refused.id].status == 503:
        retry_after_s = 5.0
    if retry_after_s is not None:
        headers["Retry-After"] = f"{retry_after_s:.0f}"
    if isinstance(refused, OpenRefused):
        return _answer(request, refused.id, refused.detail, headers)
    return _answer(
        request, refused.id, refused.detail, headers, next_instance=refused.next_instance, epoch=refused.epoch
    )


def _foreign(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    failure = _BY_STATUS.get(error.status_code)
    if failure is None:
        return _internal(request, error)
    detail = error.detail
    if failure == "request.invalid":
        detail = _first_fault(error)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _answer(request, failure, detail, headers)


def _first_fault(error: HTTPException) -> str:
    """Say what is wrong with a body in msgspec's words, which name the place but never repeat the value."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, msgspec.DecodeError):
            return str(cause).replace("`$.data", "`$")
        cause = cause.__cause__ or cause.__context__
    extra = error.extra
    first = extra[0] if isinstance(extra, list) and extra else None
    if isinstance(first, dict) and "message" in first:
        return f"{first.get('key', '')}: {first['message']}".removeprefix(": ")
    return "the body is not JSON of the described shape"


def _internal(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    correlation = request.scope["state"].get("correlation", "")
    log_event(LOGGER, "request_failed", level="error", error=error, path=request.url.path, correlation=correlation)
    return _answer(request, "internal", "tell an operator the correlation", {})
