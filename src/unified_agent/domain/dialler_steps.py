"""The dialler's side of a session: logon, reports about job, headset and item, the way out.

What is asked of the dialler on the session's own account is decided in ``dialler_steering``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from unified_agent.domain.effects import (
    CountUnexpected,
    DropDialler,
    LogOffDialler,
    LogOnDialler,
    RestartOutbox,
)
from unified_agent.domain.facts import (
    DiallerDown,
    DiallerLoggedOff,
    DiallerLoggedOn,
    DiallerLost,
    DiallerStepped,
    DiallerUp,
    Fact,
    FieldsRead,
    HeadsetBroke,
    HeadsetConnected,
    ItemArrived,
    ItemDialled,
    ItemFinished,
    JobEnding,
    JobJoined,
    JobLeft,
    JobsListed,
    LineGone,
    LineHeld,
    LineRetrieved,
    MessageReceived,
    ReadyForItem,
)
from unified_agent.domain.job import DiallerState, RecordField, WorkItem
from unified_agent.domain.move import Move, on_the_way_back
from unified_agent.domain.session_state import OpenRequest, Outcome
from unified_agent.domain.states import (
    DiallerStage,
    HeadsetState,
    ItemStage,
    Side,
)

_IN_JOB: Final = frozenset({DiallerStage.JOINED, DiallerStage.READY, DiallerStage.WORKING, DiallerStage.LEAVING})

# --- the link


def dialler_up(move: Move, fact: DiallerUp) -> None:
    """A dialler answers again: who waits for one need not wait longer."""
    del fact
    if move.state.dialler.stage is DiallerStage.WAITING and not move.state.dialler_queued:
        move.set(dialler_retry_at_s=None)


def dialler_down(move: Move, fact: DiallerDown) -> None:
    """A whole dialler is out of service."""
    if move.state.dialler.dialler == fact.link and move.dialler_is_reached:
        reset(move, fact.reason)


def lost(move: Move, fact: DiallerLost) -> None:
    """This agent's connection is gone: the dialler's half of the desktop is reset, and the way back begun."""
    if move.dialler_is_reached and move.state.dialler.stage is not DiallerStage.LOGGING_OFF:
        reset(move, fact.reason)
    elif move.state.dialler.stage is DiallerStage.LOGGING_OFF:
        _off(move)


def reset(move: Move, reason: str) -> None:
    """Begin the way back. The dialler has closed the record that was open; it stays on the desktop, to be read."""
    state = move.state
    move.lose_requests(Side.DIALLER, reason)
    was_in = state.dialler_proved
    move.set(
        item=None,
        left_item=state.item or state.left_item,
        dialler_lost_s=(state.dialler_lost_s or move.now_s) if was_in else None,
        dialler_queued=False,
        dialler_turn_at_s=None,
        dialler_retry_at_s=None,
    )
    move.set_dialler(
        stage=DiallerStage.WAITING,
        step="",
        dialler=None,
        headset=HeadsetState.NONE,
        jobs=(),
        job=None,
        keys=(),
        known=False,
        trouble=reason,
        detail="",
    )
    move.effects.append(RestartOutbox(session=state.id, reason="dialler-lost"))


# --- the way in


def turn_given(move: Move) -> None:
    """Begin: connect and log on."""
    move.set(dialler_queued=False, dialler_turn_at_s=None)
    login = move.state.identity.dialler
    if move.may_act and move.state.dialler.stage is DiallerStage.WAITING and login is not None:
        trouble = on_the_way_back(move.state.dialler.trouble)
        move.set_dialler(stage=DiallerStage.LOGGING_ON, step="connecting", trouble=trouble, detail="")
        after_loss = move.state.dialler_lost_s is not None
        move.ask_dialler(
            LogOnDialler(name=login.name, password=login.password, headset=login.headset, after_loss=after_loss)
        )


def stepped(move: Move, fact: DiallerStepped) -> None:
    """A logon or joining went a step further."""
    if move.state.dialler.stage in {DiallerStage.LOGGING_ON, DiallerStage.JOINING}:
        headset = HeadsetState.CONNECTING if fact.step == "ringing-headset" else move.state.dialler.headset
        move.set_dialler(step=fact.step, dialler=fact.dialler, headset=headset)


def logged_on(move: Move, fact: DiallerLoggedOn) -> None:
    """Logged on; the wanted job, if any, is joined by ``steer``."""
    move.close_request(fact.request)
    if move.state.dialler.stage is not DiallerStage.LOGGING_ON:
        return
    long_outage = (
        move.state.dialler_lost_s is not None and move.now_s - move.state.dialler_lost_s >= move.state.policy.hold_s
    )
    move.set(dialler_lost_s=None, dialler_proved=True, dialler_retry_at_s=None)
    move.set_dialler(
        stage=DiallerStage.LOGGED_ON,
        step="",
        dialler=fact.dialler,
        headset=HeadsetState.CONNECTED,
        jobs=fact.jobs,
        known=True,
        take_items=move.state.dialler.take_items and not long_outage,
        trouble="",
        detail="",
    )


def joined(move: Move, fact: JobJoined) -> None:
    """Attached and available, not ready."""
    request = move.close_request(fact.request)
    if request is not None and request.command is not None:
        move.settle(request.command, Outcome.DONE)
    if move.state.dialler.stage is DiallerStage.JOINING:
        move.set_dialler(
            stage=DiallerStage.JOINED, step="", job=fact.job, keys=fact.keys, known=True, trouble="", detail=""
        )


def request_done(move: Move, request: OpenRequest) -> None:
    """Go on after an answered request of ours. What it brought about comes as a fact of its own."""
    if request.what == "reconnect-headset":
        move.set_dialler(headset=HeadsetState.CONNECTED)
    elif request.what == "take-items" and move.state.dialler.stage is DiallerStage.JOINED:
        move.set_dialler(stage=DiallerStage.READY, trouble="", detail="")


def request_failed(move: Move, request: OpenRequest, error: str, detail: str, *, fatal: bool) -> None:
    """Deal with a refused or unanswered request.

    Before the first logon succeeded a fatal refusal ends the session; later it stays with the telephone alone and
    says so. What is not fatal is tried again after a while or when a dialler is back.
    """
    state = move.state
    match request.what:
        case "log-on-dialler" if state.dialler.stage is DiallerStage.LOGGING_ON:
            stage = DiallerStage.REFUSED if fatal else DiallerStage.WAITING
            move.set_dialler(
                stage=stage, step="", dialler=None, headset=HeadsetState.NONE, trouble=error, detail=detail
            )
            move.set(dialler_retry_at_s=None if fatal else move.now_s + state.policy.retry_refused_s)
            if fatal and not state.dialler_proved and not state.log_out:
                move.set(log_out=error, log_out_now=not state.calls, close_detail=detail)
        case "join-job" if state.dialler.stage is DiallerStage.JOINING:
            move.set_dialler(
                stage=DiallerStage.LOGGED_ON,
                step="",
                wanted_job=None,
                take_items=False,
                trouble=error,
                detail=detail,
            )
        case "take-items":
            move.set_dialler(take_items=False, trouble=error, detail=detail)
        case "leave-job" if state.dialler.stage is DiallerStage.LEAVING:
            move.set_dialler(stage=DiallerStage.JOINED if state.item is None else DiallerStage.WORKING)
            move.set(dialler_retry_at_s=move.now_s + state.policy.retry_refused_s)
        case "dial-item" if state.item is not None and state.item.stage is ItemStage.DIALLING:
            move.set_item(stage=ItemStage.PREVIEWING)
        case "reconnect-headset":
            move.set_dialler(headset=HeadsetState.BROKEN)
        case "log-off-dialler":
            _off(move)
        case _:
            pass


# --- reports


def reported(move: Move, fact: Fact) -> bool:
    """Apply a report about job, headset or item.

    Returns:
        False when the fact is none of those.
    """
    handler = _REPORTS.get(type(fact))
    if handler is None:
        return False
    if not move.dialler_is_reached:
        return True  # of a connection that is gone
    handler(move, fact)
    return True


def _jobs_listed(move: Move, fact: JobsListed) -> None:
    move.set_dialler(jobs=fact.jobs)


def _ready(move: Move, fact: ReadyForItem) -> None:
    del fact
    if move.state.dialler.stage is DiallerStage.JOINED:
        move.set_dialler(stage=DiallerStage.READY, trouble="", detail="")


def _item_arrived(move: Move, fact: ItemArrived) -> None:
    stage = move.state.dialler.stage
    if stage not in _IN_JOB or move.state.item is not None:
        move.effects.append(CountUnexpected(session=move.state.id, what=f"item:{stage}"))
    item = WorkItem(
        number=move.state.next_item,
        kind=fact.kind,
        stage=ItemStage.PREVIEWING if fact.preview else ItemStage.ON_CALL,
        title=fact.title,
        waited=fact.waited,
        key=fact.key,
        fields=fact.fields,
        since_s=move.now_s,
        stage_since_s=move.now_s,
        preview_until_s=fact.preview_until_s,
    )
    left = move.state.left_item
    if left is not None and _is_same_record(left, item):
        item = replace(item, draft=left.draft)
        move.set(left_item=None)
    move.set(item=item, next_item=move.state.next_item + 1)
    move.set_dialler(stage=DiallerStage.WORKING)


def _is_same_record(left: WorkItem, item: WorkItem) -> bool:
    """Say whether the dialler gives a record again that a lost connection closed: its key field has the same value."""
    keys = [next((each.value for each in one.fields if each.name == one.key), "") for one in (left, item)]
    return left.key == item.key and keys[0] == keys[1] != ""


def _dialled(move: Move, fact: ItemDialled) -> None:
    if fact.connected:
        move.set_item(stage=ItemStage.ON_CALL, preview_until_s=None)
    else:
        move.set_item(stage=ItemStage.LINE_GONE, preview_until_s=None)
        move.add_message(fact.result, "dialler")


def _held(move: Move, fact: LineHeld) -> None:
    del fact
    move.set_item(stage=ItemStage.ON_HOLD)


def _retrieved(move: Move, fact: LineRetrieved) -> None:
    del fact
    move.set_item(stage=ItemStage.ON_CALL)


def _line_gone(move: Move, fact: LineGone) -> None:
    code = fact.suggested_code or (move.state.item.suggested_code if move.state.item else "")
    move.set_item(stage=ItemStage.LINE_GONE, suggested_code=code, preview_until_s=None)


def _fields_read(move: Move, fact: FieldsRead) -> None:
    item = move.state.item
    if item is None:
        return
    fresh: dict[str, RecordField] = {each.name: each for each in fact.fields}
    known = {each.name for each in item.fields}
    kept = tuple(fresh.get(each.name, each) for each in item.fields)
    added = tuple(each for each in fact.fields if each.name not in known)
    move.set_item(fields=kept + added)


def _finished(move: Move, fact: ItemFinished) -> None:
    del fact
    move.set(item=None)
    if move.state.dialler.stage is DiallerStage.WORKING:
        move.set_dialler(stage=DiallerStage.JOINED)


def _job_left(move: Move, fact: JobLeft) -> None:
    dialler = move.state.dialler
    wanted = dialler.wanted_job
    take_items = dialler.take_items
    if fact.next_job is not None:
        wanted = fact.next_job
    elif fact.why != "asked" and wanted == dialler.job:
        wanted, take_items = None, False
        move.add_message(dialler.job or "", f"job-{fact.why}")
    for each in move.state.requests:
        if each.what == "leave-job" and each.command is not None:
            move.settle(each.command, Outcome.DONE)
    move.set(item=None)
    move.set_dialler(stage=DiallerStage.LOGGED_ON, step="", job=None, keys=(), wanted_job=wanted, take_items=take_items)


def _job_ending(move: Move, fact: JobEnding) -> None:
    dialler = move.state.dialler
    if fact.next_job is not None:
        move.set_dialler(wanted_job=fact.next_job)
        move.add_message(fact.next_job, f"job-{fact.why}")
    elif dialler.wanted_job == dialler.job:
        move.set_dialler(wanted_job=None, take_items=False)
        move.add_message(dialler.job or "", f"job-{fact.why}")
    if move.state.item is None and dialler.stage in {DiallerStage.JOINED, DiallerStage.READY}:
        move.set_dialler(stage=DiallerStage.LEAVING)


def _headset_broke(move: Move, fact: HeadsetBroke) -> None:
    del fact
    move.set_dialler(headset=HeadsetState.BROKEN)


def _headset_connected(move: Move, fact: HeadsetConnected) -> None:
    del fact
    move.set_dialler(headset=HeadsetState.CONNECTED)


def _message(move: Move, fact: MessageReceived) -> None:
    move.add_message(fact.text, fact.sender)


def _logged_off(move: Move, fact: DiallerLoggedOff) -> None:
    del fact
    _off(move)


def _off(move: Move) -> None:
    move.lose_requests(Side.DIALLER, "logged-off")
    left = move.state.item or move.state.left_item  # closed by the dialler; to be read where the session goes on
    move.set(item=None, left_item=left, dialler_lost_s=None, dialler_queued=False, dialler_retry_at_s=None)
    wanted = move.state.dialler.wanted_job
    move.set(dialler=DiallerState(stage=DiallerStage.OFF, wanted_job=wanted, since_s=move.now_s, known=True))


#: Reports about job, headset and item, and who takes them.
_REPORTS: Final[dict[type[Fact], Callable[[Move, Any], None]]] = {
    JobsListed: _jobs_listed,
    ReadyForItem: _ready,
    ItemArrived: _item_arrived,
    ItemDialled: _dialled,
    LineHeld: _held,
    LineRetrieved: _retrieved,
    LineGone: _line_gone,
    FieldsRead: _fields_read,
    ItemFinished: _finished,
    JobLeft: _job_left,
    JobEnding: _job_ending,
    HeadsetBroke: _headset_broke,
    HeadsetConnected: _headset_connected,
    MessageReceived: _message,
    DiallerLoggedOff: _logged_off,
}


# --- the way out


def drop(move: Move) -> None:
    """Close the connection without ceremony."""
    move.ask_dialler(DropDialler())
    _off(move)


def leave(move: Move) -> bool:
    """Log off for good, as far as we are in; called when the session is to end and nothing is open.

    Returns:
        True when the dialler is left, or was never reached.
    """
    stage = move.state.dialler.stage
    if stage is DiallerStage.OFF:
        return True
    if not move.dialler_is_reached:
        _off(move)
        return True
    if stage is not DiallerStage.LOGGING_OFF:
        move.set_dialler(stage=DiallerStage.LOGGING_OFF, step="")
        move.ask_dialler(LogOffDialler())
    return False
