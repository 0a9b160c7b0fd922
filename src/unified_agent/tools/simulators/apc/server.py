"""The simulated dialler on the network: the pure model behind sockets, TLS and the faults of life."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from unified_agent.domain.ports import Clock, Timer
from unified_agent.observe import get_logger, log_event
from unified_agent.tools.simulators.apc import happenings, truth
from unified_agent.tools.simulators.apc.client_socket import ClientSocket
from unified_agent.tools.simulators.apc.dialler import Dialler
from unified_agent.tools.simulators.apc.floor import Close, Effect, Floor
from unified_agent.tools.simulators.apc.plan import DiallerPlan
from unified_agent.tools.simulators.shell.server import SimulatorServer
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.codec import CodePage
from unified_agent.wire.apc.messages import Message

#: The port of a real dialler, plain or TLS.
DIALLER_PORT: Final = 22700

ResultT = TypeVar("ResultT")


class DiallerServer(SimulatorServer[ClientSocket, Effect, Collection[str]]):
    """Serves clients from one dialler. A fault for some sockets names the agents who are logged on there.

    Args:
        plan: what is simulated.
        clock: Unix seconds and timers.
        chance: every random choice of the simulation comes from here.

    Attributes:
        dialler: the pure model; to be read. Change it by ``act``.
    """

    logger = get_logger("simulators.apc")
    client_level = "debug"

    def __init__(self, plan: DiallerPlan, *, clock: Clock, chance: random.Random) -> None:
        self.dialler = Dialler(plan, chance, lambda now_s: datetime.fromtimestamp(now_s, UTC), clock.now_s())
        self._code_page = CodePage(plan.code_page)
        self._part_size_bytes = plan.part_size_bytes
        self._restart: Timer | None = None
        self._starting: set[asyncio.Task[None]] = set()
        super().__init__(clock=clock)
        self.dead_client_s = plan.dead_client_s

    async def set_accepting(self, *, accepting: bool) -> None:
        """As in ``SimulatorServer``; a restart that was planned is off."""
        self._cancel_restart()
        await super().set_accepting(accepting=accepting)

    async def close(self) -> None:
        """As in ``SimulatorServer``; silence and delay end, and a restart that was planned is off."""
        self._cancel_restart()
        for client in self.sockets():
            client.set_silent(silent=False)
            client.set_delay(0.0)
        await super().close()

    def set_part_size(self, part_size_bytes: int) -> None:
        """Continue messages longer than this in further frames, from now on; 0: never."""
        self._part_size_bytes = part_size_bytes
        for client in self.sockets():
            client.set_part_size(part_size_bytes)

    async def shut_down(self, *, announce: bool, back_after_s: float | None) -> int:
        """The dialler goes down: connections end and new ones are refused.

        Args:
            announce: tell every agent E28921 first and close in order; otherwise cut, as in a crash.
            back_after_s: it comes up again after this; None: when ``set_accepting`` says so.

        Returns:
            How many connections ended.
        """
        count = len(self._sockets)
        await self.set_accepting(accepting=False)
        if announce:
            self.act(lambda floor: happenings.report_system_error(floor, floor.seats.values(), codes.SHUTTING_DOWN))
            self.cut(reset=False)
        else:
            self.cut(reset=True)
        if back_after_s is not None:
            self._restart = self._clock.call_at(self._clock.now_s() + back_after_s, self._come_back)
        return count

    def act(self, action: Callable[[Floor], ResultT]) -> ResultT:
        """Let something happen on the floor, at the present time, and tell the clients what follows.

        Raises:
            Conflict, Unknown: whatever the action raises; what happened before is told all the same.
        """
        results: list[ResultT] = []
        try:
            self._deliver(self.dialler.happen(lambda floor: results.append(action(floor)), self._clock.now_s()))
        except Exception:
            self._deliver(self.dialler.advance(self._clock.now_s()))
            raise
        return results[0]

    def truth(self) -> dict[str, Any]:
        """Describe everything as JSON values; see ``truth.tell``. Adds ``sockets`` and ``faults``."""
        told = self.act(truth.tell)
        return {
            **told,
            "sockets": [{"connection": client.number, **client.describe()} for client in self.sockets()],
            "faults": {
                **self.faults(),
                "part_size_bytes": self._part_size_bytes,
                "refuse_logons": self.dialler.floor.refuse_logons,
                "slots": self.dialler.floor.slots,
                "stale_logon_s": self.dialler.floor.stale_logon_s,
                "headset_answers": self.dialler.floor.headset_answers,
            },
        }

    def _make_socket(self, number: int) -> ClientSocket:
        return ClientSocket(
            number,
            clock=self._clock,
            code_page=self._code_page,
            on_open=self._on_open,
            on_command=self._on_command,
            on_over=self._on_over,
        )

    def _choose(self, only: Collection[str]) -> Iterable[ClientSocket]:
        """The sockets of these agents. One who is not logged on is an error."""
        return [self._sockets[seat.connection] for seat in happenings.seats_of(self.dialler.floor, only)]

    def _perform(self, client: ClientSocket, effect: Effect) -> None:
        if isinstance(effect, Close):
            client.close()
        else:
            client.send(effect.process, effect.message)

    def _next_timer(self) -> float | None:
        return self.dialler.next_timer()

    def _wake(self) -> None:
        self._deliver(self.dialler.advance(self._clock.now_s()))

    def _welcome(self, client: ClientSocket) -> None:
        client.set_part_size(self._part_size_bytes)
        self._deliver(self.dialler.connect(client.number, self._clock.now_s()))

    def _lose(self, client: ClientSocket) -> None:
        self._deliver(self.dialler.disconnect(client.number, self._clock.now_s()))

    def _on_command(self, client: ClientSocket, message: Message) -> None:
        self._deliver(self.dialler.handle(client.number, message, self._clock.now_s()))

    def _cancel_restart(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None

    def _come_back(self) -> None:
        self._restart = None
        task = asyncio.get_running_loop().create_task(self._start_again())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start_again(self) -> None:
        try:
            await self.set_accepting(accepting=True)
        except OSError as error:
            log_event(self.logger, "port_lost", level="error", error=error)
