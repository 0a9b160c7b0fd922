"""Device ids of AES: get one for an extension, give it back. And the move of monitors between sessions.

Source: aes-dmcc reference, sections 3 (TransferMonitorObjects) and 5.
"""

from __future__ import annotations

from unified_agent.wire.csta.kinds import BOOLEAN, DEVICE, TOKEN
from unified_agent.wire.csta.layout import Field
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.values import DeviceId, SessionId


@message(
    Role.REQUEST,
    Namespace.AVAYA,
    Field("switchName", "switch_name", TOKEN),
    Field("extension", "extension", TOKEN),
    Field("deviceInstance", "instance", TOKEN),
)
class GetThirdPartyDeviceId(Message, frozen=True, kw_only=True):
    """Ask for the id of a device that we observe and command, but do not register as.

    Attributes:
        switch_name: as AES's administrator named the switch.
        extension: the station's, VDN's or hunt group's number.
        instance: ``0``, ``1`` or ``2``.
    """

    switch_name: str
    extension: str
    instance: str | None = None


@message(Role.ANSWER, Namespace.AVAYA, Field("device", "device", DEVICE))
class GetThirdPartyDeviceIdResponse(Message, frozen=True, kw_only=True):
    """The id of the device."""

    device: DeviceId


@message(
    Role.REQUEST,
    Namespace.AVAYA,
    Field("switchName", "switch_name", TOKEN),
    Field("switchIPInterface", "switch_address", TOKEN),
    Field("extension", "extension", TOKEN),
    Field("deviceInstance", "instance", TOKEN),
    Field("controllableByOtherSessions", "controllable_by_others", BOOLEAN),
)
class GetDeviceId(Message, frozen=True, kw_only=True):
    """The first-party form of GetThirdPartyDeviceId.

    Attributes:
        switch_name: as AES's administrator named the switch.
        switch_address: the switch's address, where no name is given.
        extension: the station's number.
        instance: ``0``, ``1`` or ``2``.
        controllable_by_others: other sessions may use the device too.
    """

    extension: str
    switch_name: str | None = None
    switch_address: str | None = None
    instance: str | None = None
    controllable_by_others: bool | None = None


@message(Role.ANSWER, Namespace.AVAYA, Field("device", "device", DEVICE))
class GetDeviceIdResponse(Message, frozen=True, kw_only=True):
    """The id of the device."""

    device: DeviceId


@message(Role.REQUEST, Namespace.AVAYA, Field("device", "device", DEVICE))
class ReleaseDeviceId(Message, frozen=True, kw_only=True):
    """Give a device id back."""

    device: DeviceId


@message(Role.ANSWER, Namespace.AVAYA)
class ReleaseDeviceIdResponse(Message, frozen=True, kw_only=True):
    """The device id is given back."""


@message(
    Role.REQUEST,
    Namespace.AVAYA,
    Field("fromSessionID", "from_session_id", TOKEN),
    Field("toSessionID", "to_session_id", TOKEN),
)
class TransferMonitorObjects(Message, frozen=True, kw_only=True):
    """Move what is left of an old session to a new one."""

    from_session_id: SessionId
    to_session_id: SessionId


@message(
    Role.ANSWER,
    Namespace.AVAYA,
    Field("fromSessionID", "from_session_id", TOKEN),
    Field("toSessionID", "to_session_id", TOKEN),
)
class TransferMonitorObjectsResponse(Message, frozen=True, kw_only=True):
    """The move has begun."""

    from_session_id: SessionId | None = None
    to_session_id: SessionId | None = None
