"""Why a dialler refused: its codes turned into our stable ids, with a sentence for people.

The ids are part of the public API. ``fatal`` means that a person must act before trying again makes sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from unified_agent.wire.apc import codes
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied


class Refusal(Struct, frozen=True, kw_only=True):
    """One reason. Attributes: as in ``domain.facts.RequestRefused``."""

    id: str
    detail: str = ""
    fatal: bool = False


#: No dialler answers, and so nobody can log on: the session waits for ``DiallerUp``.
NONE_UP: Final = "dialler.none-up"
#: A dialler answers, but has no room for another agent, or cannot serve one, at present.
FULL: Final = "dialler.full"
UNUSABLE: Final = "dialler.unusable"
NOT_LOGGED_ON: Final = Refusal(id="dialler.not-logged-on", detail="no dialler serves this agent now")
NOT_IN_JOB: Final = Refusal(id="dialler.not-in-job", detail="no job is joined")
ALREADY_IN_JOB: Final = Refusal(id="dialler.already-in-job", detail="leave the job first")
LEAVING_JOB: Final = Refusal(id="dialler.leaving-job", detail="the job is being left")
BUSY: Final = Refusal(id="dialler.busy", detail="joining, leaving or logging off is under way")
NO_RECORD: Final = Refusal(id="dialler.no-record", detail="no customer record is open")
CALLED_OFF: Final = Refusal(id="dialler.called-off", detail="logging on was given up in favour of a newer ask")

_FATAL: Final = frozenset(
    {"dialler.wrong-password", "dialler.password-expired", "dialler.headset-unknown", "dialler.wrong-tenant"}
)


def _ids(**groups: str) -> dict[str, str]:
    """Spread ``word="E1 E2"`` over its codes; underscores stand for hyphens."""
    return {code: f"dialler.{word.replace('_', '-')}" for word, listed in groups.items() for code in listed.split()}


_BY_CODE: Final[Mapping[str, str]] = _ids(
    wrong_password="E28926",  # noqa: S106 - the word of a refusal
    password_expired="E70012",  # noqa: S106
    wrong_tenant="E58006 E58007 E58018 E58021 E58022",
    logged_on_elsewhere="E28812",
    headset_in_use="E28870 E28923 E50611",
    headset_unknown="E28871 E28875 E28920",
    headset_broken="E28873 E28876 E28880 E28896",
    full="E28858 E50100 E50612",
    unusable="E28850 E28851 E28884 E28890 E29206 E29952 E50613",
    job_not_running="E28804 E28805 E28898",
    job_full="E28813",
    wrong_class="E28814 E28815 E28816 E28817 E28818 E28819 E28883 E29000",
    unit_needed="E70006",
    not_in_job="E28885 E28901 E28913 E28917 E28918",
    record_open="E28902",
    leaving_job="E28904 E28905 E28915",
    phone_busy="E28964",
    cti_down="E28965",
    own_recall="E28967",
    not_managed="E28907",
    no_record="E28908 E28912 E28919",
    already_dialled="E28909 E28910 E28911",
    no_line="E28866 E28867",
    line_busy="S28814",
    bad_completion_code="E28947",
    no_such_field="E28891 E28892 E28893 E28894",
    not_supported="E28865 E29950",
    callback_too_early="E28800",
    callback_date="E28831 E28832 E28833 E28834 E28835 E28836",
    callback_time="E28837 E28838 E28839 E28840",
    callback_phone="E28841 E28842",
    callback_number="E28843",
    callback_past="E28847",
    callback_hours="E28848",
    callback_zone="E28849",
    callback_not_here="E28868",
    gave_up="E70002",
)

#: What stands behind E28842.
_PHONE_STATES: Final = {"B": "its number is bad", "T": "its time zone is unknown", "Z": "outside the legal hours there"}


def no_such_job(job: str) -> Refusal:
    """Return the refusal of a job that is not on the dialler's list."""
    return Refusal(id="dialler.no-such-job", detail=f"the dialler's list has no job {job}")


def refusal_of(reply: Replied) -> Refusal:
    """Say why a command was not done.

    Args:
        reply: one that is not ``ok``.

    Returns:
        The reason; ``detail`` holds the dialler's code and a plain sentence. A command that got no answer or was
        lost has ``dialler.no-answer``: whether it happened is not known then.
    """
    if reply.outcome in {Outcome.TIMED_OUT, Outcome.LOST}:
        return Refusal(id="dialler.no-answer", detail=f"{reply.command}: no answer in time")
    if reply.outcome is Outcome.BUSY:
        return Refusal(id="dialler.busy", detail=f"{reply.command}: the dialler said twice that it is busy")
    if not reply.code:
        return Refusal(id="dialler.not-sent", detail=reply.detail)
    if reply.command is Command.CONN_HEADSET and reply.code == codes.STEP_TIMED_OUT:
        return Refusal(
            id="dialler.headset-not-answered", detail=f"{reply.code}: the dialler rang the headset, nobody answered"
        )
    word = _BY_CODE.get(reply.code, "dialler.refused")
    if reply.command is Command.CONN_HEADSET and word == "dialler.no-line":
        word = "dialler.headset-not-answered"
    return Refusal(id=word, detail=_sentence(reply), fatal=word in _FATAL)


def _sentence(reply: Replied) -> str:
    if reply.code == codes.TRANSFER_IN_PROGRESS:
        return f"{reply.code}: a transfer is under way; try again after it"
    meaning = codes.error_meaning(reply.code).meaning
    if reply.code == "E28842" and reply.detail in _PHONE_STATES:
        return f"{reply.code}: {meaning}: {_PHONE_STATES[reply.detail]}"
    return f"{reply.code}: {meaning}"


def reaction_to(reply: Replied) -> codes.Reaction:
    """Say what a failover client does about a refused command."""
    return codes.error_meaning(reply.code).reaction
