"""One agent's whole state, as one immutable value: the five axes apart, and what is under way.

Presence, work mode (``agent``), calls, dialler job (``dialler``, ``item``) and links (``telephony``, ``dialler``)
are never folded into one another. Moved only by ``session.step``.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from unified_agent.domain.agent import AgentState
from unified_agent.domain.call import Call
from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.ids import AgentId, CommandId, LinkId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.job import DiallerState, WorkItem
from unified_agent.domain.states import ClaimStage, Phase, Presence, Side, SwitchMode, TelephonyStage, Wish


class DiallerLogin(Struct, frozen=True, kw_only=True):
    """What an agent logs on to a dialler with.

    Attributes:
        name: logon name at the dialler.
        password: hidden from every repr.
        headset: headset id, usually the extension the dialler rings.
        job: the job to join at once, empty to choose later.
    """

    name: str
    password: Secret
    headset: str
    job: str = ""


class Identity(Struct, frozen=True, kw_only=True):
    """Who works at this desktop, where, and with what they prove it to the peers.

    Attributes:
        agent: login at the switch.
        station: the telephone.
        password: at the switch; kept for logging in again after a failure, never published.
        dialler: at the dialler, None for an agent who takes no dialler work.
    """

    agent: AgentId
    station: StationId
    password: Secret
    dialler: DiallerLogin | None = None


class Policy(Struct, frozen=True, kw_only=True):
    """What the site decided about all its sessions.

    Attributes:
        hold_s: an outage shorter than this gives the agent the mode back that they had; after a longer one they
            are not ready, so that nobody is put on calls by surprise.
        absent_not_ready_s: without a desktop for this long the agent is made not ready.
        absent_log_out_s: without a desktop for this long the agent is logged out, unless on a call.
        command_limit_s: a request without an answer for this long is called unknown; links have shorter limits
            of their own, so this catches only what they missed.
        retry_refused_s: how long to wait before a refused login that is not the agent's fault is tried again.
        reason_required: not-ready needs a reason code.
        reason_after_login: reason code sent with the first not-ready, None to send none.
        reasons_of_system: numeric code to send to the switch for a system reason such as ``desktop-absent``.
    """

    hold_s: float = 30.0
    absent_not_ready_s: float = 30.0
    absent_log_out_s: float = 600.0
    command_limit_s: float = 90.0
    retry_refused_s: float = 15.0
    reason_required: bool = False
    reason_after_login: int | None = None
    reasons_of_system: dict[str, int] = field(default_factory=dict)


class TelephonyState(Struct, frozen=True, kw_only=True):
    """How far this agent is with the switch.

    Attributes:
        stage: see ``TelephonyStage``.
        link: which AES serves, None while none does.
        since_s: when ``stage`` last changed, Unix seconds.
        lost_s: when the link was lost, None when it is not, or before the first login.
        verified: the switch has accepted the agent's password in this session.
        wanted: the mode the agent last asked for, brought back after a short outage.
        wanted_reason: its reason code.
        next_cause: system reason to show with the next not-ready that the switch reports, because we asked for it.
        turn_at_s: when this agent's turn to log in comes, while QUEUED.
        trouble: id of what stands in the way, or empty.
        detail: the peer's words that go with it.
        retry_at_s: when a refused step is tried again, None for not.
    """

    stage: TelephonyStage = TelephonyStage.WAITING
    link: LinkId | None = None
    since_s: float = 0.0
    lost_s: float | None = None
    verified: bool = False
    wanted: SwitchMode = SwitchMode.NOT_READY
    wanted_reason: int | None = None
    next_cause: str = ""
    turn_at_s: float | None = None
    trouble: str = ""
    detail: str = ""
    retry_at_s: float | None = None


class ClaimState(Struct, frozen=True, kw_only=True):
    """How this instance stands to the agent. One that is alone holds every claim from the start.

    Attributes:
        stage: see ``ClaimStage``.
        wish: why it was asked for.
        term: grows with each claim on the agent, wherever it is made; 0 before the first is granted.
        needs_desktop: it is asked for only while the desktop that brought the ticket is connected: one that has gone
            on to yet another instance must not be followed.
        ticket_term: term in the ticket, 0 without one.
        trouble: id of what it waits for, or empty.
        detail: words that go with it: the instance that has the agent, for instance.
        going: the desktop is being sent to another instance, so no new work is taken at the dialler.
        leaving_since_s: when giving it up began, None while that is not asked.
        leaving_for: why it is given up.
    """

    stage: ClaimStage = ClaimStage.HELD
    wish: Wish = Wish.LOGIN
    term: int = 1
    needs_desktop: bool = False
    ticket_term: int = 0
    trouble: str = ""
    detail: str = ""
    going: bool = False
    leaving_since_s: float | None = None
    leaving_for: str = ""


class Doubt(Struct, frozen=True, kw_only=True):
    """A command of which nobody knows whether it was performed; found out as soon as switch and dialler can be
    asked.
    """

    id: CommandId
    command: AnyCommand


class Outcome(StrEnum):
    """How a command stands. ACCEPTED: asked of switch or dialler, not answered yet. UNKNOWN: it may or may not
    have happened; the truth will be asked, the command never repeated blindly.
    """

    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class CommandRecord(Struct, frozen=True, kw_only=True):
    """One command and how it stands, remembered so that a repeat is answered and not performed again.

    Attributes:
        id: made by the desktop.
        type: the command's word.
        outcome: how it stands.
        error: id of the reason when refused or unknown, else empty.
        detail: words that go with it.
        at_s: when it came, Unix seconds.
    """

    id: CommandId
    type: str
    outcome: Outcome
    error: str = ""
    detail: str = ""
    at_s: float = 0.0


class OpenRequest(Struct, frozen=True, kw_only=True):
    """Something asked of a link and not answered.

    Attributes:
        id: its number.
        side: who was asked.
        what: the word of the ask or command; ``mode:…`` for a change of work mode.
        command: the desktop's command behind it, None when the session asked by itself.
        asked_s: when, Unix seconds.
    """

    id: RequestId
    side: Side
    what: str
    command: CommandId | None
    asked_s: float


class Message(Struct, frozen=True, kw_only=True):
    """A text for the agent."""

    text: str
    sender: str
    at_s: float


class SessionState(Struct, frozen=True, kw_only=True):
    """One agent's session.

    Attributes:
        id: unguessable.
        identity, policy: fixed for the session's life.
        phase: where the session is in its life.
        opened_s: Unix seconds.
        presence, presence_since_s: whether somebody is at the desktop.
        agent, calls, telephony: the switch's side.
        calls_before: the calls as they were when the link was lost; not shown, kept for what a snapshot cannot tell.
        dialler, item: the dialler's side.
        left_item: the record that was open when the dialler was lost, with what was typed; the dialler has closed it.
        claim: whether this instance may act for the agent.
        orphaned: taken over from a lost instance before its desktop came, so without the agent's passwords: nothing
            that needs one is asked, and the agent is only kept off new work.
        doubts: commands whose outcome is being found out.
        dialler_lost_s: when the dialler was lost, None when it is not.
        dialler_turn_at_s: when the turn to log on comes, while WAITING in the queue.
        dialler_queued: a turn was asked for and not given yet.
        dialler_proved: a dialler has accepted the agent's logon in this session.
        dialler_retry_at_s: when a refused logon is tried again, None for not.
        log_out: a log-out was asked and waits for the end of a call or item; the cause, or empty.
        log_out_reason: its reason code for the switch.
        log_out_now: do not wait for the end of a call or item.
        messages: oldest first, at most MESSAGES_KEPT.
        commands: oldest first, at most COMMANDS_REMEMBERED.
        requests: oldest first, at most REQUESTS_OPEN.
        next_request, next_item: the numbers to give next.
        close_reason, close_detail: why the session ends, and the peer's words; empty while it does not.
    """

    id: SessionId
    identity: Identity
    policy: Policy = Policy()
    phase: Phase = Phase.LOGGING_IN
    opened_s: float = 0.0
    presence: Presence = Presence.SUSPECT
    presence_since_s: float = 0.0
    agent: AgentState = AgentState()
    calls: tuple[Call, ...] = ()
    calls_before: tuple[Call, ...] = ()
    telephony: TelephonyState = TelephonyState()
    dialler: DiallerState = DiallerState()
    item: WorkItem | None = None
    left_item: WorkItem | None = None
    claim: ClaimState = ClaimState()
    orphaned: bool = False
    doubts: tuple[Doubt, ...] = ()
    dialler_lost_s: float | None = None
    dialler_turn_at_s: float | None = None
    dialler_queued: bool = False
    dialler_proved: bool = False
    dialler_retry_at_s: float | None = None
    log_out: str = ""
    log_out_reason: int | None = None
    log_out_now: bool = False
    messages: tuple[Message, ...] = ()
    commands: tuple[CommandRecord, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    next_request: int = 1
    next_item: int = 1
    close_reason: str = ""
    close_detail: str = ""
