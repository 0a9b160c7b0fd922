"""Scripts for pages (JSONP): what REST and push offer, each answer a call of the page's function.

Whatever is refused is told to that function too, with status 200: a script element shows a page nothing of an answer
with another one. ``docs/explanation/jsonp.md`` says what is risky here and what was done about it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, Parameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, Struct

from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.auth import LoginLimiter, bearer
from unified_agent.server.desk_api import Desk, DeskRequest, address_of, problems
from unified_agent.server.failures import Problem, RequestRefused, problem
from unified_agent.server.initiation import AGENT_PATTERN, Initiation
from unified_agent.server.jsonp_guard import PATH, JsonpGuard, joined
from unified_agent.server.jsonp_tokens import JsonpTokens, Page
from unified_agent.server.ops_api import Operations
from unified_agent.server.push_transports.jsonp import Asked, Envelope, ErrorEnvelope, JsonpPush
from unified_agent.sessions.admission import OpenRefused
from unified_agent.wire.push import write_call

LOGGER: Final = get_logger("server.jsonp")
SCRIPT_TYPE: Final = "text/javascript"  # the charset is added with it

_ENCODER: Final = msgspec.json.Encoder()
_AgentId = Annotated[str, Meta(pattern=AGENT_PATTERN)]
_InstanceName = Annotated[str, Meta(min_length=1, max_length=64)]
_SECURITY: Final[list[dict[str, list[str]]]] = [{"jsonp": []}]

#: Answers a question of a page that needs no token; and of one that has.
Public = Callable[[Asked], Awaitable[Any]]
Private = Callable[[Page, Asked], Awaitable[Envelope]]


class JsonpTokenBody(Struct, kw_only=True, frozen=True):
    """What a page calls itself, the same as in its hello."""

    client: Annotated[str, Meta(min_length=1, max_length=80)]


class JsonpTokenAnswer(Struct, kw_only=True, frozen=True):
    """A token for URLs and the first nonce, and for how long the token is good, seconds."""

    token: str
    nonce: str
    expires_s: float


class JsonpDesk:
    """What the handlers below work with; made by ``app``."""

    def __init__(
        self,
        *,
        guard: JsonpGuard,
        tokens: JsonpTokens,
        push: JsonpPush,
        desk: Desk,
        initiation: Initiation,
        operations: Operations,
        metrics: Metrics,
    ) -> None:
        settings = desk.settings.jsonp
        self.push: Final = push
        self.desk: Final = desk
        self.initiation: Final = initiation
        self.operations: Final = operations
        self._guard = guard
        self._tokens = tokens
        self._lifetime_s = settings.token_s
        self._rejected = metrics.jsonp_rejected
        self._pages = LoginLimiter(settings.token_rate_per_min, desk.clock.now_s)
        self._addresses = LoginLimiter(settings.address_rate_per_min, desk.clock.now_s)
        self._is_enabled = settings.enabled

    def issue(self, request: DeskRequest, client: str) -> JsonpTokenAnswer:
        """Give a page that has a session's token a short one.

        Raises:
            RequestRefused: see its ids.
        """
        if not self._is_enabled:
            raise RequestRefused("jsonp.off", "see the setting jsonp.enabled")
        session = self.desk.whose(request)
        token = bearer(request.headers.get("authorization"))
        assert token is not None, "it has a session"
        origin = request.headers.get("origin")
        page, short = self._tokens.issue(session, token, client, origin.lower() if origin else None)
        return JsonpTokenAnswer(token=short, nonce=self._tokens.nonce(page), expires_s=self._lifetime_s)

    async def answer_anybody(self, request: DeskRequest, work: Public) -> Response[bytes]:
        """Answer a question that needs no token."""

        async def result(asked: Asked) -> Envelope:
            return Envelope(result=await work(asked))

        return await self._answer(request, result)

    async def answer_page(self, request: DeskRequest, work: Private) -> Response[bytes]:
        """Answer a question of a page that has a token."""

        async def result(asked: Asked) -> Envelope | ErrorEnvelope:
            page = self.push.page_of(asked)
            try:
                self._limit(self._pages, f"{page.session} {page.client}")
                envelope = await work(page, asked)
            except RequestRefused as refused:
                return self.push.furnish(self._refused(request, refused), page, asked)
            return self.push.furnish(envelope, page, asked)

        return await self._answer(request, result)

    async def _answer(
        self, request: DeskRequest, work: Callable[[Asked], Awaitable[Envelope | ErrorEnvelope]]
    ) -> Response[bytes]:
        try:
            callback, parameters = self._guard.read(request.scope["query_string"])
            origin = self._guard.admit(joined(request.scope["headers"]))
        except RequestRefused as refused:
            self._rejected.labels(cause=refused.id).inc()
            raise
        envelope: Envelope | ErrorEnvelope
        try:
            scope = request.scope
            target = scope["raw_path"] + b"?" + scope["query_string"]
            self._guard.measure(scope["scheme"], request.headers.get("host", ""), target)
            self._limit(self._addresses, address_of(request))
            envelope = await work(Asked(parameters, origin))
        except (RequestRefused, OpenRefused) as refused:
            envelope = self._refused(request, refused)
        except Exception as error:  # noqa: BLE001 - the page must hear of it, and hears only what a script says
            correlation = request.scope["state"].get("correlation", "")
            log_event(LOGGER, "request_failed", level="error", error=error, path=PATH, correlation=correlation)
            envelope = ErrorEnvelope(error=problem("internal", "tell an operator the correlation", correlation))
        return Response(write_call(callback, _ENCODER.encode(envelope)), media_type=SCRIPT_TYPE)

    def _refused(self, request: DeskRequest, refused: RequestRefused | OpenRefused) -> ErrorEnvelope:
        self._rejected.labels(cause=refused.id).inc()
        following_instance = refused.next_instance if isinstance(refused, RequestRefused) else None
        epoch = refused.epoch if isinstance(refused, RequestRefused) else None
        correlation = request.scope["state"].get("correlation", "")
        told: Problem = problem(refused.id, refused.detail, correlation, next_instance=following_instance, epoch=epoch)
        return ErrorEnvelope(error=told)

    @staticmethod
    def _limit(limiter: LoginLimiter, who: str) -> None:
        wait_s = limiter.wait_s(who)
        if wait_s:
            raise RequestRefused("jsonp.too-many", f"try again in {wait_s:.0f} s")


_ANSWERS: Final = {
    200: ResponseSpec(
        str,
        generate_examples=False,
        media_type="text/javascript",
        description="A call of `callback` with an envelope, `{ok, …}`; a request that is refused is told by it too.",
    ),
    **problems("request.invalid", "jsonp.off", "jsonp.callback", "jsonp.caller"),
}


def _described(words: str) -> Any:
    return Parameter(description=words, required=False)


_Callback = Annotated[str | None, _described("The function to call: up to four identifiers joined by dots.")]
_Token = Annotated[str | None, _described("The short token.")]
_Client = Annotated[str | None, _described("What the page calls itself.")]
_Nonce = Annotated[str | None, _described("The one of an answer before, good once.")]
_Id = Annotated[str | None, _described("The command's id.")]
_Command = Annotated[str | None, _described("The command as JSON.")]
_Plain = Annotated[str | None, Parameter(required=False)]


class JsonpController(Controller):
    """Scripts. Parameters are read and judged in ``JsonpDesk``; here they are only described."""

    path = "/v1"
    tags = ("scripts",)

    @post(
        "/session/jsonp",
        operation_id="issueScriptToken",
        summary="Get a short token for the URLs of scripts",
        status_code=HTTP_200_OK,
        security=[{"token": []}],
        response_description="The token and the first nonce.",
        responses=problems(
            "session.no-token",
            "session.unknown",
            "session.ended",
            "session.moved",
            "taken-over",
            "jsonp.off",
            "request.invalid",
            "origin.refused",
            "request.too-large",
            "request.media-type",
        ),
        sync_to_thread=False,
    )
    def issue(
        self, jsonp: NamedDependency[JsonpDesk], request: DeskRequest, data: JSONBody[JsonpTokenBody]
    ) -> JsonpTokenAnswer:
        """The token is good for this session, this client and this page's origin only, and is renewed in answers."""
        return jsonp.issue(request, data.client)

    @get(
        "/jsonp/poll",
        operation_id="pollByScript",
        summary="Open a connection, or ask for what there is to tell",
        security=_SECURITY,
        responses=_ANSWERS,
    )
    async def poll(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        client: _Client = None,
        token: _Token = None,
        ack: _Plain = None,
        epoch: _Plain = None,
        seq: _Plain = None,
        nonce: _Nonce = None,
        frames: _Plain = None,
    ) -> Response[bytes]:
        """`ack=0` opens, `epoch` and `seq` being those of the last envelope that the page has."""
        del callback, client, token, ack, epoch, seq, nonce, frames
        return await jsonp.answer_page(request, jsonp.push.poll)

    @get(
        "/jsonp/command",
        operation_id="submitCommandByScript",
        summary="Ask for something",
        security=_SECURITY,
        responses=_ANSWERS,
    )
    async def command(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        client: _Client = None,
        token: _Token = None,
        nonce: _Nonce = None,
        id: _Id = None,  # noqa: A002 - the parameter's name
        command: _Command = None,
    ) -> Response[bytes]:
        """Take a command once; the same nonce with the same id again is answered from memory."""
        del callback, client, token, nonce, id, command
        return await jsonp.answer_page(request, jsonp.push.command)

    @get(
        "/jsonp/outcome",
        operation_id="readCommandByScript",
        summary="How a command stands",
        security=_SECURITY,
        responses=_ANSWERS,
    )
    async def outcome(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        client: _Client = None,
        token: _Token = None,
        id: _Id = None,  # noqa: A002 - the parameter's name
    ) -> Response[bytes]:
        """Tell the remembered outcome."""
        del callback, client, token, id
        return await jsonp.answer_page(request, jsonp.push.outcome)

    @get(
        "/jsonp/resolve",
        operation_id="resolveCommandByScript",
        summary="What became of a command asked of another instance",
        security=_SECURITY,
        responses=_ANSWERS,
    )
    async def resolve(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        client: _Client = None,
        token: _Token = None,
        nonce: _Nonce = None,
        id: _Id = None,  # noqa: A002 - the parameter's name
        command: _Command = None,
    ) -> Response[bytes]:
        """Find out what became of it; it is not performed."""
        del callback, client, token, nonce, id, command
        return await jsonp.answer_page(request, jsonp.push.resolve)

    @get("/jsonp/entry", operation_id="initiateByScript", summary="See initiate", responses=_ANSWERS)
    async def entry(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        agent: _Plain = None,
    ) -> Response[bytes]:
        """The same as `/v1/entry`."""
        del callback, agent

        async def work(asked: Asked) -> Any:
            named = asked.fitting("agent", asked.text("agent", ""), _AgentId)
            return await jsonp.initiation.begin(named, address_of(request))

        return await jsonp.answer_anybody(request, work)

    @get("/jsonp/config", operation_id="readConfigByScript", summary="See readConfig", responses=_ANSWERS)
    async def config(
        self, jsonp: NamedDependency[JsonpDesk], request: DeskRequest, callback: _Callback = None
    ) -> Response[bytes]:
        """The same as `/v1/config`."""
        del callback

        async def work(_: Asked) -> Any:
            return jsonp.desk.config()

        return await jsonp.answer_anybody(request, work)

    @get("/jsonp/topology", operation_id="readTopologyByScript", summary="See readTopology", responses=_ANSWERS)
    async def topology(
        self, jsonp: NamedDependency[JsonpDesk], request: DeskRequest, callback: _Callback = None
    ) -> Response[bytes]:
        """The same as `/v1/topology`."""
        del callback

        async def work(_: Asked) -> Any:
            return jsonp.desk.whereabouts.topology()

        return await jsonp.answer_anybody(request, work)

    @get("/jsonp/witness", operation_id="readWitnessByScript", summary="See readWitness", responses=_ANSWERS)
    async def witness(
        self,
        jsonp: NamedDependency[JsonpDesk],
        request: DeskRequest,
        callback: _Callback = None,
        instance: _Plain = None,
    ) -> Response[bytes]:
        """The same as `/v1/witness`."""
        del callback, instance

        async def work(asked: Asked) -> Any:
            named = asked.fitting("instance", asked.text("instance"), _InstanceName)
            return jsonp.desk.witness(named, address_of(request))

        return await jsonp.answer_anybody(request, work)

    @get("/jsonp/health", operation_id="isReadyByScript", summary="See isReady", responses=_ANSWERS)
    async def health(
        self, jsonp: NamedDependency[JsonpDesk], request: DeskRequest, callback: _Callback = None
    ) -> Response[bytes]:
        """The same as `/readyz`; whether it is ready is told by `reasons`."""
        del callback

        async def work(_: Asked) -> Any:
            return jsonp.operations.health(jsonp.operations.unready()).content

        return await jsonp.answer_anybody(request, work)
