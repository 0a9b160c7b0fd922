"""The link from AES to the switch: registering for its state, asking for it, and being told.

Source: aes-dmcc reference, section 4.
"""

from __future__ import annotations

from unified_agent.wire.csta.kinds import BOOLEAN, PARTY, TOKEN, Flags, OneOf
from unified_agent.wire.csta.layout import Field, Inside, Many, private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, Shape, message
from unified_agent.wire.csta.values import (
    LinkState,
    MonitorId,
    Party,
    StatusKind,
    SwitchLink,
    SystemRequestType,
    SystemStatusValue,
    TlinkStatus,
)

_SWITCH_LINK = Shape(
    SwitchLink,
    Field("switchName", "switch_name", TOKEN),
    Field("tlinkStatus", "status", OneOf(TlinkStatus), missing=None),
    of_avaya=True,
)
_LINK_STATE = Shape(
    LinkState,
    Field("linkName", "link_name", TOKEN, missing=""),
    Field("isLinkUp", "is_up", BOOLEAN),
    Field("autoReconnect", "auto_reconnect", BOOLEAN, missing=False),
    of_avaya=True,
)


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("requestTypes", "request_types", Flags(SystemRequestType), keep_empty=True),
    Field("requestedStatusFilter", "status_filter", Flags(StatusKind)),
    private_data(
        "SystemRegisterPrivateData",
        Field("invertFilter", "invert_filter", BOOLEAN),
        Field("switchName", "switch_name", TOKEN),
    ),
)
class SystemRegister(Message, frozen=True, kw_only=True):
    """Ask to be told of system status.

    Attributes:
        request_types: what to register for.
        status_filter: the kinds that are marked true.
        invert_filter: True: true means "send me this". Otherwise true means "leave this out".
        switch_name: which switch's status; None: all.
    """

    request_types: frozenset[SystemRequestType] = frozenset({SystemRequestType.SYSTEM_STATUS})
    status_filter: frozenset[StatusKind] = frozenset(
        {StatusKind.ENABLED, StatusKind.NORMAL, StatusKind.DISABLED, StatusKind.PARTIALLY_DISABLED}
    )
    invert_filter: bool | None = True
    switch_name: str | None = None

    def wanted(self) -> frozenset[StatusKind]:
        """Return the kinds that the sender wants to be told of."""
        return self.status_filter if self.invert_filter else frozenset(StatusKind) - self.status_filter


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("sysStatRegisterID", "register_id", TOKEN),
    Field("actualStatusFilter", "status_filter", Flags(StatusKind, write_false=True), keep_empty=True),
    private_data("SystemRegisterPrivateData", Field("invertFilter", "invert_filter", BOOLEAN)),
)
class SystemRegisterResponse(Message, frozen=True, kw_only=True):
    """Registered.

    Attributes:
        register_id: names the registration in each SystemStatus.
        status_filter: the kinds that are marked true.
        invert_filter: as in the request.
    """

    register_id: str
    status_filter: frozenset[StatusKind] | None = None
    invert_filter: bool | None = None


@message(
    Role.REQUEST,
    Namespace.CSTA,
    Field("sysStatRegisterID", "register_id", TOKEN),
    private_data(
        "RequestSystemStatusPrivateData",
        Inside("getTlinkStatus", Field("switchName", "switch_name", TOKEN)),
    ),
)
class RequestSystemStatus(Message, frozen=True, kw_only=True):
    """Ask for the system status.

    Attributes:
        register_id: from SystemRegisterResponse.
        switch_name: also tell the transport link of this switch.
    """

    register_id: str | None = None
    switch_name: str | None = None


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("systemStatus", "status", OneOf(SystemStatusValue), missing=None),
    private_data("RequestSystemStatusResponsePrivateData", Many("switchTlinkStatus", "links", _SWITCH_LINK)),
)
class RequestSystemStatusResponse(Message, frozen=True, kw_only=True):
    """The system status; ``status`` is None for a value that we do not know."""

    status: SystemStatusValue | None
    links: tuple[SwitchLink, ...] = ()


@message(
    Role.EVENT,
    Namespace.CSTA,
    Field("sysStatRegisterID", "register_id", TOKEN),
    Field("systemStatus", "status", OneOf(SystemStatusValue), missing=None),
    private_data("SystemStatusPrivateData", Many("switchTlinkStatus", "links", _SWITCH_LINK)),
)
class SystemStatus(Message, frozen=True, kw_only=True):
    """The system status changed; ``status`` is None for a value that we do not know. Needs no answer.

    Assumed: AES expects no SystemStatusResponse, though the schema has one.
    """

    status: SystemStatusValue | None
    register_id: str | None = None
    links: tuple[SwitchLink, ...] = ()


@message(Role.REQUEST, Namespace.AVAYA, Field("linkName", "link_name", TOKEN))
class GetLinkStatus(Message, frozen=True, kw_only=True):
    """Ask how AES's links are; None: all of them."""

    link_name: str | None = None


@message(Role.ANSWER, Namespace.AVAYA, Many("linkList", "links", _LINK_STATE))
class GetLinkStatusResponse(Message, frozen=True, kw_only=True):
    """How AES's links are."""

    links: tuple[LinkState, ...] = ()


@message(
    Role.EVENT,
    Namespace.AVAYA,
    Field("eventListenerId", "listener_id", TOKEN),
    Field("linkName", "link_name", TOKEN),
)
class LinkUpEvent(Message, frozen=True, kw_only=True):
    """One of AES's links came up. Not needed for third-party control; when it is sent is not known."""

    link_name: str | None = None
    listener_id: str | None = None


@message(
    Role.EVENT,
    Namespace.AVAYA,
    Field("eventListenerId", "listener_id", TOKEN),
    Field("linkName", "link_name", TOKEN),
    Field("autoReconnect", "auto_reconnect", BOOLEAN, missing=False),
)
class LinkDownEvent(Message, frozen=True, kw_only=True):
    """One of AES's links went down. Not needed for third-party control; when it is sent is not known."""

    auto_reconnect: bool
    link_name: str | None = None
    listener_id: str | None = None


@message(
    Role.EVENT,
    Namespace.AVAYA,
    Field("monitorCrossRefID", "monitor_id", TOKEN, referenced=True),
    Field("device", "device", PARTY),
    Field("serviceLinkUp", "is_up", BOOLEAN),
)
class ServiceLinkStatusEvent(Message, frozen=True, kw_only=True):
    """The link of a first-party registered terminal changed."""

    monitor_id: MonitorId | None = None
    device: Party | None = None
    is_up: bool | None = None
