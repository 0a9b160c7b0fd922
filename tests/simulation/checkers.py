"""What must always hold, and what must hold in the end. A breach is an AssertionError that says what and where."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from tests.simulation.world import World

from unified_agent.domain.commands import CallCommand, TakeItems, kebab
from unified_agent.domain.effects import AskDialler, AskSwitch
from unified_agent.domain.ids import SessionId
from unified_agent.domain.limits import COMMANDS_REMEMBERED, OUTBOX_NOTICES, REQUESTS_OPEN
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import DiallerStage, Phase, Presence, TelephonyStage
from unified_agent.sessions.host import Host
from unified_agent.sessions.outbox import Outbox


class Safety:
    """Looks at the instance after every turn of the loop, only at what changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[SessionId, SessionState] = {}
        self._performed: set[tuple[SessionId, int]] = set()
        self.turns = 0
        self.asked_calls: dict[str, int] = {}
        self._listen(world)

    def _listen(self, world: World) -> None:
        """Stand between the sessions and the links, as a witness."""
        telephony, diallers = world.instance.telephony, world.instance.diallers
        ask_switch, ask_dialler = telephony.ask, diallers.ask

        def switch_asked(effect: AskSwitch) -> None:
            self._once(effect.session, effect.request)
            if isinstance(effect.ask, CallCommand):
                word = kebab(type(effect.ask).__name__)
                self.asked_calls[word] = self.asked_calls.get(word, 0) + 1
            ask_switch(effect)

        def dialler_asked(effect: AskDialler) -> None:
            self._once(effect.session, effect.request)
            if isinstance(effect.ask, TakeItems):
                state = world.instance.host.state(effect.session)
                assert state is not None
                assert state.presence is not Presence.ABSENT, "an item was asked for somebody who is not there"
            ask_dialler(effect)

        telephony.ask = switch_asked  # type: ignore[method-assign]
        diallers.ask = dialler_asked  # type: ignore[method-assign]

    def _once(self, session: SessionId, request: int) -> None:
        assert (session, request) not in self._performed, f"request {request} was performed twice"
        self._performed.add((session, request))

    def check(self) -> None:
        """Check every session that changed in this turn."""
        self.turns += 1
        agents: set[str] = set()
        for state in self._world.instance.host.sessions():
            assert state.identity.agent not in agents, f"agent {state.identity.agent} has two sessions"
            agents.add(state.identity.agent)
            if self._seen.get(state.id) is not state:
                self._seen[state.id] = state
                check_session(state, self._world.instance.host.outbox(state.id))

    def commands_were_asked_at_most_once(self) -> None:
        """Compare what desktops sent with what reached the links."""
        sent: dict[str, int] = {}
        for desktop in self._world.desktops:
            for command in desktop.commands.values():
                sent[command["type"]] = sent.get(command["type"], 0) + 1
        for word, number in self.asked_calls.items():
            assert number <= sent.get(word, 0), f"{word} was asked {number} times and sent {sent.get(word, 0)} times"


def check_session(state: SessionState, outbox: Outbox | None) -> None:
    """Hold a session's state to its bounds, and to show nothing that nobody can see."""
    assert len(state.requests) <= REQUESTS_OPEN
    assert len(state.commands) <= COMMANDS_REMEMBERED
    kept = outbox.since(outbox.epoch, 0) if outbox is not None else None
    assert kept is None or len(kept) <= OUTBOX_NOTICES
    blind = {TelephonyStage.WAITING, TelephonyStage.QUEUED, TelephonyStage.OBSERVING}
    if state.telephony.stage in blind:
        assert not state.calls, "calls are shown that nobody can see"
        assert not state.agent.known, "a mode is shown as known that nobody can see"
    if state.item is not None:
        reached = {DiallerStage.OFF, DiallerStage.WAITING, DiallerStage.REFUSED}
        assert state.dialler.stage not in reached, "an item is shown without a dialler"


