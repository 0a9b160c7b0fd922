"""Pure: heartbeats in, each instance alive, suspect or dead out.

Three things keep the verdict honest:

- **Suspect before dead.** Silence first makes an instance suspect. It is called dead early only when others miss it
  too; missed by one alone, it has longer, because then the fault is as likely on the way between the two.
- **Others are heard for it.** An accusation travels in the accuser's next heartbeat. Whoever has heard the accused
  answers in its own with a sighting, and a cut between two instances stays without consequence.
- **The slow accuse less.** An instance that runs late, has trouble with its own renewals, or is accused itself while
  it lives, stretches its limits for others. Time in which it did not run at all is counted as nobody's silence.

What the store says goes above all this: a lease that ended is dead at once, an incarnation that it never saw dead
again is refused. And a verdict from here only guides where desktops and questions are sent: who may claim what is
decided in ``ownership`` and ``activation`` by the store's word, never by silence alone.

Figures (``DetectorSettings``): a killed instance is dead in the view of all others within
``beat_interval_s + dead_after_s + beat_interval_s`` = 3 s at worst, and typically in 2 to 2.5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.cluster.heartbeats import Heartbeat, Report, Sighting
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError


class Verdict(StrEnum):
    """What we think of another instance."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


class DetectorSettings(Struct, frozen=True, kw_only=True):
    """How soon silence counts.

    Attributes:
        beat_interval_s: between heartbeats. Each instance sends (n - 1) of them an interval.
        suspect_after_s: without a sign for this long an instance is suspect. At least twice the interval, so that
            one lost heartbeat is forgiven.
        dead_after_s: and dead after this long, when enough others miss it too. With two intervals on top it is the
            longest time until all know: 3 s with the values here.
        dead_alone_after_s: dead after this long when nobody confirms.
        confirmations: others who must miss it for the early verdict; fewer when there are not so many others.
        slowness_limit: most that our own slowness may add: limits are multiplied by 1 to 1 + this.
        late_s: woken this much later than asked, we count ourselves slow.
        calm_s: after this long without a sign of our own slowness it lessens by one.
        forget_after_s: a dead instance is forgotten after this long.
    """

    beat_interval_s: float = 0.5
    suspect_after_s: float = 1.25
    dead_after_s: float = 2.0
    dead_alone_after_s: float = 6.0
    confirmations: int = 2
    slowness_limit: int = 3
    late_s: float = 0.25
    calm_s: float = 5.0
    forget_after_s: float = 600.0

    def __post_init__(self) -> None:
        if self.suspect_after_s < 2 * self.beat_interval_s:
            raise SettingsError("suspect_after_s must be at least twice beat_interval_s")
        if not self.suspect_after_s < self.dead_after_s <= self.dead_alone_after_s:
            raise SettingsError("suspect_after_s < dead_after_s <= dead_alone_after_s must hold")


class Member(Struct, frozen=True, kw_only=True):
    """What we know of another instance.

    Attributes:
        heard_s: when its last sign of life came, ours or somebody's sighting of it.
        number: of its last heartbeat known.
        accusers: who misses it as well, each with the heartbeat number last heard by them.
        since_s: when the verdict was reached.
    """

    instance: InstanceId
    datacentre: str
    incarnation: int
    number: int
    heard_s: float
    report: Report
    verdict: Verdict = Verdict.ALIVE
    since_s: float = 0.0
    accusers: Mapping[InstanceId, int] = MappingProxyType({})


class Change(Struct, frozen=True):
    """A verdict that changed, and why, in a sentence for the health page."""

    instance: InstanceId
    incarnation: int
    before: Verdict | None
    after: Verdict
    reason: str


class Detector(Struct, frozen=True, kw_only=True):
    """Everything one instance knows about the others.

    Attributes:
        ran_s: when it last ran; silence while it did not run counts for nobody.
        slowness: 0 is well; limits for others are multiplied by 1 + this.
        slow_s: when slowness last changed.
        number: of our last heartbeat.
        answers: instances that others miss and we have heard: told in our next heartbeat.
        beat_at_s: when our next heartbeat is due.
        ended: highest incarnation of each instance that the store saw end.
    """

    me: InstanceId
    datacentre: str
    incarnation: int
    ran_s: float
    settings: DetectorSettings = DetectorSettings()
    members: Mapping[InstanceId, Member] = MappingProxyType({})
    slowness: int = 0
    slow_s: float = 0.0
    number: int = 0
    answers: Mapping[InstanceId, int] = MappingProxyType({})
    beat_at_s: float = 0.0
    ended: Mapping[InstanceId, int] = MappingProxyType({})


Moved = tuple[Detector, tuple[Change, ...]]

_NONE: Final[tuple[Change, ...]] = ()


def start(me: InstanceId, datacentre: str, incarnation: int, now_s: float, settings: DetectorSettings) -> Detector:
    """Return the detector of an instance that has just registered; its first heartbeat is due now."""
    return Detector(
        me=me, datacentre=datacentre, incarnation=incarnation, ran_s=now_s, slow_s=now_s, beat_at_s=now_s,
        settings=settings,
    )  # fmt: skip


