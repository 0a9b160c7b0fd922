"""The simulation of whole clusters: a seed tells one story, and each promise that is broken on purpose is found."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation.test_cluster_seeds import one_cluster
from tests.simulation.virtual_loop import run

from unified_agent.cluster.claiming import Claiming
from unified_agent.cluster.registry import Registry
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimGranted
from unified_agent.domain.ids import SessionId
from unified_agent.domain.notices import Notice
from unified_agent.server.tickets import TicketContent, TicketRefused, Tickets
from unified_agent.sessions.outbox import Outbox

pytestmark = pytest.mark.simulation


def found(seeds: range, words: str) -> bool:
    """Run worlds until one breaks by what the words say."""
    for seed in seeds:
        try:
            run(one_cluster(seed))
        except BaseException as error:
            if words in "".join(_words(error)):
                return True
    return False


def _words(error: BaseException) -> list[str]:
    inner = [word for each in getattr(error, "exceptions", ()) for word in _words(each)]
    return [str(error), *inner]


def _story(seed: int) -> str:
    world = run(one_cluster(seed))
    told = [each for desktop in world.desktops for each in desktop.commands.told]
    return hashlib.sha256("\n".join(map(repr, [*world.story, *told])).encode()).hexdigest()


def test_a_seed_tells_one_story_whatever_the_order_of_python_s_sets():
    play = "from tests.simulation import test_cluster_checkers as t; print(t._story(3))"
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": os.pathsep.join(sys.path)}
    played = subprocess.run(
        [sys.executable, "-c", play],
        env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=110, check=True,
    )  # fmt: skip
    assert played.stdout.split()[-1] == _story(3)


def test_an_instance_that_acts_without_a_claim_is_found(monkeypatch: pytest.MonkeyPatch):
    def grant_at_once(self: Claiming, effect: AskClaim) -> None:
        assert self._reports is not None
        self._reports.report(ClaimGranted(session=effect.session, term=1))

    def may_always_act(self: Registry, session: SessionId) -> bool:
        return True

    monkeypatch.setattr(Claiming, "begin", grant_at_once)
    monkeypatch.setattr(Registry, "may_act", may_always_act)
    assert found(range(1), "nothing stands under agent/")


def test_a_notice_lost_between_session_and_desktop_is_found(monkeypatch: pytest.MonkeyPatch):
    append = Outbox.append

    def lose_every_fiftieth(self: Outbox, notice: Notice) -> None:
        if self.seq % 50 == 49:
            self.seq += 1
        append(self, notice)

    monkeypatch.setattr(Outbox, "append", lose_every_fiftieth)
    assert found(range(2), "a gap")


def test_a_ticket_that_no_other_instance_takes_is_found(monkeypatch: pytest.MonkeyPatch):
    def refuse(self: Tickets, text: str, token: str) -> TicketContent:
        raise TicketRefused

    monkeypatch.setattr(Tickets, "read", refuse)
    assert found(range(3), "agents had to log in again")
