"""Histories of a cluster that keeps every rule, by chance; and each rule broken once, on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.tools.chaos.stories import Story

from unified_agent.domain.session_state import Outcome
from unified_agent.tools.chaos.history_check import Kind

DATACENTRES = {"a1": "east", "a2": "east", "b1": "west", "b2": "west"}
AGENTS = ("5001", "5002", "5003")
STATIONS = ("2001", "2002", "2003", "2004")
OTHER = {"east": "west", "west": "east"}


@dataclass
class Instance:
    """One name, through all its incarnations; incarnation 0: not running."""

    name: str
    incarnation: int = 0
    claims: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # agent: station, term, incarnation

    @property
    def datacentre(self) -> str:
        return DATACENTRES[self.name]


class Floor:
    """What is true in the store, and the story that the instances record of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.story = Story()
        self.instances = {name: Instance(name) for name in DATACENTRES}
        self.revision = 10
        self.active, self.epoch = "east", 1
        self.terms = dict.fromkeys((*AGENTS, *STATIONS), 0)
        self.commands = 0
        self.performed: list[str] = []
        for one in self.instances.values():
            self.start(one)

    # --- what instances do

    def start(self, one: Instance) -> None:
        self.revision += 1
        one.incarnation = self.revision
        self.story.registered(one.name, one.incarnation)
        if one.datacentre == self.active:
            self.story.serving(one.name, one.datacentre, self.epoch)

    def serving(self) -> list[Instance]:
        return [one for one in self.instances.values() if one.incarnation and one.datacentre == self.active]

    def owners(self) -> list[tuple[Instance, str]]:
        """Who lives and holds which agent."""
        return [(one, agent) for one in self.serving() for agent in one.claims]

    def is_free(self, agent: str, station: str, claimer: Instance) -> bool:
        for one, held in self.owners():
            if held == agent and one is not claimer:
                return False
            if held != agent and one.claims[held][0] == station:
                return False
        return True

    def claim(self, one: Instance, agent: str, station: str) -> None:
        if not self.is_free(agent, station, one):
            return
        term = max(self.terms[agent], self.terms[station]) + 1
        self.terms[agent] = self.terms[station] = term
        one.claims[agent] = (station, term, one.incarnation)
        self.story.claimed(one.name, term, one.incarnation, agent=agent, station=station, epoch=self.epoch)

    def act(self, one: Instance, agent: str, *, command: str | None = None, what: str = "query-agent") -> None:
        station, term, incarnation = one.claims[agent]
        self.story.deed(one.name, term, incarnation, agent=agent, station=station, what=what, command=command)

    def press(self, one: Instance, agent: str) -> None:
        """A whole command: received, answered, performed, settled, and what the desktop hears of it."""
        story, chance, command = self.story, self.chance, self.new_command()
        story.received(one.name, command, one.claims[agent][1], agent=agent)
        if chance.random() < 0.2:
            story.answered(one.name, command, Outcome.REFUSED)
            story.tells(command, Outcome.REFUSED, agent=agent)
            return
        story.answered(one.name, command, Outcome.ACCEPTED)
        story.tells(command, Outcome.ACCEPTED, agent=agent)
        self.act(one, agent, command=command, what="make-call")
        self.performed.append(command)
        end = chance.choice((Outcome.DONE, Outcome.DONE, Outcome.REFUSED))
        story.settled(one.name, command, end)
        for heard in chance.choice(((), (Outcome.UNKNOWN,), (None,))):
            story.tells(command, heard, agent=agent)
        story.tells(command, end, agent=agent)

    def new_command(self) -> str:
        self.commands += 1
        return f"d-{self.commands}"

    def release(self, one: Instance, agent: str) -> None:
        _, term, _ = one.claims.pop(agent)
        self.story.released(one.name, term, agent=agent)

    def stop(self, one: Instance, how: str) -> None:
        """End an incarnation: killed without a word, cut off and stepped down, or in good order."""
        if how == "leave":
            for agent in list(one.claims):
                self.release(one, agent)
            self.story.ended(one.name, one.incarnation)
        elif how == "step down":
            self.story.stepped_down(one.name, one.incarnation)
            for agent, (_, term, _) in one.claims.items():
                self.story.lost(one.name, term, agent=agent)
        one.claims = {}
        one.incarnation = 0

    def change_datacentre(self, *, planned: bool) -> None:
        there = OTHER[self.active]
        takers = [one for one in self.instances.values() if one.datacentre == there and one.incarnation]
        if not takers:
            return
        self.epoch += 1
        for one in self.serving():
            if planned:
                self.story.stood_down(one.name, self.epoch)
                one.claims = {}
            else:
                self.stop(one, self.chance.choice(("kill", "step down")))
        if planned:
            self.epoch += 1
        self.active = there
        for one in takers:
            self.story.serving(one.name, there, self.epoch)

    def step(self) -> None:
        """Do one thing that is allowed."""
        chance = self.chance
        what = chance.choices(
            ("claim", "act", "press", "release", "stop", "start", "planned", "taken"), (8, 8, 5, 2, 2, 3, 1, 1)
        )[0]
        one = chance.choice(list(self.instances.values()))
        if what == "start" and not one.incarnation:
            self.start(one)
        elif what == "stop" and one.incarnation:
            self.stop(one, chance.choice(("kill", "step down", "leave")))
        elif what == "claim" and one in self.serving():
            self.claim(one, chance.choice(AGENTS), chance.choice(STATIONS))
        elif what in {"planned", "taken"}:
            self.change_datacentre(planned=what == "planned")
        elif what in {"act", "press", "release"} and self.owners():
            owner, agent = chance.choice(self.owners())
            {"act": self.act, "press": self.press, "release": self.release}[what](owner, agent)

    def settle_owner(self) -> tuple[Instance, str]:
        """Somebody who lives and owns an agent, made so if need be."""
        if not self.serving():
            self.start(next(one for one in self.instances.values() if one.datacentre == self.active))
        if not self.owners():
            self.claim(self.serving()[0], AGENTS[0], STATIONS[0])
        return self.chance.choice(self.owners())

    def another(self, one: Instance) -> Instance:
        """Another instance of the same datacentre, which lives."""
        other = next(each for each in self.instances.values() if each.datacentre == one.datacentre and each is not one)
        if not other.incarnation:
            self.start(other)
        return other


