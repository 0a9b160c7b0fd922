"""What is to be done, as data. Imperative; performed once, in order, by ``sessions.performer``.

An effect for a link is either a command of the desktop passed on as it was (``AskSwitch``, ``AskDialler`` carry
it), or one of the asks below that only the session machine makes. Each has a request number, by which the answer
is known: exactly one of ``RequestDone``, ``RequestRefused``, ``RequestUnknown`` or a fact that carries the number
comes back for each.
"""

from __future__ import annotations

from msgspec import Struct

from unified_agent.domain.commands import CallCommand, DiallerCommand
from unified_agent.domain.ids import AgentId, CommandId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.notices import Notice
from unified_agent.domain.states import Side, SwitchMode, Wish


class Effect(Struct, frozen=True, kw_only=True):
    """Root of everything to be done."""


# --- asked of the switch


class SwitchAsk(Struct, frozen=True, kw_only=True):
    """Root of what only the session machine asks of the switch."""


class Observe(SwitchAsk, frozen=True, kw_only=True):
    """Start the monitor of the station, or find that it still runs. Answer: RequestDone or RequestRefused."""


class Snapshot(SwitchAsk, frozen=True, kw_only=True):
    """Ask for the station's calls and its agent. Answer: StationSnapshot or RequestRefused."""

    agent: AgentId


class LogInAgent(SwitchAsk, frozen=True, kw_only=True):
    """Log the agent in at the station, not ready. Answer: RequestDone, then AgentStateReported.

    Attributes:
        password: the agent's password at the switch; never logged, never in a repr.
        reason: reason code of the not-ready mode to begin in.
    """

    agent: AgentId
    password: Secret
    reason: int | None = None


class LogOutAgent(SwitchAsk, frozen=True, kw_only=True):
    """Log the agent out at the switch. Answer: RequestDone, then AgentStateReported."""

    agent: AgentId
    password: Secret
    reason: int | None = None


class ChangeMode(SwitchAsk, frozen=True, kw_only=True):
    """Ask for a work mode. Answer: RequestDone or ModePending, then AgentStateReported.

    Attributes:
        may_wait: let the switch hold the change until the call ends.
    """

    agent: AgentId
    mode: SwitchMode
    reason: int | None = None
    may_wait: bool = False


class QueryAgent(SwitchAsk, frozen=True, kw_only=True):
    """Ask in which mode the agent is. Answer: AgentStateReported (and RequestDone)."""

    agent: AgentId


class ReleaseStation(SwitchAsk, frozen=True, kw_only=True):
    """End the monitor and give the device id back. Answer: RequestDone."""


class AskSwitch(Effect, frozen=True, kw_only=True):
    """Ask the switch for something, for one session."""

    session: SessionId
    station: StationId
    request: RequestId
    ask: SwitchAsk | CallCommand


# --- asked of the dialler


class DiallerAsk(Struct, frozen=True, kw_only=True):
    """Root of what only the session machine asks of the dialler."""


class LogOnDialler(DiallerAsk, frozen=True, kw_only=True):
    """Choose a dialler, connect, log on, connect the headset, list the jobs.

    Answer: DiallerStepped …, then DiallerLoggedOn; or RequestRefused, or DiallerLost.

    Attributes:
        after_loss: the agent was logged on and that was lost, here or at another instance. The dialler may hold the
            name for a while, which is waited for.
    """

    name: str
    password: Secret
    headset: str
    after_loss: bool = False


class LogOffDialler(DiallerAsk, frozen=True, kw_only=True):
    """Leave in good order from whatever state: finish nothing, no further work, detach, headset, logoff.

    Answer: DiallerLoggedOff.
    """


class DropDialler(DiallerAsk, frozen=True, kw_only=True):
    """Close this agent's connection at once, without ceremony. No answer."""


class AskDialler(Effect, frozen=True, kw_only=True):
    """Ask the dialler for something, for one session. ``TakeItems`` asks for the next item."""

    session: SessionId
    request: RequestId
    ask: DiallerAsk | DiallerCommand


# --- asked of the house


class AskClaim(Effect, frozen=True, kw_only=True):
    """Claim the agent and the station. Answer: ClaimGranted or ClaimRefused; ClaimDelayed meanwhile; ClaimLost any
    time.

    Attributes:
        ticket_term: term in the desktop's ticket; 0 without one.
    """

    session: SessionId
    agent: AgentId
    station: StationId
    wish: Wish
    ticket_term: int = 0


class AskTurn(Effect, frozen=True, kw_only=True):
    """Queue for a turn to log in. Answer: TurnPlanned (while it is far), TurnGiven."""

    session: SessionId
    side: Side


class Tell(Effect, frozen=True, kw_only=True):
    """Put a notice into the desktop's outbox."""

    session: SessionId
    notice: Notice


class RestartOutbox(Effect, frozen=True, kw_only=True):
    """Begin a new epoch: what the desktop had is void, a snapshot follows."""

    session: SessionId
    reason: str


class Settle(Effect, frozen=True, kw_only=True):
    """Count a command that has ended, with its outcome and how long it took. One left unknown may still end later."""

    session: SessionId
    command: CommandId


class CountUnexpected(Effect, frozen=True, kw_only=True):
    """A report did not fit what we believed; it was applied all the same."""

    session: SessionId
    what: str


class CloseSession(Effect, frozen=True, kw_only=True):
    """The session has ended here; nothing of it is left at the dialler, and at the switch only what another instance
    goes on with. Its claim, if it is held, is released.
    """

    session: SessionId
    reason: str