def begin_anew(detector: Detector, incarnation: int, now_s: float) -> Detector:
    """Go on under a new registration: what is known of the others stays, our own heartbeats count from 1 again."""
    return replace(detector, incarnation=incarnation, number=0, answers={}, beat_at_s=now_s)


def hear(detector: Detector, beat: Heartbeat, now_s: float) -> Moved:
    """Take in one heartbeat of another instance.

    Args:
        detector: what we know.
        beat: as received; late, repeated and reordered ones may come and do no harm.
        now_s: monotonic seconds.

    Returns:
        The new knowledge, and each verdict that it changed. A heartbeat of an earlier incarnation, of one that the
        store saw end, or of ourselves changes nothing.
    """
    detector = _account_for_pause(detector, now_s)
    known = detector.members.get(beat.instance)
    if beat.instance == detector.me or beat.incarnation <= detector.ended.get(beat.instance, -1):
        return detector, _NONE
    if known is not None and (beat.incarnation, beat.number) <= (known.incarnation, known.number):
        return detector, _NONE
    restarted = known is not None and beat.incarnation > known.incarnation
    before = known.verdict if known is not None else None
    fresh = Member(
        instance=beat.instance,
        datacentre=beat.datacentre,
        incarnation=beat.incarnation,
        number=beat.number,
        heard_s=now_s,
        report=beat.report,
        since_s=known.since_s if known is not None and before is Verdict.ALIVE and not restarted else now_s,
    )
    changes = _NONE
    if before is not Verdict.ALIVE or restarted:
        reason = "it started anew" if restarted else "it is heard again" if known is not None else "it joined"
        changes = (Change(beat.instance, beat.incarnation, before, Verdict.ALIVE, reason),)
    detector = replace(detector, members={**detector.members, beat.instance: fresh})
    detector = _take_accusations(detector, beat, now_s)
    detector, seen = _take_sightings(detector, beat.seen, now_s)
    return detector, (*changes, *seen)


def tick(detector: Detector, now_s: float) -> Moved:
    """Let time pass: silence becomes suspicion, suspicion death; our own slowness lessens; the dead are forgotten."""
    settings = detector.settings
    detector = _account_for_pause(detector, now_s)
    if detector.slowness and now_s - detector.slow_s >= settings.calm_s:
        detector = replace(detector, slowness=detector.slowness - 1, slow_s=now_s)
    members = dict(detector.members)
    changes: list[Change] = []
    for member in detector.members.values():
        silent_s = now_s - member.heard_s
        verdict = _judge(detector, member, silent_s)
        if verdict is not member.verdict:
            members[member.instance] = replace(member, verdict=verdict, since_s=now_s)
            reason = f"silent for {silent_s:.1f} s" + (
                f", missed by {len(member.accusers)} more" * bool(member.accusers)
            )
            changes.append(Change(member.instance, member.incarnation, member.verdict, verdict, reason))
        elif verdict is Verdict.DEAD and now_s - member.since_s >= settings.forget_after_s:
            del members[member.instance]
    return replace(detector, members=members), tuple(changes)


def next_timer_s(detector: Detector) -> float:
    """Return when ``tick`` and ``beat`` want to be called next; a heartbeat is the slowest clock here."""
    settings = detector.settings
    due_s = [detector.beat_at_s]
    for member in detector.members.values():
        if member.verdict is Verdict.ALIVE:
            due_s.append(member.heard_s + settings.suspect_after_s * (1 + detector.slowness))
        elif member.verdict is Verdict.SUSPECT:
            due_s.append(member.heard_s + _dead_limit_s(detector, member))
    return max(detector.ran_s, min(due_s))


def beat(detector: Detector, report: Report, now_s: float) -> tuple[Detector, Heartbeat]:
    """Make our next heartbeat, with whom we miss and whom we have seen that others miss."""
    missed = tuple(
        _sighting(member, now_s) for member in detector.members.values() if member.verdict is Verdict.SUSPECT
    )
    seen = tuple(
        _sighting(member, now_s)
        for member in detector.members.values()
        if member.number > detector.answers.get(member.instance, member.number)
    )
    number = detector.number + 1
    sent = Heartbeat(
        instance=detector.me, datacentre=detector.datacentre, incarnation=detector.incarnation, number=number,
        report=report, missed=missed, seen=seen,
    )  # fmt: skip
    due_s = now_s + detector.settings.beat_interval_s
    return replace(detector, number=number, answers={}, beat_at_s=due_s), sent


def store_saw_end(detector: Detector, instance: InstanceId, incarnation: int, now_s: float, *, why: str) -> Moved:
    """Take the store's word that an incarnation has ended: its lease ran out, or was revoked. Dead at once."""
    ended = max(incarnation, detector.ended.get(instance, -1))
    detector = replace(detector, ended={**detector.ended, instance: ended})
    member = detector.members.get(instance)
    if member is None or member.incarnation > incarnation or member.verdict is Verdict.DEAD:
        return detector, _NONE
    dead = replace(member, verdict=Verdict.DEAD, since_s=now_s)
    detector = replace(detector, members={**detector.members, instance: dead})
    return detector, (Change(instance, member.incarnation, member.verdict, Verdict.DEAD, why),)


