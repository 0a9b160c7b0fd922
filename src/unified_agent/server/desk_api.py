"""REST for one desktop: log in, snapshot, commands, log out. Notices travel by push only."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from unified_agent import __version__
from unified_agent.domain.commands import LogOut
from unified_agent.domain.ids import AgentId, CommandId, InstanceId, Secret, SessionId, StationId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import CommandRecord, DiallerLogin, Identity
from unified_agent.domain.topology import Topology, Witness
from unified_agent.domain.view import rfc3339
from unified_agent.server.auth import LoginLimiter, TokenRefusal, Tokens, bearer
from unified_agent.server.desk_messages import (
    CommandBody,
    CommandStanding,
    ConfigBody,
    LoggedIn,
    LoginBody,
    ReasonBody,
    ResolveBody,
    ResumeBody,
    SnapshotBody,
    standing,
)
from unified_agent.server.entry import Entry
from unified_agent.server.failures import FAILURES, PROBLEM_TYPE, Problem, RequestRefused
from unified_agent.server.ports import Instance, Whereabouts
from unified_agent.server.push_transports.desks import Desks
from unified_agent.sessions.host import Host
from unified_agent.settings import ReasonCodeSettings, Settings

#: Languages of the desktop's messages.
LANGUAGES: Final = ("en", "hu")
#: Above this lateness of the event loop no new login is taken, seconds: those who work here come first.
BUSY_LAG_S: Final = 0.25

DeskRequest = Request[Any, Any, State]
_SECURITY: Final[list[dict[str, list[str]]]] = [{"token": []}]
_TOKEN_FAILURES: Final = ("session.no-token", "session.unknown", "session.ended", "session.moved", "taken-over")
#: An instance's name in a query.
InstanceName = Annotated[str, Parameter(min_length=1, max_length=64)]


class Desk:
    """What the handlers below work with; made by ``app``."""

    def __init__(
        self,
        *,
        host: Host,
        desks: Desks,
        tokens: Tokens,
        limiter: LoginLimiter,
        witness_limiter: LoginLimiter,
        entry: Entry,
        whereabouts: Whereabouts,
        instance: Instance,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self.host: Final = host
        self.desks: Final = desks
        self.tokens: Final = tokens
        self.limiter: Final = limiter
        self.witness_limiter: Final = witness_limiter
        self.entry: Final = entry
        self.whereabouts: Final = whereabouts
        self.instance: Final = instance
        self.clock: Final = clock
        self.settings: Final = settings

    def now(self) -> str:
        """Write the present."""
        return rfc3339(self.clock.now_s())

    def whose(self, request: DeskRequest) -> SessionId:
        """Return the session of the request's token.

        Raises:
            RequestRefused: there is no good one.
        """
        token = bearer(request.headers.get("authorization"))
        if token is None:
            raise RequestRefused("session.no-token", "send the header Authorization: Bearer TOKEN")
        found = self.tokens.find(token)
        if isinstance(found, TokenRefusal):
            raise RequestRefused(found.value)
        return found

    def config(self) -> ConfigBody:
        """Tell what a login page needs to know."""
        sessions = self.settings.sessions
        return ConfigBody(
            instance=self.settings.instance,
            version=__version__,
            now=self.now(),
            not_ready_reasons=_reasons(sessions.not_ready_reasons),
            log_out_reasons=_reasons(sessions.log_out_reasons),
            reason_required=sessions.policy.reason_required,
            uses_dialler=bool(self.settings.diallers),
            languages=LANGUAGES,
        )

    def witness(self, instance: str, address: str) -> Witness:
        """Say what is thought of another instance.

        Raises:
            RequestRefused: ``login.too-many``, from one address.
        """
        wait_s = self.witness_limiter.wait_s(address)
        if wait_s:
            raise RequestRefused("login.too-many", f"try again in {wait_s:.0f} s", retry_after_s=wait_s)
        return self.whereabouts.witness(InstanceId(instance), None)

    def still(self, record: CommandRecord | None, failure: str) -> CommandStanding:
        """Tell how a command stands.

        Raises:
            RequestRefused: ``failure``, when nothing is known of it.
        """
        if record is None:
            raise RequestRefused(failure)
        return standing(record)


def address_of(request: DeskRequest) -> str:
    """Return who asks, as far as we see; empty when that is not known."""
    return request.client.host if request.client else ""


def problems(*failures: str) -> dict[int, ResponseSpec]:
    """Describe a handler's failures for the OpenAPI document, grouped by status."""
    by_status: dict[int, list[str]] = {}
    for failure in failures:
        by_status.setdefault(FAILURES[failure].status, []).append(f"`{failure}`: {FAILURES[failure].title}.")
    return {
        status: ResponseSpec(Problem, generate_examples=False, description="\n".join(words), media_type=PROBLEM_TYPE)
        for status, words in by_status.items()
    }


