"""What the bridge asks of JTAPI and is told by it, as plain data: the seam between Java and everything else.

Behind it is ``java``, which drives a JVM, or in simulations a provider of ours that has none. Whatever asks AES waits
for its answer, so nothing here does: an operation is submitted, and its outcome is told later, in the loop.

Numbers of states, events and causes are JTAPI's own (``constants``). Addresses and terminals are their names; those of
a station are the same, its extension.

Source: aes-jtapi reference, sections 1 to 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from unified_agent.domain.ids import Secret


class Operation(Struct, frozen=True, kw_only=True):
    """Root of what JTAPI is asked to do. Attributes: ``station``: at whose terminal."""

    station: str


# --- stations


class ObserveStation(Operation, frozen=True, kw_only=True):
    """Add our observers to the station's terminal and address, those that it has not yet. Result: None.

    Snapshot events may come before the result does.
    """


class UnobserveStation(Operation, frozen=True, kw_only=True):
    """Remove our observers. Result: None. The ends of observation that follow are asked for, and are not reported."""


class ReadCalls(Operation, frozen=True, kw_only=True):
    """Read the calls at the terminal and who is on each. Result: a tuple of ``CallRead``."""


# --- agents


class ReadAgent(Operation, frozen=True, kw_only=True):
    """Read who is logged in at the terminal, and in which state. Result: ``AgentRead``, or None for nobody."""


class LogIn(Operation, frozen=True, kw_only=True):
    """Log an agent in, not ready. Result: None, when the switch was asked and has said yes.

    An agent object of before, which the vendor's client would give back without asking anybody, is removed first.
    """

    agent: str
    password: Secret
    reason: int | None = None


class LogOut(Operation, frozen=True, kw_only=True):
    """Log the agent out. Result: None."""

    agent: str
    reason: int | None = None


class SetState(Operation, frozen=True, kw_only=True):
    """Change the agent's state. Result: whether the switch holds it until the call ends.

    Attributes:
        state, work_mode: of ``constants``.
        may_wait: let the switch hold it.
    """

    agent: str
    state: int
    work_mode: int
    reason: int | None = None
    may_wait: bool = False


# --- calls; ``call`` is what ``CallEvent.call`` names


class Dial(Operation, frozen=True, kw_only=True):
    """Dial a number. Result: None."""

    number: str


class Answer(Operation, frozen=True, kw_only=True):
    """Answer. Result: None."""

    call: str


class Hold(Operation, frozen=True, kw_only=True):
    """Put the terminal's part on hold. Result: None."""

    call: str


class Unhold(Operation, frozen=True, kw_only=True):
    """Take it back. Result: None."""

    call: str


class HangUp(Operation, frozen=True, kw_only=True):
    """Drop the station's own connection. Result: None."""

    call: str


class Consult(Operation, frozen=True, kw_only=True):
    """Hold a call and dial somebody to ask. Result: None."""

    call: str
    number: str


class Swap(Operation, frozen=True, kw_only=True):
    """Hold the active call and take the held one back. Result: None."""

    held: str
    active: str


class Reconnect(Operation, frozen=True, kw_only=True):
    """Drop the active call and take the held one back. Result: None."""

    held: str
    active: str


class Transfer(Operation, frozen=True, kw_only=True):
    """Join the two calls' other parties and leave. Result: None."""

    held: str
    active: str


class Conference(Operation, frozen=True, kw_only=True):
    """Join the two calls and stay. Result: None."""

    held: str
    active: str


class BlindTransfer(Operation, frozen=True, kw_only=True):
    """Send an established call to a number and leave. Result: None."""

    call: str
    number: str


class AddParty(Operation, frozen=True, kw_only=True):
    """Bring a number into an established call. Result: None."""

    call: str
    number: str


class Redirect(Operation, frozen=True, kw_only=True):
    """Send a ringing call elsewhere. Result: None."""

    call: str
    number: str


class SendTones(Operation, frozen=True, kw_only=True):
    """Send touch tones. Result: None."""

    call: str
    digits: str


# --- the provider itself


class Probe(Operation, frozen=True, kw_only=True):
    """Ask AES for its status, whatever the provider's state is called (``station`` is empty). Result: the state."""

    station: str = ""


