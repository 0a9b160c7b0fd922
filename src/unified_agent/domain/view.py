"""Everything a desktop may see, as JSON. Derived from the session's state and from nothing else.

Times are RFC 3339, UTC, with milliseconds, at the source of the change; the desktop counts from them on the
server's clock. Words are those of ``states``. No password, no token.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from unified_agent.domain.agent import shown_mode
from unified_agent.domain.call import Call
from unified_agent.domain.job import CompletionKey, Draft, Job, RecordField, WorkItem, leaves_after_item
from unified_agent.domain.login import LoginStep, login_steps
from unified_agent.domain.permissions import blocked_actions, blocked_call_actions
from unified_agent.domain.session_state import Message, SessionState
from unified_agent.domain.states import (
    DiallerStage,
    Direction,
    HeadsetState,
    ItemKind,
    ItemStage,
    LegState,
    LinkState,
    Phase,
    Presence,
    SwitchMode,
    TelephonyStage,
    WorkMode,
)


class SessionView(Struct, frozen=True, kw_only=True):
    """Who works here, and where the session is in its life.

    Attributes:
        closing: why the session ends (``agent``, ``taken-over``, an error id …), empty while it does not.
    """

    agent: str
    station: str
    phase: Phase
    presence: Presence
    opened: str
    uses_dialler: bool
    closing: str


class PendingView(Struct, frozen=True, kw_only=True):
    """A change that waits for the end of a call or item: ``not-ready``, ``log-out``, ``leave-job`` …"""

    what: str
    reason: int | None


class AgentView(Struct, frozen=True, kw_only=True):
    """The agent's work mode.

    Attributes:
        mode: the one word to show.
        switch_mode: what the switch says, behind it.
        reason: the administrator's reason code, or null.
        cause: system reason when it was not the agent's doing, or empty.
        since: when the switch changed the mode.
        known: false while the switch cannot be asked: show the rest greyed, with its age.
        asked: a mode asked for and not yet reported, or null.
        pending: changes that wait, oldest first.
    """

    mode: WorkMode
    switch_mode: SwitchMode
    reason: int | None
    cause: str
    since: str
    known: bool
    asked: str | None
    pending: tuple[PendingView, ...]


class PartyView(Struct, frozen=True, kw_only=True):
    """Another party of a call; an empty number is one the switch withholds."""

    number: str
    state: LegState


class CallView(Struct, frozen=True, kw_only=True):
    """One call at the station. ``blocked`` maps each action on it that is not possible now to the reason's id."""

    id: str
    state: LegState
    direction: Direction | None
    parties: tuple[PartyView, ...]
    called: str
    queue: str
    data: str
    ucid: str
    since: str
    state_since: str
    cause: str
    blocked: dict[str, str]


class DiallerView(Struct, frozen=True, kw_only=True):
    """How far the agent is with the dialler. ``wanted_job`` is joined again after a failure."""

    stage: DiallerStage
    step: str
    dialler: str | None
    headset: HeadsetState
    job: str | None
    wanted_job: str | None
    take_items: bool
    since: str
    known: bool
    trouble: str
    detail: str


class JobsView(Struct, frozen=True, kw_only=True):
    """The dialler's jobs, and the completion codes of the joined one."""

    list: tuple[Job, ...]
    keys: tuple[CompletionKey, ...]


class ItemView(Struct, frozen=True, kw_only=True):
    """The customer record on screen, with its line and what was typed for it."""

    number: int
    kind: ItemKind
    stage: ItemStage
    title: str
    waited: str
    key: str
    fields: tuple[RecordField, ...]
    since: str
    stage_since: str
    preview_until: str | None
    suggested_code: str
    draft: Draft


class LinkView(Struct, frozen=True, kw_only=True):
    """One link as it concerns this agent. ``lost`` is when it was lost, null while it is not."""

    state: LinkState
    name: str | None
    lost: str | None
    trouble: str
    detail: str


class LinksView(Struct, frozen=True, kw_only=True):
    """Both worlds the agent depends on."""

    telephony: LinkView
    dialler: LinkView


class LoginView(Struct, frozen=True, kw_only=True):
    """Where a login or the way back stands. ``turn_at``: when the agent's turn comes while many log in."""

    steps: tuple[LoginStep, ...]
    turn_at: str | None


class MessageView(Struct, frozen=True, kw_only=True):
    """A text for the agent."""

    text: str
    sender: str
    at: str


class View(Struct, frozen=True, kw_only=True):
    """Everything a desktop may see: the snapshot.

    Attributes:
        left_item: the record that was open at a dialler whose connection was lost, which closed it; null for none.
        blocked: as in CallView, for actions on no call.
    """

    session: SessionView
    agent: AgentView
    calls: tuple[CallView, ...]
    dialler: DiallerView
    jobs: JobsView
    item: ItemView | None
    left_item: ItemView | None
    links: LinksView
    login: LoginView
    messages: tuple[MessageView, ...]
    blocked: dict[str, str]