def note_own_trouble(detector: Detector, now_s: float) -> Detector:
    """Count a sign that we are slow ourselves: a renewal that failed or took its whole limit, a late timer."""
    slowness = min(detector.slowness + 1, detector.settings.slowness_limit)
    return replace(detector, slowness=slowness, slow_s=now_s)


def alive(detector: Detector) -> tuple[InstanceId, ...]:
    """Return the instances called alive, in order of name."""
    return tuple(sorted(each.instance for each in detector.members.values() if each.verdict is Verdict.ALIVE))


def hears_nobody(detector: Detector) -> bool:
    """Say whether every other instance is silent: then it is as likely that we are the one cut off."""
    return bool(detector.members) and not alive(detector)


def _account_for_pause(detector: Detector, now_s: float) -> Detector:
    """Move everybody's last sign on by the time in which we did not run, and count ourselves slow."""
    due_s = detector.ran_s + detector.settings.beat_interval_s
    late_s = now_s - due_s
    detector = replace(detector, ran_s=max(now_s, detector.ran_s))
    if late_s <= detector.settings.late_s:
        return detector
    members = {
        name: replace(each, heard_s=each.heard_s + late_s) if each.verdict is not Verdict.DEAD else each
        for name, each in detector.members.items()
    }
    return note_own_trouble(replace(detector, members=members), now_s)


def _take_accusations(detector: Detector, beat: Heartbeat, now_s: float) -> Detector:
    """Note whom the sender misses, and whom it misses no longer; hear of it when it misses us."""
    missed = {each.instance: each for each in beat.missed}
    members = dict(detector.members)
    answers = dict(detector.answers)
    for name, member in detector.members.items():
        accusation = missed.get(name)
        if accusation is not None and accusation.incarnation == member.incarnation:
            if member.number > accusation.number:
                answers[name] = min(answers.get(name, accusation.number), accusation.number)
            else:
                members[name] = replace(member, accusers={**member.accusers, beat.instance: accusation.number})
        elif beat.instance in member.accusers:
            others = {who: number for who, number in member.accusers.items() if who != beat.instance}
            members[name] = replace(member, accusers=others)
    detector = replace(detector, members=members, answers=answers)
    ours = missed.get(detector.me)
    if ours is not None and ours.incarnation == detector.incarnation and ours.number <= detector.number:
        detector = replace(note_own_trouble(detector, now_s), beat_at_s=min(detector.beat_at_s, now_s))
    return detector


def _take_sightings(detector: Detector, seen: tuple[Sighting, ...], now_s: float) -> Moved:
    """Believe others who heard an instance later than we did."""
    members = dict(detector.members)
    changes: list[Change] = []
    for sighting in seen:
        member = members.get(sighting.instance)
        if member is None or member.incarnation != sighting.incarnation or sighting.number <= member.number:
            continue
        if sighting.incarnation <= detector.ended.get(sighting.instance, -1):
            continue
        heard_s = max(member.heard_s, now_s - max(0.0, sighting.age_s))
        back = replace(member, number=sighting.number, heard_s=heard_s, accusers={})
        if _judge(detector, replace(back, verdict=Verdict.ALIVE), now_s - heard_s) is Verdict.ALIVE:
            if member.verdict is not Verdict.ALIVE:
                reason = "another instance hears it"
                changes.append(Change(member.instance, member.incarnation, member.verdict, Verdict.ALIVE, reason))
                back = replace(back, verdict=Verdict.ALIVE, since_s=now_s)
            members[member.instance] = back
        elif member.verdict is not Verdict.DEAD:
            members[member.instance] = back
    return replace(detector, members=members), tuple(changes)


def _judge(detector: Detector, member: Member, silent_s: float) -> Verdict:
    """Give the verdict on a silence. Only a sign of life brings anybody back; suspicion comes before death."""
    if member.verdict is Verdict.DEAD:
        return Verdict.DEAD
    if silent_s < detector.settings.suspect_after_s * (1 + detector.slowness):
        return member.verdict
    if member.verdict is Verdict.SUSPECT and silent_s >= _dead_limit_s(detector, member):
        return Verdict.DEAD
    return Verdict.SUSPECT


def _dead_limit_s(detector: Detector, member: Member) -> float:
    """Return the silence that means death: the early limit when enough of those who could confirm do."""
    voices = {
        each.instance for each in detector.members.values() if each.verdict is Verdict.ALIVE and each is not member
    }
    needed = min(detector.settings.confirmations, len(voices))
    confirmed = len(voices & member.accusers.keys())
    limit_s = detector.settings.dead_after_s if confirmed >= needed else detector.settings.dead_alone_after_s
    return limit_s * (1 + detector.slowness)


def _sighting(member: Member, now_s: float) -> Sighting:
    return Sighting(member.instance, member.incarnation, member.number, max(0.0, now_s - member.heard_s))
