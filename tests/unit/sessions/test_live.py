from __future__ import annotations

import msgspec
from msgspec.structs import replace
from tests.unit.sessions.rooms import identity

from unified_agent.domain.ids import SessionId
from unified_agent.domain.session import new_session
from unified_agent.domain.session_state import Policy
from unified_agent.domain.states import Presence
from unified_agent.sessions.live import LiveSession


def live() -> LiveSession:
    return LiveSession(new_session(SessionId("s1"), identity(), Policy(), 1_000.0), lambda: 1_000.0)


def test_a_new_one_is_still_and_has_told_nothing():
    session = live()
    assert (session.stepping, session.wake_s, session.received_s) == (False, None, 1_000.0)
    assert not session.inbox
    assert (session.outbox.epoch, session.outbox.seq) == (1, 0)


def test_a_snapshot_shows_the_state_as_it_is_when_it_is_asked_for():
    session = live()
    session.state = replace(session.state, presence=Presence.CONNECTED)
    snapshot = msgspec.json.decode(session.outbox.snapshot("hello"))
    assert snapshot["data"]["view"]["session"]["presence"] == "connected"
