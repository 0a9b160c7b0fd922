"""Whether the switch behind AES can be asked: what system status says, and what ended monitors say.

Source: aes-dmcc reference, section 4. ``enabled`` and ``normal`` are up, ``disabled`` is down; of the others the
transport link of our own switch decides. Overload is no loss, and lost messages mean that every station is to be
looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from unified_agent.wire.csta.values import SwitchLink, SystemStatusValue, TlinkStatus

#: When so large a part of all monitors ends within one batch, the link to the switch is called down.
MOST_MONITORS: Final = 0.9
#: Fewer than this are single stations whatever their part is: the answer to "how is the switch" tells.
FEWEST_FOR_MOST: Final = 3


class Verdict(Enum):
    """What a status says of our switch. UNSAID: nothing; ask."""

    UP = "up"
    DOWN = "down"
    UNSAID = "unsaid"


class Load(Enum):
    """What a status says of AES's load. NO_CHANGE: nothing."""

    OVERLOADED = "overloaded"
    RELIEVED = "relieved"
    NO_CHANGE = "no-change"


_UP: Final = frozenset({SystemStatusValue.ENABLED, SystemStatusValue.NORMAL})
_LOADS: Final = {
    SystemStatusValue.OVERLOAD_IMMINENT: Load.OVERLOADED,
    SystemStatusValue.OVERLOAD_REACHED: Load.OVERLOADED,
    SystemStatusValue.OVERLOAD_RELIEVED: Load.RELIEVED,
    SystemStatusValue.NORMAL: Load.RELIEVED,
}


def verdict_of(status: SystemStatusValue | None, links: Iterable[SwitchLink], switch_name: str) -> Verdict:
    """Say what a status means for one switch.

    A status that names other switches only says nothing of ours, unless AES is disabled as a whole.
    """
    told = list(links)
    own = next((each.status for each in told if each.switch_name.casefold() == switch_name.casefold()), None)
    if status is SystemStatusValue.DISABLED and (own is not None or not told):
        return Verdict.DOWN
    if own is not None:
        return Verdict.UP if own is TlinkStatus.UP else Verdict.DOWN
    if told:
        return Verdict.UNSAID
    return Verdict.UP if status in _UP else Verdict.UNSAID


def load_of(status: SystemStatusValue | None) -> Load:
    """Say what a status means for the pace of our requests."""
    return _LOADS.get(status, Load.NO_CHANGE) if status is not None else Load.NO_CHANGE


def is_link_loss(ended: int, monitored_before: int) -> bool:
    """Say whether so many monitors ended at once mean that the link to the switch is down.

    Args:
        ended: monitors that AES ended by itself, in one batch.
        monitored_before: how many there were when the batch began.
    """
    return ended >= FEWEST_FOR_MOST and ended >= MOST_MONITORS * monitored_before
