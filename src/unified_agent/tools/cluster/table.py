"""Pure: how the cluster is, as lines for a person who was woken up."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.server.cluster_ports import ClusterStatus, Decision, InstanceState, InstanceStatus, Verdict
from unified_agent.tools.cluster.advice import Advice, advise, is_live, is_warm, version_of

_HEAD: Final = (" ", "instance", "state", "agents", "links", "store", "heard", "version")
#: Columns that are not simply aligned to the left.
_SIGN, _STATE, _AGENTS = 0, 2, 3
#: Prose is wrapped to this.
_WIDTH: Final = 110
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


class Look(Struct, frozen=True, kw_only=True):
    """How to write for one terminal.

    Attributes:
        good, busy, waiting, odd, bad, none: signs; each state has a shape of its own, so colour is never needed.
        colour: the terminal shows colours.
    """

    good: str = "●"
    busy: str = "◆"
    waiting: str = "○"
    odd: str = "▲"
    bad: str = "■"
    none: str = "–"
    colour: bool = False


#: For terminals that show nothing but ASCII.
ASCII: Final = Look(good="+", busy=">", waiting="o", odd="!", bad="x", none="-")
_COLOURS: Final = {"good": "32", "busy": "36", "waiting": "2", "odd": "33", "bad": "31", "faint": "2", "bold": "1"}


def choose_look(encoding: str | None, *, colour: bool) -> Look:
    """Choose signs that the output can show.

    Args:
        encoding: of the output, None when it is not known.
        colour: it shows colours.
    """
    signs = Look()
    try:
        "".join((signs.good, signs.busy, signs.waiting, signs.odd, signs.bad, signs.none)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return replace(ASCII, colour=colour)
    return replace(signs, colour=colour)


def write_status(status: ClusterStatus, look: Look, *, asked: str) -> list[str]:
    """Write all that there is to know, in lines.

    Args:
        status: what an instance told.
        look: for the terminal.
        asked: URL of that instance.
    """
    advice = advise(status)
    lines = [_title(status, look, asked, advice), ""]
    lines += [f"  {each}" for each in _datacentres(status, look)]
    lines += ["", *_table(status, look), ""]
    lines += [f"  {each}" for each in _below(status, look)]
    if advice:
        lines += ["", f"  {_paint(look, 'bold', 'To look at')}"]
        for number, each in enumerate(advice, 1):
            sign = _sign(look, "odd" if each.is_urgent else "waiting")
            says, do = _wrapped(f"{number}. {each.says}."), _wrapped(each.do)
            lines += [f"  {sign} {says[0]}", *(f"       {line}" for line in says[1:])]
            lines += [f"       {_paint(look, 'faint', line)}" for line in do]
    return lines


def age(seconds: float) -> str:
    """Write how long ago something was, as roughly as a person would say it."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.0f} h"
    return f"{seconds / _DAY_S:.0f} days"


def state_of(instance: InstanceStatus, active: str) -> tuple[str, str]:
    """Say in a word or two what an instance does, with the name of its sign in ``Look``.

    Args:
        instance: as told.
        active: the active datacentre; empty for none.
    """
    if instance.state is InstanceState.DOWN or instance.verdict is Verdict.DEAD:
        return "down", "bad"
    if instance.verdict is Verdict.SUSPECT:
        return "not heard", "odd"
    if active and is_warm(instance, active):
        return "warm", "waiting"
    return _STATES[instance.state]


_STATES: Final = {
    InstanceState.READY: ("ready", "good"),
    InstanceState.DRAINING: ("draining", "busy"),
    InstanceState.JOINING: ("joining", "waiting"),
    InstanceState.FENCED: ("stepped down", "bad"),
    InstanceState.DOWN: ("down", "bad"),
}


def _title(status: ClusterStatus, look: Look, asked: str, advice: Sequence[Advice]) -> str:
    urgent = sum(each.is_urgent for each in advice)
    if urgent:
        verdict = _paint(look, "bad", f"{urgent} {'thing needs' if urgent == 1 else 'things need'} you")
    else:
        verdict = _paint(look, "good", "all well")
    me = next((each.id for each in status.instances if each.is_me), "an instance")
    name = _paint(look, "bold", status.cluster)
    return f"{name}, as {me} sees it at {_time(status.now)} UTC  {_paint(look, 'faint', asked)}  {verdict}"


def _datacentres(status: ClusterStatus, look: Look) -> Iterator[str]:
    names = status.datacentres or tuple(dict.fromkeys(each.datacentre for each in status.instances))
    width = max(map(len, names), default=0)
    for name in names:
        sign, words = _datacentre(status, name)
        yield f"{name:<{width}}  {_sign(look, sign)} {words}"


