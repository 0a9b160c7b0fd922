"""Tickets: every field survives; nobody reads, changes or uses one that is not theirs."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from datetime import UTC, datetime

import msgspec
import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import AgentId, Secret, SessionId, StationId
from unified_agent.domain.session_state import DiallerLogin, Identity
from unified_agent.sealing import KEY_BYTES, ClusterKey, Keyring
from unified_agent.server import tickets
from unified_agent.server.failures import FAILURES
from unified_agent.server.tickets import LIFETIME_S, PURPOSE, TICKET_LIMIT_CHARS, TicketRefused, Tickets

TOKEN = "token-of-the-session"
DIALLER = DiallerLogin(name="agent5001", password=Secret("di4ller"), headset="2001", job="outbound")
IDENTITY = Identity(agent=AgentId("5001"), station=StationId("2001"), password=Secret("s3cret"), dialler=DIALLER)


def key(number: int, seals_from_s: float = 0.0) -> ClusterKey:
    at = datetime.fromtimestamp(seals_from_s, UTC)
    return ClusterKey(id=f"{number:08x}", made=at, seals_from=at, secret=bytes([number]) * KEY_BYTES)


class House:
    """Tickets on a clock set by hand."""

    def __init__(self, *keys: ClusterKey) -> None:
        self.clock = ManualClock(1_000.0)
        self.keyring = Keyring(keys or (key(1),), now_s=self.clock.now_s)
        self.tickets = Tickets(self.keyring, self.clock)

    def write(self, identity: Identity = IDENTITY, token: str = TOKEN) -> str:
        return self.tickets.write(identity, session=SessionId("s-1"), token=token, term=7, epoch=3, verified=True)

    def is_refused(self, text: str, token: str = TOKEN) -> bool:
        try:
            self.tickets.read(text, token)
        except TicketRefused as refused:
            return (refused.id, refused.detail) == ("ticket.invalid", "")
        return False

    def sealed(self, content: dict[str, object]) -> str:
        raw = self.keyring.seal(PURPOSE, msgspec.msgpack.encode(content))
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


CONTENT: dict[str, object] = {
    "agent": "5001",
    "station": "2001",
    "password": {"value": "s3cret"},
    "dialler": {"name": "agent5001", "password": {"value": "di4ller"}, "headset": "2001", "job": "outbound"},
    "session": "s-1",
    "term": 7,
    "epoch": 3,
    "token_hash": hashlib.sha256(TOKEN.encode()).hexdigest(),
    "issued_s": 1_000.0,
    "expires_s": 1_000.0 + LIFETIME_S,
    "verified": True,
}


def test_every_field_survives() -> None:
    house = House()
    content = house.tickets.read(house.write(), TOKEN)
    assert content.identity == IDENTITY
    assert (content.session, content.term, content.epoch, content.verified) == ("s-1", 7, 3, True)
    assert (content.issued_s, content.expires_s) == (1_000.0, 1_000.0 + LIFETIME_S)
    assert content.token_hash == hashlib.sha256(TOKEN.encode()).hexdigest()


def test_an_agent_without_a_dialler_has_none_afterwards() -> None:
    house = House()
    identity = msgspec.structs.replace(IDENTITY, dialler=None)
    assert house.tickets.read(house.write(identity), TOKEN).identity == identity


def test_the_form_is_the_one_that_other_versions_know() -> None:
    house = House()
    raw = base64.urlsafe_b64decode(house.write() + "==")
    assert msgspec.msgpack.decode(house.keyring.open(PURPOSE, raw)) == CONTENT


def test_a_ticket_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    house = House()
    text = house.sealed(CONTENT | {"favourite_colour": "blue"})
    assert house.tickets.read(text, TOKEN).identity == IDENTITY


def test_a_ticket_that_lacks_what_we_need_is_refused() -> None:
    house = House()
    for name in ("agent", "station", "password", "session", "term", "epoch", "token_hash", "expires_s"):
        assert house.is_refused(house.sealed({each: value for each, value in CONTENT.items() if each != name}))
    assert house.is_refused(house.sealed(CONTENT | {"term": "seven"}))


def test_nothing_can_be_read_in_it_and_two_are_never_alike() -> None:
    house = House()
    text = house.write()
    raw = base64.urlsafe_b64decode(text + "==")
    for hidden in (b"s3cret", b"di4ller", b"5001", TOKEN.encode()):
        assert hidden not in raw
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert house.write() != text


def test_passwords_are_not_shown() -> None:
    house = House()
    shown = repr(house.tickets.read(house.write(), TOKEN))
    assert "s3cret" not in shown
    assert "di4ller" not in shown
    assert "5001" in shown


def test_every_changed_bit_is_refused() -> None:
    house = House()
    text = house.write()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, bit in itertools.product(range(len(text)), (1, 2, 4, 8, 16, 32)):
        other = letters[letters.index(text[place]) ^ bit]
        assert house.is_refused(text[:place] + other + text[place + 1 :]), (place, bit)


@pytest.mark.parametrize(
    "text", ["", "x", "AQAA", "ä", "a b", "a\n", "++//", "=", "A" * 5, "A" * TICKET_LIMIT_CHARS, "A" * 1_000_000]
)
def test_what_is_no_ticket_is_refused(text) -> None:
    assert House().is_refused(text)


def test_a_ticket_with_something_before_or_behind_is_refused() -> None:
    house = House()
    text = house.write()
    for wrong in (text + "\n", text + "=", text + "AAAA", "AAAA" + text, text[:-1], text[4:]):
        assert house.is_refused(wrong)


def test_a_ticket_is_worthless_without_its_token() -> None:
    house = House()
    text = house.write()
    for token in ("", "token-of-somebody-else", TOKEN + "x", CONTENT["token_hash"]):
        assert house.is_refused(text, str(token))


def test_a_ticket_is_good_for_its_lifetime_and_no_longer() -> None:
    house = House()
    text = house.write()
    house.clock.advance(LIFETIME_S - 0.5)
    assert not house.is_refused(text)
    house.clock.advance(0.5)
    assert house.is_refused(text)


def test_what_was_sealed_for_something_else_is_no_ticket() -> None:
    house = House()
    raw = house.keyring.seal("record", msgspec.msgpack.encode(CONTENT))
    assert house.is_refused(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_another_cluster_does_not_read_it() -> None:
    assert House(key(2)).is_refused(House(key(1)).write())


def test_a_ticket_under_an_old_key_is_read_and_is_stale() -> None:
    text = House(key(1)).write()
    during = House(key(2, seals_from_s=2_000.0), key(1))
    assert not during.is_refused(text)
    assert not during.tickets.is_stale(text)
    during.clock.advance(1_000.0)
    assert not during.is_refused(text)
    assert during.tickets.is_stale(text)
    assert not during.tickets.is_stale(during.write())
    assert House(key(2)).is_refused(text)


def test_a_ticket_is_stale_when_half_its_time_is_over() -> None:
    house = House()
    text = house.write()
    house.clock.advance(LIFETIME_S / 2 - 1.0)
    assert not house.tickets.is_stale(text)
    house.clock.advance(1.0)
    assert house.tickets.is_stale(text)


def test_what_is_no_ticket_is_stale() -> None:
    assert House().tickets.is_stale("nonsense")


def test_the_longest_login_fits() -> None:
    house = House()
    wide = "\N{GRINNING FACE}"
    dialler = DiallerLogin(name=wide * 32, password=Secret(wide * 64), headset=wide * 32, job=wide * 32)
    identity = Identity(
        agent=AgentId("9" * 80), station=StationId("9" * 80), password=Secret(wide * 64), dialler=dialler
    )
    text = house.write(identity)
    assert len(text) < 2_000
    assert house.tickets.read(text, TOKEN).identity == identity


def test_only_the_log_says_what_was_wrong_and_nothing_secret(monkeypatch) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(tickets, "log_event", lambda _, event, **fields: lines.append({"event": event, **fields}))
    house = House()
    text = house.write()
    assert house.is_refused(text, "token-of-somebody-else")
    assert house.is_refused("A" * (TICKET_LIMIT_CHARS + 1))
    assert house.is_refused(House(key(2)).write())
    house.clock.advance(LIFETIME_S)
    assert house.is_refused(text)
    assert [line["reason"] for line in lines] == [
        "the token is another one",
        "4097 characters are too many",
        "there is no key 00000002 here",
        "it has expired",
    ]
    assert {(line["event"], line["level"]) for line in lines} == {("ticket_refused", "debug")}
    assert lines[0]["session"] == "s-1"
    for hidden in ("s3cret", "di4ller", "token-of-somebody-else", text):
        assert hidden not in str(lines)


def test_a_refused_ticket_has_its_row() -> None:
    assert FAILURES[TicketRefused().id].status == 401
