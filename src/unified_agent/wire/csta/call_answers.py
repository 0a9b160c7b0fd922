"""What the switch answers to requests about calls.

An answer and the event of what happened are independent and come in either order.
Source: aes-dmcc reference, section 8.
"""

from __future__ import annotations

from typing import Final

from unified_agent.wire.csta.kinds import CONNECTION, ENDPOINT, TOKEN, UCID
from unified_agent.wire.csta.layout import Field, Inside, ListOf, private_data
from unified_agent.wire.csta.shapes import Message, Namespace, Role, Shape, message
from unified_agent.wire.csta.values import ConnectionId, ConnectionListItem

CONNECTION_LIST_ITEM: Final = Shape(
    ConnectionListItem,
    Field("newConnection", "new", CONNECTION),
    Field("oldConnection", "old", CONNECTION),
    Field("endpoint", "endpoint", ENDPOINT),
)
CONNECTION_LIST: Final = ListOf("connectionListItem", CONNECTION_LIST_ITEM)


def _private_ucid(element: str) -> Inside:
    return private_data(element, Field("callLinkageData", "ucid", UCID))


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("callingDevice", "call", CONNECTION),
    _private_ucid("MakeCallResponsePrivateData"),
)
class MakeCallResponse(Message, frozen=True, kw_only=True):
    """The call begins.

    Attributes:
        call: the calling device's part in it (``callingDevice`` on the wire).
        ucid: the universal call id.
    """

    call: ConnectionId
    ucid: str | None = None


@message(Role.ANSWER, Namespace.CSTA)
class AnswerCallResponse(Message, frozen=True, kw_only=True):
    """The call will be answered."""


@message(Role.ANSWER, Namespace.CSTA)
class HoldCallResponse(Message, frozen=True, kw_only=True):
    """The call will be held."""


@message(Role.ANSWER, Namespace.CSTA)
class RetrieveCallResponse(Message, frozen=True, kw_only=True):
    """The call will be taken back."""


@message(Role.ANSWER, Namespace.CSTA)
class ClearConnectionResponse(Message, frozen=True, kw_only=True):
    """The device will be hung up."""


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("initiatedCall", "call", CONNECTION, missing=None),
    _private_ucid("ConsultationCallResponsePrivateData"),
)
class ConsultationCallResponse(Message, frozen=True, kw_only=True):
    """The consultation begins; ``call`` is the consulting device's part in the new call."""

    call: ConnectionId | None
    ucid: str | None = None


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("transferredCall", "call", CONNECTION, missing=None),
    Field("connections", "connections", CONNECTION_LIST),
    _private_ucid("TransferCallResponsePrivateData"),
)
class TransferCallResponse(Message, frozen=True, kw_only=True):
    """The calls are connected; ``call`` is the remaining call."""

    call: ConnectionId | None
    connections: tuple[ConnectionListItem, ...] = ()
    ucid: str | None = None


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("conferenceCall", "call", CONNECTION, missing=None),
    Field("connections", "connections", CONNECTION_LIST),
    _private_ucid("ConferenceCallResponsePrivateData"),
)
class ConferenceCallResponse(Message, frozen=True, kw_only=True):
    """The calls are joined; ``call`` is the device's part in the resulting call."""

    call: ConnectionId | None
    connections: tuple[ConnectionListItem, ...] = ()
    ucid: str | None = None


@message(Role.ANSWER, Namespace.CSTA)
class AlternateCallResponse(Message, frozen=True, kw_only=True):
    """The calls will change places."""


@message(Role.ANSWER, Namespace.CSTA)
class ReconnectCallResponse(Message, frozen=True, kw_only=True):
    """The active call will be cleared and the held one taken back."""


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("conferencedCall", "call", CONNECTION, missing=None),
    private_data("SingleStepConferenceCallResponsePrivateData", Field("globallyUniqueCallLinkageID", "ucid", TOKEN)),
)
class SingleStepConferenceCallResponse(Message, frozen=True, kw_only=True):
    """The device joins; ``call`` is its part in the call."""

    call: ConnectionId | None
    ucid: str | None = None


@message(
    Role.ANSWER,
    Namespace.CSTA,
    Field("transferredCall", "call", CONNECTION, missing=None),
    Field("connections", "connections", CONNECTION_LIST),
    _private_ucid("SingleStepTransferCallResponsePrivateData"),
)
class SingleStepTransferCallResponse(Message, frozen=True, kw_only=True):
    """The call is sent on; ``call`` is the remaining call."""

    call: ConnectionId | None
    connections: tuple[ConnectionListItem, ...] = ()
    ucid: str | None = None


@message(Role.ANSWER, Namespace.CSTA)
class DeflectCallResponse(Message, frozen=True, kw_only=True):
    """The call will be sent elsewhere."""


@message(Role.ANSWER, Namespace.CSTA)
class GenerateDigitsResponse(Message, frozen=True, kw_only=True):
    """The digits will be sent."""
