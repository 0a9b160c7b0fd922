"""What people do at their telephones in simulated worlds."""

from __future__ import annotations

import contextlib
from functools import partial

from unified_agent.tools.simulators.aes.control import press_key
from unified_agent.tools.simulators.aes.control_messages import PhoneKey, UseTelephone
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.server import AesServer


def hang_up(aes: AesServer, station: str) -> None:
    """End every call at a telephone, as a person does: what rings is answered first."""
    for call in tuple(aes.truth()["stations"].get(station, {}).get("calls", {})):
        for press in (PhoneKey.ANSWER, PhoneKey.HANG_UP):
            with contextlib.suppress(Refused):
                aes.act(partial(press_key, data=UseTelephone(station=station, key=press, call_id=call)))
