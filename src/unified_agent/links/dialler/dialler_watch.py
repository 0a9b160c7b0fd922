"""Watches every dialler: probes it, hears how its agents fare, and says when one is down or back.

``pool_state`` decides; here are the probes, the log lines and the counters that go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from unified_agent.domain.ids import LinkId
from unified_agent.domain.ports import Clock
from unified_agent.links.dialler.actions import End, Ended
from unified_agent.links.dialler.apc_link import wire_settings
from unified_agent.links.dialler.pool_state import Health, PoolState
from unified_agent.links.dialler.prober import Prober
from unified_agent.network import Address, Network
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.settings import DiallerSettings, PoolSettings

LOGGER: Final = get_logger("links.dialler")

#: One agent's trouble that says nothing about its dialler.
_OWN_TROUBLE: Final = frozenset({"out-of-step"})


class DiallerWatch:
    """The health of all diallers.

    Args:
        diallers: in the order in which they are preferred.
        addresses: how each is reached.
        settings: how they are watched.
        network, clock: how to get there, and when.
        metrics: what is counted.
        agents_on: how many sessions a dialler serves now.
        on_up: a dialler answers, which it did not before.
        on_down: a dialler is out of service as a whole; takes the reason.
    """

    def __init__(
        self,
        diallers: Sequence[DiallerSettings],
        addresses: Mapping[LinkId, Address],
        settings: PoolSettings,
        *,
        network: Network,
        clock: Clock,
        metrics: Metrics,
        agents_on: Callable[[LinkId], int],
        on_up: Callable[[LinkId], None],
        on_down: Callable[[LinkId, str], None],
    ) -> None:
        self.state = PoolState([each.name for each in diallers], settings, clock.now_s())
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._agents_on = agents_on
        self._on_up = on_up
        self._on_down = on_down
        self._probers = {each.name: self._make_prober(each, addresses[each.name], network=network) for each in diallers}
        for name in self._probers:
            metrics.link_up.labels(kind="dialler", link=name).set(0)

    def _make_prober(self, dialler: DiallerSettings, address: Address, *, network: Network) -> Prober:
        name = dialler.name
        return Prober(
            address,
            wire_settings(dialler, self._settings),
            self._settings.link.connect_limit_s,
            network=network,
            clock=self._clock,
            on_greeted=lambda: self.greeted(name),
            on_full=lambda code: self._probed_full(name, code),
            on_failed=lambda reason, detail: self._probe_failed(name, reason, detail),
            wait_s=lambda: self.state.probe_after_s(name),
        )

    def start(self) -> None:
        """Begin to probe. Must be called in the running loop."""
        for prober in self._probers.values():
            prober.start()

    async def stop(self) -> None:
        """Stop probing."""
        for prober in self._probers.values():
            await prober.stop()

    def sentence(self, name: LinkId) -> str:
        """Say how a dialler is, for the health page."""
        now_s = self._clock.now_s()
        state = self.state[name]
        words = f"{name}: {state.health}" + (f" ({state.reason})" if state.reason else "")
        words += f" for {now_s - state.since_s:.0f} s, serves {self._agents_on(name)} agents"
        if state.held_off_until_s > now_s:
            words += f", passed over for another {state.held_off_until_s - now_s:.0f} s"
        return words

    def has_other(self, name: LinkId) -> bool:
        """Say whether another dialler would take an agent of this one."""
        now_s = self._clock.now_s()
        return any(each != name and self.state.serves(each, now_s) for each in self._probers)

    # --- what is learnt

    def greeted(self, name: LinkId) -> None:
        """A probe or an agent was greeted."""
        if self.state.greeted(name, self._clock.now_s()):
            log_event(LOGGER, "dialler_up", dialler=name)
            self._count(name, up=True)
            self._on_up(name)

    def hold_off(self, name: LinkId, why: str) -> None:
        """Pass a dialler over for new logons for a while."""
        now_s = self._clock.now_s()
        if self.state[name].held_off_until_s <= now_s:
            for_s = self._settings.hold_off_s
            log_event(LOGGER, "dialler_held_off", level="warning", dialler=name, why=why, for_s=for_s)
        self.state.hold_off(name, now_s)

    def judge(self, name: LinkId, ended: Ended) -> None:
        """Draw from the end of one agent's connection what it says about the dialler."""
        now_s = self._clock.now_s()
        if ended.end is End.UNUSABLE:
            self.hold_off(name, ended.refusal.detail if ended.refusal is not None else ended.reason)
        if self.state[name].health is Health.DOWN:
            return
        down = False
        match ended.end:
            case End.SHUTTING_DOWN:
                down = self.state.shut_down(name, now_s)
            case End.UNREACHABLE:
                down = self.state.not_reached(name, ended.reason, self._agents_on(name), now_s)
                self._probers[name].hurry()
            case End.LOST if ended.reason not in _OWN_TROUBLE:
                down = self.state.session_lost(name, ended.reason, self._agents_on(name), now_s)
                self._probers[name].hurry()
            case _ if self.state[name].health is Health.SUSPECT:
                down = self.state.agent_left(name, self._agents_on(name), now_s)
        if down:
            self._went_down(name)

    def _probed_full(self, name: LinkId, code: str) -> None:
        self.greeted(name)
        self.hold_off(name, code)

    def _probe_failed(self, name: LinkId, reason: str, detail: str) -> None:
        before = self.state[name].health
        down = self.state.not_reached(name, reason, self._agents_on(name), self._clock.now_s())
        if self.state[name].health is not before:
            log_event(LOGGER, "dialler_probe_failed", level="warning", dialler=name, reason=reason, detail=detail)
        if down:
            self._went_down(name)

    def _went_down(self, name: LinkId) -> None:
        assert self.state[name].health is Health.DOWN
        reason = self.state[name].reason
        log_event(LOGGER, "dialler_down", level="warning", dialler=name, reason=reason, agents=self._agents_on(name))
        self._count(name, up=False)
        self._on_down(name, reason)

    def _count(self, name: LinkId, *, up: bool) -> None:
        self._metrics.link_up.labels(kind="dialler", link=name).set(int(up))
        self._metrics.link_transitions.labels(kind="dialler", link=name, to="up" if up else "down").inc()
