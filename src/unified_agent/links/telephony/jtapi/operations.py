"""Performs operations by calls into the client library. Each waits for AES, so it runs in a thread of the pool.

Objects are asked for anew each time: the library keeps them, and none of ours outlives what it stands for.

Source: aes-jtapi reference, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from unified_agent.links.telephony.jtapi import provider as asked
from unified_agent.links.telephony.jtapi.constants import ControlTerminal
from unified_agent.links.telephony.jtapi.java_agents import Agents
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.java_reading import calls_at, each, has, terminal_state
from unified_agent.links.telephony.jtapi.jvm import Jvm
from unified_agent.links.telephony.jtapi.observer import Observed
from unified_agent.links.telephony.jtapi.provider import OperationFailed

#: TSAPI's error type for CSTA, and its error for a connection that the switch does not know.
NO_SUCH_CALL: Final = (2, 13)
TONES: Final = "generateDtmf"


class Operations:
    """All that a provider can be asked.

    Args:
        jvm: which runs it.
        provider: Java's.
        observer: Java's, of everything.
        names: of calls.
        observed: who is.
    """

    def __init__(self, jvm: Jvm, provider: Any, observer: Any, names: CallNames, observed: Observed) -> None:
        self._jvm = jvm
        self._provider = provider
        self._observer = observer
        self._names = names
        self._observed = observed
        self._agents = Agents(jvm)
        self._table: dict[type[asked.Operation], Callable[[Any, Any], Any]] = {
            asked.ObserveStation: self._observe,
            asked.UnobserveStation: self._unobserve,
            asked.ReadCalls: lambda terminal, _: calls_at(terminal, names.name_of),
            asked.ReadAgent: lambda terminal, _: self._agents.read(terminal),
            asked.LogIn: lambda terminal, it: self._agents.log_in(terminal, self._address(it), it),
            asked.LogOut: self._agents.log_out,
            asked.SetState: self._agents.set_state,
            asked.Dial: self._dial,
            asked.Answer: lambda terminal, it: self._leg(terminal, it.call).answer(),
            asked.Hold: lambda terminal, it: self._leg(terminal, it.call).hold(),
            asked.Unhold: lambda terminal, it: self._leg(terminal, it.call).unhold(),
            asked.HangUp: lambda terminal, it: self._leg(terminal, it.call).getConnection().disconnect(),
            asked.Consult: self._consult,
            asked.Swap: self._swap,
            asked.Reconnect: self._reconnect,
            asked.Transfer: self._transfer,
            asked.Conference: self._conference,
            asked.BlindTransfer: self._blind_transfer,
            asked.AddParty: lambda terminal, it: _call(self._leg(terminal, it.call)).addParty(it.number),
            asked.Redirect: lambda terminal, it: self._leg(terminal, it.call).getConnection().redirect(it.number),
            asked.SendTones: self._send_tones,
        }

    def perform(self, operation: asked.Operation) -> Any:
        """Perform one.

        Returns:
            What ``provider`` says of it.

        Raises:
            OperationFailed: the library refused, or failed.
        """
        try:
            if isinstance(operation, asked.Probe):
                return int(self._provider.getState())
            terminal = self._provider.getTerminal(operation.station)
            if terminal is None:
                raise OperationFailed("InvalidArgumentException", f"there is no terminal {operation.station}")
            result = self._table[type(operation)](terminal, operation)
        except self._jvm.failures as error:
            raise self._jvm.failure_of(error) from error
        return result if isinstance(operation, _TELLING) else None

    def _address(self, operation: asked.Operation) -> Any:
        address = self._provider.getAddress(operation.station)
        if address is None:
            raise OperationFailed("InvalidArgumentException", f"there is no address {operation.station}")
        return address

    # --- stations

    def _observe(self, terminal: Any, it: asked.ObserveStation) -> None:
        address = self._address(it)
        if not self._observed.has(it.station, "terminal"):
            self._agents.refresh(terminal)
        self._add(it.station, "terminal", terminal.addObserver)
        self._add(it.station, "address", address.addObserver)
        self._add(it.station, "call", terminal.addCallObserver)

    def _add(self, station: str, kind: str, add: Callable[[Any], None]) -> None:
        """Add an observer unless it is there: a client library tells one that is added twice everything twice.

        It is noted before, because its first events may come before the call returns.
        """
        if not self._observed.add(station, kind):
            return
        try:
            add(self._observer)
        except BaseException:
            self._observed.drop(station, kind)
            raise

    def _unobserve(self, terminal: Any, it: asked.UnobserveStation) -> None:
        kinds = self._observed.leave(it.station)
        removals = {
            "call": terminal.removeCallObserver,
            "address": lambda observer: self._address(it).removeObserver(observer),
            "terminal": terminal.removeObserver,
        }
        failed: Exception | None = None
        for kind, remove in removals.items():
            if kind in kinds:
                try:
                    remove(self._observer)
                except Exception as error:  # noqa: BLE001 - the others are to be removed too; it is raised below
                    failed = error
        if failed is not None:
            raise failed

    # --- calls

    def _leg(self, terminal: Any, call: str) -> Any:
        """Find the terminal's part in a call."""
        for leg in each(terminal.getTerminalConnections()):
            if self._names.name_of(_call(leg)) == call and terminal_state(leg) != ControlTerminal.DROPPED:
                return leg
        raise OperationFailed("InvalidStateException", f"the terminal has no part in call {call}", NO_SUCH_CALL)

    def _dial(self, terminal: Any, it: asked.Dial) -> None:
        self._provider.createCall().connect(terminal, self._address(it), it.number)

    def _consult(self, terminal: Any, it: asked.Consult) -> None:
        leg = self._leg(terminal, it.call)
        self._provider.createCall().consult(leg, it.number)

    def _swap(self, terminal: Any, it: asked.Swap) -> None:
        held, active = self._leg(terminal, it.held), self._leg(terminal, it.active)
        active.hold()
        held.unhold()

    def _reconnect(self, terminal: Any, it: asked.Reconnect) -> None:
        held, active = self._leg(terminal, it.held), self._leg(terminal, it.active)
        active.getConnection().disconnect()
        held.unhold()

    def _transfer(self, terminal: Any, it: asked.Transfer) -> None:
        held, active = self._leg(terminal, it.held), self._leg(terminal, it.active)
        call = _call(held)
        call.setTransferController(held)
        call.transfer(_call(active))

    def _conference(self, terminal: Any, it: asked.Conference) -> None:
        held, active = self._leg(terminal, it.held), self._leg(terminal, it.active)
        call = _call(held)
        call.setConferenceController(held)
        call.conference(_call(active))

    def _blind_transfer(self, terminal: Any, it: asked.BlindTransfer) -> None:
        leg = self._leg(terminal, it.call)
        call = _call(leg)
        call.setTransferController(leg)
        call.transfer(it.number)

    def _send_tones(self, terminal: Any, it: asked.SendTones) -> None:
        leg = self._leg(terminal, it.call)
        if not has(leg, TONES):
            raise OperationFailed("MethodNotSupportedException", "this client library sends no touch tones")
        leg.generateDtmf(it.digits)


#: Operations with a result.
_TELLING: Final = (asked.Probe, asked.ReadCalls, asked.ReadAgent, asked.SetState)


def _call(leg: Any) -> Any:
    return leg.getConnection().getCall()
