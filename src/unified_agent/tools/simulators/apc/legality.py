"""Which command is legal in which stage, and the error where it is not.

Source: Agent API guide, the texts of each command; a few cells are inferred from its lists of errors. What depends on
more than the stage (headset, parameters, kind of job) is looked at by the desks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from unified_agent.tools.simulators.apc.seats import JOINED_STAGES, Seat
from unified_agent.wire.apc.commands import Command

ANYWHERE: Final = "BCDEPFW"


class Rule(msgspec.Struct, frozen=True):
    """Where a command is legal.

    Attributes:
        legal: letters of the stages.
        otherwise: the error in the other stages.
        special: errors that differ, by the letter of the stage.
    """

    legal: str
    otherwise: str = "E28924"
    special: Mapping[str, str] = {}


_ALWAYS: Final = Rule(ANYWHERE)
_WITH_JOB: Final = Rule("CDEPFW", "E28885")
_WITH_RECORD: Final = Rule("PFW", "E28912", {"B": "E28885"})
_ON_LINE: Final = Rule("F", "E28866")
_IN_PREVIEW: Final = Rule("P", "E28908", {"B": "E28885", "C": "E28901", "F": "E28909", "W": "E28909"})

RULES: Final[Mapping[Command, Rule]] = {
    Command.LOGON: Rule("A", "E28925"),
    # Headset commands: the headset's own machine decides; disconnecting needs an agent who is out of the job.
    Command.RESERVE_HEADSET: _ALWAYS,
    Command.CONN_HEADSET: _ALWAYS,
    Command.DISCONN_HEADSET: Rule("BC", "E28900,headset in use"),
    Command.FREE_HEADSET: Rule("BC", "E28879"),
    Command.LOGON_ACD: Rule("C", "E28873"),
    Command.LOGOFF_ACD: Rule("BC", "E28914"),
    Command.LOGOFF: Rule("B", "E28916"),
    Command.SET_WORK_CLASS: Rule("BC", "E28882"),
    Command.ATTACH_JOB: Rule("B", "E28889"),
    Command.DETACH_JOB: Rule("C", "E28914", {"B": "E28913"}),
    Command.SET_UNIT: Rule("C", "E28887", {"B": "E28885"}),
    Command.AVAIL_WORK: Rule("C", "E28895", {"B": "E28885"}),
    Command.READY_NEXT_ITEM: Rule("D", "E28902", {"B": "E28885", "C": "E28901", "E": "E28903"}),
    Command.NO_FURTHER_WORK: Rule("DEPFW", "E28917", {"C": "E28918"}),
    Command.MANAGED_CALL: _IN_PREVIEW,
    Command.FIND_FIRST_RECORD: _IN_PREVIEW,
    Command.FIND_NEXT_RECORD: _IN_PREVIEW,
    Command.CANCEL_SEARCH: _IN_PREVIEW,
    Command.RELEASE_LINE: Rule("PF", "E28866", {"B": "E28885"}),
    Command.FINISHED_ITEM: Rule("PFW", "E28919", {"B": "E28885"}),
    **dict.fromkeys(
        (
            Command.LIST_STATE,
            Command.LIST_JOBS,
            Command.LIST_CALL_LISTS,
            Command.LIST_CALL_FIELDS,
            Command.DIALER_MODE,
            Command.SEND_MESSAGE,
            Command.DUMP_DATA,
            Command.LOG_IO_START,
            Command.LOG_IO_STOP,
            Command.ECHO_ON,
            Command.ECHO_OFF,
            Command.SET_PASSWORD,
            Command.LIST_TENANTS,
            Command.SET_TENANT,
        ),
        _ALWAYS,
    ),
    **dict.fromkeys(
        (
            Command.SET_NOTIFY_KEY_FIELD,
            Command.SET_DATA_FIELD,
            Command.CLEAR_DATA_SET,
            Command.LIST_DATA_FIELDS,
            Command.LIST_KEYS,
            Command.LIST_SCREENS,
            Command.GET_SCREEN,
            Command.LIST_CALLBACK_FMT,
            Command.LIST_UNITS,
        ),
        _WITH_JOB,
    ),
    **dict.fromkeys(
        (Command.READ_FIELD, Command.UPDATE_FIELD, Command.SET_CALLBACK, Command.DO_NOT_CALL), _WITH_RECORD
    ),
    **dict.fromkeys(
        (
            Command.HANGUP_CALL,
            Command.HOLD_CALL,
            Command.UNHOLD_CALL,
            Command.MANUAL_CALL,
            Command.DIAL_DIGIT,
            Command.TRANSFER_CALL,
            Command.HOOKFLASH_LINE,
            Command.MO_FLASH_BLIND,
            Command.MO_FLASH_SUPV,
            Command.ADJUST_HEADSET,
            Command.GET_HEADSET_VOL,
            Command.MANUAL_PHONE,
        ),
        _ON_LINE,
    ),
}


def refusal(command: Command, seat: Seat, *, managed: bool) -> str | None:
    """The error for a command in a seat's stage, or None where it is legal.

    Only for agents who are logged on, and for AGTLogon: before that every other command dies by a system error.

    Args:
        command: what was asked.
        seat: who asked.
        managed: whether the attached job is a managed one.
    """
    rule = RULES[command]
    letter = seat.stage.value
    if rule is _IN_PREVIEW and seat.stage in JOINED_STAGES and not managed:
        return "E28907"
    return None if letter in rule.legal else rule.special.get(letter, rule.otherwise)
