"""Heartbeats in, verdicts out: everybody's view within 3 s, and the slow or half cut off accuse nobody wrongly."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unified_agent.cluster import detector
from unified_agent.cluster.detector import Detector, DetectorSettings, Verdict
from unified_agent.cluster.heartbeats import Heartbeat, Report, Sighting, Stage
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError

SETTINGS = DetectorSettings()
A, B, C, D = (InstanceId(name) for name in "abcd")
REPORT = Report(
    stage=Stage.READY, address="https://x", peer_address="https://x:1", version="1", sessions=0, capacity=1000
)


class Mesh:
    """Real detectors; heartbeats take ``delay_s``; pairs may be cut, instances stopped."""

    def __init__(self, *names: InstanceId, delay_s: float = 0.02) -> None:
        self.now_s = 100.0
        self.delay_s = delay_s
        self.cut: set[tuple[str, str]] = set()
        self.stopped: set[str] = set()
        self.on_way: list[tuple[float, str, Heartbeat]] = []
        self.said: list[tuple[float, str, detector.Change]] = []
        # Beats are spread over the interval, as they are in life.
        self.all = {name: detector.start(name, "east", 1, self.now_s, SETTINGS) for name in names}
        self.all = {
            name: msgspec.structs.replace(each, beat_at_s=100.0 + place * 0.5 / len(names))
            for place, (name, each) in enumerate(self.all.items())
        }
        self.run(2.0)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.now_s += 0.05
            for due_s, target, beat in list(self.on_way):
                if due_s <= self.now_s and target not in self.stopped:
                    self.on_way.remove((due_s, target, beat))
                    self.note(target, detector.hear(self.all[InstanceId(target)], beat, self.now_s))
            for name, each in list(self.all.items()):
                if name in self.stopped or self.now_s < detector.next_timer_s(each):
                    continue
                self.note(name, detector.tick(each, self.now_s))
                if self.now_s >= self.all[name].beat_at_s:
                    self.all[name], beat = detector.beat(self.all[name], REPORT, self.now_s)
                    self.on_way.extend(
                        (self.now_s + self.delay_s, other, beat)
                        for other in self.all
                        if other != name and (name, other) not in self.cut
                    )

    def note(self, name: str, moved: detector.Moved) -> None:
        self.all[InstanceId(name)] = moved[0]
        self.said.extend((self.now_s, name, change) for change in moved[1])

    def verdict(self, by: InstanceId, of: InstanceId) -> Verdict:
        return self.all[by].members[of].verdict


def heartbeat(name: InstanceId, number: int = 1, incarnation: int = 1, **more) -> Heartbeat:
    return Heartbeat(instance=name, datacentre="east", incarnation=incarnation, number=number, report=REPORT, **more)


def knowing(*names: InstanceId, now_s: float = 100.0) -> Detector:
    one = detector.start(A, "east", 1, now_s, SETTINGS)
    for name in names:
        one, _ = detector.hear(one, heartbeat(name, 10), now_s)
    return one


def let(one: Detector, start_s: float, end_s: float) -> tuple[Detector, list[detector.Change]]:
    """Tick on time from one moment to another."""
    changes: list[detector.Change] = []
    now_s = start_s
    while now_s < end_s:
        now_s = min(now_s + 0.25, end_s)
        one, more = detector.tick(one, now_s)
        changes.extend(more)
    return one, changes


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_killed_instance_is_suspect_then_dead_for_all_within_three_seconds(count):
    mesh = Mesh(*(A, B, C, D, InstanceId("e"))[:count])
    mesh.stopped.add("b")
    begun_s = mesh.now_s
    mesh.run(1.8)
    assert all(mesh.verdict(each, B) is Verdict.SUSPECT for each in mesh.all if each != B)
    mesh.run(1.2)
    assert all(mesh.verdict(each, B) is Verdict.DEAD for each in mesh.all if each != B)
    assert all(at_s - begun_s <= 3.0 for at_s, _, change in mesh.said if change.after is Verdict.DEAD)
    assert all(change.instance == B for at_s, _, change in mesh.said if at_s > begun_s)


def test_a_cut_between_two_is_without_consequence_when_a_third_hears_both():
    mesh = Mesh(A, B, C)
    begun_s = mesh.now_s
    mesh.cut |= {(A, B), (B, A)}
    mesh.run(20.0)
    assert not [change for at_s, _, change in mesh.said if at_s > begun_s and change.after is Verdict.DEAD]
    mesh.cut.clear()
    mesh.run(2.0)
    assert mesh.verdict(A, B) is Verdict.ALIVE


def test_a_one_way_cut_kills_nobody_who_is_heard_by_others():
    mesh = Mesh(A, B, C, D)
    mesh.cut.add((A, B))
    mesh.run(20.0)
    assert not [change for *_, change in mesh.said if change.after is Verdict.DEAD]


def test_a_frozen_instance_wakes_without_accusing_anybody_and_is_heard_again():
    mesh = Mesh(A, B, C)
    mesh.stopped.add("a")
    mesh.run(10.0)
    assert mesh.verdict(B, A) is Verdict.DEAD
    mesh.stopped.clear()
    mesh.run(2.0)
    assert not [change for _, name, change in mesh.said if name == "a" and change.after is not Verdict.ALIVE]
    assert mesh.verdict(B, A) is Verdict.ALIVE


def test_two_halves_bury_each_other_and_rise_when_joined():
    mesh = Mesh(A, B, C, D)
    mesh.cut |= {(x, y) for x in (A, B) for y in (C, D)} | {(y, x) for x in (A, B) for y in (C, D)}
    mesh.run(7.0)
    assert mesh.verdict(A, C) is mesh.verdict(C, A) is Verdict.DEAD
    assert mesh.verdict(A, B) is mesh.verdict(C, D) is Verdict.ALIVE
    mesh.cut.clear()
    mesh.run(1.5)
    assert all(each.verdict is Verdict.ALIVE for one in mesh.all.values() for each in one.members.values())


def test_one_missed_by_us_alone_is_given_longer():
    one = knowing(B, C)
    changes: list[detector.Change] = []
    died_s = 0.0
    for step in range(1, 33):
        now_s = 100.0 + step * 0.25
        one, _ = detector.hear(one, heartbeat(C, 10 + step), now_s)
        one, more = detector.tick(one, now_s)
        changes.extend(more)
        if more and more[-1].after is Verdict.DEAD:
            died_s = now_s
    assert [change.after for change in changes] == [Verdict.SUSPECT, Verdict.DEAD]
    assert died_s == 106.0


@pytest.mark.parametrize(("troubles", "dead_after_s"), [(0, 2.0), (1, 4.0), (3, 8.0), (9, 8.0)])
def test_who_is_slow_itself_accuses_later(troubles, dead_after_s):
    one = knowing(B)
    for _ in range(troubles):
        one = detector.note_own_trouble(one, 100.0)
    before, _ = let(one, 100.0, 100.0 + dead_after_s - 0.25)
    assert before.members[B].verdict is not Verdict.DEAD or dead_after_s == 8.0
    after, _ = let(one, 100.0, 100.0 + dead_after_s)
    assert after.members[B].verdict is Verdict.DEAD


def test_slowness_lessens_in_calm():
    one = detector.note_own_trouble(detector.note_own_trouble(knowing(), 100.0), 100.0)
    assert let(one, 100.0, 104.9)[0].slowness == 2
    assert let(one, 100.0, 105.0)[0].slowness == 1
    assert let(one, 100.0, 110.0)[0].slowness == 0


def test_who_is_accused_answers_at_once_and_doubts_itself():
    one, _ = detector.beat(knowing(B), REPORT, 100.0)
    assert one.beat_at_s == 100.5
    one, _ = detector.hear(one, heartbeat(B, 11, missed=(Sighting(A, 1, 1, 2.0),)), 100.2)
    assert (one.slowness, one.beat_at_s) == (1, 100.2)
    stale, _ = detector.hear(one, heartbeat(B, 12, missed=(Sighting(A, 0, 1, 2.0),)), 100.3)
    assert stale.slowness == 1


def test_who_has_heard_the_accused_says_so_in_its_next_heartbeat_only():
    one, _ = detector.hear(knowing(B, C), heartbeat(B, 11, missed=(Sighting(C, 1, 8, 2.0),)), 100.2)
    one, sent = detector.beat(one, REPORT, 100.3)
    (sighting,) = sent.seen
    assert (sighting.instance, sighting.incarnation, sighting.number) == (C, 1, 10)
    assert sighting.age_s == pytest.approx(0.3)
    assert detector.beat(one, REPORT, 100.8)[1].seen == ()


@pytest.mark.parametrize(
    ("number", "incarnation"), [(10, 1), (9, 1), (99, 0)], ids=["repeated", "reordered", "earlier incarnation"]
)
def test_an_old_heartbeat_is_no_sign_of_life(number, incarnation):
    one = knowing(B)
    after, changes = detector.hear(one, heartbeat(B, number, incarnation), 100.4)
    assert after.members == one.members
    assert not changes


def test_a_restarted_instance_is_told_as_such():
    _, changes = detector.hear(knowing(B), heartbeat(B, 1, 2), 100.4)
    assert changes == (detector.Change(B, 2, Verdict.ALIVE, Verdict.ALIVE, "it started anew"),)


def test_our_own_heartbeat_coming_back_is_nothing():
    assert detector.hear(knowing(B), heartbeat(A, 99), 100.1)[0].members.keys() == {B}


def test_the_word_of_the_store_goes_above_heartbeats():
    one, changes = detector.store_saw_end(knowing(B), B, 1, 100.1, why="its lease was revoked")
    assert changes == (detector.Change(B, 1, Verdict.ALIVE, Verdict.DEAD, "its lease was revoked"),)
    one, changes = detector.hear(one, heartbeat(B, 99), 100.2)
    assert not changes
    assert detector.store_saw_end(one, B, 1, 100.3, why="again")[1] == ()
    one, changes = detector.hear(one, heartbeat(B, 1, 2), 100.4)
    assert detector.alive(one) == (B,)
    assert detector.store_saw_end(one, B, 1, 100.5, why="late news")[1] == ()
    sighting = (Sighting(B, 1, 500, 0.0),)
    assert detector.hear(one, heartbeat(C, 1, seen=sighting), 100.6)[0].members[B].incarnation == 2


def test_the_dead_are_forgotten_in_the_end():
    one, _ = let(knowing(B), 100.0, 103.0)
    assert let(one, 103.0, 700.0)[0].members.keys() == {B}
    assert not let(one, 103.0, 703.0)[0].members


def test_who_hears_nobody_can_tell():
    assert not detector.hears_nobody(knowing())
    assert not detector.hears_nobody(knowing(B))
    assert detector.hears_nobody(let(knowing(B, C), 100.0, 102.0)[0])


@pytest.mark.parametrize("wrong", [{"suspect_after_s": 0.9}, {"dead_after_s": 1.0}, {"dead_alone_after_s": 1.5}])
def test_settings_that_contradict_each_other_stop_the_start(wrong):
    with pytest.raises(SettingsError):
        DetectorSettings(**wrong)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("bcd"), st.integers(1, 5), st.integers(1, 2), st.floats(0, 3)), max_size=40))
def test_suspicion_always_comes_before_death_and_incarnations_never_fall(steps):
    one, now_s = knowing(), 100.0
    last: dict[str, tuple[Verdict, int]] = {}
    for name, number, incarnation, wait_s in steps:
        now_s += wait_s
        for moved in (detector.tick(one, now_s), None, None):
            if moved is None:
                moved = detector.hear(one, heartbeat(InstanceId(name), number, incarnation), now_s)
            one = moved[0]
            for change in moved[1]:
                before = last.get(change.instance)
                assert (before[0] if before else None) == change.before
                assert before is None or change.incarnation >= before[1]
                assert change.after is not Verdict.DEAD or change.before is Verdict.SUSPECT
                last[change.instance] = (change.after, change.incarnation)
