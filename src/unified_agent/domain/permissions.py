"""What may be asked now, and if not, why. One table serves the check of a command and the greying of a button.

A reason is an id; the sentences for it are in the desktop's message files and in ``docs/reference/errors.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unified_agent.domain.call import Call, find
from unified_agent.domain.commands import (
    AddToCall,
    AnswerCall,
    AnyCommand,
    AskedMode,
    BlindTransferCall,
    CallCommand,
    CancelPending,
    ConferenceCalls,
    ConsultCall,
    DeflectCall,
    DialItem,
    DialLineDigit,
    DismissLeftItem,
    FinishItem,
    HangUpCall,
    HoldCall,
    HoldLine,
    JoinJob,
    LeaveJob,
    LogOut,
    MakeCall,
    PauseItems,
    ReconnectCall,
    ReconnectHeadset,
    RefreshJobs,
    ReleaseLine,
    RetrieveCall,
    SaveDraft,
    SendDigits,
    SendMessage,
    SetCallback,
    SetMode,
    SwapCalls,
    TakeItems,
    TransferCall,
    UnholdLine,
    UpdateField,
    kebab,
)
from unified_agent.domain.job import leaves_after_item
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import (
    ClaimStage,
    DiallerStage,
    HeadsetState,
    ItemStage,
    LegState,
    Phase,
    Presence,
    SwitchMode,
    TelephonyStage,
)

_ON_LINE: Final = frozenset({ItemStage.ON_CALL, ItemStage.ON_HOLD})
_TALKING: Final = frozenset({LegState.ACTIVE, LegState.CONFERENCED})
_UP: Final = frozenset({LegState.ACTIVE, LegState.CONFERENCED, LegState.FAILED, LegState.DIALLING})
_IN_JOB: Final = frozenset({DiallerStage.JOINED, DiallerStage.READY, DiallerStage.WORKING})
_ON_DIALLER: Final = _IN_JOB | {DiallerStage.LOGGED_ON, DiallerStage.JOINING, DiallerStage.LEAVING}

#: Own leg that each action on one call needs.
CALL_STATES: Final[dict[type[CallCommand], frozenset[LegState]]] = {
    AnswerCall: frozenset({LegState.ALERTING}),
    DeflectCall: frozenset({LegState.ALERTING}),
    HoldCall: _TALKING,
    RetrieveCall: frozenset({LegState.HELD}),
    HangUpCall: _UP | {LegState.HELD},
    ConsultCall: _TALKING,
    BlindTransferCall: _TALKING,
    AddToCall: _TALKING,
    SendDigits: _TALKING,
}

#: Actions that join a held and an active call.
PAIR_COMMANDS: Final = (SwapCalls, ReconnectCall, TransferCall, ConferenceCalls)


def refusal(state: SessionState, command: AnyCommand) -> str:
    """Say why a command is not possible now.

    Returns:
        The id of the reason, or an empty string when it may be asked. Whether it succeeds is for the switch or
        the dialler to say.
    """
    if reason := _standing(state):
        return reason
    if isinstance(command, SetMode):
        return _mode_refusal(state, command)
    if isinstance(command, PAIR_COMMANDS):
        return _pair_refusal(state, command.held, command.active)
    if isinstance(command, MakeCall):
        return _switch_refusal(state) or _make_call_refusal(state)
    if isinstance(command, CallCommand):
        call = find(state.calls, command.call)
        return _switch_refusal(state) or ("no-such-call" if call is None else _leg_refusal(type(command), call))
    check = _CHECKS[type(command)]
    reason = check(state)
    if reason:
        return reason
    if isinstance(command, FinishItem):
        return _code_refusal(state, command.code)
    if isinstance(command, UpdateField):
        return _field_refusal(state, command.field, command.value)
    return ""


def blocked_actions(state: SessionState) -> dict[str, str]:
    """Map each action that is on no particular call and not possible now to the reason's id."""
    blocked = {}
    for mode in AskedMode:
        if reason := refusal(state, SetMode(mode=mode, reason=0 if mode is AskedMode.NOT_READY else None)):
            blocked[f"set-mode:{mode}"] = reason
    standing = _standing(state)
    if reason := standing or _switch_refusal(state) or _make_call_refusal(state):
        blocked["make-call"] = reason
    for kind, check in _CHECKS.items():
        if reason := standing or check(state):
            blocked[kebab(kind.__name__)] = reason
    return blocked


