"""Pure: what is not as it should be in a cluster, and what a person does about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from unified_agent.server.cluster_ports import ClusterStatus, Decision, InstanceState, InstanceStatus, Verdict

#: Above this share of its capacity a cluster is called nearly full.
NEARLY_FULL: Final = 0.9
_NUMBER: Final = re.compile(r"\d+")
_LIVE: Final = frozenset({InstanceState.READY, InstanceState.DRAINING, InstanceState.JOINING, InstanceState.FENCED})


class Advice(Struct, frozen=True):
    """One thing to look at.

    Attributes:
        says: what is so.
        do: what to do about it.
        is_urgent: agents feel it, or would at the next fault.
    """

    says: str
    do: str
    is_urgent: bool = True


def advise(status: ClusterStatus) -> tuple[Advice, ...]:
    """Say what is not as it should be, the most urgent first; nothing when all is well."""
    if not status.epoch and len(status.instances) == 1 and not status.instances[0].incarnation:
        return ()  # one that is alone: no cluster, so nothing of it is wrong
    found = (
        *_activation(status),
        *_store(status),
        *_instances(status),
        *_links(status),
        *_room(status),
        *_versions(status),
        *_drains(status),
    )
    return tuple(sorted(found, key=lambda each: not each.is_urgent))


def is_live(instance: InstanceStatus) -> bool:
    """Say whether an instance runs, as far as anybody can tell."""
    return instance.state in _LIVE and instance.verdict is not Verdict.DEAD


def is_warm(instance: InstanceStatus, active: str) -> bool:
    """Say whether an instance lives, and waits only because its datacentre is not the active one."""
    return instance.datacentre != active and instance.state is InstanceState.JOINING and is_live(instance)


def serving_still(status: ClusterStatus) -> list[str]:
    """Name the instances that have agents although another datacentre is to have them."""
    return sorted(
        each.id for each in status.instances if each.datacentre != status.handed_to and each.sessions and is_live(each)
    )


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, to be compared."""
    return tuple(int(number) for number in _NUMBER.findall(text))


def _activation(status: ClusterStatus) -> Iterator[Advice]:
    here = [each for each in status.instances if each.datacentre == status.active and is_live(each)]
    if status.handed_to:
        serving = serving_still(status)
        waits = f"; {_list(serving)} still {_verb(serving, 'has', 'have')} agents" if serving else ""
        yield Advice(
            f"{status.handed_to} is taking over: nobody is served meanwhile{waits}",
            "It takes seconds. An instance that does not answer no longer counts once its lease has ended.",
        )
    elif not status.active:
        yield Advice(
            f"No datacentre is active, so nobody is served: {status.activation.reason}",
            f"If that does not change by itself: {activate_line(status)}",
        )
    elif not here:
        says = f"{status.active} is active and has no live instance, so nobody is served"
        if status.has_witness and len(status.datacentres) > 1:
            yield Advice(
                f"{says}; {_other(status)} takes over by itself when the delay of its settings is over",
                f"If it does not, its store has no quorum or something hinders it: {activate_line(status)}",
            )
        else:
            yield Advice(says, f"Start an instance there. If the whole datacentre is lost: {activate_line(status)}")
    elif status.activation.decision is Decision.STAY and status.datacentre == status.active:
        yield Advice(
            f"{_me(status)} is in the active datacentre and does not serve: {status.activation.reason}",
            "See what it says of the store below; its own log says when that began.",
        )


def _store(status: ClusterStatus) -> Iterator[Advice]:
    without: list[str] = [each.id for each in status.instances if is_live(each) and not each.has_store]
    if status.store.up and not without:
        return
    live = [each.id for each in status.instances if is_live(each)]
    if len(without) == len(live) or (not without and not status.store.up):
        yield Advice(
            f"No instance reaches the store ({status.store.said}). Agents are served on while all of them say so",
            "See its members: 'systemctl status etcd' and 'etcdctl endpoint health' on each. Restart no instance "
            "before it is back: one that starts without the store serves nobody.",
        )
    else:
        without = without or [_me(status)]
        yield Advice(
            f"{_list(without)} {_verb(without, 'does', 'do')} not reach the store, and others do: its agents go there",
            "See the network between that machine and the store, and the certificate (the log says which).",
        )


