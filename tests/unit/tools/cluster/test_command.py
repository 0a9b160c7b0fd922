import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.unit.tools.cluster.told import Answer, Asked, cluster, door, instance, me, plan, refusal, well

from unified_agent.server.cluster_api import Activation as ActivationBody
from unified_agent.server.cluster_ports import ClusterStatus, DrainStatus, InstanceState
from unified_agent.tools.cluster import command
from unified_agent.tools.cluster.door import ClusterFailed

Reach = Callable[[Answer], list[Asked]]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Reach:
    """Have the commands ask an instance of ours; returns what they ask."""
    monkeypatch.setattr("os.environ", {})

    def use(answer: Answer) -> list[Asked]:
        asked: list[Asked] = []
        monkeypatch.setattr(command, "Door", lambda access: door(answer, asked, url=access.url))
        return asked

    return use


def draining(left: int) -> ClusterStatus:
    drain = DrainStatus(left=left, moved=300 - left, waiting_for_items=0)
    return cluster(me(), instance("ua-2", state=InstanceState.DRAINING, sessions=left, drain=drain))


def one_after_another(*told: Any) -> Answer:
    """Answer each time with the next, and at last with the last again and again."""
    left: Iterator[Any] = iter(told[:-1])
    return lambda _: well(next(left, told[-1]))


class Patience:
    """Waits without time passing, and loses patience after so many waits."""

    def __init__(self, limit: int = 1_000) -> None:
        self.waited: list[float] = []
        self._limit = limit

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        if len(self.waited) >= self._limit:
            raise KeyboardInterrupt


def test_the_status_is_a_table_for_people_and_json_for_programs(reach, capsys):
    reach(lambda _: well(cluster()))
    assert command.status() == 0
    assert "prod, as ua-1 sees it" in capsys.readouterr().out
    assert command.status(json=True) == 0
    assert json.loads(capsys.readouterr().out)["instances"][0]["id"] == "ua-1"


def test_a_failure_is_a_sentence_on_standard_error_and_the_exit_status(reach, capsys):
    reach(lambda _: refusal("operator.unauthorised"))
    assert command.status() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--token-file" in said.err


def test_an_order_that_is_taken_is_told(reach, capsys):
    asked = reach(lambda _: well(cluster()))
    assert command.resume("ua-2") == 0
    assert capsys.readouterr().out == "ua-2 takes agents again.\n"
    reach(lambda _: well({"agent": "5001", "source": "ua-1", "target": "ua-2"}))
    assert command.move("5001", to="ua-2") == 0
    assert "Agent 5001 goes from ua-1 to ua-2" in capsys.readouterr().out
    assert asked[0][1] == "127.0.0.1/v1/cluster/instances/ua-2/resume"


def test_a_drain_is_followed_until_it_is_through(reach, capsys):
    asked = reach(lambda request: well(draining(0)))
    assert command.drain("ua-2", rate=20.0) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "ua-2 has no agents any more"
    assert "cluster resume ua-2" in said
    assert asked[0][2] == {"rate_per_s": 20.0}


def test_a_drain_that_is_not_waited_for_ends_at_once(reach, capsys):
    asked = reach(lambda _: well(draining(300)))
    assert command.drain("ua-2", wait=False) == 0
    assert capsys.readouterr().out == "ua-2: 300 left; 0 moved.\n"
    assert len(asked) == 1


def test_the_progress_is_shown_as_it_changes(capsys):
    one = door(one_after_another(cluster(), draining(2), draining(2), draining(0)))
    patience = Patience()
    assert command._follow(one, command.Drain("ua-2"), "left", patience) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "ua-2 has been told",
        "ua-2: 2 left; 298 moved",
        "ua-2 has no agents any more",
    ]
    assert patience.waited == [command.PROGRESS_S] * 3


def test_ctrl_c_ends_the_showing_and_not_the_drain(capsys):
    one = door(lambda _: well(draining(2)))
    assert command._follow(one, command.Drain("ua-2"), "it drains on", Patience(1)) == command.INTERRUPTED
    assert capsys.readouterr().out.splitlines() == ["ua-2: 2 left; 298 moved", "it drains on"]


def test_what_does_not_begin_is_given_up(capsys):
    one = door(lambda _: well(cluster()))
    patience = Patience()
    assert command._follow(one, command.Drain("ua-2"), "see there", patience) == 1
    assert "has not begun within 20 s. see there" in capsys.readouterr().err
    assert sum(patience.waited) == command.BEGIN_LIMIT_S


def test_a_drain_that_somebody_ended_has_failed(capsys):
    one = door(one_after_another(draining(2), cluster()))
    assert command._follow(one, command.Drain("ua-2"), "left", Patience()) == 1
    assert "cluster status" in capsys.readouterr().err


def test_without_confirmation_the_plan_is_told_and_nothing_ordered(reach, capsys):
    asked = reach(lambda _: well(ActivationBody(ordered=False, plan=plan())))
    assert command.activate("west") == 0
    assert "--confirm west-4-abcdef01" in capsys.readouterr().out
    assert asked == [("POST", "127.0.0.1/v1/cluster/activate", {"datacentre": "west", "dry_run": False, "confirm": ""})]


def test_a_plan_that_is_hindered_ends_with_status_1(reach):
    reach(lambda _: well(ActivationBody(ordered=False, plan=plan(hinders=("no quorum",)))))
    assert command.activate("west", dry_run=True) == 1


def test_a_confirmed_order_is_followed_until_the_other_side_is_active(reach, capsys):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return well(ActivationBody(ordered=True, plan=plan()))
        return well(cluster(active="west", epoch=6))

    reach(answer)
    assert command.activate("west", confirm="west-4-abcdef01") == 0
    assert capsys.readouterr().out.splitlines()[0] == "west is active in epoch 6"
    assert command.activate("west", confirm="west-4-abcdef01", wait=False) == 0
    assert capsys.readouterr().out == "west has the order.\n"


def test_a_handing_over_has_begun_however_long_it_takes():
    activation = command.Activation("west")
    activation.look(cluster())
    assert not activation.has_begun
    activation.look(cluster(handed_to="west"))
    assert activation.has_begun


def test_watching_prints_once_per_change_where_there_is_no_terminal(capsys):
    later = cluster(me(), instance("ua-2", heard_s=0.4), instance("wa-1"), now="2026-11-22T15:40:52.000Z")
    one = door(one_after_another(cluster(), cluster(), later, draining(1)))
    assert command._watch(one, as_json=False, wait=Patience(4)) == 0
    out = capsys.readouterr().out
    assert out.count("as ua-1 sees it") == 2
    assert "1 left; 299 moved" in out


def test_watching_as_json_gives_one_line_per_change(capsys):
    one = door(one_after_another(cluster(), cluster(), draining(1)))
    assert command._watch(one, as_json=True, wait=Patience(3)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [len(json.loads(each)["instances"]) for each in lines] == [3, 2]


def test_watching_goes_on_when_nobody_answers_and_says_so(capsys):
    silent = False

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal silent
        if silent:
            raise httpx.ConnectError("refused", request=request)
        silent = True
        return well(cluster())

    assert command._watch(door(answer), as_json=False, wait=Patience(2)) == 0
    out = capsys.readouterr().out
    assert out.count("▲ no instance answers") + out.count("! no instance answers") == 1
    assert "What was told last:" in out


def test_watching_ends_when_it_may_not_look():
    answers = iter([well(cluster()), refusal("operator.unauthorised")])
    with pytest.raises(ClusterFailed):
        command._watch(door(lambda _: next(answers)), as_json=False, wait=Patience())
