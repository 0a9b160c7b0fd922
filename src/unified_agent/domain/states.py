"""Closed sets of words for what is so: one word for one thing, the same in code, JSON, logs and counters."""

from __future__ import annotations

from enum import StrEnum


class Presence(StrEnum):
    """Whether somebody is at the desktop, as the instance that owns the session sees it.

    SUSPECT: the desktop is silent or its transport closed a moment ago. ABSENT: for longer than a refresh takes.
    """

    CONNECTED = "connected"
    SUSPECT = "suspect"
    ABSENT = "absent"


class SwitchMode(StrEnum):
    """What the switch says of an agent. UNKNOWN: we have not been able to ask."""

    LOGGED_OUT = "logged-out"
    NOT_READY = "not-ready"
    READY = "ready"
    WRAP_UP = "wrap-up"
    UNKNOWN = "unknown"


class WorkMode(StrEnum):
    """The one word shown to the agent and to supervisors."""

    LOGGED_OUT = "logged-out"
    NOT_READY = "not-ready"
    READY = "ready"
    RESERVED = "reserved"
    PREVIEWING = "previewing"
    TALKING = "talking"
    HOLDING = "holding"
    WRAP_UP = "wrap-up"
    UNKNOWN = "unknown"


class TelephonyStage(StrEnum):
    """How far an agent is with the switch.

    WAITING: for the link. QUEUED: for a turn to log in. OBSERVING: monitor being started. CHECKING: the switch is
    being asked for calls and state. LOGGING_IN. UP. LOGGING_OUT. OUT: logged out. REFUSED: a person must act.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    OBSERVING = "observing"
    CHECKING = "checking"
    LOGGING_IN = "logging-in"
    UP = "up"
    LOGGING_OUT = "logging-out"
    OUT = "out"
    REFUSED = "refused"


class LegState(StrEnum):
    """What one leg of a call does. FAILED: the far end could not be reached, the leg is still up."""

    ALERTING = "alerting"
    DIALLING = "dialling"
    ACTIVE = "active"
    HELD = "held"
    CONFERENCED = "conferenced"
    FAILED = "failed"


class Direction(StrEnum):
    """Who began a call, seen from the station."""

    IN = "in"
    OUT = "out"


class Side(StrEnum):
    """The two worlds a session logs in to."""

    TELEPHONY = "telephony"
    DIALLER = "dialler"


class DiallerStage(StrEnum):
    """How far an agent is with the dialler.

    OFF: not wanted. WAITING: wanted, and waiting for the telephone side, a dialler that answers, or a turn.
    LOGGING_ON: connection, logon, headset. LOGGED_ON: in no job. JOINING: attach, fields, available.
    JOINED: available, not ready (the dialler's S70002). READY: waiting for an item (S70001). WORKING: an item is
    open (S70000). LEAVING: no further work asked. LOGGING_OFF. REFUSED: a person must act first.
    """

    OFF = "off"
    WAITING = "waiting"
    LOGGING_ON = "logging-on"
    LOGGED_ON = "logged-on"
    JOINING = "joining"
    JOINED = "joined"
    READY = "ready"
    WORKING = "working"
    LEAVING = "leaving"
    LOGGING_OFF = "logging-off"
    REFUSED = "refused"


class HeadsetState(StrEnum):
    """The voice path between dialler and agent."""

    NONE = "none"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    BROKEN = "broken"


class ItemKind(StrEnum):
    """Where a work item came from."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    MANAGED = "managed"


class ItemStage(StrEnum):
    """What is happening with the open work item's line.

    PREVIEWING: managed record before dialling. DIALLING: managed call asked. ON_CALL, ON_HOLD: the customer is on
    the line. LINE_GONE: record open, nobody on the line: wrap-up.
    """

    PREVIEWING = "previewing"
    DIALLING = "dialling"
    ON_CALL = "on-call"
    ON_HOLD = "on-hold"
    LINE_GONE = "line-gone"


class LinkState(StrEnum):
    """One link as the desktop is told of it. CHECKING: it is back, and this agent is being brought in line."""

    UP = "up"
    CHECKING = "checking"
    DOWN = "down"
    UNUSED = "unused"


class Wish(StrEnum):
    """Why an instance wants to own an agent.

    LOGIN: the person logs in, wherever the agent was. RESUME: its desktop arrives with a ticket. SPREAD: a survivor
    takes over from the dead before anyone arrives.
    """

    LOGIN = "login"
    RESUME = "resume"
    SPREAD = "spread"


class ClaimStage(StrEnum):
    """Whether this instance may act for the agent. ASKED: not yet. HELD: yes. LEAVING: it is being given up."""

    ASKED = "asked"
    HELD = "held"
    LEAVING = "leaving"


class Phase(StrEnum):
    """One session's life. RESETTING: a link was lost and the way back is being gone."""

    LOGGING_IN = "logging-in"
    ACTIVE = "active"
    RESETTING = "resetting"
    CLOSING = "closing"
    CLOSED = "closed"