def disagreements(world: World) -> list[str]:
    """Compare desktop, session, switch and dialler for every agent; empty when all four agree and all can work."""
    switch = world.switch_truth()
    diallers = {name: world.dialler_truth(name) for name in world.diallers}
    host = world.instance.host
    found: list[str] = []
    for desktop in world.desktops:
        states = [each for each in host.sessions() if each.identity.agent == desktop.agent]
        ours = ["has no session"] if not states else of_agent(desktop, states[0], host, switch, diallers)
        found += [f"{desktop.agent}: {each}" for each in ours]
    return found


class Page(Protocol):
    """What is compared of a desktop, whichever it is."""

    view: dict[str, Any] | None

    @property
    def dialler(self) -> dict[str, str]:
        """Its logon at the dialler."""
        ...

    @property
    def uses_dialler(self) -> bool:
        """Whether its agent takes work of the dialler."""
        ...

    @property
    def connected(self) -> bool:
        """Whether it shows what the server has."""
        ...


def of_agent(
    desktop: Page,
    state: SessionState,
    host: Host,
    switch: dict[str, Any],
    diallers: dict[str, dict[str, dict[str, Any]]],
) -> list[str]:
    """Compare what one agent's desktop shows with the session, and that with switch and diallers."""
    if not desktop.connected or desktop.view is None:
        return ["the desktop is not connected"]
    view = host.view(state.id)
    assert view is not None
    fresh = msgspec.json.decode(msgspec.json.encode(view))
    found = [f"desktop shows another {name}" for name, value in fresh.items() if desktop.view[name] != value]
    if state.phase is not Phase.ACTIVE:
        found.append(f"session is {state.phase} ({state.telephony.stage}, {state.telephony.trouble})")
        return found
    found += _of_switch(state, switch)
    if desktop.uses_dialler:
        found += _of_dialler(desktop, state, diallers)
    return found


def _of_switch(state: SessionState, switch: dict[str, Any]) -> list[str]:
    agent = switch["agents"].get(state.identity.agent)
    if agent is None:
        return ["is not logged in at the switch"]
    found = []
    if agent["station"] != state.identity.station:
        found.append(f"is at station {agent['station']} at the switch")
    mode = _MODES[agent["work_mode"]]
    if state.agent.mode.value != mode or not state.agent.known:
        found.append(f"session says {state.agent.mode} (known={state.agent.known}), switch says {mode}")
    calls = {each.id for each in state.calls}
    at_switch = set(switch["stations"].get(state.identity.station, {}).get("calls", {}))
    if calls != at_switch:
        found.append(f"session has calls {sorted(calls)}, switch has {sorted(at_switch)}")
    return found


_MODES = {
    "auxWork": "not-ready",
    "autoIn": "ready",
    "manualIn": "ready",
    "afterCallWork": "wrap-up",
    "loggedOff": "logged-out",
}
_STAGES = {
    "S70004": {DiallerStage.LOGGED_ON},
    "S70003": {DiallerStage.LOGGED_ON},
    "S70002": {DiallerStage.JOINED},
    "S70001": {DiallerStage.READY},
    "S70000": {DiallerStage.WORKING},
}


def _of_dialler(desktop: Page, state: SessionState, diallers: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    name = desktop.dialler["name"]
    places = [place for place, agents in diallers.items() if name in agents]
    if state.log_out and not places and state.dialler.dialler is None:
        return []  # an agent who waits for the end of a call to log out wants no dialler any more
    if places != [state.dialler.dialler]:
        where = f"{state.dialler.dialler} ({state.dialler.stage}, {state.dialler.trouble})"
        return [f"session is on {where}, logged on at {places}"]
    truth = diallers[places[0]][name]
    found = []
    if state.dialler.stage not in _STAGES.get(truth["state"], set()):
        found.append(f"session says {state.dialler.stage}, dialler says {truth['state']} {truth['state_text']}")
    if (state.dialler.job or "") != (truth["job"] or ""):
        found.append(f"session is in job {state.dialler.job}, dialler has {truth['job']}")
    return found
