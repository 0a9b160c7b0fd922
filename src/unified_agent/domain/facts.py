"""What was reported from outside. Past tense; they say what is so, not what to do.

A fact about one agent carries the session it is for; the link knows which station or connection is whose. Facts
about a whole link carry the link's name and reach every session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.ids import AgentId, CallId, CommandId, JobName, LinkId, RequestId, SessionId
from unified_agent.domain.job import CompletionKey, Job, RecordField
from unified_agent.domain.states import Direction, ItemKind, LegState, Side, SwitchMode

if TYPE_CHECKING:
    from unified_agent.domain.session_state import Identity, SessionState


class Fact(Struct, frozen=True, kw_only=True):
    """Root of everything reported about one session."""

    session: SessionId


# --- answers to what a session asked of a link


class RequestDone(Fact, frozen=True, kw_only=True):
    """The switch or dialler carried a request out (or accepted it: its effect is reported by another fact)."""

    request: RequestId


class RequestRefused(Fact, frozen=True, kw_only=True):
    """The switch or dialler refused a request; nothing changed.

    Attributes:
        id: stable id of the reason, ``switch.…`` or ``dialler.…`` (``docs/reference/errors.md``).
        detail: the peer's own code and words, for people.
        fatal: a person must act (password, unknown station) before trying again makes sense.
    """

    request: RequestId
    id: str
    detail: str = ""
    fatal: bool = False


class RequestUnknown(Fact, frozen=True, kw_only=True):
    """No answer came in time, or the link was lost under way: it may or may not have happened."""

    request: RequestId
    detail: str = ""


# --- the agent at the switch


class AgentStateReported(Fact, frozen=True, kw_only=True):
    """The switch said in which mode the agent is.

    Attributes:
        mode: the switch's mode.
        reason: reason code, with not-ready or logged-out.
        talking: on a call as the switch sees it; None when it did not say.
        agent: who is logged in at the station, None when nobody is or the switch did not say.
        pending_mode: the mode the switch will set when the call ends, or None.
        pending_reason: reason code of that.
        since_s: when it changed, Unix seconds; None when the switch did not say (the receipt then counts).
    """

    mode: SwitchMode
    reason: int | None = None
    talking: bool | None = None
    agent: AgentId | None = None
    pending_mode: SwitchMode | None = None
    pending_reason: int | None = None
    since_s: float | None = None


class ModePending(Fact, frozen=True, kw_only=True):
    """The switch accepted a change of mode and holds it until the call ends."""

    request: RequestId
    mode: SwitchMode
    reason: int | None = None


class StationUnobserved(Fact, frozen=True, kw_only=True):
    """The switch ended the monitor of this station alone; the link itself is up."""

    reason: str


# --- calls at the station


class PartySeen(Struct, frozen=True, kw_only=True):
    """Another party of a call.

    Attributes:
        number: extension or number, empty when the switch withholds it.
        state: that party's own leg.
    """

    number: str
    state: LegState = LegState.ACTIVE


class CallFact(Fact, frozen=True, kw_only=True):
    """Root of reports about one call at the session's station."""

    call: CallId


class CallAlerting(CallFact, frozen=True, kw_only=True):
    """A call rings at the station."""

    number: str
    called: str = ""
    queue: str = ""  #: VDN or hunt group that distributed it
    data: str = ""  #: user-to-user information, as text
    ucid: str = ""  #: universal call id of the switch, the same on every leg


class CallDialling(CallFact, frozen=True, kw_only=True):
    """The station is calling; ``number`` is dialled, ringing or queued."""

    number: str
    ucid: str = ""


class CallEstablished(CallFact, frozen=True, kw_only=True):
    """Station and the other party are connected.

    Attributes:
        number: the other party, empty when not told.
        incoming: the station was the one called.
    """

    number: str
    incoming: bool
    called: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""


class CallHeld(CallFact, frozen=True, kw_only=True):
    """A party put its leg on hold; ``number`` is None when it is the station itself."""

    number: str | None = None


class CallRetrieved(CallFact, frozen=True, kw_only=True):
    """A party took its leg back; ``number`` is None when it is the station itself."""

    number: str | None = None


class CallDropped(CallFact, frozen=True, kw_only=True):
    """Another party left the call; the station's leg stays until ``CallEnded``."""

    number: str


class CallEnded(CallFact, frozen=True, kw_only=True):
    """The station has no leg on the call any more (hung up, cleared, diverted, transferred away)."""

    cause: str = ""