# --- results


class LegRead(Struct, frozen=True, kw_only=True):
    """One connection of a call.

    Attributes:
        address: whose.
        connection: state of the connection, of ``constants.ControlConnection``.
        terminal: state of its terminal connection, of ``constants.ControlTerminal``; None where there is none.
    """

    address: str
    connection: int
    terminal: int | None = None


class CallRead(Struct, frozen=True, kw_only=True):
    """One call as the client library has it.

    Attributes:
        call: its id: the switch's own where the vendor's client tells it, else one that lasts as long as the provider.
        legs: all connections that are not over, the station's own among them.
        calling, called, last_redirected: addresses, empty where not told.
        queue: the VDN or hunt group that distributed it.
        data: user-to-user information as text.
        ucid: the switch's universal call id.
    """

    call: str
    legs: tuple[LegRead, ...]
    calling: str = ""
    called: str = ""
    last_redirected: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""


class AgentRead(Struct, frozen=True, kw_only=True):
    """An agent's state.

    Attributes:
        agent: id; empty where not told.
        state: of ``constants.AgentState``.
        work_mode: of ``constants.LucentWorkMode`` (1 aux, 2 after call, 3 auto-in, 4 manual-in), None where not told.
        reason: reason code, None where not told.
        pending_state: what the switch will set when the call ends; None for nothing.
        pending_reason: its reason code.
    """

    agent: str
    state: int
    work_mode: int | None = None
    reason: int | None = None
    pending_state: int | None = None
    pending_reason: int | None = None


class OperationFailed(Exception):
    """JTAPI refused an operation, or failed.

    Attributes:
        kind: the exception's simple class name without the vendor's prefix, such as ``InvalidStateException``.
        pair: the vendor's error type and error, (0, 0) where there are none.
        detail: the exception's words.
    """

    def __init__(self, kind: str, detail: str = "", pair: tuple[int, int] = (0, 0)) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.pair = pair
        self.detail = detail


# --- events


class ProviderChanged(Struct, frozen=True, kw_only=True):
    """The provider's state changed.

    Attributes:
        state: of ``constants.ProviderState``.
        overload: out of service because AES is overloaded, as the vendor's private data says; None where not told.
    """

    state: int
    overload: bool | None = None


class ObservationEnded(Struct, frozen=True, kw_only=True):
    """An observer of a station was removed by somebody else than us."""

    station: str


class CallEvent(Struct, frozen=True, kw_only=True):
    """One call event.

    Attributes:
        id: of ``constants``.
        cause, control_cause: of ``constants``; 0 where there is none.
        meta: the meta code, 128 to 136.
        call: see ``CallRead.call``.
        address: of the connection, or of the terminal connection's connection; empty for the call as a whole.
        terminal: of the terminal connection; empty where the event has none.
        others: see ``CallRead``.
    """

    id: int
    call: str
    cause: int = 0
    control_cause: int = 0
    meta: int = 0
    address: str = ""
    terminal: str = ""
    calling: str = ""
    called: str = ""
    last_redirected: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""


class CallEvents(Struct, frozen=True, kw_only=True):
    """The call events of one delivery, in their order."""

    events: tuple[CallEvent, ...]


class AgentChanged(Struct, frozen=True, kw_only=True):
    """An agent event at a terminal: its id, of ``constants``, and what could be read of the agent without asking."""

    station: str
    id: int
    found: AgentRead


Event: TypeAlias = ProviderChanged | ObservationEnded | CallEvents | AgentChanged

#: Told the result, or an ``OperationFailed``.
End: TypeAlias = Callable[[Any], None]


class Provider(Protocol):
    """An open provider. Its events go to whoever opened it, in the loop and in the order of each observer.

    Attributes:
        agents: ``vendor`` with the vendor's families, ``standard`` with ``javax.telephony.callcenter`` alone, ``none``.
        missing: sentences on what cannot be done with this client library.
    """

    agents: str
    missing: tuple[str, ...]

    def submit(self, operation: Operation, end: End) -> None:
        """Have an operation done; of one station one after the other, of several at once. ``end`` is called later."""
        ...

    def close(self) -> None:
        """Shut it down; nothing is told any more. Returns at once."""
        ...