# --- faults: each breaks one rule, in a world that has kept all of them so far


def acts_after_another_claimed(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, incarnation = owner.claims.pop(agent)
    floor.claim(floor.another(owner), agent, station)
    floor.story.deed(owner.name, term, incarnation, agent=agent, station=station)


def claims_in_an_old_term(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, _ = owner.claims[agent]
    floor.release(owner, agent)
    other = floor.another(owner)
    term = floor.chance.randint(1, term)
    floor.story.claimed(other.name, term, other.incarnation, agent=agent, station=station, epoch=floor.epoch)


def acts_in_anothers_term(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, _ = owner.claims[agent]
    floor.act(owner, agent)
    other = floor.another(owner)
    floor.story.deed(other.name, term, other.incarnation, agent=agent, station=station)


def takes_from_the_living(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, _ = owner.claims[agent]
    other = floor.another(owner)
    floor.terms[agent] = floor.terms[station] = term + 1
    floor.story.claimed(other.name, term + 1, other.incarnation, agent=agent, station=station, epoch=floor.epoch)
    other.claims[agent] = (station, term + 1, other.incarnation)
    del owner.claims[agent]
    floor.terms |= {"5009": 1, "2009": 1}
    floor.story.claimed(owner.name, 1, owner.incarnation, agent="5009", station="2009", epoch=floor.epoch)


def acts_without_a_claim(floor: Floor) -> None:
    owner, _ = floor.settle_owner()
    floor.story.deed(owner.name, 1, owner.incarnation, agent="5009", station="2009")


def acts_after_the_release(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, incarnation = owner.claims[agent]
    floor.release(owner, agent)
    floor.story.deed(owner.name, term, incarnation, agent=agent, station=station)


def acts_after_stepping_down(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, incarnation = owner.claims[agent]
    floor.stop(owner, "step down")
    floor.story.deed(owner.name, term, incarnation, agent=agent, station=station)


def acts_after_standing_down(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, incarnation = owner.claims.pop(agent)
    floor.story.stood_down(owner.name, floor.epoch)
    owner.claims = {}
    floor.story.deed(owner.name, term, incarnation, agent=agent, station=station)


def serves_an_epoch_of_the_other(floor: Floor) -> None:
    floor.settle_owner()
    floor.story.serving({"east": "b1", "west": "a1"}[floor.active], OTHER[floor.active], floor.epoch)


def serves_an_epoch_that_has_passed(floor: Floor) -> None:
    owner, _ = floor.settle_owner()
    for one in floor.instances.values():
        if not one.incarnation:
            floor.start(one)
    floor.epoch += 1
    floor.change_datacentre(planned=False)
    floor.story.serving(owner.name, owner.datacentre, floor.epoch - 1)


def acts_while_the_other_serves(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    station, term, incarnation = owner.claims[agent]
    for one in floor.serving():
        one.claims, one.incarnation = {}, 0
    floor.active, floor.epoch = OTHER[floor.active], floor.epoch + 1
    floor.story.serving({"east": "a1", "west": "b1"}[floor.active], floor.active, floor.epoch)
    floor.story.deed(owner.name, term, incarnation, agent=agent, station=station)


def performs_a_command_twice(floor: Floor) -> None:
    owner, agent = floor.settle_owner()
    floor.act(owner, agent, command="d-x", what="make-call")
    if floor.chance.random() < 0.5:
        station = owner.claims.pop(agent)[0]
        owner = floor.another(owner)
        floor.claim(owner, agent, station)
    floor.act(owner, agent, command="d-x", what="make-call")


def refuses_what_was_done(floor: Floor) -> None:
    first, second = floor.chance.sample((Outcome.DONE, Outcome.REFUSED), 2)
    floor.story.tells("d-x", first)
    if floor.chance.random() < 0.5:
        floor.story.settled("a1", "d-x", second)
    floor.story.tells("d-x", second)


def forgets_what_was_accepted(floor: Floor) -> None:
    floor.story.tells("d-x", floor.chance.choice((Outcome.ACCEPTED, Outcome.DONE)))
    floor.story.tells("d-x", None)


def leaves_a_desktop_not_knowing(floor: Floor) -> None:
    floor.story.settled("b1", "d-x", Outcome.DONE)
    floor.story.tells("d-x", Outcome.UNKNOWN)


FAULTS: dict[Callable[[Floor], None], Kind] = {
    acts_after_another_claimed: Kind.DOUBLE_OWNER,
    claims_in_an_old_term: Kind.DOUBLE_OWNER,
    acts_in_anothers_term: Kind.DOUBLE_OWNER,
    takes_from_the_living: Kind.DOUBLE_OWNER,
    acts_without_a_claim: Kind.ACTED_UNCLAIMED,
    acts_after_the_release: Kind.ACTED_UNCLAIMED,
    acts_after_stepping_down: Kind.ACTED_UNCLAIMED,
    acts_after_standing_down: Kind.ACTED_UNCLAIMED,
    serves_an_epoch_of_the_other: Kind.TWO_DATACENTRES,
    serves_an_epoch_that_has_passed: Kind.TWO_DATACENTRES,
    acts_while_the_other_serves: Kind.TWO_DATACENTRES,
    performs_a_command_twice: Kind.REPEATED_COMMAND,
    refuses_what_was_done: Kind.LOST_ACKNOWLEDGEMENT,
    forgets_what_was_accepted: Kind.LOST_ACKNOWLEDGEMENT,
    leaves_a_desktop_not_knowing: Kind.LOST_ACKNOWLEDGEMENT,
}