def rfc3339(at_s: float) -> str:
    """Write Unix seconds as RFC 3339 in UTC with milliseconds: ``2026-11-22T15:40:51.123Z``."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _when(at_s: float | None) -> str | None:
    return None if at_s is None else rfc3339(at_s)


def view_of(state: SessionState) -> View:
    """Derive what the desktop may see."""
    return View(
        session=_session(state),
        agent=_agent(state),
        calls=tuple(_call(state, call) for call in state.calls),
        dialler=_dialler(state),
        jobs=JobsView(list=state.dialler.jobs, keys=state.dialler.keys),
        item=_item(state.item),
        left_item=_item(state.left_item),
        links=LinksView(telephony=_telephony_link(state), dialler=_dialler_link(state)),
        login=LoginView(steps=login_steps(state), turn_at=_when(_turn_at(state))),
        messages=tuple(message_view(each) for each in state.messages),
        blocked=blocked_actions(state),
    )


def message_view(message: Message) -> MessageView:
    """Show one message."""
    return MessageView(text=message.text, sender=message.sender, at=rfc3339(message.at_s))


def _session(state: SessionState) -> SessionView:
    return SessionView(
        agent=state.identity.agent,
        station=state.identity.station,
        phase=state.phase,
        presence=state.presence,
        opened=rfc3339(state.opened_s),
        uses_dialler=state.identity.dialler is not None,
        closing=state.close_reason,
    )


def _agent(state: SessionState) -> AgentView:
    agent = state.agent
    pending = []
    if agent.pending is not None:
        pending.append(PendingView(what=agent.pending.mode.value, reason=agent.pending.reason))
    if leaves_after_item(state.dialler):
        pending.append(PendingView(what="leave-job", reason=None))
    if state.log_out:
        pending.append(PendingView(what="log-out", reason=state.log_out_reason))
    asked = next((r.what for r in reversed(state.requests) if r.what.startswith("mode:")), None)
    return AgentView(
        mode=shown_mode(agent, state.calls, state.item),
        switch_mode=agent.mode,
        reason=agent.reason,
        cause=agent.cause,
        since=rfc3339(agent.since_s),
        known=agent.known,
        asked=asked.removeprefix("mode:") if asked else None,
        pending=tuple(pending),
    )


def _call(state: SessionState, call: Call) -> CallView:
    return CallView(
        id=call.id,
        state=call.state,
        direction=call.direction,
        parties=tuple(PartyView(number=each.number, state=each.state) for each in call.parties),
        called=call.called,
        queue=call.queue,
        data=call.data,
        ucid=call.ucid,
        since=rfc3339(call.since_s),
        state_since=rfc3339(call.state_since_s),
        cause=call.cause,
        blocked=blocked_call_actions(state, call),
    )


def _dialler(state: SessionState) -> DiallerView:
    dialler = state.dialler
    return DiallerView(
        stage=dialler.stage,
        step=dialler.step,
        dialler=dialler.dialler,
        headset=dialler.headset,
        job=dialler.job,
        wanted_job=dialler.wanted_job,
        take_items=dialler.take_items,
        since=rfc3339(dialler.since_s),
        known=dialler.known,
        trouble=dialler.trouble,
        detail=dialler.detail,
    )


def _item(item: WorkItem | None) -> ItemView | None:
    if item is None:
        return None
    return ItemView(
        number=item.number,
        kind=item.kind,
        stage=item.stage,
        title=item.title,
        waited=item.waited,
        key=item.key,
        fields=item.fields,
        since=rfc3339(item.since_s),
        stage_since=rfc3339(item.stage_since_s),
        preview_until=_when(item.preview_until_s),
        suggested_code=item.suggested_code,
        draft=item.draft,
    )


def _telephony_link(state: SessionState) -> LinkView:
    telephony = state.telephony
    word = {
        TelephonyStage.UP: LinkState.UP,
        TelephonyStage.LOGGING_OUT: LinkState.UP,
        TelephonyStage.OUT: LinkState.UP,
        TelephonyStage.WAITING: LinkState.DOWN,
        TelephonyStage.REFUSED: LinkState.DOWN,
    }.get(telephony.stage, LinkState.CHECKING)
    return LinkView(
        state=word,
        name=telephony.link,
        lost=_when(telephony.lost_s),
        trouble=telephony.trouble,
        detail=telephony.detail,
    )


def _dialler_link(state: SessionState) -> LinkView:
    dialler = state.dialler
    word = {
        DiallerStage.OFF: LinkState.UNUSED,
        DiallerStage.WAITING: LinkState.DOWN,
        DiallerStage.REFUSED: LinkState.DOWN,
        DiallerStage.LOGGING_ON: LinkState.CHECKING,
    }.get(dialler.stage, LinkState.UP)
    return LinkView(
        state=word,
        name=dialler.dialler,
        lost=_when(state.dialler_lost_s),
        trouble=dialler.trouble,
        detail=dialler.detail,
    )


def _turn_at(state: SessionState) -> float | None:
    if state.telephony.stage is TelephonyStage.QUEUED:
        return state.telephony.turn_at_s
    return state.dialler_turn_at_s if state.dialler_queued else None
