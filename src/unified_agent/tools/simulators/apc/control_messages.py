"""What the control port takes, one struct for each action. An unknown key is refused, so that a typo cannot pass."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]


class CutHow(StrEnum):
    """RESET: at once, without a word. CLOSE: in order, after what was to be sent."""

    RESET = "reset"
    CLOSE = "close"


class Action(Struct, forbid_unknown_fields=True, kw_only=True):
    """Root of all actions."""


class ForAgents(Action, kw_only=True):
    """An action on connections.

    Attributes:
        agents: names of agents who are logged on; without any it concerns every connection.
    """

    agents: list[Name] = field(default_factory=list)


class Cut(ForAgents, kw_only=True):
    """End connections. ``how``: see ``CutHow``."""

    how: CutHow = CutHow.RESET


class Silence(ForAgents, kw_only=True):
    """Read nothing and send nothing, without closing (true); or go on, with nothing lost (false).

    Without agents also for connections to come.
    """

    silent: bool


class Delay(ForAgents, kw_only=True):
    """Slow down what is sent from now on. Without agents also for connections to come.

    Attributes:
        delay_s: everything waits this long; 0: at once.
        piece_bytes: send in pieces of this size; 0: whole.
        pause_s: between two pieces.
    """

    delay_s: Seconds = 0.0
    piece_bytes: Count = 0
    pause_s: Seconds = 0.0


class Accept(Action, kw_only=True):
    """Refuse new connections (false), or take them again (true)."""

    accept: bool


class PartSize(Action, kw_only=True):
    """Continue messages longer than this in further frames; 0: never. A frame has at least one segment."""

    part_size_bytes: Count


class Logons(Action, kw_only=True):
    """Refuse logons with this error, or, with an empty one, let agents in again."""

    error: Annotated[str, Meta(pattern=r"^(E\d{5})?$")] = ""


class Slots(Action, kw_only=True):
    """How many connections there may be; those above are greeted with E28858."""

    slots: Count


class StaleLogons(Action, kw_only=True):
    """Let names stay logged on after their connection is lost (E28812).

    Attributes:
        seconds: how long, from now on.
        names: these are stale right now, for that long, whoever they are.
    """

    seconds: Seconds
    names: list[Name] = field(default_factory=list)


class Answers(ForAgents, kw_only=True):
    """Spoil the answers of agents, each as long as its number lasts.

    Attributes:
        drop: so many commands get no final answer.
        busy: so many commands are answered "busy".
        delay_s: final answers come this much later, until it is set to 0 again.
    """

    drop: Count = 0
    busy: Count = 0
    delay_s: Seconds = 0.0


class HeadsetAnswering(Action, kw_only=True):
    """Whether agents pick up when the dialler rings their headset."""

    answer: bool


class SystemError(ForAgents, kw_only=True):  # noqa: A001 - the word of the protocol
    """Send AGTSystemError. A fatal code (E28921, E28862, E28859, E29203) closes the connection, too.

    ``error`` may carry a detail after a comma: ``E70002,AGTReleaseLine_RESP(LNREL)``.
    """

    error: Annotated[str, Meta(pattern=r"^[ES]\d{5}(,.*)?$")]


class DownDialler(Action, kw_only=True):
    """The dialler goes down: connections end, new ones are refused.

    Attributes:
        announce: tell every agent E28921 and close in order; otherwise cut, as in a crash.
        back_after_s: it comes up again by itself; without it, by /connections/accept.
    """

    announce: bool = True
    back_after_s: Seconds | None = None


class JobNamed(Action, kw_only=True):
    """An action on a job."""

    job: Name


class LinkJob(JobNamed, kw_only=True):
    """End a job and send its agents to another."""

    to: Name


class JobRate(JobNamed, kw_only=True):
    """Calls per minute of a job whose arrivals are not paced."""

    calls_per_minute: Annotated[float, Meta(ge=0)]


class JobDialling(JobNamed, kw_only=True):
    """Whether an active job has begun to dial; until then AGTAvailWork is refused with E28805."""

    dialling: bool


class CallsArrive(JobNamed, kw_only=True):
    """Let calls arrive at a job now, as its own traffic would."""

    count: Annotated[int, Meta(ge=1, le=10_000)] = 1


class AgentNamed(Action, kw_only=True):
    """An action on one agent who is logged on."""

    agent: Name


class MoveAgent(AgentNamed, kw_only=True):
    """A supervisor moves the agent to another job."""

    job: Name


class SupervisorMessage(ForAgents, kw_only=True):
    """A supervisor's text, cut to 79 characters; without agents to everybody."""

    text: Name


class BreakHeadset(AgentNamed, kw_only=True):
    """Break the agent's headset (true), or let it come back by itself (false)."""

    broken: bool


class Blend(AgentNamed, kw_only=True):
    """Lend a blending agent to outbound (true), or give them back to the ACD (false)."""

    acquired: bool


class PlaceCall(AgentNamed, kw_only=True):
    """Put a call, or in a managed job a preview, through to an agent who is ready.

    Attributes:
        direction: O or I; empty: what suits the job.
        fields: values of the record that are to be different.
    """

    direction: Annotated[str, Meta(pattern="^[OI]?$")] = ""
    fields: dict[str, str] = field(default_factory=dict)


class ReachMachine(AgentNamed, kw_only=True):
    """The agent's call turns out to be a machine; this is the code to finish with."""

    completion: Annotated[int, Meta(ge=0, le=200)] = 13


class OwnRecall(AgentNamed, kw_only=True):
    """Announce that the agent will be moved for an own recall."""

    customer: str
    job: Name
    unit: str = ""


class RawNotice(AgentNamed, kw_only=True):
    """Send any announcement, segments as they are, to try out what a client makes of it."""

    keyword: Annotated[str, Meta(min_length=1, max_length=20)]
    segments: list[str] = field(default_factory=list)
