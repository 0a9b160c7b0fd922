"""JTAPI's numbers that we use.

Source: aes-jtapi reference, sections 3 and 5; the numbers were read off the interface classes of JTAPI 1.3.1.
"""

from __future__ import annotations

from enum import IntEnum


class ProviderState(IntEnum):
    """Of ``javax.telephony.Provider``."""

    IN_SERVICE = 16
    OUT_OF_SERVICE = 17
    SHUTDOWN = 18


class ControlConnection(IntEnum):
    """Of ``javax.telephony.callcontrol.CallControlConnection``."""

    IDLE = 80
    OFFERED = 81
    QUEUED = 82
    ALERTING = 83
    INITIATED = 84
    DIALING = 85
    NETWORK_REACHED = 86
    NETWORK_ALERTING = 87
    ESTABLISHED = 88
    DISCONNECTED = 89
    FAILED = 90
    UNKNOWN = 91


class ControlTerminal(IntEnum):
    """Of ``javax.telephony.callcontrol.CallControlTerminalConnection``."""

    IDLE = 96
    RINGING = 97
    TALKING = 98
    HELD = 99
    BRIDGED = 100
    INUSE = 101
    DROPPED = 102
    UNKNOWN = 103


class AgentState(IntEnum):
    """Of ``javax.telephony.callcenter.Agent``."""

    UNKNOWN = 0
    LOG_IN = 1
    LOG_OUT = 2
    NOT_READY = 3
    READY = 4
    WORK_NOT_READY = 5
    WORK_READY = 6
    BUSY = 7


class WorkMode(IntEnum):
    """How the vendor's client takes ready agents."""

    NONE = 0
    AUTO_IN = 1
    MANUAL_IN = 2


class LucentWorkMode(IntEnum):
    """How the vendor's client tells an agent's work mode."""

    NONE = -1
    AUX = 1
    AFTER_CALL = 2
    AUTO_IN = 3
    MANUAL_IN = 4


class ProviderEvent(IntEnum):
    """Events of providers."""

    IN_SERVICE = 111
    OBSERVATION_ENDED = 112
    OUT_OF_SERVICE = 113
    SHUTDOWN = 114


class EndedEvent(IntEnum):
    """The ends of observation."""

    ADDRESS = 100
    CALL = 103
    PROVIDER = 112
    TERMINAL = 121


class CallEventId(IntEnum):
    """Events of calls; those of the core package besides call-control's tell nothing more."""

    ACTIVE = 101
    INVALID = 102
    CONTROL_ALERTING = 203
    CONTROL_DIALING = 204
    CONTROL_DISCONNECTED = 205
    CONTROL_ESTABLISHED = 206
    CONTROL_FAILED = 207
    CONTROL_INITIATED = 208
    CONTROL_NETWORK_ALERTING = 209
    CONTROL_NETWORK_REACHED = 210
    CONTROL_OFFERED = 211
    CONTROL_QUEUED = 212
    CONTROL_UNKNOWN = 213
    TERMINAL_BRIDGED = 214
    TERMINAL_DROPPED = 215
    TERMINAL_HELD = 216
    TERMINAL_INUSE = 217
    TERMINAL_RINGING = 218
    TERMINAL_TALKING = 219
    TERMINAL_UNKNOWN = 220


class AgentEventId(IntEnum):
    """Events of agents at terminals."""

    BUSY = 308
    LOGGED_OFF = 309
    LOGGED_ON = 310
    NOT_READY = 311
    READY = 312
    UNKNOWN = 313
    WORK_NOT_READY = 314
    WORK_READY = 315


class Cause(IntEnum):
    """Why an event came."""

    NORMAL = 100
    UNKNOWN = 101
    CALL_CANCELLED = 102
    DEST_NOT_OBTAINABLE = 103
    INCOMPATIBLE_DESTINATION = 104
    LOCKOUT = 105
    NEW_CALL = 106
    RESOURCES_NOT_AVAILABLE = 107
    NETWORK_CONGESTION = 108
    NETWORK_NOT_OBTAINABLE = 109
    SNAPSHOT = 110
    BUSY = 203
    CONFERENCE = 207
    PARK = 209
    REDIRECTED = 210
    TRANSFER = 212
    UNHOLD = 214


class Meta(IntEnum):
    """What a delivery of events is about as a whole."""

    CALL_STARTING = 128
    CALL_PROGRESS = 129
    ADDITIONAL_PARTY = 130
    REMOVING_PARTY = 131
    CALL_ENDING = 132
    CALL_MERGING = 133
    CALL_TRANSFERRING = 134
    SNAPSHOT = 135
    UNKNOWN = 136
