"""The simulation itself: a seed tells one story, and each promise that is broken on purpose is found."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from tests.simulation import desktop as desktops
from tests.simulation.test_seeds import one_world
from tests.simulation.virtual_loop import run

from unified_agent.domain import session, telephony_steps
from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.move import Move
from unified_agent.domain.notices import Notice
from unified_agent.sessions.outbox import Outbox
from unified_agent.sessions.performer import Performer

pytestmark = pytest.mark.simulation


def found(seeds: range, words: str) -> bool:
    """Run worlds until one breaks by what the words say."""
    for seed in seeds:
        try:
            run(one_world(seed))
        except BaseException as error:
            if words in "".join(_words(error)):
                return True
    return False


def _words(error: BaseException) -> list[str]:
    inner = [word for each in getattr(error, "exceptions", ()) for word in _words(each)]
    return [str(error), *inner]


def test_a_seed_tells_one_story(monkeypatch: pytest.MonkeyPatch):
    taken = desktops.Desktop.take
    stories = []
    for _ in range(2):
        story = hashlib.sha256()

        def take(self: desktops.Desktop, frame: dict[str, Any], story: Any = story) -> None:
            story.update(json.dumps([self.agent, frame], sort_keys=True).encode())
            taken(self, frame)

        monkeypatch.setattr(desktops.Desktop, "take", take)
        run(one_world(3))
        stories.append(story.hexdigest())
    assert stories[0] == stories[1]


def test_calls_shown_that_nobody_can_see_are_found(monkeypatch: pytest.MonkeyPatch):
    def forget_to_lose_sight(move: Move) -> None:
        move.set_agent(known=False)

    monkeypatch.setattr(telephony_steps, "_lose_sight", forget_to_lose_sight)
    assert found(range(8), "calls are shown that nobody can see")


def test_a_notice_lost_between_session_and_desktop_is_found(monkeypatch: pytest.MonkeyPatch):
    append = Outbox.append

    def lose_every_fiftieth(self: Outbox, notice: Notice) -> None:
        if self.seq % 50 == 49:
            self.seq += 1
        append(self, notice)

    monkeypatch.setattr(Outbox, "append", lose_every_fiftieth)
    assert found(range(8), "a gap")


def test_a_command_that_reaches_the_switch_twice_is_found(monkeypatch: pytest.MonkeyPatch):
    performed = Performer.perform

    def twice(self: Performer, live: Any, effects: Any) -> None:
        performed(self, live, effects)
        performed(self, live, [each for each in effects if type(getattr(each, "ask", None)).__name__ == "AnswerCall"])

    monkeypatch.setattr(Performer, "perform", twice)
    assert found(range(8), "was performed twice")


def test_an_agent_who_is_not_brought_back_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telephony_steps, "queue", lambda move: move.set_telephony(retry_at_s=None))
    assert found(range(1), "they still disagree")


def test_a_session_that_believes_another_mode_than_the_switch_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(session._HANDLERS, AgentStateReported, lambda move, fact: None)
    assert found(range(4), "switch says")