def _instances(status: ClusterStatus) -> Iterator[Advice]:
    for each in status.instances:
        where = f"{each.id} ({each.datacentre})"
        why = f": {each.verdict_reason}" if each.verdict_reason else ""
        if each.state is InstanceState.DOWN or each.verdict is Verdict.DEAD:
            yield Advice(
                f"{where} is down{why}",
                "On its machine: 'systemctl status unified-agent', 'journalctl -u unified-agent -n 50'. Its agents "
                "are taken over by the others.",
            )
        elif each.verdict is Verdict.SUSPECT:
            yield Advice(
                f"{where} is not heard{why}",
                "Wait some seconds: either it is heard again, or it is called dead and its agents are taken over.",
            )
        elif each.state is InstanceState.FENCED:
            yield Advice(
                f"{where} has stepped down: it could not renew its lease, and serves nobody{why}",
                "See whether its machine reaches the store. It joins again by itself once it does.",
            )
        elif is_live(each) and each.epoch < status.epoch:
            yield Advice(
                f"{where} still knows epoch {each.epoch}, and {status.epoch} is in force",
                "It learns of it by its watch of the store within seconds; if not, see whether it reaches the store.",
            )


def _links(status: ClusterStatus) -> Iterator[Advice]:
    should = [each for each in status.instances if is_live(each) and each.datacentre == status.active]
    for link in sorted({link for each in should for link in each.links_down}):
        lacking = [each.id for each in should if link in each.links_down]
        if len(lacking) == len(should):
            yield Advice(
                f"The link to {link} is down at every instance of {status.active}",
                f"Look at {link} itself; moving agents helps nobody.",
            )
        else:
            yield Advice(
                f"The link to {link} is down at {_list(lacking)} and up at others",
                f"See the network between there and {link}. Meanwhile agents can be moved: "
                f"unified-agent cluster drain {lacking[0]}",
            )


def _room(status: ClusterStatus) -> Iterator[Advice]:
    taking = [
        each
        for each in status.instances
        if each.datacentre == status.active and each.state is InstanceState.READY and each.verdict is Verdict.ALIVE
    ]
    if not taking:
        return
    agents = sum(each.sessions for each in taking)
    room = sum(each.capacity for each in taking)
    left = room - max(each.capacity for each in taking)
    if len(taking) == 1:
        yield Advice(
            f"{taking[0].id} is the only one that takes agents in {status.active}: if it is lost, all wait for it",
            "Start another instance there, or end a drain: unified-agent cluster resume NAME.",
        )
    elif agents > room * NEARLY_FULL:
        yield Advice(
            f"{status.active} is nearly full: {agents:,} of {room:,} agents",
            "Add an instance, or raise sessions.capacity.",
        )
    elif agents > left:
        yield Advice(
            f"If one instance of {status.active} is lost, {agents - left:,} of its agents find no room",
            "Add an instance, or raise sessions.capacity.",
            is_urgent=False,
        )


def _versions(status: ClusterStatus) -> Iterator[Advice]:
    by_version: dict[str, list[str]] = {}
    for each in status.instances:
        if is_live(each):
            by_version.setdefault(each.version, []).append(each.id)
    if len(by_version) > 1:
        ordered = sorted(by_version.items(), key=lambda item: version_of(item[0]))
        says = "; ".join(f"{_list(sorted(names))} on {version}" for version, names in ordered)
        yield Advice(
            f"Versions differ: {says}",
            "Right during an upgrade. Otherwise finish it: drain, upgrade and start the older ones, one by one.",
            is_urgent=False,
        )


def _drains(status: ClusterStatus) -> Iterator[Advice]:
    for each in status.instances:
        if each.drain is not None and each.state is InstanceState.DRAINING and not each.drain.left:
            yield Advice(
                f"{each.id} is drained and has no agents any more",
                f"Stop or upgrade it now; or have it take agents again: unified-agent cluster resume {each.id}",
                is_urgent=False,
            )


def activate_line(status: ClusterStatus) -> str:
    """Write the command by which a person would make the answering side active."""
    return f"unified-agent cluster activate {_other(status)} --dry-run"


def _other(status: ClusterStatus) -> str:
    """Name the datacentre to turn to: one that is not active and has live instances, else another, else our own."""
    others = [each for each in status.datacentres if each != status.active]
    living = [each for each in others if any(one.datacentre == each and is_live(one) for one in status.instances)]
    return next(iter((*living, *others)), status.datacentre)


def _me(status: ClusterStatus) -> str:
    return next((str(each.id) for each in status.instances if each.is_me), "the instance asked")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _verb(names: Sequence[str], of_one: str, of_many: str) -> str:
    return of_one if len(names) == 1 else of_many