def _datacentre(status: ClusterStatus, name: str) -> tuple[str, str]:
    living = sum(each.datacentre == name and is_live(each) for each in status.instances)
    if name == status.handed_to:
        return "busy", f"is taking over (epoch {status.epoch})"
    if status.handed_to:
        return "busy", f"stands down for {status.handed_to} (epoch {status.epoch})"
    if name == status.active:
        if not status.epoch:
            return "good", "this instance is alone"
        since = _since(status.active_since, status.now)
        why = f": {status.active_reason}" if status.active_reason else ""
        if not living:
            return "bad", f"active{since}, epoch {status.epoch}, and no instance lives there"
        return "good", f"active{since}, epoch {status.epoch}{why}"
    if not living:
        return "bad", "passive, and no instance lives there"
    if status.datacentre == name and status.activation.decision is Decision.PREPARE:
        return "busy", f"prepares to take over: {status.activation.reason}"
    alone = "" if status.has_witness else "; without a witness only a person makes it active"
    return "waiting", f"passive, {living} {'instance is' if living == 1 else 'instances are'} warm{alone}"


def _table(status: ClusterStatus, look: Look) -> Iterator[str]:
    newest = max((version_of(each.version) for each in status.instances if is_live(each)), default=())
    names = (*status.datacentres, *sorted({each.datacentre for each in status.instances} - {*status.datacentres}))
    groups = [(name, [each for each in status.instances if each.datacentre == name]) for name in names]
    rows = {each.id: _row(each, look, newest, status.active) for _, group in groups for each in group}
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows.values(), strict=True)]
    yield f"  {_paint(look, 'faint', _join(_aligned(_HEAD, widths)))}"
    for name, group in groups:
        if len(groups) > 1:
            yield f"  {_paint(look, 'faint', name)}"
        for each in sorted(group, key=lambda one: one.id):
            _, sign = state_of(each, status.active)
            cells = _aligned(rows[each.id], widths)
            cells[_SIGN], cells[_STATE] = _sign(look, sign), _paint(look, sign, cells[_STATE])
            yield f"  {_join(cells)}"
            if each.drain is not None:
                yield f"      {_paint(look, 'faint', write_drain(each))}"


def _row(instance: InstanceStatus, look: Look, newest: tuple[int, ...], active: str) -> tuple[str, ...]:
    words, _ = state_of(instance, active)
    live = is_live(instance)
    links = "all up" if not instance.links_down else f"{', '.join(instance.links_down)} down"
    heard = "this one" if instance.is_me else look.none if instance.heard_s is None else age(instance.heard_s)
    older = " (older)" if live and version_of(instance.version) < newest else ""
    return (
        " ",
        instance.id,
        words,
        f"{instance.sessions:,} / {instance.capacity:,}" if live else look.none,
        links if live else look.none,
        ("yes" if instance.has_store else "NO") if live else look.none,
        heard,
        f"{instance.version}{older}",
    )


def write_drain(instance: InstanceStatus) -> str:
    """Say how far the drain of an instance is."""
    drain = instance.drain
    assert drain is not None, "asked only of one that drains"
    waiting = f", {drain.waiting_for_items:,} of them with a dialler's record open" if drain.waiting_for_items else ""
    return f"{drain.left:,} left{waiting}; {drain.moved:,} moved"


def _below(status: ClusterStatus, look: Look) -> Iterator[str]:
    store = status.store
    alone = not status.epoch and not store.up and store.heard_s is None
    heard = "" if store.heard_s is None else f", heard {age(store.heard_s)} ago"
    sign = "waiting" if alone else "good" if store.up else "bad"
    word = "none" if alone else "up" if store.up else "NOT REACHED"
    yield f"store     {_sign(look, sign)} {word}{heard}: {store.said}"
    yield f"{status.datacentre:<9} {_decided(status, look)}"
    if status.keys.current:
        others = [each for each in status.keys.known if each != status.keys.current]
        opens = f"; {', '.join(others)} {'opens' if len(others) == 1 else 'open'} what is older" if others else ""
        yield f"keys      {status.keys.current} seals{opens}"


def _decided(status: ClusterStatus, look: Look) -> str:
    signs = {Decision.SERVE: "good", Decision.PREPARE: "busy", Decision.STAY: "waiting"}
    words = {Decision.SERVE: "serves", Decision.PREPARE: "prepares", Decision.STAY: "stays passive"}
    decision = status.activation.decision
    return f"{_sign(look, signs[decision])} {words[decision]}: {status.activation.reason}"


def _aligned(cells: Iterable[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column == _AGENTS else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _join(cells: Sequence[str]) -> str:
    return f"{cells[_SIGN]} {'  '.join(cells[_SIGN + 1 :])}".rstrip()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _sign(look: Look, name: str) -> str:
    sign: str = getattr(look, name)
    return _paint(look, name, sign)


def _paint(look: Look, name: str, text: str) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if look.colour and text else text


def _time(at: str) -> str:
    """Take the time of day out of RFC 3339."""
    moment = _moment(at)
    return at if moment is None else moment.strftime("%H:%M:%S")


def _since(since: str, now: str) -> str:
    begun, present = _moment(since), _moment(now)
    if begun is None or present is None:
        return ""
    when = begun.strftime("%H:%M" if begun.date() == present.date() else "%Y-%m-%d %H:%M")
    return f" since {when} UTC ({age((present - begun).total_seconds())})"


def _moment(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        return None
