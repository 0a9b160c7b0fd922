"""Rows that call events have in common.

Source: aes-dmcc reference, section 8.
"""

from __future__ import annotations

from typing import Final

from unified_agent.wire.csta.kinds import (
    CONNECTION,
    DEVICE,
    PARTY,
    REDIRECTION,
    TOKEN,
    UCID,
    USER_DATA,
    OneOf,
)
from unified_agent.wire.csta.layout import Field, Inside
from unified_agent.wire.csta.values import NOT_KNOWN, LocalState


def party(element: str, attribute: str) -> Field:
    """A party of the call; one that the peer leaves out reads as NOT_KNOWN."""
    return Field(element, attribute, PARTY, missing=NOT_KNOWN)


MONITOR_ROW: Final = Field("monitorCrossRefID", "monitor_id", TOKEN)
CALLING_ROW: Final = party("callingDevice", "calling")
CALLED_ROW: Final = party("calledDevice", "called")
REDIRECTION_ROW: Final = Field("lastRedirectionDevice", "last_redirection", REDIRECTION, missing=NOT_KNOWN)
PARTY_ROWS: Final = (CALLING_ROW, CALLED_ROW, REDIRECTION_ROW)
LOCAL_STATE_ROW: Final = Field("localConnectionInfo", "local_state", OneOf(LocalState))
USER_DATA_ROW: Final = Field("userData", "user_data", USER_DATA)
CAUSE_ROW: Final = Field("cause", "cause", TOKEN, missing=None)
UCID_ROW: Final = Field("callLinkageData", "ucid", UCID)
TWO_UCID_ROWS: Final = Inside(
    "callLinkageDataList",
    Field("newCallLinkageData", "ucid", UCID),
    Field("oldCallLinkageData", "old_ucid", UCID),
)
DISTRIBUTION_ROWS: Final = (
    Field("distributingDevice", "distributing_device", PARTY),
    Field("distributingVDN", "distributing_vdn", PARTY),
)
ARRIVAL_ROWS: Final = (
    Field("trunkGroup", "trunk_group", TOKEN),
    Field("trunkMember", "trunk_member", TOKEN),
    Field("acdGroup", "acd_group", DEVICE),
    *DISTRIBUTION_ROWS,
)


def subject(element: str) -> Field:
    """The part of a device in a call that the event is about."""
    return Field(element, "connection", CONNECTION)
