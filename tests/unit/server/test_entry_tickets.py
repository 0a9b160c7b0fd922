"""Entry tickets: good for one agent at one instance for a minute, and otherwise as if there were none."""

from __future__ import annotations

import base64

import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.sealing import Keyring
from unified_agent.server.entry_tickets import LIFETIME_S, LIMIT_CHARS, EntryTickets

AGENT, HERE = AgentId("5001"), InstanceId("ua-1")


class House:
    def __init__(self) -> None:
        self.clock = ManualClock(1_000.0)
        self.keyring = Keyring.random(now_s=self.clock.now_s)
        self.tickets = EntryTickets(self.keyring, self.clock)


def test_a_ticket_is_good_for_its_agent_at_its_instance_at_every_member_of_the_cluster():
    house = House()
    text = house.tickets.write(AGENT, HERE)
    assert EntryTickets(house.keyring, house.clock).is_good(text, AGENT, HERE)
    assert not house.tickets.is_good(text, AgentId("5002"), HERE)
    assert not house.tickets.is_good(text, AGENT, InstanceId("ua-2"))
    assert not House().tickets.is_good(text, AGENT, HERE), "of another cluster"


def test_it_is_good_for_its_time_and_no_longer():
    house = House()
    text = house.tickets.write(AGENT, HERE)
    house.clock.advance(LIFETIME_S - 0.1)
    assert house.tickets.is_good(text, AGENT, HERE)
    house.clock.advance(0.1)
    assert not house.tickets.is_good(text, AGENT, HERE)


def test_one_for_somebody_who_did_not_say_who_they_are_spares_nobody_the_question():
    house = House()
    assert not house.tickets.is_good(house.tickets.write(AgentId(""), HERE), AGENT, HERE)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "=", "ä", "a b", "AQ" * 300, "A" * (LIMIT_CHARS + 1)])
def test_anything_else_is_no_ticket(text: str):
    assert not House().tickets.is_good(text, AGENT, HERE)


def test_a_ticket_that_was_changed_is_none():
    house = House()
    text = house.tickets.write(AGENT, HERE)
    for at in range(0, len(text) - 1, 7):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert not house.tickets.is_good(changed, AGENT, HERE)


def test_what_was_sealed_for_something_else_is_none():
    house = House()
    sealed = house.keyring.seal("ticket", b"\x80")
    assert not house.tickets.is_good(base64.urlsafe_b64encode(sealed).decode(), AGENT, HERE)


def test_the_longest_is_within_the_bound_that_a_login_has_for_it():
    house = House()
    assert len(house.tickets.write(AgentId("1" * 15), InstanceId("i" * 63))) <= LIMIT_CHARS
