"""The whole simulation without its sockets: switch, callers, AES, and one clock for the three."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import inf

from unified_agent.tools.simulators.aes.aes import Aes, HangUp, Outgoing
from unified_agent.tools.simulators.aes.plan import SwitchPlan, numbered_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.switch import Switch
from unified_agent.tools.simulators.aes.traffic import Traffic, TrafficPlan
from unified_agent.tools.simulators.aes.truth import Json, switch_truth
from unified_agent.wire.csta.shapes import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorPlan:
    """What is simulated.

    Attributes:
        switch: stations, agents, groups, rules.
        aes: how clients are treated.
        traffic: streams of callers; the first one is what the control port starts, stops and sets.
    """

    switch: SwitchPlan = field(default_factory=numbered_plan)
    aes: AesSettings = field(default_factory=AesSettings)
    traffic: tuple[TrafficPlan, ...] = (TrafficPlan(),)


class Simulator:
    """Switch, callers and AES together.

    Args:
        plan: what there is.
        chance: every random choice comes from here.
        now_s: Unix seconds.
    """

    def __init__(self, plan: SimulatorPlan, *, chance: random.Random, now_s: float) -> None:
        self.plan = plan
        self.started_s = now_s
        self.now_s = now_s
        self.switch = Switch(plan.switch, chance=chance, now_s=now_s)
        self.aes = Aes(plan.aes, self.switch, chance=chance)
        self.traffic = [Traffic(stream, chance=chance, now_s=now_s) for stream in plan.traffic]

    def receive(self, connection: int, invoke_id: int, message: Message, now_s: float) -> None:
        """Take a message of a socket."""
        self.advance(now_s)
        self.aes.receive(connection, invoke_id, message, now_s)

    def next_timer(self) -> float | None:
        """Return when ``advance`` wants to be called next, or None."""
        times = [
            self.switch.next_timer(),
            self.aes.next_timer(),
            *(stream.next_timer() for stream in self.traffic),
        ]
        return min((time for time in times if time is not None), default=None)

    def advance(self, now_s: float) -> None:
        """Let it be ``now_s``; what was due until then has happened. Time never goes back."""
        self.now_s = max(self.now_s, now_s)
        while (due := min(self.traffic, key=_next_call_s, default=None)) is not None and _next_call_s(
            due
        ) <= self.now_s:
            due.advance(_next_call_s(due), self.switch)
        self.switch.advance(self.now_s)
        self.aes.tell_switch_events()
        self.aes.advance(self.now_s)

    def take_outgoing(self) -> list[Outgoing | HangUp]:
        """Return what is to be done on sockets, in order, and forget it."""
        self.aes.tell_switch_events()
        return self.aes.take_outgoing()

    def truth(self) -> Json:
        """Describe switch, AES and callers as JSON values, as of the last time told."""
        aes = self.aes
        return {
            "now_s": round(self.now_s, 3),
            "up_s": round(self.now_s - self.started_s, 3),
            **switch_truth(self.switch, self.now_s),
            "aes": {
                "link_up": aes.link_up,
                "status": aes.status,
                "refuses_logins": aes.refuse_logins,
                "monitors": len(aes.monitors),
                "requests_answered": aes.requests_answered,
                "requests_refused": aes.requests_refused,
                "events_told": aes.events_told,
            },
            "sessions": {
                session.session_id: {
                    "user_name": session.user_name,
                    "application_id": session.application_id,
                    "connection": session.connection,
                    "duration_s": session.duration_s,
                    "expires_in_s": round(session.expires_s - self.now_s, 3),
                    "gone_in_s": None if session.gone_s is None else round(session.gone_s - self.now_s, 3),
                    "devices": len(session.devices),
                    "monitors": {monitor.monitor_id: monitor.number for monitor in session.monitors.values()},
                    "registrations": list(session.registrations),
                }
                for session in aes.sessions
            },
            "traffic": [
                {
                    "number": stream.plan.number,
                    "running": stream.running,
                    "calls_per_minute": stream.calls_per_minute,
                    "arrivals": stream.plan.arrivals,
                    "placed": stream.placed,
                    "refused": stream.refused,
                }
                for stream in self.traffic
            ],
        }


def _next_call_s(stream: Traffic) -> float:
    next_s = stream.next_timer()
    return inf if next_s is None else next_s
