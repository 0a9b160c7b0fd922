"""What the control port takes, one struct for each action. An unknown key is refused, so that a typo cannot pass."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from unified_agent.tools.simulators.aes.events import WorkMode
from unified_agent.wire.csta.session_messages import SessionError
from unified_agent.wire.csta.values import SystemStatusValue

Seconds = Annotated[float, Meta(ge=0)]
ReasonCode = Annotated[int, Meta(ge=0, le=99)]


class CutHow(StrEnum):
    """RESET: at once, without a word. CLOSE: in order, after what was to be sent."""

    RESET = "reset"
    CLOSE = "close"


class PhoneKey(StrEnum):
    """What a person can do at a telephone."""

    ANSWER = "answer"
    HANG_UP = "hang-up"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    DIAL = "dial"


class Cut(Struct, forbid_unknown_fields=True, kw_only=True):
    """End client sockets.

    Attributes:
        how: see ``CutHow``.
        connection: number of one socket, from /truth; all of them when it is left out.
    """

    how: CutHow = CutHow.RESET
    connection: int | None = None


class Silence(Struct, forbid_unknown_fields=True, kw_only=True):
    """Read nothing and send nothing, without closing; or go on, with nothing lost.

    Attributes:
        silent: which of the two.
        connection: one socket; without it all, also those to come.
    """

    silent: bool
    connection: int | None = None


class Delay(Struct, forbid_unknown_fields=True, kw_only=True):
    """Hold back everything that is sent.

    Attributes:
        delay_s: by how much; 0: not any more.
        connection: one socket; without it all, also those to come.
    """

    delay_s: Seconds
    connection: int | None = None


class Accept(Struct, forbid_unknown_fields=True, kw_only=True):
    """Refuse connections, as an AES that is switched off, or take them again. Open sockets stay."""

    accept: bool


class Logins(Struct, forbid_unknown_fields=True, kw_only=True):
    """Refuse every start of a session with this error, or let them in again."""

    refuse: bool
    error: SessionError = SessionError.SERVER_RESOURCES_BUSY


class SwitchLinkUp(Struct, forbid_unknown_fields=True, kw_only=True):
    """Lose the link between AES and switch, or find it again."""

    up: bool


class Status(Struct, forbid_unknown_fields=True, kw_only=True):
    """Tell this system status, such as ``overloadReached``; the link is not touched."""

    status: SystemStatusValue


class EndSession(Struct, forbid_unknown_fields=True, kw_only=True):
    """End a session from the server's side.

    Attributes:
        session_id: which, from /truth; all of them when it is left out.
        text: the reason told.
    """

    session_id: str | None = None
    text: str = "ended by the administrator"


class PlaceCall(Struct, forbid_unknown_fields=True, kw_only=True):
    """Let somebody outside call in, now.

    Attributes:
        number: what they dial: a VDN, hunt group, station or agent id.
        caller: their number.
        user_data: UUI that comes with the call.
        patience_s: they hang up when nobody has answered for so long; never when left out.
        talk_s: they hang up after talking so long; never when left out.
    """

    number: str
    caller: str = "02079460000"
    user_data: str | None = None
    patience_s: Seconds | None = None
    talk_s: Seconds | None = None


class HangUpCall(Struct, forbid_unknown_fields=True, kw_only=True):
    """Let an outside party hang up.

    Attributes:
        call_id: which call.
        device: their number; the first outside party when it is left out.
    """

    call_id: str
    device: str | None = None


class UseTelephone(Struct, forbid_unknown_fields=True, kw_only=True):
    """Press a key at a telephone.

    Attributes:
        station: which telephone.
        key: what is pressed.
        call_id: which call; the only one that fits when it is left out.
        number: what is dialled.
    """

    station: str
    key: PhoneKey
    call_id: str | None = None
    number: str | None = None


class LogOnAgent(Struct, forbid_unknown_fields=True, kw_only=True):
    """Log an agent on at the telephone; no password is asked."""

    station: str
    agent_id: str
    work_mode: WorkMode = WorkMode.AUX
    reason: ReasonCode | None = None


class SetAgent(Struct, forbid_unknown_fields=True, kw_only=True):
    """Change an agent's work mode at the telephone; ``loggedOff`` logs off. During a call it waits for the end.

    Attributes:
        agent_id: who.
        work_mode: what the agent chooses.
        reason: reason code of AUX or of logging off.
        force: at once, whatever goes on; only for ``loggedOff``, as when a supervisor or the switch does it.
    """

    agent_id: str
    work_mode: WorkMode
    reason: ReasonCode | None = None
    force: bool = False


class SetStation(Struct, forbid_unknown_fields=True, kw_only=True):
    """Unplug a telephone or plug it in again."""

    station: str
    in_service: bool


class SetTraffic(Struct, forbid_unknown_fields=True, kw_only=True):
    """Start, stop or change a stream of callers; what is left out stays.

    Attributes:
        stream: which, as in /truth, from 0.
        running: whether calls are placed.
        calls_per_minute: mean rate.
    """

    stream: Annotated[int, Meta(ge=0)] = 0
    running: bool | None = None
    calls_per_minute: Annotated[float, Meta(ge=0, le=60_000)] | None = None
