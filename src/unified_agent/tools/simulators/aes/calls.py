"""Calls and their legs: what the switch remembers, without what it does about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from unified_agent.tools.simulators.aes.events import (
    CallFacts,
    Connection,
)
from unified_agent.wire.csta.values import LocalState

#: Call ids are 16 bits wide on the switch and are used again; 0 is never one.
CALL_ID_LIMIT = 65_535
#: Most parties in one call, as on Communication Manager. Assumed: six, its long-standing limit.
PARTY_LIMIT = 6


class LegKind(StrEnum):
    """What is at the end of a leg; TONE stands for a device that could not be reached."""

    STATION = "station"
    OUTSIDE = "outside"
    QUEUE = "queue"
    TONE = "tone"


@dataclass(slots=True, kw_only=True, eq=False)
class Leg:
    """One party in one call. Lives as long as the party stays, also when calls are joined.

    Attributes:
        call: the call it is in now.
        device: station or outside number, or the hunt group it waits for.
        state: state of this leg.
        since_s: when the state began.
        group: the hunt group that brought the call to this station, so that its end may begin after-call work;
            None for any other leg.
        answered: it was connected at some time.
        talk_limit_s: an outside party hangs up this long after it was first connected with somebody; None: never.
            Taken away when the time has begun to run.
        silent: joined without being heard (a silent participant never keeps a call alive).
    """

    call: Call
    device: str
    kind: LegKind
    state: LocalState
    since_s: float
    group: str | None = None
    answered: bool = False
    talk_limit_s: float | None = None
    silent: bool = False

    @property
    def acd(self) -> bool:
        """Whether a hunt group brought the call here."""
        return self.group is not None

    def connection(self) -> Connection:
        """Name this leg as it is named at this moment."""
        return Connection(self.call.call_id, self.device)


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One call and everybody in it.

    Attributes:
        call_id: decimal digits, unique among the calls that live now.
        ucid: universal call id, 20 digits: node, call id, seconds since 1970.
        created_s: when it began.
        calling, called, last_redirection, user_data, vdn, group: as in ``CallFacts``.
        followers: VDNs the call came by; a monitor there follows the call to its end.
        legs: in the order of joining.
        digits: DTMF sent into the call, oldest first, as (device, digits).
    """

    call_id: str
    ucid: str
    created_s: float
    calling: str | None = None
    called: str | None = None
    last_redirection: str | None = None
    user_data: bytes | None = None
    vdn: str | None = None
    group: str | None = None
    followers: list[str] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    digits: list[tuple[str, str]] = field(default_factory=list)

    def facts(self) -> CallFacts:
        """Freeze what an event may tell about this call."""
        return CallFacts(
            ucid=self.ucid,
            calling=self.calling,
            called=self.called,
            last_redirection=self.last_redirection,
            user_data=self.user_data,
            vdn=self.vdn,
            group=self.group,
        )

    def leg_of(self, device: str) -> Leg | None:
        """Return the leg of this device, or None when it is not in the call."""
        for leg in self.legs:
            if leg.device == device:
                return leg
        return None

    def station_legs(self) -> list[Leg]:
        """Return the legs that end at stations, in the order of joining."""
        return [leg for leg in self.legs if leg.kind is LegKind.STATION]

    def others(self, leg: Leg) -> list[Leg]:
        """Return every leg but this one."""
        return [other for other in self.legs if other is not leg]

    def is_talking(self) -> bool:
        """Tell whether at least two parties are connected."""
        return sum(leg.state is LocalState.CONNECTED for leg in self.legs) > 1

    def can_live(self) -> bool:
        """Tell whether enough parties are left: two that are heard, one of whom has answered or called."""
        heard = [leg for leg in self.legs if not leg.silent]
        present = {LocalState.CONNECTED, LocalState.HOLD, LocalState.INITIATED}
        return len(heard) > 1 and any(leg.state in present for leg in heard)


def connections(legs: Iterable[Leg]) -> tuple[Connection, ...]:
    """Name several legs, in their order."""
    return tuple(leg.connection() for leg in legs)


class CallNumbers:
    """Gives out call ids and universal call ids.

    Args:
        node: switch node number, the first five digits of every universal call id.
        epoch_s: seconds since 1970 at ``now_s`` zero.
        first: first call id.
    """

    def __init__(self, *, node: int = 1, epoch_s: float = 0.0, first: int = 1) -> None:
        self._node = node
        self._epoch_s = epoch_s
        self._next = first

    def next_id(self, taken: Iterable[str]) -> str:
        """Return an id that no living call has."""
        living = set(taken)
        assert len(living) < CALL_ID_LIMIT, "more calls than call ids"
        while True:
            candidate = str(self._next)
            self._next = self._next % CALL_ID_LIMIT + 1
            if candidate not in living:
                return candidate

    def ucid(self, call_id: str, now_s: float) -> str:
        """Return the universal call id of a call that begins now.

        Source: the example of the aes-dmcc reference, section 8, read as node (5), call id (5), seconds (10).
            Assumed: that reading; clients treat it as opaque.
        """
        return f"{self._node:05d}{int(call_id):05d}{int(self._epoch_s + now_s) % 10**10:010d}"
