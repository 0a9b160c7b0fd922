"""Calling lists and their invented customers. Telephone numbers are from the range kept for fiction (555-01xx)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from unified_agent.tools.simulators.apc.plan import FieldPlan, JobPlan


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    """
    ALEX ANNA BEA CARL CHEN DANA DEV ELIF EMIL FATIMA FRED GINA HANNA HUGO IDA IVAN JANA JO JULES KAI KIRA LEA LIAM
    MAYA MILO NADIA NILS NORA OLGA OMAR PAT PIA QUINN RAJ ROSA SAM SARA TARA TOM UMA VERA WANDA YUSUF ZOE
    """
)
_LAST: Final = _words(
    """
    ADLER AHMED BAKER BERG CHAVEZ COSTA DIAZ DUNN EVANS FIELD FISCHER GARCIA GREEN HADDAD HALL IBRAHIM IYER JANSEN
    JONES KELLER KOWALSKI LEE LOPEZ MARTIN MEYER NGUYEN NOVAK OKAFOR OYE PARK PATEL QUIST REYES ROSSI SATO SILVA
    TANAKA TRAN UNDERWOOD VOGEL WEBER WONG YILMAZ ZHANG
    """
)
_CITIES: Final = _words("ASHFORD BRIDGETON CLEARWATER DUNMORE EASTFIELD FAIRVIEW GLENWOOD HARBOUR KINGSTON LAKEVIEW")
_AREAS: Final = ("202", "303", "404", "505", "617", "718")


@dataclass(slots=True)
class Record:
    """One customer of a list.

    Attributes:
        number: place in the list, from 1.
        letter: O or I, the list it is from.
        fields: values by name.
        completion: code of the last attempt, None before the first.
        attempts: calls that reached an agent.
        held: an agent has it open, or it waits in a queue.
        do_not_call: never dialled again.
        phone: number of the phone field to dial next; 0: the first that is filled.
        recall_owner: agent who alone may get the next call; empty: anybody.
        is_recall: the next call is a callback.
    """

    number: int
    letter: str
    fields: dict[str, str]
    completion: int | None = None
    attempts: int = 0
    held: bool = False
    do_not_call: bool = False
    phone: int = 0
    recall_owner: str = ""
    is_recall: bool = False

    def phone_to_dial(self) -> int:
        """Number of the phone field for the next call; 1 when none is filled."""
        if self.phone:
            return self.phone
        for name in sorted(self.fields):
            if name.startswith("PHONE") and name[5:].isdecimal() and self.fields[name]:
                return int(name[5:])
        return 1


@dataclass(slots=True)
class CallList:
    """One list of one job, taken round and round."""

    plan: JobPlan
    letter: str
    chance: random.Random
    records: list[Record] = field(default_factory=list)
    recalls: list[Record] = field(default_factory=list)
    rounds: int = 0
    _next: int = 0

    def __post_init__(self) -> None:
        given = self.plan.given_records if self.letter == self.plan.lists[0] else ()
        for values in given:
            self._add(values)
        while len(self.records) < self.plan.records:
            self._add({})

    def recall(self, record: Record) -> None:
        """A callback is due: the record is dialled before all others."""
        record.is_recall = True
        self.recalls.append(record)

    def _add(self, given: dict[str, str]) -> Record:
        number = len(self.records) + 1
        invented = {plan.name: _invent(plan, number, self.chance) for plan in self.plan.fields}
        record = Record(number=number, letter=self.letter, fields={**invented, **given})
        self.records.append(record)
        return record

    def take(self, agent: str = "") -> Record | None:
        """Take the next record that is free, and hold it.

        A callback that is due comes first; one that is an agent's own goes to nobody else. When every record is held
        by somebody, a new customer is invented, unless the list is not to be recycled.

        Returns:
            None when the list is used up and not recycled.
        """
        for record in self.recalls:
            if not record.held and record.recall_owner in {"", agent}:
                self.recalls.remove(record)
                return _hold(record)
        for _ in range(len(self.records)):
            if self._next >= len(self.records):
                if not self.plan.recycle:
                    return None
                self._next, self.rounds = 0, self.rounds + 1
            record = self.records[self._next]
            self._next += 1
            if not (record.held or record.do_not_call or record.recall_owner):
                return _hold(record)
        return _hold(self._add({})) if self.plan.recycle else None


def _hold(record: Record) -> Record:
    record.held = True
    return record


def _invent(plan: FieldPlan, number: int, chance: random.Random) -> str:
    """Make up a value that suits a field's name, or else its type."""
    value = ""
    if plan.name == "NAME":
        value = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
    elif plan.name == "CITY":
        value = chance.choice(_CITIES)
    elif plan.name.startswith("PHONE"):
        value = f"{chance.choice(_AREAS)}55501{chance.randrange(100):02}"
    elif plan.name == "ACCTNUM":
        value = str(7_100_000 + number)
    elif plan.name == "CURPHONE":
        value = "01"
    elif plan.type == "$":
        value = f"{chance.randrange(500, 250_000) / 100:.2f}"
    elif plan.type == "D":
        value = f"2026/{chance.randrange(1, 13):02}/{chance.randrange(1, 29):02}"
    elif plan.type == "T":
        value = f"{chance.randrange(8, 20):02}.{chance.randrange(60):02}"
    elif plan.type == "N":
        value = str(chance.randrange(1, 10 ** min(plan.length, 6)))
    return value[: plan.length]
