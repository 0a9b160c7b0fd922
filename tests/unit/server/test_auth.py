import secrets

import pytest

from unified_agent.domain.ids import SessionId
from unified_agent.server import auth
from unified_agent.server.auth import LoginLimiter, Operators, Origins, TokenRefusal, Tokens, bearer


def test_a_token_is_kept_only_as_its_hash():
    tokens = Tokens(secrets.token_urlsafe)
    token = tokens.issue(SessionId("s1"))
    assert tokens.find(token) == "s1"
    assert token not in repr(vars(tokens))


def test_a_later_token_takes_the_session_over_and_an_end_ends_it():
    tokens = Tokens(secrets.token_urlsafe)
    first = tokens.issue(SessionId("s1"))
    second = tokens.issue(SessionId("s1"))
    assert tokens.find(first) is TokenRefusal.TAKEN_OVER
    tokens.end(SessionId("s1"))
    assert tokens.find(second) is TokenRefusal.ENDED
    assert tokens.find("never issued") is TokenRefusal.UNKNOWN


def test_old_tokens_are_forgotten_beyond_a_bound(monkeypatch):
    monkeypatch.setattr(auth, "REVOKED_REMEMBERED", 2)
    tokens = Tokens(secrets.token_urlsafe)
    old = [tokens.issue(SessionId("s1")) for _ in range(4)]
    assert [tokens.find(each) for each in old[:3]] == [
        TokenRefusal.UNKNOWN,
        TokenRefusal.TAKEN_OVER,
        TokenRefusal.TAKEN_OVER,
    ]


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("", None), (None, None)],
)
def test_a_bearer_token_is_taken_from_its_header(header, token):
    assert bearer(header) == token


@pytest.mark.parametrize(
    ("origin", "host", "accepted"),
    [
        (None, "ua.test", True),
        ("https://ua.test", "ua.test", True),
        ("https://ua.test:8443", "ua.test:8443", True),
        ("https://ua.test", "ua.test:8443", False),
        ("https://crm.example", "ua.test", True),
        ("https://crm.example:444", "ua.test", False),
        ("http://crm.example", "ua.test", False),
        ("null", "ua.test", False),
        ("", "", False),
    ],
)
def test_origins_are_ours_or_those_of_the_settings(origin, host, accepted):
    assert Origins(["https://crm.example/"]).accepts(origin, host) is accepted


def test_without_an_operators_token_only_this_machine_is_let_in():
    operators = Operators(None)
    assert operators.accepts(None, "127.0.0.1")
    assert operators.accepts(None, "::1")
    assert not operators.accepts(None, "10.0.0.7")
    assert not operators.accepts(None, None)
    assert not operators.accepts(None, "testclient")


def test_a_bucket_of_logins_fills_evenly_up_to_a_minutes_worth():
    now = [0.0]
    limiter = LoginLimiter(6, lambda: now[0])
    assert [limiter.wait_s("a") for _ in range(7)] == [0.0] * 6 + [10.0]
    now[0] = 10.0
    assert limiter.wait_s("a") == 0.0
    assert limiter.wait_s("a") == 10.0
    now[0] = 1_000.0
    assert [limiter.wait_s("a") for _ in range(7)][-1] == 10.0


def test_addresses_are_forgotten_beyond_a_bound(monkeypatch):
    monkeypatch.setattr(auth, "ADDRESSES_REMEMBERED", 2)
    limiter = LoginLimiter(1, lambda: 0.0)
    assert limiter.wait_s("a") == 0.0
    assert limiter.wait_s("b") == 0.0
    assert limiter.wait_s("c") == 0.0
    assert limiter.wait_s("a") == 0.0
