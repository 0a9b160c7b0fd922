"""Pure: do the histories of all instances, and what desktops were told, keep the rules?

Every entry is looked at once, in the order of time. What is found is *proven* by entries: a claim that nobody closed
is no offence by itself, since a killed process closes nothing; it is one when somebody acts under it later. What
breaks each rule:

- **double-owner**: terms of one agent or one station that do not grow; two who act in one term; a deed in a lower term
  than somebody has claimed; a claim taken from an incarnation that goes on acting.
- **acted-unclaimed**: a deed without a claim, under a claim given up, or of an incarnation that has stepped down.
- **two-datacentres**: one epoch served by two; an epoch lower than the other side has served; deeds and claims in such
  an epoch.
- **repeated-command**: one command handed to a link twice.
- **lost-acknowledgement**: a command that was done, or refused, and later stands otherwise; one that was accepted and
  is not known any more. Where it is known what desktops were told, that counts: an instance may settle a command and be
  killed before anybody hears of it, and what is found out later, from switch and dialler, may be that it is undone.

Time is ``mono_s``, which all processes of one machine and of one simulation share. Histories of several machines
cannot be compared so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from unified_agent.domain.ids import AgentId, CommandId, InstanceId, StationId
from unified_agent.domain.session_state import Outcome
from unified_agent.history import (
    Claimed,
    CommandAnswered,
    CommandSettled,
    Ended,
    Entry,
    Event,
    LinkDeed,
    Lost,
    Registered,
    Released,
    Serving,
    SteppedDown,
    StoodDown,
)


class Kind(StrEnum):
    """Which rule was broken; see the table above."""

    DOUBLE_OWNER = "double-owner"
    ACTED_UNCLAIMED = "acted-unclaimed"
    TWO_DATACENTRES = "two-datacentres"
    REPEATED_COMMAND = "repeated-command"
    LOST_ACKNOWLEDGEMENT = "lost-acknowledgement"


class Told(Struct, frozen=True, kw_only=True):
    """What a desktop was told of one of its commands.

    Attributes:
        mono_s: when, on the clock of the histories.
        outcome: how it stands; None: the instance does not know such a command.
    """

    mono_s: float
    agent: AgentId
    command: CommandId
    outcome: Outcome | None


class Violation(Struct, frozen=True):
    """A rule was broken. ``proof``: the entries that show it, in the order of time."""

    kind: Kind
    sentence: str
    proof: tuple[Entry | Told, ...]


def check(entries: Iterable[Entry], told: Iterable[Told] = ()) -> list[Violation]:
    """Find everything that breaks a rule.

    Args:
        entries: of all instances; those of one instance in the order in which they were recorded.
        told: what desktops were told of their commands, in the order of each desktop.

    Returns:
        What was found, in the order of the last entry that each needs.
    """
    heard = tuple(told)
    checker = _Checker(heard=frozenset(each.command for each in heard))
    every: list[Entry | Told] = [*entries, *heard]
    for each in sorted(every, key=lambda one: one.mono_s):
        if isinstance(each, Told):
            checker.told(each)
        else:
            checker.recorded(each)
    checker.ended()
    return checker.found


#: One incarnation of one instance: what may hold a claim.
Holder = tuple[InstanceId, int]


class _Highest(Struct, frozen=True):
    """The highest term in which an agent or a station was claimed or acted for, by whom, and what shows it."""

    term: int
    holder: Holder
    agent: AgentId
    shown_by: Entry


class _Held(Struct, frozen=True):
    """A claim that nobody has given up, and the entry that shows it."""

    claim: Claimed
    shown_by: Entry


class _Served(Struct, frozen=True):
    """A datacentre serves in an epoch, and the entry that shows it."""

    serving: Serving
    shown_by: Entry


@dataclass(slots=True)
class _Standing:
    """What is known of one command: what shows that it was accepted, done, refused; that an instance had it done, of
    which its desktop may not have heard; and what its desktop heard last.
    """

    accepted: Entry | Told | None = None
    done: Entry | Told | None = None
    refused: Entry | Told | None = None
    settled: Entry | None = None
    last_told: Told | None = None
    is_reported: bool = False


@dataclass(slots=True)
class _Checker:
    """All that has been seen so far. ``heard``: commands of which it is known what their desktops were told."""

    heard: frozenset[CommandId] = frozenset()
    found: list[Violation] = field(default_factory=list)
    _registered: set[InstanceId] = field(default_factory=set)
    _open: dict[tuple[InstanceId, AgentId], _Held] = field(default_factory=dict)
    _highest: dict[str, _Highest] = field(default_factory=dict)
    _stopped: dict[Holder, Entry] = field(default_factory=dict)
    _taken: dict[Holder, tuple[_Held, Entry]] = field(default_factory=dict)
    _datacentre: dict[InstanceId, str] = field(default_factory=dict)
    _served: dict[int, _Served] = field(default_factory=dict)
    _latest: dict[str, _Served] = field(default_factory=dict)
    _performed: dict[tuple[CommandId, str, str], Entry] = field(default_factory=dict)
    _commands: dict[CommandId, _Standing] = field(default_factory=dict)

    def recorded(self, entry: Entry) -> None:
        """Look at what an instance recorded; what needs no look is passed over."""
        look = _LOOKS.get(type(entry.event))
        if look is not None:
            look(self, entry, entry.event)

    def told(self, told: Told) -> None:
        """Look at what a desktop was told."""
        standing = self._commands.setdefault(told.command, _Standing())
        standing.last_told = told
        self._stands(told.command, standing, told.outcome, told)

    def ended(self) -> None:
        """Look at how things stand after the last entry."""
        for command, standing in self._commands.items():
            done = standing.done or standing.settled
            last, before = standing.last_told, done or standing.accepted
            if last is None or before is None or standing.is_reported:
                continue
            if last.outcome is None:
                self._broken(Kind.LOST_ACKNOWLEDGEMENT, f"command {command} is not known any more", before, last)
            elif last.outcome is Outcome.UNKNOWN and done is not None:
                sentence = f"command {command} was done and its desktop is left not knowing"
                self._broken(Kind.LOST_ACKNOWLEDGEMENT, sentence, done, last)

    # --- who owns

    def _began(self, entry: Entry, began: Registered) -> None:
        self._registered.add(entry.instance)

    def _claimed(self, entry: Entry, claim: Claimed) -> None:
        holder = (entry.instance, claim.incarnation)
        self._acts(entry, holder, claim.epoch)
        for key in _keys_of(claim):
            before = self._highest.get(key)
            if before is None or claim.term > before.term:
                self._take_from(entry, claim, before, key)
                self._highest[key] = _Highest(claim.term, holder, claim.agent, entry)
            else:
                sentence = f"{key} was claimed by {entry.instance} in term {claim.term}, after term {before.term}"
                self._broken(Kind.DOUBLE_OWNER, sentence, before.shown_by, entry)
        if holder in self._stopped:
            sentence = f"{entry.instance} claimed agent {claim.agent} as an incarnation that had stopped"
            self._broken(Kind.ACTED_UNCLAIMED, sentence, self._stopped[holder], entry)
        self._open[entry.instance, claim.agent] = _Held(claim, entry)

    def _take_from(self, entry: Entry, claim: Claimed, before: _Highest | None, key: str) -> None:
        """Remember from whom something was taken that had not been given up: it must never act again."""
        if before is None or before.holder[0] == entry.instance:
            return
        held = self._open.get((before.holder[0], before.agent))
        if held is None or held.claim.incarnation != before.holder[1] or held.claim.epoch < claim.epoch:
            return  # given up; or of an earlier epoch, in which all have stopped: that is looked at by epochs
        if key not in _keys_of(held.claim):
            return  # its agent has moved to another station since
        self._taken.setdefault(before.holder, (held, entry))

    def _deed(self, entry: Entry, deed: LinkDeed) -> None:
        if deed.command is not None:
            what = (deed.command, deed.side.value, deed.what)
            first = self._performed.setdefault(what, entry)
            if first is not entry:
                sentence = f"command {deed.command} was handed to a link twice as {deed.what}"
                self._broken(Kind.REPEATED_COMMAND, sentence, first, entry)
        if entry.instance not in self._registered:
            return  # an instance alone claims nothing
        holder = (entry.instance, deed.incarnation)
        held = self._open.get((entry.instance, deed.agent))
        for key in _keys_of(deed):
            self._in_its_term(entry, deed, holder, key)
        self._acts(entry, holder, held.claim.epoch if held is not None else None)
        self._under_a_claim(entry, deed, holder, held)

    def _in_its_term(self, entry: Entry, deed: LinkDeed, holder: Holder, key: str) -> None:
        highest = self._highest.get(key)
        if highest is None or deed.term > highest.term:
            self._highest[key] = _Highest(deed.term, holder, deed.agent, entry)
        elif deed.term < highest.term or (holder, deed.agent) != (highest.holder, highest.agent):
            sentence = (
                f"{entry.instance} acted for {key} in term {deed.term}, "
                f"after {highest.holder[0]} had it in term {highest.term}"
            )
            self._broken(Kind.DOUBLE_OWNER, sentence, highest.shown_by, entry)

    def _under_a_claim(self, entry: Entry, deed: LinkDeed, holder: Holder, held: _Held | None) -> None:
        stopped = self._stopped.get(holder)
        if stopped is not None:
            sentence = f"{entry.instance} acted for agent {deed.agent} as an incarnation that had stopped"
            self._broken(Kind.ACTED_UNCLAIMED, sentence, stopped, entry)
        elif held is None:
            sentence = f"{entry.instance} acted for agent {deed.agent}, on whom it had no claim"
            self._broken(Kind.ACTED_UNCLAIMED, sentence, entry)
        elif _terms_of(held.claim) != _terms_of(deed):
            sentence = f"{entry.instance} acted for agent {deed.agent} otherwise than it had claimed"
            self._broken(Kind.ACTED_UNCLAIMED, sentence, held.shown_by, entry)

    def _acts(self, entry: Entry, holder: Holder, epoch: int | None) -> None:
        """Look at a claim or a deed: may this incarnation, may this datacentre act at all?"""
        taken = self._taken.pop(holder, None)
        if taken is not None:
            held, by = taken
            sentence = f"agent {held.claim.agent} was taken from {entry.instance}, which went on acting"
            self._broken(Kind.DOUBLE_OWNER, sentence, held.shown_by, by, entry)
        here = self._datacentre.get(entry.instance)
        if here is None or epoch is None:
            return
        later = self._served_elsewhere(here, epoch)
        if later is not None:
            sentence = f"{entry.instance} in {here} acted in epoch {epoch}, after {later.serving.datacentre} served"
            self._broken(Kind.TWO_DATACENTRES, sentence, later.shown_by, entry)

    def _given_up(self, entry: Entry, gone: Released | Lost) -> None:
        held = self._open.get((entry.instance, gone.agent))
        if held is not None and held.claim.term == gone.term:
            del self._open[entry.instance, gone.agent]

    def _stopped_acting(self, entry: Entry, stop: SteppedDown | Ended) -> None:
        self._stopped.setdefault((entry.instance, stop.incarnation), entry)
        self._close(entry.instance, lambda claim: claim.incarnation == stop.incarnation)

    # --- which datacentre is active

    def _serving(self, entry: Entry, serving: Serving) -> None:
        self._datacentre[entry.instance] = serving.datacentre
        served = _Served(serving, entry)
        first = self._served.setdefault(serving.epoch, served)
        if first.serving.datacentre != serving.datacentre:
            sentence = f"epoch {serving.epoch} is served by {first.serving.datacentre} and {serving.datacentre}"
            self._broken(Kind.TWO_DATACENTRES, sentence, first.shown_by, entry)
            return
        later = self._served_elsewhere(serving.datacentre, serving.epoch)
        if later is not None:
            sentence = (
                f"{serving.datacentre} serves in epoch {serving.epoch}, after {later.serving.datacentre} "
                f"served in epoch {later.serving.epoch}"
            )
            self._broken(Kind.TWO_DATACENTRES, sentence, later.shown_by, entry)
        latest = self._latest.get(serving.datacentre)
        if latest is None or latest.serving.epoch < serving.epoch:
            self._latest[serving.datacentre] = served

    def _served_elsewhere(self, here: str, epoch: int) -> _Served | None:
        """Find a datacentre other than this one that has served in a later epoch."""
        others = (latest for datacentre, latest in self._latest.items() if datacentre != here)
        return next((latest for latest in others if latest.serving.epoch > epoch), None)

    def _stood_down(self, entry: Entry, stood: StoodDown) -> None:
        self._close(entry.instance, lambda claim: claim.epoch <= stood.epoch)

    def _close(self, instance: InstanceId, closes: Callable[[Claimed], bool]) -> None:
        for key in [key for key, held in self._open.items() if key[0] == instance and closes(held.claim)]:
            del self._open[key]

    # --- what became of commands

    def _command_stands(self, entry: Entry, said: CommandAnswered | CommandSettled) -> None:
        standing = self._commands.setdefault(said.command, _Standing())
        if said.outcome is Outcome.DONE:
            standing.settled = standing.settled or entry
        if said.command not in self.heard or standing.refused is not None:
            self._stands(said.command, standing, said.outcome, entry)

    def _stands(self, command: CommandId, standing: _Standing, outcome: Outcome | None, shown_by: Entry | Told) -> None:
        if outcome is Outcome.DONE and standing.refused is not None:
            self._changed(standing, f"command {command} was refused, then done", standing.refused, shown_by)
        elif outcome is Outcome.REFUSED and standing.done is not None:
            self._changed(standing, f"command {command} was done, then refused", standing.done, shown_by)
        if outcome is Outcome.ACCEPTED:
            standing.accepted = standing.accepted or shown_by
        elif outcome is Outcome.DONE:
            standing.done = standing.done or shown_by
        elif outcome is Outcome.REFUSED:
            standing.refused = standing.refused or shown_by

    def _changed(self, standing: _Standing, sentence: str, before: Entry | Told, now: Entry | Told) -> None:
        if not standing.is_reported:
            standing.is_reported = True
            self._broken(Kind.LOST_ACKNOWLEDGEMENT, sentence, before, now)

    def _broken(self, kind: Kind, sentence: str, *proof: Entry | Told) -> None:
        self.found.append(Violation(kind, sentence, proof))


def _keys_of(one: Claimed | LinkDeed) -> tuple[str, str]:
    """Return what must have one owner only: the agent, and the station."""
    return f"agent {one.agent}", f"station {one.station}"


def _terms_of(one: Claimed | LinkDeed) -> tuple[int, int, StationId]:
    """Return what a deed must have in common with the claim that it rests on."""
    return one.term, one.incarnation, one.station


_LOOKS: Final[dict[type[Event], Callable[[_Checker, Entry, Any], None]]] = {
    Registered: _Checker._began,
    Claimed: _Checker._claimed,
    Released: _Checker._given_up,
    Lost: _Checker._given_up,
    LinkDeed: _Checker._deed,
    SteppedDown: _Checker._stopped_acting,
    Ended: _Checker._stopped_acting,
    Serving: _Checker._serving,
    StoodDown: _Checker._stood_down,
    CommandAnswered: _Checker._command_stands,
    CommandSettled: _Checker._command_stands,
}
