"""What sessions ask of JTAPI and are told: each ask gets exactly one answer. Lives as long as one provider."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock
from unified_agent.links.telephony.jtapi import messages, provider


class DeskSettings(Struct, frozen=True, kw_only=True):
    """How long things may take; see ``messages.Open``.

    Attributes:
        request_limit_s: one operation without an outcome for this long is called unknown.
        probe_interval_s: how often AES is asked for its status.
        silence_limit_s: an AES that has not answered for this long is lost.
        poll_interval_s: how often an agent's state is read where no event ever told one.
        overload_grace_s: out of service for an untold reason, with nothing unobserved, is a loss after this long.
        in_flight_limit: operations at the provider at the same time, probes not counted.
    """

    request_limit_s: float
    probe_interval_s: float
    silence_limit_s: float
    poll_interval_s: float
    overload_grace_s: float = 3.0
    in_flight_limit: int = 64


class JtapiDesk:
    """All sessions' business with one provider, in one loop.

    Args:
        settings: limits.
        clock: for deadlines, probes and polls.
        say: sends ``Up``, ``Down`` and ``Told`` to the server.
        on_lost: called once, after ``Down(lost=True)`` was said: the provider is of no more use, and nothing more is
            said.

    Attributes:
        generation: 0 until the provider is first in service, then one higher with each time.
    """

    def __init__(
        self,
        settings: DeskSettings,
        clock: Clock,
        say: Callable[[messages.FromProcess], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.generation = 0

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked."""
        return False

    @property
    def is_overloaded(self) -> bool:
        """Whether AES says that it has too much to do."""
        return False

    @property
    def observed(self) -> int:
        """How many stations are observed."""
        return 0

    @property
    def in_flight(self) -> int:
        """Operations at the provider."""
        return 0

    @property
    def waiting(self) -> int:
        """Operations that wait for a place."""
        return 0

    def open(self, provider: provider.Provider) -> None:
        """Begin to serve, after ``Opened`` was said. ``Up`` follows when it is in service, which is probed at once.

        Events taken before count: ``Up`` may be said from within.
        """

    def take_event(self, event: provider.Event) -> None:
        """Take what the provider tells, in the order in which it does; also before ``open``."""

    def ask(self, message: messages.Ask) -> None:
        """Ask the switch; answered by ``Told``, perhaps from within, or by ``Down`` for all.

        Raises:
            RemoteProtocolError: it is no ask of this version.
        """

    def forget(self, session: SessionId) -> None:
        """Report nothing more for this session; its station is given back."""

    def close(self) -> None:
        """Serve no more and say nothing more. The provider is the caller's to close."""
