"""What can be asked to happen with calls.

Source: aes-dmcc reference, section 8.
"""

from __future__ import annotations

from unified_agent.wire.csta.kinds import (
    BOOLEAN,
    CONNECTION,
    DEVICE,
    HEX,
    INTEGER,
    TEXT,
    USER_DATA,
    OneOf,
)
from unified_agent.wire.csta.layout import Field
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.values import AutoOriginate, ConnectionId, DeviceId, DigitMode, Participation

_ACCOUNT = Field("accountCode", "account_code", HEX)
_AUTHORISATION = Field("authCode", "auth_code", HEX)
_USER_DATA = Field("userData", "user_data", USER_DATA)


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("callingDevice", "calling_device", DEVICE),
    Field("calledDirectoryNumber", "called_number", DEVICE),
    _ACCOUNT,
    _AUTHORISATION,
    Field("autoOriginate", "auto_originate", OneOf(AutoOriginate)),
    _USER_DATA,
)
class MakeCall(Message, frozen=True, kw_only=True):
    """Call from a station.

    Attributes:
        calling_device: the station.
        called_number: a device id, or digits to dial.
        account_code: bytes of it; hexBinary on the wire.
        auth_code: bytes of it; hexBinary on the wire.
        auto_originate: whether the station rings first.
        user_data: user-to-user information.
    """

    calling_device: DeviceId
    called_number: DeviceId
    account_code: bytes | None = None
    auth_code: bytes | None = None
    auto_originate: AutoOriginate | None = AutoOriginate.DO_NOT_PROMPT
    user_data: bytes | None = None


@message(Role.REQUEST, Namespace.CSTA, Field("callToBeAnswered", "call", CONNECTION), _USER_DATA)
class AnswerCall(Message, frozen=True, kw_only=True):
    """Answer the call that alerts at the device."""

    call: ConnectionId
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("callToBeHeld", "call", CONNECTION),
    Field("connectionReservation", "reserve_connection", BOOLEAN),
)
class HoldCall(Message, frozen=True, kw_only=True):
    """Put the device's call on hold."""

    call: ConnectionId
    reserve_connection: bool | None = None


@message(Role.REQUEST, Namespace.CSTA, Field("callToBeRetrieved", "call", CONNECTION))
class RetrieveCall(Message, frozen=True, kw_only=True):
    """Take the device's held call back."""

    call: ConnectionId


@message(Role.REQUEST, Namespace.CSTA, Field("connectionToBeCleared", "call", CONNECTION), _USER_DATA)
class ClearConnection(Message, frozen=True, kw_only=True):
    """Hang the device up."""

    call: ConnectionId
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("existingCall", "existing_call", CONNECTION),
    Field("consultedDevice", "consulted_device", DEVICE),
    _ACCOUNT,
    _AUTHORISATION,
    _USER_DATA,
)
class ConsultationCall(Message, frozen=True, kw_only=True):
    """Hold the active call and call somebody about it."""

    existing_call: ConnectionId
    consulted_device: DeviceId
    account_code: bytes | None = None
    auth_code: bytes | None = None
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("heldCall", "held_call", CONNECTION),
    Field("activeCall", "active_call", CONNECTION),
)
class TransferCall(Message, frozen=True, kw_only=True):
    """Connect the held call's party with the active call's, and leave both."""

    held_call: ConnectionId
    active_call: ConnectionId


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("heldCall", "held_call", CONNECTION),
    Field("activeCall", "active_call", CONNECTION),
)
class ConferenceCall(Message, frozen=True, kw_only=True):
    """Join the held and the active call."""

    held_call: ConnectionId
    active_call: ConnectionId


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("heldCall", "held_call", CONNECTION),
    Field("activeCall", "active_call", CONNECTION),
)
class AlternateCall(Message, frozen=True, kw_only=True):
    """Hold the active call and take the held one back."""

    held_call: ConnectionId
    active_call: ConnectionId


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("activeCall", "active_call", CONNECTION),
    Field("heldCall", "held_call", CONNECTION),
)
class ReconnectCall(Message, frozen=True, kw_only=True):
    """Clear the active call and take the held one back."""

    active_call: ConnectionId
    held_call: ConnectionId


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("activeCall", "active_call", CONNECTION),
    Field("deviceToJoin", "device_to_join", DEVICE),
    Field("participationType", "participation", OneOf(Participation)),
    _ACCOUNT,
    _AUTHORISATION,
    _USER_DATA,
)
class SingleStepConferenceCall(Message, frozen=True, kw_only=True):
    """Let a device join the call without a consultation."""

    active_call: ConnectionId
    device_to_join: DeviceId
    participation: Participation
    account_code: bytes | None = None
    auth_code: bytes | None = None
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("activeCall", "active_call", CONNECTION),
    Field("transferredTo", "transferred_to", DEVICE),
    _ACCOUNT,
    _AUTHORISATION,
    _USER_DATA,
)
class SingleStepTransferCall(Message, frozen=True, kw_only=True):
    """Send the call to another device without a consultation."""

    active_call: ConnectionId
    transferred_to: DeviceId
    account_code: bytes | None = None
    auth_code: bytes | None = None
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("callToBeDiverted", "call", CONNECTION),
    Field("newDestination", "new_destination", DEVICE),
    _USER_DATA,
)
class DeflectCall(Message, frozen=True, kw_only=True):
    """Send the call that alerts elsewhere."""

    call: ConnectionId
    new_destination: DeviceId
    user_data: bytes | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("connectionToSendDigits", "call", CONNECTION),
    Field("digitMode", "mode", OneOf(DigitMode)),
    Field("charactersToSend", "digits", TEXT),
    Field("toneDuration", "tone_duration_ms", INTEGER),
    Field("pulseRate", "pulse_rate", INTEGER),
    Field("pauseDuration", "pause_duration_ms", INTEGER),
)
class GenerateDigits(Message, frozen=True, kw_only=True):
    """Send digits into the call.

    Attributes:
        call: the sending device's part in it.
        digits: 0 to 9, ``*``, ``#``, A to D.
        mode: tones or pulses.
        tone_duration_ms: of each tone. Assumed: milliseconds, as ECMA-269 has it.
        pulse_rate: pulses per second.
        pause_duration_ms: between digits. Assumed: milliseconds.
    """

    call: ConnectionId
    digits: str
    mode: DigitMode | None = DigitMode.DTMF
    tone_duration_ms: int | None = None
    pulse_rate: int | None = None
    pause_duration_ms: int | None = None
