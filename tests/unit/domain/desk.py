"""A session driven by hand, for the tests of the session machine: give facts, look at state and effects."""

from __future__ import annotations

from typing import TypeVar

from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.effects import AskDialler, AskSwitch, CloseSession, Effect, RestartOutbox, Tell
from unified_agent.domain.facts import (
    AgentStateReported,
    CommandReceived,
    DesktopAttached,
    DiallerLoggedOn,
    JobJoined,
    RequestDone,
    SessionOpened,
    StationSnapshot,
    TurnGiven,
    Woken,
)
from unified_agent.domain.ids import AgentId, CommandId, JobName, LinkId, Secret, SessionId, StationId
from unified_agent.domain.job import CompletionKey, Job
from unified_agent.domain.notices import Notice
from unified_agent.domain.session import Input, new_session, step
from unified_agent.domain.session_state import ClaimState, CommandRecord, DiallerLogin, Identity, Policy, SessionState
from unified_agent.domain.states import Side, SwitchMode

SESSION = SessionId("s")
AES = LinkId("aes-1")
DIALLER = LinkId("dialler-1")
JOB = JobName("SPRING25")
#: Of an instance that is alone: it holds every claim from the start.
ALONE = ClaimState()
NoticeT = TypeVar("NoticeT", bound=Notice)


class Desk:
    """One agent, 5001 at station 2001."""

    def __init__(
        self,
        *,
        dialler: bool = False,
        job: str = "",
        policy: Policy | None = None,
        link: bool = True,
        claim: ClaimState = ALONE,
        desktop: bool = True,
    ) -> None:
        login = DiallerLogin(name="agent1", password=Secret("pw"), headset="2001", job=job) if dialler else None
        identity = Identity(agent=AgentId("5001"), station=StationId("2001"), password=Secret("1234"), dialler=login)
        self.now_s = 1_000_000.0
        self.state: SessionState = new_session(SESSION, identity, policy or Policy(), self.now_s, claim)
        self.effects: list[Effect] = []
        self.latest: list[Effect] = []
        self._commands = 0
        self.give(SessionOpened(session=SESSION, link=AES if link else None))
        if desktop:
            self.give(DesktopAttached(session=SESSION))

    def give(self, *facts: Input) -> None:
        """Give facts, a tenth of a second apart."""
        self.latest = []
        for fact in facts:
            self.now_s += 0.1
            self.state, effects = step(self.state, fact, self.now_s)
            self.latest += effects
            self.effects += effects

    def later(self, seconds: float) -> None:
        """Let time pass, and wake the session."""
        self.now_s += seconds
        self.give(Woken(session=SESSION))

    def command(self, command: AnyCommand, command_id: str | None = None) -> CommandRecord:
        """Ask as the desktop does, and return how it stands."""
        self._commands += 1
        identifier = CommandId(command_id or f"c-{self._commands}")
        self.give(CommandReceived(session=SESSION, id=identifier, command=command))
        return self.record(identifier)

    def record(self, command_id: str) -> CommandRecord:
        """Say how a command stands now."""
        return next(each for each in self.state.commands if each.id == command_id)

    def done(self, what: str) -> None:
        """Have the open request of that word carried out."""
        self.give(RequestDone(session=SESSION, request=self.request(what)))

    def request(self, what: str):
        """Return the number of the open request of that word."""
        return next(each.id for each in self.state.requests if each.what == what)

    @property
    def open(self) -> list[str]:
        """The words of what is asked and not answered."""
        return [each.what for each in self.state.requests]

    def asked(self) -> list[str]:
        """Names of what the latest facts had the links asked for, in order."""
        return [type(each.ask).__name__ for each in self.latest if isinstance(each, AskSwitch | AskDialler)]

    def told(self, kind: type[NoticeT]) -> list[NoticeT]:
        """Notices of a kind that the latest facts brought."""
        return [each.notice for each in self.latest if isinstance(each, Tell) and isinstance(each.notice, kind)]

    @property
    def reset(self) -> str | None:
        """The reason of the latest facts' desktop reset, None for none."""
        return next((each.reason for each in self.latest if isinstance(each, RestartOutbox)), None)

    @property
    def closed(self) -> str | None:
        """The reason for which the session was closed, None while it is not."""
        return next((each.reason for each in self.effects if isinstance(each, CloseSession)), None)

    # --- short ways

    def snapshot(self, *, agent: str | None = None, mode: SwitchMode = SwitchMode.LOGGED_OUT, **more) -> None:
        """Answer the open snapshot."""
        found = AgentId(agent) if agent is not None else None
        self.give(
            StationSnapshot(
                session=SESSION,
                request=self.request("snapshot"),
                calls=more.pop("calls", ()),
                agent=found,
                mode=mode,
                **more,
            )
        )

    def log_in(self) -> Desk:
        """Go the way in at the switch, without trouble."""
        self.give(TurnGiven(session=SESSION, side=Side.TELEPHONY))
        self.done("observe")
        self.snapshot()
        self.done("log-in-agent")
        self.reported(SwitchMode.NOT_READY)
        return self

    def reported(self, mode: SwitchMode, **more) -> None:
        """Have the switch report a mode."""
        self.give(AgentStateReported(session=SESSION, mode=mode, agent=AgentId("5001"), **more))

    def log_on(self) -> Desk:
        """Go the way in at the dialler, without trouble."""
        self.give(TurnGiven(session=SESSION, side=Side.DIALLER))
        jobs = (Job(name=JOB, kind="outbound", active=True), Job(name=JobName("CAREBLD"), kind="blend", active=True))
        self.give(DiallerLoggedOn(session=SESSION, request=self.request("log-on-dialler"), dialler=DIALLER, jobs=jobs))
        return self

    def join(self) -> Desk:
        """Have the open joining of a job carried out."""
        keys = (CompletionKey(code="20", text="Promise to pay"), CompletionKey(code="22", text="Wrong party"))
        self.give(JobJoined(session=SESSION, request=self.request("join-job"), job=JOB, keys=keys))
        return self