class DeskController(Controller):
    """A desktop's resources."""

    path = "/v1"
    tags = ("desk",)

    @get(
        "/config",
        operation_id="readConfig",
        summary="What a login page needs to know",
        response_description="What a login page needs to know.",
        sync_to_thread=False,
    )
    def config(self, desk: NamedDependency[Desk]) -> ConfigBody:
        """Public: reason codes, languages, whether a dialler is used."""
        return desk.config()

    @post(
        "/session",
        operation_id="logIn",
        summary="Log in, or take one's session over at another desktop",
        status_code=HTTP_201_CREATED,
        response_description="The session is open, and yours.",
        responses=problems(
            "request.invalid",
            "origin.refused",
            "request.too-large",
            "request.media-type",
            "login.too-many",
            "agent.wrong-password",
            "agent.already-logged-in",
            "agent.already-logging-in",
            "agent.logging-out",
            "station.in-use",
            "instance.full",
            "instance.draining",
            "instance.busy",
            "instance.elsewhere",
            "datacentre.passive",
        ),
    )
    async def log_in(self, desk: NamedDependency[Desk], request: DeskRequest, data: JSONBody[LoginBody]) -> LoggedIn:
        """Open a session. The switch says later, by notices, whether the password is right."""
        wait_s = desk.limiter.wait_s(request.client.host if request.client else "")
        if wait_s:
            raise RequestRefused("login.too-many", f"try again in {wait_s:.0f} s", retry_after_s=wait_s)
        if desk.instance.loop_lag_s() > BUSY_LAG_S:
            raise RequestRefused("instance.busy", retry_after_s=2.0)
        logged_in = await desk.entry.log_in(_identity(data), data.entry)
        request.scope["state"]["route"] = desk.settings.instance
        return logged_in

    @post(
        "/session/resume",
        operation_id="resume",
        summary="Go on with a session that another instance had",
        status_code=HTTP_200_OK,
        response_description="The session is here, or will be as soon as nobody else has it.",
        responses=problems(
            "request.invalid",
            "origin.refused",
            "request.too-large",
            "request.media-type",
            "ticket.invalid",
            "taken-over",
            "session.ended",
            "datacentre.passive",
            "instance.elsewhere",
            "station.in-use",
            "instance.full",
            "instance.draining",
        ),
    )
    async def resume(self, desk: NamedDependency[Desk], request: DeskRequest, data: JSONBody[ResumeBody]) -> LoggedIn:
        """Take a ticket with its token. Until the agent is ours the view shows the last that is known, greyed."""
        resumed = await desk.entry.resume(data.ticket, data.token)
        request.scope["state"]["route"] = desk.settings.instance
        return resumed

    @get(
        "/topology",
        operation_id="readTopology",
        summary="Where desktops may go",
        response_description="All instances, and which datacentre is active.",
        sync_to_thread=False,
    )
    def topology(self, desk: NamedDependency[Desk]) -> Topology:
        """Public. Desktops are told of changes by push."""
        return desk.whereabouts.topology()

    @get(
        "/witness",
        operation_id="readWitness",
        summary="What this instance thinks of another",
        response_description="A second opinion.",
        responses=problems("request.invalid", "login.too-many"),
        sync_to_thread=False,
    )
    def witness(self, desk: NamedDependency[Desk], request: DeskRequest, instance: InstanceName) -> Witness:
        """Public: asked by a desktop whose instance has fallen silent."""
        return desk.witness(instance, address_of(request))

    @get(
        "/session",
        operation_id="readSession",
        summary="Everything the desktop may see",
        security=_SECURITY,
        responses=problems(*_TOKEN_FAILURES),
        response_description="The view, and the place in the stream that it includes.",
        sync_to_thread=False,
    )
    def read(self, desk: NamedDependency[Desk], request: DeskRequest) -> SnapshotBody:
        """Tell the view, and the place in the stream of notices that it includes."""
        session = desk.whose(request)
        outbox, view = desk.host.outbox(session), desk.host.view(session)
        if outbox is None or view is None:
            raise RequestRefused("session.ended")
        return SnapshotBody(epoch=outbox.epoch, seq=outbox.seq, at=desk.now(), view=view)

    @delete(
        "/session",
        operation_id="logOut",
        summary="Log out",
        security=_SECURITY,
        status_code=HTTP_202_ACCEPTED,
        response_description="How the log-out stands.",
        responses=problems(*_TOKEN_FAILURES),
        sync_to_thread=False,
    )
    def log_out(self, desk: NamedDependency[Desk], request: DeskRequest) -> CommandStanding:
        """Ask for the log-out, the same as the command ``log-out``; during a call or item it becomes pending."""
        session = desk.whose(request)
        record = desk.host.submit(session, CommandId(f"delete-{request.state['correlation']}"), LogOut())
        return desk.still(record, "session.ended")

    @post(
        "/session/commands",
        operation_id="submitCommand",
        summary="Ask for something",
        security=_SECURITY,
        status_code=HTTP_200_OK,
        response_description="How the command stands.",
        responses=problems(
            *_TOKEN_FAILURES, "request.invalid", "origin.refused", "request.too-large", "request.media-type"
        ),
        sync_to_thread=False,
    )
    def submit(self, desk: NamedDependency[Desk], request: DeskRequest, data: JSONBody[CommandBody]) -> CommandStanding:
        """Take a command. ``accepted`` means asked of switch or dialler; how it ends comes by push."""
        record = desk.host.submit(desk.whose(request), CommandId(data.id), data.command)
        return desk.still(record, "session.ended")

    @get(
        "/session/commands/{command_id:str}",
        operation_id="readCommand",
        summary="How a command stands",
        security=_SECURITY,
        responses=problems(*_TOKEN_FAILURES, "command.unknown", "request.invalid"),
        response_description="How it stands.",
        sync_to_thread=False,
    )
    def command(self, desk: NamedDependency[Desk], request: DeskRequest, command_id: FromPath[str]) -> CommandStanding:
        """Tell the remembered outcome; asked when an answer did not come in time."""
        return desk.still(desk.host.command(desk.whose(request), CommandId(command_id)), "command.unknown")

    @post(
        "/session/commands/{command_id:str}/resolve",
        operation_id="resolveCommand",
        summary="What became of a command asked of another instance",
        security=_SECURITY,
        status_code=HTTP_200_OK,
        responses=problems(
            *_TOKEN_FAILURES, "request.invalid", "origin.refused", "request.too-large", "request.media-type"
        ),
        response_description="How it stands; `unknown` is followed by `command-settled`.",
        sync_to_thread=False,
    )
    def resolve(
        self, desk: NamedDependency[Desk], request: DeskRequest, command_id: FromPath[str], data: JSONBody[ResolveBody]
    ) -> CommandStanding:
        """Find out from switch and dialler what became of it. It is not performed, whatever comes out."""
        session = desk.whose(request)
        return desk.still(desk.host.resolve(session, CommandId(command_id), data.command), "session.ended")


def _identity(body: LoginBody) -> Identity:
    dialler = body.dialler
    return Identity(
        agent=AgentId(body.agent),
        station=StationId(body.station),
        password=Secret(body.password),
        dialler=None
        if dialler is None
        else DiallerLogin(
            name=dialler.name, password=Secret(dialler.password), headset=dialler.headset, job=dialler.job
        ),
    )


def _reasons(settings: tuple[ReasonCodeSettings, ...]) -> tuple[ReasonBody, ...]:
    return tuple(ReasonBody(code=each.code, label=each.label, maximum_min=each.maximum_min) for each in settings)