class CallFailed(CallFact, frozen=True, kw_only=True):
    """The far end could not be reached: busy, no answer, barred."""

    number: str = ""
    cause: str = ""


class CallsMerged(CallFact, frozen=True, kw_only=True):
    """Two calls became one in which the station takes part: a conference, or a transfer seen by the one who stayed.

    Attributes:
        call: the id of the resulting call.
        old: ids that are no more (may contain ``call`` itself).
        parties: the others on it now.
    """

    old: tuple[CallId, ...]
    parties: tuple[PartySeen, ...]


class CallSeen(Struct, frozen=True, kw_only=True):
    """One call found by asking the switch.

    Attributes:
        call: its id.
        state: the station's own leg.
        direction: who began it, None when the switch cannot tell.
        parties: the others on it.
    """

    call: CallId
    state: LegState
    direction: Direction | None = None
    parties: tuple[PartySeen, ...] = ()


class StationSnapshot(Fact, frozen=True, kw_only=True):
    """The whole truth about a station, asked of the switch: its calls and the agent at it."""

    request: RequestId
    calls: tuple[CallSeen, ...]
    agent: AgentId | None
    mode: SwitchMode
    reason: int | None = None
    talking: bool = False
    pending_mode: SwitchMode | None = None
    pending_reason: int | None = None


# --- the agent at the dialler


class DiallerStepped(Fact, frozen=True, kw_only=True):
    """Logging on or joining went a step further.

    Attributes:
        step: ``connecting``, ``logging-on``, ``waiting-for-old-session``, ``reserving-headset``,
            ``ringing-headset``, ``listing-jobs``, ``attaching``, ``reading-fields``, ``becoming-available``.
    """

    dialler: LinkId
    step: str


class DiallerLoggedOn(Fact, frozen=True, kw_only=True):
    """Logged on, headset connected, job list read."""

    request: RequestId
    dialler: LinkId
    jobs: tuple[Job, ...]


class JobsListed(Fact, frozen=True, kw_only=True):
    """The dialler's list of jobs, asked again."""

    jobs: tuple[Job, ...]


class JobJoined(Fact, frozen=True, kw_only=True):
    """Attached to a job and available for it, not yet ready."""

    request: RequestId
    job: JobName
    keys: tuple[CompletionKey, ...]


class ReadyForItem(Fact, frozen=True, kw_only=True):
    """The dialler counts the agent as ready for the next item."""


class ItemArrived(Fact, frozen=True, kw_only=True):
    """A work item with its record; for a managed job a preview, otherwise the customer is on the line."""

    kind: ItemKind
    title: str
    preview: bool
    waited: str = ""
    key: str = ""
    fields: tuple[RecordField, ...] = ()
    preview_until_s: float | None = None


class ItemDialled(Fact, frozen=True, kw_only=True):
    """A managed call was placed: the customer is on the line, or was not reached (``result`` says how)."""

    connected: bool
    result: str = ""


class LineHeld(Fact, frozen=True, kw_only=True):
    """The customer's line is on hold."""


class LineRetrieved(Fact, frozen=True, kw_only=True):
    """The customer's line is back from hold."""


class LineGone(Fact, frozen=True, kw_only=True):
    """Nobody is on the item's line any more; the record is open.

    Attributes:
        by: ``agent``, ``customer`` or ``dialler``.
        suggested_code: a completion code the dialler gave (machine, fax), or empty.
    """

    by: str
    suggested_code: str = ""


class FieldsRead(Fact, frozen=True, kw_only=True):
    """Fields of the open record as the dialler holds them now; others stay as they were."""

    fields: tuple[RecordField, ...]


class ItemFinished(Fact, frozen=True, kw_only=True):
    """The record is closed; the agent is available and not ready."""


class JobLeft(Fact, frozen=True, kw_only=True):
    """Detached from the job.

    Attributes:
        why: ``asked``, ``ended``, ``no-records``, ``linked`` or ``moved``.
        next_job: with ``linked`` and ``moved`` the job to go on in.
    """

    why: str
    next_job: JobName | None = None


class JobEnding(Fact, frozen=True, kw_only=True):
    """The dialler stops the job or moves the agent: after the open item the job is left by itself."""

    why: str
    next_job: JobName | None = None


class HeadsetBroke(Fact, frozen=True, kw_only=True):
    """The voice path between dialler and agent is lost."""


class HeadsetConnected(Fact, frozen=True, kw_only=True):
    """The voice path is up, or up again."""


