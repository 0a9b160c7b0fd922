"""Whether the switch behind one provider can be asked: its states, ends of observation, and whether AES answers.

Out of service is no loss by itself: AES says it when it is overloaded too, and then nothing stops being observed. So it
is one when it is told not to be an overload, when observations end with it, or when nothing is observed that could end.

Source: aes-jtapi reference, sections 1 and 2.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from unified_agent.domain.ports import Clock, Timer
from unified_agent.links.telephony.jtapi.constants import ProviderState
from unified_agent.links.telephony.jtapi.observed_stations import Station
from unified_agent.links.telephony.jtapi.provider import OperationFailed, Probe, Provider, ProviderChanged
from unified_agent.links.telephony.switch_state import MOST_MONITORS, is_link_loss

#: How often AES is asked while the switch is down, at least.
DOWN_PROBE_S: Final = 2.0
#: A provider that shuts down while AES has not answered for so long has lost it by its silence.
UNANSWERED_S: Final = 1.0
#: Ends of observation are collected for so long before they are judged, and for AES's answer so much longer.
BATCH_S: Final = 0.25
BATCH_ANSWER_S: Final = 0.5


class Watched(Protocol):
    """What the watch tells its owner, and asks of it."""

    @property
    def observed(self) -> int:
        """How many stations are observed."""
        ...

    def switch_up(self) -> None:
        """The switch can be asked."""
        ...

    def switch_down(self, detail: str) -> None:
        """It cannot any more; the provider lives."""
        ...

    def provider_lost(self, reason: str, detail: str) -> None:
        """The provider is dead, or as good as."""
        ...

    def stations_unobserved(self, stations: list[Station]) -> None:
        """These are observed no more; the switch is up."""
        ...

    def load_changed(self) -> None:
        """Whether AES is overloaded has changed."""
        ...


class ServiceWatch:
    """The switch behind one provider, for the provider's life.

    Args:
        owner: told of changes.
        clock: for limits.
        probe_interval_s, silence_limit_s, overload_grace_s: see ``desk.DeskSettings``.

    Attributes:
        is_up: the switch can be asked.
        is_overloaded: AES says so, or nothing else explains why it is out of service.
    """

    def __init__(
        self,
        owner: Watched,
        clock: Clock,
        *,
        probe_interval_s: float,
        silence_limit_s: float,
        overload_grace_s: float,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._probe_interval_s = probe_interval_s
        self._silence_limit_s = silence_limit_s
        self._overload_grace_s = overload_grace_s
        self._provider: Provider | None = None
        self._out = True
        self._overload_told = False
        self._changes = 0
        self._heard_s = 0.0
        self._asked_s = 0.0
        self._probe = 0
        self._asking = False
        self._probe_timer: Timer | None = None
        self._silence_timer: Timer | None = None
        self._grace_timer: Timer | None = None
        self._batch: list[Station] = []
        self._batch_of = 0
        self._batch_timer: Timer | None = None
        self._batch_waited = False
        self.is_up = False
        self.is_overloaded = False

    def begin(self, provider: Provider) -> None:
        """Ask at once, and then again and again."""
        self._provider = provider
        self.suspect()

    def close(self) -> None:
        """Watch no more."""
        self.is_up = False
        self._provider = None
        self._batch.clear()
        for timer in (self._probe_timer, self._silence_timer, self._grace_timer, self._batch_timer):
            if timer is not None:
                timer.cancel()
        self._probe_timer = self._silence_timer = self._grace_timer = self._batch_timer = None

    # --- what is told

    def heard(self) -> None:
        """Note that AES has told something by itself: it is not silent."""
        self._heard_s = self._clock.now_s()

    def take_provider(self, event: ProviderChanged) -> None:
        """Take a change of the provider's state."""
        self._changes += 1
        if event.state != ProviderState.SHUTDOWN:
            self.heard()
        self._take_state(event.state, event.overload)

    def observation_ended(self, station: Station, observed_before: int) -> None:
        """Note that somebody else ended the observation of a station.

        Args:
            station: whose.
            observed_before: how many stations were observed, this one counted.

        While the switch is down nothing follows from it.
        """
        if not self.is_up:
            return
        self._batch.append(station)
        if self._out and not self._overload_told:
            self._go_down("observations end, and the provider is out of service")
        elif len(self._batch) == 1:
            self._batch_of = observed_before
            self._batch_waited = False
            self._batch_timer = self._clock.call_at(self._clock.now_s() + BATCH_S, self._judge_batch)
            self.suspect()

    def refused(self) -> None:
        """Note that something was refused as if the switch were gone."""
        if self.is_up and self._out and not self._overload_told:
            self._go_down("the provider is out of service, and requests are refused")
        else:
            self.suspect()

    # --- states

    def _take_state(self, state: int, overload: bool | None) -> None:
        if self._provider is None:
            return
        if state == ProviderState.SHUTDOWN:
            silent = self._asking and self._clock.now_s() - max(self._asked_s, self._heard_s) >= UNANSWERED_S
            self._owner.provider_lost("silent" if silent else "closed", "the client library shut the provider down")
        elif state == ProviderState.IN_SERVICE:
            self._in_service()
        elif state == ProviderState.OUT_OF_SERVICE:
            self._out_of_service(overload)

    def _in_service(self) -> None:
        self._out = self._overload_told = False
        self._stop_grace()
        self._set_overloaded(overloaded=False)
        if not self.is_up:
            self.is_up = True
            self._owner.switch_up()

    def _out_of_service(self, overload: bool | None) -> None:
        self._out = True
        self._overload_told = overload is True
        if overload:
            self._stop_grace()
            self._set_overloaded(overloaded=True)
        elif not self.is_up:
            return
        elif overload is False or self._batch:
            self._go_down("the provider is out of service")
        elif self._grace_timer is None and not self.is_overloaded:
            self._grace_timer = self._clock.call_at(self._clock.now_s() + self._overload_grace_s, self._end_grace)
            self.suspect()

    def _end_grace(self) -> None:
        """Nothing has stopped being observed: that is an overload, unless nothing is observed that could."""
        self._grace_timer = None
        if self._owner.observed:
            self._set_overloaded(overloaded=True)
        else:
            self._go_down("the provider is out of service")

    def _stop_grace(self) -> None:
        if self._grace_timer is not None:
            self._grace_timer.cancel()
            self._grace_timer = None

    def _set_overloaded(self, *, overloaded: bool) -> None:
        if self.is_overloaded is not overloaded:
            self.is_overloaded = overloaded
            self._owner.load_changed()

    def _go_down(self, detail: str) -> None:
        self.is_up = False
        self._stop_grace()
        self._drop_batch()
        self._set_overloaded(overloaded=False)
        self._owner.switch_down(detail)
        self.suspect()  # it may be back already

    # --- ends of observation

    def _judge_batch(self) -> None:
        """Say what the ends of observation mean, once AES has answered or is too long in answering."""
        self._batch_timer = None
        if self._asking and not self._batch_waited:
            self._batch_waited = True
            self._batch_timer = self._clock.call_at(self._clock.now_s() + BATCH_ANSWER_S, self._judge_batch)
            return
        batch, self._batch = self._batch, []
        most = len(batch) >= MOST_MONITORS * self._batch_of
        if is_link_loss(len(batch), self._batch_of) or (self._out and most):
            self._go_down("observation of nearly all stations ended")
        else:
            self._owner.stations_unobserved(batch)

    def _drop_batch(self) -> None:
        self._batch.clear()
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None

    # --- whether AES answers

    def suspect(self) -> None:
        """Ask now: something looks as if the switch were gone, or back."""
        if self._asking or self._provider is None:
            return
        self._asking = True
        if self._probe_timer is not None:
            self._probe_timer.cancel()
            self._probe_timer = None
        self._probe += 1
        number, changes = self._probe, self._changes
        self._asked_s = self._clock.now_s()
        self._listen(self._asked_s)
        try:
            self._provider.submit(Probe(), lambda result: self._answered(number, changes, result))
        except OperationFailed as failure:
            self._answered(number, changes, failure)

    def _listen(self, since_s: float) -> None:
        at_s = since_s + self._silence_limit_s
        self._silence_timer = self._clock.call_at(at_s, lambda: self._on_silence(since_s))

    def _on_silence(self, since_s: float) -> None:
        self._silence_timer = None
        if self._heard_s > since_s:
            self._listen(self._heard_s)
        else:
            self._owner.provider_lost("silent", f"AES has not answered for {self._silence_limit_s:g} s")

    def _answered(self, number: int, changes: int, result: Any) -> None:
        if self._provider is None or number != self._probe or not self._asking:
            return
        self._asking = False
        if self._silence_timer is not None:
            self._silence_timer.cancel()
            self._silence_timer = None
        # An answer that an event has overtaken is of before it.
        if not isinstance(result, OperationFailed) and changes == self._changes and not self._is_known(result):
            self._take_state(result, None)
        if self._provider is not None and not self._asking:
            wait_s = self._probe_interval_s if self.is_up else min(DOWN_PROBE_S, self._probe_interval_s)
            self._probe_timer = self._clock.call_at(self._clock.now_s() + wait_s, self._on_probe)

    def _is_known(self, state: int) -> bool:
        return state == ProviderState.OUT_OF_SERVICE and self._out and (self._overload_told or not self._batch)

    def _on_probe(self) -> None:
        self._probe_timer = None
        self.suspect()
