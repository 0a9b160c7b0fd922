"""The simulated AES on the network: the pure simulator behind sockets, TLS and the faults of life."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TypeVar

from unified_agent.domain.ports import Clock
from unified_agent.observe import get_logger
from unified_agent.tools.simulators.aes.aes import HangUp, Outgoing
from unified_agent.tools.simulators.aes.client_socket import ClientSocket
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.tools.simulators.aes.truth import Json
from unified_agent.tools.simulators.shell.server import SimulatorServer
from unified_agent.wire.csta.server_connection import RequestReceived

#: Ports of a real AES.
PLAIN_PORT = 4721
TLS_PORT = 4722

ResultT = TypeVar("ResultT")


class AesServer(SimulatorServer[ClientSocket, Outgoing | HangUp, int]):
    """Serves clients from one simulator. A fault for one socket names it by its number.

    Args:
        plan: what is simulated.
        clock: Unix seconds and timers.
        chance: every random choice of the simulation comes from here.

    Attributes:
        simulator: the pure part; to be read. Change it by ``act``.
    """

    logger = get_logger("simulators.aes")

    def __init__(self, plan: SimulatorPlan, *, clock: Clock, chance: random.Random) -> None:
        self.simulator = Simulator(plan, chance=chance, now_s=clock.now_s())
        super().__init__(clock=clock)

    def act(self, action: Callable[[Simulator], ResultT]) -> ResultT:
        """Let something happen in the simulation, at the present time, and tell the clients what follows.

        Raises:
            Refused: whatever the action raises; what happened before is told all the same.
        """
        self.simulator.advance(self._clock.now_s())
        try:
            return action(self.simulator)
        finally:
            self._tell()

    def truth(self) -> Json:
        """Describe everything as JSON values; see ``Simulator.truth``. Adds ``connections`` and ``faults``."""
        self.act(lambda _: None)
        return {
            **self.simulator.truth(),
            "connections": {str(client.number): client.describe() for client in self.sockets()},
            "faults": self.faults(),
        }

    def _make_socket(self, number: int) -> ClientSocket:
        return ClientSocket(
            number, clock=self._clock, on_open=self._on_open, on_message=self._on_message, on_over=self._on_over
        )

    def _choose(self, only: int) -> Iterable[ClientSocket]:
        return [client for client in self.sockets() if client.number == only]

    def _perform(self, client: ClientSocket, effect: Outgoing | HangUp) -> None:
        if isinstance(effect, HangUp):
            client.close()
        else:
            client.send(effect.invoke_id, effect.message)

    def _next_timer(self) -> float | None:
        return self.simulator.next_timer()

    def _wake(self) -> None:
        self.simulator.advance(self._clock.now_s())
        self._tell()

    def _welcome(self, client: ClientSocket) -> None:
        """An AES says nothing before it is asked."""

    def _lose(self, client: ClientSocket) -> None:
        now_s = self._clock.now_s()
        self.simulator.advance(now_s)
        self.simulator.aes.lose(client.number, now_s)
        self._tell()

    def _on_message(self, client: ClientSocket, event: RequestReceived) -> None:
        self.simulator.receive(client.number, event.invoke_id, event.message, self._clock.now_s())
        self._tell()

    def _tell(self) -> None:
        self._deliver(self.simulator.take_outgoing())