class MessageReceived(Fact, frozen=True, kw_only=True):
    """A text for the agent, from a supervisor at the dialler or from the dialler itself."""

    text: str
    sender: str


class DiallerLoggedOff(Fact, frozen=True, kw_only=True):
    """Logged off as asked; the connection is closed."""


class DiallerLost(Fact, frozen=True, kw_only=True):
    """This agent's dialler connection is gone without being asked to.

    Attributes:
        reason: ``closed``, ``silent``, ``shutting-down``, ``full``, ``protocol`` …
    """

    dialler: LinkId
    reason: str


# --- whole links


class LinkFact(Struct, frozen=True, kw_only=True):
    """Root of everything reported about a whole link."""

    link: LinkId


class TelephonyUp(LinkFact, frozen=True, kw_only=True):
    """The switch can be asked again; nothing is observed unless ``resumed``."""

    resumed: bool = False


class TelephonyDown(LinkFact, frozen=True, kw_only=True):
    """The switch cannot be asked and tells nothing.

    Attributes:
        reason: ``closed``, ``silent``, ``switch-link-down``, ``session-ended``, ``refused``, ``protocol`` …
    """

    reason: str


class DiallerUp(LinkFact, frozen=True, kw_only=True):
    """A dialler answers probes."""


class DiallerDown(LinkFact, frozen=True, kw_only=True):
    """A dialler is out of service as a whole; its agents' connections are gone or being torn down."""

    reason: str


# --- the desktop, and the house itself


class SessionOpened(Fact, frozen=True, kw_only=True):
    """The host accepted a login or a ticket; the machine may begin. ``link``: the telephony link that is up, or
    None.
    """

    link: LinkId | None


class ClaimGranted(Fact, frozen=True, kw_only=True):
    """This instance owns the agent and the station now, in this term.

    Attributes:
        carried: the session as its last owner left it, ``carry.unpack``ed; None when nothing is known of it.
    """

    term: int
    carried: SessionState | None = None


class ClaimDelayed(Fact, frozen=True, kw_only=True):
    """The claim cannot be granted yet: ``cluster.no-store``, ``cluster.owner-lives``, ``cluster.waiting``."""

    trouble: str
    detail: str = ""


class ClaimRefused(Fact, frozen=True, kw_only=True):
    """The claim is not granted: ``taken-over``, ``station.in-use`` … The session is over."""

    id: str
    detail: str = ""


class ClaimLost(Fact, frozen=True, kw_only=True):
    """This instance may not act for the agent any more: ``stepped-down``, ``passive``, ``taken-over`` …"""

    reason: str


class MovePlanned(Fact, frozen=True, kw_only=True):
    """The desktop is to be sent to another instance, or (``going`` false) is so no more.

    Nobody is put through to an agent who is about to leave the dialler.
    """

    going: bool


class MoveAsked(Fact, frozen=True, kw_only=True):
    """Another instance wants the agent: stop, leave the dialler, give the claim up. ``reason``: ``drain``, ``move``,
    ``taken-over``.
    """

    reason: str


class IdentityShown(Fact, frozen=True, kw_only=True):
    """The desktop of an orphaned session has come, with the ticket that holds the passwords."""

    identity: Identity


class CommandDoubted(Fact, frozen=True, kw_only=True):
    """A desktop that has moved here asks what became of a command that it had asked of another instance."""

    id: CommandId
    command: AnyCommand


class TurnPlanned(Fact, frozen=True, kw_only=True):
    """When this session will be let through to log in, Unix seconds; told while many log in at once."""

    side: Side
    at_s: float


class TurnGiven(Fact, frozen=True, kw_only=True):
    """This session may log in now."""

    side: Side


class DesktopAttached(Fact, frozen=True, kw_only=True):
    """A desktop shows this session."""


class DesktopDetached(Fact, frozen=True, kw_only=True):
    """No desktop shows this session: closed, or silent for too long."""


class CommandReceived(Fact, frozen=True, kw_only=True):
    """A desktop asked for something."""

    id: CommandId
    command: AnyCommand


class LogOutForced(Fact, frozen=True, kw_only=True):
    """The session is to be ended by the house: a supervisor, a drain.

    Attributes:
        cause: a system reason (``supervisor-logged-out``, ``desktop-closed`` …).
        now: do not wait for the end of a call or item.
    """

    cause: str
    now: bool = False


class Woken(Fact, frozen=True, kw_only=True):
    """A time the session asked for has come."""
