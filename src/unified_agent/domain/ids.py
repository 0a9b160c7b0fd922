"""The identifiers of everything, and who mints them.

All are strings of their peer's making except the session's, the command's and the request's. They are kept apart
by type so that a station cannot be passed for an agent.
"""

from __future__ import annotations

from typing import NewType

from msgspec import Struct

#: Login of an agent at the switch, digits (EAS agent id). Given by the administrator of the switch.
AgentId = NewType("AgentId", str)
#: Extension of a telephone at the switch, digits. Given by the administrator of the switch.
StationId = NewType("StationId", str)
#: One running server. Given by its settings.
InstanceId = NewType("InstanceId", str)
#: One agent's session on one instance. Minted by the host, unguessable, never reused.
SessionId = NewType("SessionId", str)
#: One call at the switch. Minted by the switch, may be reused after the call's end.
CallId = NewType("CallId", str)
#: One link or dialler by its name in the settings.
LinkId = NewType("LinkId", str)
#: A job on a dialler. Given by the administrator of the dialler.
JobName = NewType("JobName", str)
#: One press of a button. Minted by the desktop (client id and counter), so that a repeat is recognised.
CommandId = NewType("CommandId", str)
#: One thing asked of the switch or the dialler for one session. Minted by the session, counts from 1.
RequestId = NewType("RequestId", int)


class Secret(Struct, frozen=True):
    """A password on its way to a peer. Its repr hides it."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"