def blocked_call_actions(state: SessionState, call: Call) -> dict[str, str]:
    """Map each action on this call that is not possible now to the reason's id."""
    blocked = {}
    common = _standing(state) or _switch_refusal(state)
    for kind in CALL_STATES:
        if reason := common or _leg_refusal(kind, call):
            blocked[kebab(kind.__name__)] = reason
    pair = _pair_of(state, call)
    for kind in PAIR_COMMANDS:
        if reason := common or pair:
            blocked[kebab(kind.__name__)] = reason
    return blocked


def has_live_call(state: SessionState) -> bool:
    """Say whether any call is up at the station, alerting ones included."""
    return bool(state.calls) or state.agent.talking


def _standing(state: SessionState) -> str:
    """Say why nothing at all can be asked of this session now."""
    if state.phase in {Phase.CLOSING, Phase.CLOSED}:
        return "session-ending"
    return {ClaimStage.ASKED: "claim-awaited", ClaimStage.LEAVING: "moving"}.get(state.claim.stage, "")


def _switch_refusal(state: SessionState) -> str:
    stage = state.telephony.stage
    if stage is TelephonyStage.UP:
        return ""
    if stage in {TelephonyStage.WAITING, TelephonyStage.REFUSED}:
        return "telephony-down"
    return "telephony-checking"


def _mode_refusal(state: SessionState, command: SetMode) -> str:
    if reason := _switch_refusal(state):
        return reason
    if any(each.what == f"mode:{command.mode}" for each in state.requests):
        return "already-asked"
    agent = state.agent
    if command.mode is AskedMode.READY:
        if state.presence is Presence.ABSENT:
            return "nobody-at-desktop"
        if agent.mode is SwitchMode.READY and agent.pending is None:
            return "already-so"
        return ""
    if command.mode is AskedMode.NOT_READY:
        if command.reason is None and state.policy.reason_required:
            return "reason-required"
        if command.reason == agent.reason and agent.mode is SwitchMode.NOT_READY and agent.pending is None:
            return "already-so"
        return ""
    return "already-so" if agent.mode is SwitchMode.WRAP_UP else ""


def _make_call_refusal(state: SessionState) -> str:
    if any(call.state in _UP for call in state.calls):
        return "call-active"
    if any(call.state is LegState.ALERTING for call in state.calls):
        return "call-alerting"
    return "on-the-line" if state.item is not None and state.item.stage in _ON_LINE else ""


def _leg_refusal(kind: type[CallCommand], call: Call) -> str:
    if call.state in CALL_STATES[kind]:
        return ""
    return {
        LegState.ALERTING: "call-alerting",
        LegState.DIALLING: "call-dialling",
        LegState.ACTIVE: "call-active",
        LegState.CONFERENCED: "call-active",
        LegState.HELD: "call-held",
        LegState.FAILED: "call-failed",
    }[call.state]


def _pair_refusal(state: SessionState, held: str, active: str) -> str:
    if reason := _switch_refusal(state):
        return reason
    on_hold = find(state.calls, held)  # type: ignore[arg-type]
    up = find(state.calls, active)  # type: ignore[arg-type]
    if on_hold is None or up is None:
        return "no-such-call"
    if on_hold.state is not LegState.HELD:
        return "needs-held-call"
    return "" if up.state in _UP else "needs-active-call"


def _pair_of(state: SessionState, call: Call) -> str:
    others = [each for each in state.calls if each.id != call.id]
    if call.state is LegState.HELD:
        return "" if any(each.state in _UP for each in others) else "needs-active-call"
    if call.state in _UP:
        return "" if any(each.state is LegState.HELD for each in others) else "needs-held-call"
    return "call-alerting"


