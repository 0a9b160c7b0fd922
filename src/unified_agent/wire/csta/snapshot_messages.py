"""Snapshots: which calls are at a device, and who is on a call.

Source: aes-dmcc reference, section 10.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from unified_agent.wire.csta.kinds import CONNECTION, DEVICE, PARTY, TOKEN, UCID, OneOf
from unified_agent.wire.csta.layout import Field, Inside, ListOf
from unified_agent.wire.csta.shapes import Message, Namespace, Role, Shape, message
from unified_agent.wire.csta.values import NOT_KNOWN, ConnectionId, DeviceId, LocalState, Party


class SnapshotDeviceEntry(Struct, frozen=True, kw_only=True):
    """One call at a device.

    Attributes:
        connection: the device's part in the call.
        states: the device's own state first, then the other parties'. Empty: not told.
        simple_state: the other way to tell the state, e.g. ``callEstablished``.
        endpoint: the party at the other end, where it is told.
    """

    connection: ConnectionId
    states: tuple[LocalState, ...] = ()
    simple_state: str | None = None
    endpoint: Party | None = None


class SnapshotCallEntry(Struct, frozen=True, kw_only=True):
    """One party of a call.

    Attributes:
        device: who it is.
        connection: its part in the call; None where the peer does not tell.
        local_state: what its end does.
    """

    device: Party
    connection: ConnectionId | None = None
    local_state: LocalState | None = None


SNAPSHOT_DEVICE_ENTRY: Final = Shape(
    SnapshotDeviceEntry,
    Field("connectionIdentifier", "connection", CONNECTION),
    Field("endpointDevice", "endpoint", PARTY),
    Inside(
        "localCallState",
        Field(
            "compoundCallState",
            "states",
            ListOf("localConnectionState", OneOf(LocalState)),
            unless="simple_state",
        ),
        Field("simpleCallState", "simple_state", TOKEN),
    ),
)
SNAPSHOT_CALL_ENTRY: Final = Shape(
    SnapshotCallEntry,
    Field("deviceOnCall", "device", PARTY, missing=NOT_KNOWN),
    Field("callIdentifier", "connection", CONNECTION),
    Field("localConnectionInfo", "local_state", OneOf(LocalState)),
)


@message(Role.REQUEST, Namespace.CSTA, Field("snapshotObject", "device", DEVICE))
class SnapshotDevice(Message, frozen=True, kw_only=True):
    """Ask which calls are at a device."""

    device: DeviceId


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Inside(
        "crossRefIDorSnapshotData",
        Field("serviceCrossRefID", "segments_id", TOKEN),
        Field(
            "snapshotData",
            "calls",
            ListOf("snapshotDeviceResponseInfo", SNAPSHOT_DEVICE_ENTRY),
            keep_empty=True,
            unless="segments_id",
        ),
    ),
)
class SnapshotDeviceResponse(Message, frozen=True, kw_only=True):
    """The calls at a device.

    Attributes:
        calls: one entry for each call; empty: none, unless ``segments_id`` is set.
        segments_id: the calls are not here but follow in messages of their own, under this id. We do not read
            those: treat it as "not known". Assumed: AES does not do so for a station's few calls.
    """

    calls: tuple[SnapshotDeviceEntry, ...] = ()
    segments_id: str | None = None


@message(Role.REQUEST, Namespace.CSTA, Field("snapshotObject", "call", CONNECTION))
class SnapshotCall(Message, frozen=True, kw_only=True):
    """Ask who is on a call."""

    call: ConnectionId


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Inside(
        "crossRefIDorSnapshotData",
        Field("serviceCrossRefID", "segments_id", TOKEN),
        Field(
            "snapshotData",
            "parties",
            ListOf("snapshotCallResponseInfo", SNAPSHOT_CALL_ENTRY),
            keep_empty=True,
            unless="segments_id",
        ),
    ),
    Field("callingDevice", "calling", PARTY),
    Field("calledDevice", "called", PARTY),
    Field("callLinkageData", "ucid", UCID),
)
class SnapshotCallResponse(Message, frozen=True, kw_only=True):
    """Who is on a call.

    Attributes:
        parties: one entry for each.
        segments_id: as in SnapshotDeviceResponse.
        calling: who called, where it is told.
        called: who was called, where it is told.
        ucid: the universal call id, where it is told.
    """

    parties: tuple[SnapshotCallEntry, ...] = ()
    segments_id: str | None = None
    calling: Party | None = None
    called: Party | None = None
    ucid: str | None = None
