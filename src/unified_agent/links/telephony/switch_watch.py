"""Watches whether the switch behind one AES can be asked: registers for its state, asks for it, notes ended monitors.

Told at once by SystemStatus where AES sends it; asked every ``STATUS_POLL_S`` while the switch is down, and every
``UNREGISTERED_POLL_S`` on an AES that has no registration.
"""

from __future__ import annotations

from typing import Final, Protocol

from unified_agent.domain.ports import Clock, Timer
from unified_agent.links.telephony import conversations
from unified_agent.links.telephony.exchange import Done, Exchange, Outcome
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Refusal, Topic
from unified_agent.links.telephony.stations import Station
from unified_agent.links.telephony.switch_state import Load, Verdict, is_link_loss, load_of, verdict_of
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import SystemStatusValue

STATUS_POLL_S: Final = 2.0
UNREGISTERED_POLL_S: Final = 5.0
#: Ended monitors are collected for so long before they are judged, and for an answer on the switch so much longer.
BATCH_S: Final = 0.25
BATCH_ANSWER_S: Final = 0.5


class Watched(Protocol):
    """What the watch tells its owner."""

    def switch_up(self) -> None:
        """The switch can be asked."""
        ...

    def switch_down(self) -> None:
        """It cannot any more."""
        ...

    def switch_absent(self) -> None:
        """It cannot, and could not since the session with AES began. May be told repeatedly."""
        ...

    def stations_unobserved(self, stations: list[Station], reason: str) -> None:
        """AES ended these monitors by itself; the switch is up."""
        ...

    def messages_lost(self) -> None:
        """AES has lost events: what we know of any station may be wrong."""
        ...


class SwitchWatch:
    """The switch behind one AES, for the life of one connection.

    Args:
        owner: told of changes.
        exchange: by which AES is asked.
        clock: for polls.
        switch_name: ours, as AES calls it.
    """

    def __init__(self, owner: Watched, exchange: Exchange, clock: Clock, switch_name: str) -> None:
        self._owner = owner
        self._exchange = exchange
        self._clock = clock
        self._switch_name = switch_name
        self._register_id: str | None = None
        self._asking = False
        self._closed = False
        self._poll: Timer | None = None
        self._batch: list[Station] = []
        self._batch_of = 0
        self._batch_timer: Timer | None = None
        self._batch_waited = False
        self._was_up = False
        self.is_up = False
        self.is_overloaded = False

    def begin(self) -> None:
        """Register and ask, once the session with AES is up."""
        self._exchange.begin(conversations.register(self._switch_name), Topic.STATION, self._registered, urgent=True)

    def close(self) -> None:
        """Watch no more; the connection is gone."""
        self._closed = True
        self._drop_batch()
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None

    def take_status(self, event: csta.SystemStatus) -> None:
        """Take a change that AES tells."""
        self._take_load(load_of(event.status))
        verdict = verdict_of(event.status, event.links, self._switch_name)
        if verdict is Verdict.UNSAID and event.status not in {None, *_OF_LOAD}:
            self.suspect()
        self._settle(verdict)
        if event.status is SystemStatusValue.MESSAGES_LOST and self.is_up:
            self._owner.messages_lost()

    def suspect(self) -> None:
        """Ask now: something looks as if the switch were gone."""
        if self._asking or self._closed:
            return
        self._asking = True
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        conversation = conversations.ask_status(self._switch_name, self._register_id)
        self._exchange.begin(conversation, Topic.STATION, self._answered, urgent=True)

    def monitor_ended(self, station: Station, monitored_before: int) -> None:
        """Note that AES ended a monitor by itself.

        Args:
            station: whose it was.
            monitored_before: how many stations were monitored, this one counted.

        While the switch is down nothing follows from it.
        """
        if not self.is_up:
            return
        if not self._batch:
            self._batch_of = monitored_before
            self._batch_waited = False
            self._batch_timer = self._clock.call_at(self._clock.now_s() + BATCH_S, self._judge_batch)
            self._batch.append(station)
            self.suspect()
        else:
            self._batch.append(station)

    def _registered(self, outcome: Outcome[str | None]) -> None:
        if isinstance(outcome, Done):
            self._register_id = outcome.result
        self.suspect()

    def _answered(self, outcome: Outcome[csta.RequestSystemStatusResponse]) -> None:
        self._asking = False
        if self._closed:
            return
        match outcome:
            case Done(result=answer):
                self._take_load(load_of(answer.status))
                self._settle(verdict_of(answer.status, answer.links, self._switch_name))
            case Refusal(id=LINK_DOWN.id):
                self._settle(Verdict.DOWN)
            case Refusal(id=BUSY.id):
                pass
            case Refusal():
                # An AES without this service: nothing speaks against the switch. Assumed: none of today's.
                self._settle(Verdict.UP)
            case _:
                pass
        self._plan_poll()

    def _plan_poll(self) -> None:
        if self._poll is not None or self._closed or (self.is_up and self._register_id is not None):
            return
        wait_s = UNREGISTERED_POLL_S if self.is_up else STATUS_POLL_S
        self._poll = self._clock.call_at(self._clock.now_s() + wait_s, self._on_poll)

    def _on_poll(self) -> None:
        self._poll = None
        self.suspect()

    def _settle(self, verdict: Verdict) -> None:
        if verdict is Verdict.UP and not self.is_up:
            self.is_up = self._was_up = True
            self._owner.switch_up()
        elif verdict is Verdict.DOWN and self.is_up:
            self._go_down()
        elif verdict is Verdict.DOWN and not self._was_up:
            self._owner.switch_absent()

    def _go_down(self) -> None:
        self.is_up = False
        self._drop_batch()
        self._owner.switch_down()
        self._asking = False  # the owner has given up what was asked
        self._plan_poll()

    def _take_load(self, load: Load) -> None:
        if load is Load.NO_CHANGE:
            return
        self.is_overloaded = load is Load.OVERLOADED
        self._exchange.slow_down(overloaded=self.is_overloaded)

    def _judge_batch(self) -> None:
        """Say what the ended monitors mean, once the answer on the switch is there or too long in coming."""
        self._batch_timer = None
        if self._asking and not self._batch_waited:
            self._batch_waited = True
            self._batch_timer = self._clock.call_at(self._clock.now_s() + BATCH_ANSWER_S, self._judge_batch)
            return
        batch, self._batch = self._batch, []
        if is_link_loss(len(batch), self._batch_of):
            self._go_down()
            self.suspect()  # it may be back already
        else:
            self._owner.stations_unobserved(batch, "monitor-ended")

    def _drop_batch(self) -> None:
        self._batch.clear()
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None


_OF_LOAD: Final = frozenset(
    {
        SystemStatusValue.OVERLOAD_IMMINENT,
        SystemStatusValue.OVERLOAD_REACHED,
        SystemStatusValue.OVERLOAD_RELIEVED,
        SystemStatusValue.MESSAGES_LOST,
    }
)