def _dialler_refusal(state: SessionState) -> str:
    stage = state.dialler.stage
    if stage is DiallerStage.OFF:
        return "no-dialler"
    return "" if stage in _ON_DIALLER else "dialler-down"


def _join(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    if state.telephony.stage is not TelephonyStage.UP:
        return "telephony-down"
    if state.dialler.stage is DiallerStage.LOGGED_ON:
        return ""
    return "already-in-job" if state.dialler.stage in _IN_JOB else "dialler-busy"


def _leave(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    if state.dialler.stage not in _IN_JOB:
        return "not-in-job"
    return "already-asked" if leaves_after_item(state.dialler) else ""


def _take(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    dialler = state.dialler
    if dialler.stage not in _IN_JOB:
        return "not-in-job"
    if state.presence is Presence.ABSENT:
        return "nobody-at-desktop"
    if dialler.headset is not HeadsetState.CONNECTED:
        return "headset-broken"
    if leaves_after_item(dialler):
        return "leaving-job"
    return "already-so" if dialler.take_items else ""


def _pause(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    if state.dialler.stage not in _IN_JOB:
        return "not-in-job"
    return "" if state.dialler.take_items else "already-so"


def _jobs(state: SessionState) -> str:
    return _dialler_refusal(state)


def _headset(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    return "" if state.dialler.headset is HeadsetState.BROKEN else "already-so"


def _item(state: SessionState) -> str:
    if reason := _dialler_refusal(state):
        return reason
    return "no-item" if state.item is None else ""


def _item_at(*stages: ItemStage, otherwise: str) -> Callable[[SessionState], str]:
    def check(state: SessionState) -> str:
        if reason := _item(state):
            return reason
        return "" if state.item is not None and state.item.stage in stages else otherwise

    return check


def _draft(state: SessionState) -> str:
    return "no-item" if state.item is None else ""


def _left(state: SessionState) -> str:
    return "no-item" if state.left_item is None else ""


def _cancel(state: SessionState) -> str:
    waits = state.agent.pending is not None or leaves_after_item(state.dialler) or state.log_out
    return "" if waits else "nothing-pending"


def _log_out(state: SessionState) -> str:
    return "already-asked" if state.log_out else ""


def _code_refusal(state: SessionState, code: str) -> str:
    item = state.item
    known = {key.code for key in state.dialler.keys}
    if item is not None and item.suggested_code:
        known.add(item.suggested_code)
    return "" if not known or code.lstrip("0") in {each.lstrip("0") for each in known} else "unknown-completion-code"


def _field_refusal(state: SessionState, name: str, value: str) -> str:
    fields = state.item.fields if state.item is not None else ()
    field = next((each for each in fields if each.name == name), None)
    if field is None:
        return "no-such-field"
    if not field.editable:
        return "field-read-only"
    return "value-too-long" if field.length and len(value) > field.length else ""


_CHECKS: Final[dict[type[AnyCommand], Callable[[SessionState], str]]] = {
    CancelPending: _cancel,
    LogOut: _log_out,
    JoinJob: _join,
    LeaveJob: _leave,
    TakeItems: _take,
    PauseItems: _pause,
    RefreshJobs: _jobs,
    ReconnectHeadset: _headset,
    DialItem: _item_at(ItemStage.PREVIEWING, otherwise="already-dialled"),
    ReleaseLine: _item_at(*_ON_LINE, ItemStage.DIALLING, otherwise="nobody-on-line"),
    HoldLine: _item_at(ItemStage.ON_CALL, otherwise="nobody-on-line"),
    UnholdLine: _item_at(ItemStage.ON_HOLD, otherwise="not-on-hold"),
    DialLineDigit: _item_at(ItemStage.ON_CALL, otherwise="nobody-on-line"),
    FinishItem: _item,
    UpdateField: _item,
    SetCallback: _item,
    SaveDraft: _draft,
    DismissLeftItem: _left,
    SendMessage: _dialler_refusal,
}
