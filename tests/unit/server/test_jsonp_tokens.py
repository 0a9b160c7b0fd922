"""Short tokens and nonces: what they are bound to, how long they live, how often they may be used."""

from itertools import count

import pytest
from tests.unit.server.serving import Standing

from unified_agent.domain.ids import SessionId
from unified_agent.server.failures import RequestRefused
from unified_agent.server.jsonp_tokens import NONCES_OPEN, NONCES_REMEMBERED, TOKENS_OF_PAGE, JsonpTokens, Page

CRM = "https://crm.example"
SESSION = SessionId("s1")


class Office:
    def __init__(self, lifetime_s: float = 300.0) -> None:
        self.clock = Standing()
        numbers = count()
        self.tokens = JsonpTokens(lambda size: f"secret-{size}-{next(numbers)}", self.clock, lifetime_s)

    def issue(self, client: str = "c1", origin: str | None = CRM, bearer: str = "bearer") -> tuple[Page, str]:
        return self.tokens.issue(SESSION, bearer, client, origin)

    def is_good(self, token: str, client: str = "c1", origin: str | None = CRM) -> bool:
        try:
            self.tokens.find(token, client, origin)
        except RequestRefused as refused:
            return (refused.id, refused.detail) != ("jsonp.token", "get another one by POST /v1/session/jsonp")
        return True


def test_a_token_is_good_for_its_client_and_origin_only():
    office = Office()
    page, token = office.issue()
    assert office.tokens.find(token, "c1", CRM) is page
    assert office.is_good(token, origin=None), "which page asks cannot always be told"
    assert not office.is_good(token, client="c2")
    assert not office.is_good(token, origin="https://other.example")
    assert not office.is_good(token + "x")
    assert not office.is_good("")


def test_a_token_that_was_given_to_no_origin_is_bound_to_none():
    office = Office()
    _, token = office.issue(origin=None)
    assert office.is_good(token, origin=CRM)


def test_a_token_ends_after_its_lifetime_and_is_forgotten():
    office = Office(300.0)
    _, token = office.issue()
    office.clock.advance(299.9)
    assert office.is_good(token)
    office.clock.advance(0.2)
    assert not office.is_good(token)
    _, other = office.issue("c2")
    assert len(office.tokens) == 1
    assert office.is_good(other, client="c2")
    assert list(office.tokens._pages) == [(SESSION, "c2")]


def test_a_token_is_renewed_when_half_of_its_life_is_over_and_the_page_stays_the_same():
    office = Office(300.0)
    page, token = office.issue()
    office.clock.advance(149.0)
    assert office.tokens.renew(token) == ""
    office.clock.advance(2.0)
    newer = office.tokens.renew(token)
    assert newer != token
    assert office.tokens.find(newer, "c1", CRM) is page
    assert not office.is_good(newer, origin="https://other.example")
    assert office.is_good(token)
    office.clock.advance(150.0)
    assert not office.is_good(token)
    assert office.is_good(newer)
    assert office.tokens.renew("none of ours") == ""


def test_a_page_that_asks_again_stays_the_same_unless_its_session_was_taken_over():
    office = Office()
    page, first = office.issue()
    again, second = office.issue()
    assert again is page
    assert first != second
    taken, _ = office.issue(bearer="another")
    assert taken is not page
    assert office.tokens.find(first, "c1", CRM) is page


def test_a_page_has_a_bounded_number_of_tokens():
    office = Office()
    issued = [office.issue()[1] for _ in range(TOKENS_OF_PAGE + 5)]
    assert len(office.tokens) == TOKENS_OF_PAGE
    assert [office.is_good(token) for token in issued] == [False] * 5 + [True] * TOKENS_OF_PAGE


def test_no_token_is_kept_as_it_is():
    office = Office()
    _, token = office.issue()
    assert token not in repr(office.tokens.__dict__)


def test_a_nonce_is_good_once_and_its_repeat_for_the_same_is_recognised():
    office = Office()
    page, _ = office.issue()
    nonce = office.tokens.nonce(page)
    assert page.spend(nonce, "command 1") is True
    assert page.spend(nonce, "command 1") is False
    for what, given in (("command 2", nonce), ("command 1", "none of ours"), ("command 1", "")):
        with pytest.raises(RequestRefused) as caught:
            page.spend(given, what)
        assert caught.value.id == "jsonp.nonce"


def test_a_nonce_of_another_page_is_none():
    office = Office()
    page, _ = office.issue()
    other, _ = office.issue("c2")
    with pytest.raises(RequestRefused):
        page.spend(office.tokens.nonce(other), "command 1")


def test_nonces_are_bounded():
    office = Office()
    page, _ = office.issue()
    nonces = [office.tokens.nonce(page) for _ in range(NONCES_OPEN + 1)]
    with pytest.raises(RequestRefused):
        page.spend(nonces[0], "command")
    assert page.spend(nonces[1], "command")
    for number in range(NONCES_REMEMBERED):
        assert page.spend(office.tokens.nonce(page), f"command {number}")
    assert len(page._spent) == NONCES_REMEMBERED
    with pytest.raises(RequestRefused):
        page.spend(nonces[1], "command")
