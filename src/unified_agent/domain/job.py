"""The dialler's half of an agent: logon, job, and the work item on screen."""

from __future__ import annotations

from msgspec import Struct

from unified_agent.domain.ids import JobName, LinkId
from unified_agent.domain.states import DiallerStage, HeadsetState, ItemKind, ItemStage


class Job(Struct, frozen=True, kw_only=True):
    """One line of the dialler's job list."""

    name: JobName
    kind: str  #: ``outbound``, ``inbound``, ``blend``, ``managed`` or the dialler's own letter
    active: bool


class CompletionKey(Struct, frozen=True, kw_only=True):
    """One completion code that agents of the joined job may use."""

    code: str
    text: str


class RecordField(Struct, frozen=True, kw_only=True):
    """One field of a customer record.

    Attributes:
        name: the dialler's name of the field.
        value: text as the dialler gave it, without padding.
        kind: ``text``, ``number``, ``money``, ``date`` or ``time``.
        length: longest value the dialler takes, characters; 0 when unknown.
        editable: the job allows the agent to change it.
    """

    name: str
    value: str
    kind: str = "text"
    length: int = 0
    editable: bool = False


class Draft(Struct, frozen=True, kw_only=True):
    """What the agent typed for the open record and has not sent."""

    notes: str = ""
    code: str = ""


class WorkItem(Struct, frozen=True, kw_only=True):
    """One customer record put before the agent, with its line.

    Attributes:
        number: counts items of this session from 1; tells a late answer from an early one.
        kind: where it came from.
        stage: what the line does.
        title: the dialler's operator message for it, usually the customer's name.
        waited: how long an inbound customer waited, as the dialler words it; empty for others.
        key: name of the key field, empty without one.
        fields: the record, in the order asked for, key field first.
        since_s: when it came, Unix seconds.
        stage_since_s: when the line last changed, Unix seconds.
        preview_until_s: when the dialler dials by itself, or None.
        suggested_code: a completion code the dialler gave (machine, fax), or empty.
        draft: typed and not sent.
    """

    number: int
    kind: ItemKind
    stage: ItemStage
    title: str = ""
    waited: str = ""
    key: str = ""
    fields: tuple[RecordField, ...] = ()
    since_s: float = 0.0
    stage_since_s: float = 0.0
    preview_until_s: float | None = None
    suggested_code: str = ""
    draft: Draft = Draft()


class DiallerState(Struct, frozen=True, kw_only=True):
    """What we know of an agent at the dialler.

    Attributes:
        stage: how far the agent is.
        step: what is being done within LOGGING_ON, JOINING …, a word for the desktop.
        dialler: which one, or None while none is chosen.
        headset: the voice path.
        jobs: its list of jobs, as of the last asking.
        job: the joined job, or None.
        wanted_job: the job the agent asked for; joined again after a failure.
        keys: completion codes of the joined job.
        take_items: ready again after each finished item.
        since_s: when ``stage`` last changed, Unix seconds.
        known: False when the link is gone and the rest is the last we knew.
        trouble: id of what stands in the way (``dialler.wrong-password`` …), or empty.
        detail: words of the dialler or code that go with ``trouble``.
    """

    stage: DiallerStage = DiallerStage.OFF
    step: str = ""
    dialler: LinkId | None = None
    headset: HeadsetState = HeadsetState.NONE
    jobs: tuple[Job, ...] = ()
    job: JobName | None = None
    wanted_job: JobName | None = None
    keys: tuple[CompletionKey, ...] = ()
    take_items: bool = False
    since_s: float = 0.0
    known: bool = False
    trouble: str = ""
    detail: str = ""


def leaves_after_item(dialler: DiallerState) -> bool:
    """Say whether the job will be left once the open item is finished: it is not the job wanted any more."""
    return dialler.stage is DiallerStage.WORKING and dialler.wanted_job != dialler.job
