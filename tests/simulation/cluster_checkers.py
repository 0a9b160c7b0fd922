"""What must always hold in a cluster, and what must hold in the end. A breach is an AssertionError that says what."""

from __future__ import annotations

from typing import Any

from tests.simulation.checkers import check_session, of_agent
from tests.simulation.cluster_desktop import ClusterDesktop
from tests.simulation.cluster_world import ClusterWorld, InstanceProcess
from tests.simulation.ownership_truth import OwnershipTruth
from tests.simulation.transports import virtual_loop

from unified_agent.domain.commands import CallCommand, TakeItems, kebab
from unified_agent.domain.effects import AskDialler, AskSwitch
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import ClaimStage, Presence


class ClusterSafety:
    """Looks at every deed as it is done, and at every session after every turn of the loop, if it changed.

    Attributes:
        turns: of the loop.
        asked_calls: commands about calls that reached the switch, by word, from all instances.
    """

    def __init__(self) -> None:
        self.turns = 0
        self.asked_calls: dict[str, int] = {}
        self._seen: dict[tuple[int, SessionId], SessionState] = {}

    def watch(self, process: InstanceProcess, truth: OwnershipTruth) -> None:
        """Stand between the sessions of an instance and its links, as a witness."""
        instance = process.instance
        telephony, diallers = instance.telephony, instance.diallers
        ask_switch, ask_dialler = telephony.ask, diallers.ask
        performed: set[tuple[SessionId, int, int]] = set()

        def look(effect: AskSwitch | AskDialler) -> None:
            state = instance.host.state(effect.session)
            assert state is not None, "something is done for a session that is over"
            request = (effect.session, state.claim.term, effect.request)
            assert request not in performed, f"request {effect.request} was performed twice"
            performed.add(request)
            if isinstance(effect.ask, TakeItems):
                assert state.presence is not Presence.ABSENT, "an item was asked for somebody who is not there"
            assert instance.cluster is not None
            truth.check_deed(
                instance.settings.instance,
                process.datacentre,
                state.identity.agent,
                state.identity.station,
                state.claim.term,
                instance.cluster.registry.incarnation(effect.session),
            )

        loop = virtual_loop()

        def switch_asked(effect: AskSwitch) -> None:
            with loop.at_once():
                look(effect)
            if isinstance(effect.ask, CallCommand):
                word = kebab(type(effect.ask).__name__)
                self.asked_calls[word] = self.asked_calls.get(word, 0) + 1
            ask_switch(effect)

        def dialler_asked(effect: AskDialler) -> None:
            with loop.at_once():
                look(effect)
            ask_dialler(effect)

        telephony.ask = switch_asked  # type: ignore[method-assign]
        diallers.ask = dialler_asked  # type: ignore[method-assign]

    def check(self, world: ClusterWorld) -> None:
        """Check every session that changed in this turn."""
        self.turns += 1
        for process in world.processes():
            host = process.instance.host
            agents: set[str] = set()
            for state in host.sessions():
                assert state.identity.agent not in agents, f"agent {state.identity.agent} has two sessions"
                agents.add(state.identity.agent)
                place = (id(process), state.id)
                if self._seen.get(place) is not state:
                    self._seen[place] = state
                    check_session(state, host.outbox(state.id))

    def commands_were_asked_at_most_once(self, world: ClusterWorld) -> None:
        """Compare what desktops sent with what reached the links, over all instances."""
        sent: dict[str, int] = {}
        for desktop in world.desktops:
            for command in desktop.commands.sent.values():
                sent[command["type"]] = sent.get(command["type"], 0) + 1
        for word, number in self.asked_calls.items():
            assert number <= sent.get(word, 0), f"{word} was asked {number} times and sent {sent.get(word, 0)} times"


def disagreements(world: ClusterWorld) -> list[str]:
    """Compare store, instances, desktop, switch and dialler for every agent; empty when all agree and all can work."""
    switch = world.switch_truth()
    diallers = {name: world.dialler_truth(name) for name in world.diallers}
    found: list[str] = []
    for desktop in world.desktops:
        found += [f"{desktop.agent}: {each}" for each in _of_desktop(world, desktop, switch, diallers)]
    return found


def _of_desktop(
    world: ClusterWorld, desktop: ClusterDesktop, switch: dict[str, Any], diallers: dict[str, dict[str, dict[str, Any]]]
) -> list[str]:
    agent = AgentId(desktop.agent)
    having = [
        (process, state)
        for process in world.processes()
        for state in process.instance.host.sessions()
        if state.identity.agent == agent
    ]
    if len(having) != 1:
        names = [
            f"{process.instance.settings.instance} ({state.claim.stage}, {state.claim.trouble} {state.claim.detail})"
            for process, state in having
        ]
        return [f"has sessions at {names}"]
    process, state = having[0]
    name = process.instance.settings.instance
    owner = world.truth.owner_of(agent)
    if state.claim.stage is not ClaimStage.HELD or owner is None or owner.owner != name:
        return [f"is at {name}, {state.claim.stage} ({state.claim.trouble} {state.claim.detail}), and owned by {owner}"]
    if owner.datacentre != world.truth.active:
        return [f"is served in {owner.datacentre}, and {world.truth.active!r} is active"]
    if desktop.line is None or not desktop.line.url.endswith(name):
        return [f"is served by {name}, and the desktop is at {desktop.line and desktop.line.url}"]
    found = of_agent(desktop, state, process.instance.host, switch, diallers)
    in_doubt = desktop.commands.in_doubt(desktop.line)
    if in_doubt:
        found.append(f"the desktop does not know of {in_doubt}")
    return found
