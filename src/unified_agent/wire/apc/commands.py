"""Every command of the Agent API: its parameters, their lengths, and whether "pending" precedes the answer.

Source: Agent API guide, command reference. Lengths the guide does not give are unlimited here (None).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from unified_agent.errors import LocalProtocolError


class Command(StrEnum):
    """What an agent's desktop may ask of a dialler."""

    LOGON = "AGTLogon"
    LOGOFF = "AGTLogoff"
    RESERVE_HEADSET = "AGTReserveHeadset"
    CONN_HEADSET = "AGTConnHeadset"
    DISCONN_HEADSET = "AGTDisconnHeadset"
    FREE_HEADSET = "AGTFreeHeadset"
    LOGON_ACD = "AGTLogonAcd"
    LOGOFF_ACD = "AGTLogoffAcd"
    LIST_STATE = "AGTListState"
    LIST_JOBS = "AGTListJobs"
    LIST_CALL_LISTS = "AGTListCallLists"
    LIST_CALL_FIELDS = "AGTListCallFields"
    SET_WORK_CLASS = "AGTSetWorkClass"
    ATTACH_JOB = "AGTAttachJob"
    DETACH_JOB = "AGTDetachJob"
    LIST_KEYS = "AGTListKeys"
    LIST_SCREENS = "AGTListScreens"
    GET_SCREEN = "AGTGetScreen"
    DIALER_MODE = "AGTDialerMode"
    SEND_MESSAGE = "AGTSendMessage"
    SET_PASSWORD = "AGTSetPassword"  # noqa: S105 - the name of a command
    LIST_TENANTS = "AGTListTenants"
    SET_TENANT = "AGTSetTenant"
    DUMP_DATA = "AGTDumpData"
    LOG_IO_START = "AGTLogIoStart"
    LOG_IO_STOP = "AGTLogIoStop"
    ECHO_ON = "AGTEchoOn"
    ECHO_OFF = "AGTEchoOff"
    LIST_DATA_FIELDS = "AGTListDataFields"
    SET_NOTIFY_KEY_FIELD = "AGTSetNotifyKeyField"
    SET_DATA_FIELD = "AGTSetDataField"
    CLEAR_DATA_SET = "AGTClearDataSet"
    LIST_UNITS = "AGTListUnits"
    SET_UNIT = "AGTSetUnit"
    AVAIL_WORK = "AGTAvailWork"
    READY_NEXT_ITEM = "AGTReadyNextItem"
    NO_FURTHER_WORK = "AGTNoFurtherWork"
    MANAGED_CALL = "AGTManagedCall"
    FIND_FIRST_RECORD = "AGTFindFirstRecord"
    FIND_NEXT_RECORD = "AGTFindNextRecord"
    CANCEL_SEARCH = "AGTCancelSearch"
    READ_FIELD = "AGTReadField"
    UPDATE_FIELD = "AGTUpdateField"
    LIST_CALLBACK_FMT = "AGTListCallbackFmt"
    SET_CALLBACK = "AGTSetCallback"
    RELEASE_LINE = "AGTReleaseLine"
    FINISHED_ITEM = "AGTFinishedItem"
    HANGUP_CALL = "AGTHangupCall"
    HOLD_CALL = "AGTHoldCall"
    UNHOLD_CALL = "AGTUnholdCall"
    MANUAL_CALL = "AGTManualCall"
    DIAL_DIGIT = "AGTDialDigit"
    TRANSFER_CALL = "AGTTransferCall"
    HOOKFLASH_LINE = "AGTHookflashLine"
    MO_FLASH_BLIND = "AGTMoFlashBlind"
    MO_FLASH_SUPV = "AGTMoFlashSupv"
    ADJUST_HEADSET = "AGTAdjustHeadset"
    GET_HEADSET_VOL = "AGTGetHeadsetVol"
    MANUAL_PHONE = "AGTManualPhone"
    DO_NOT_CALL = "AGTDoNotCall"


class CommandShape(msgspec.Struct, frozen=True):
    """How a command is written and answered.

    Attributes:
        longest: for each parameter the longest value in characters, None where no limit is known.
        required: how many of the parameters must be given; the others may be left off from the end.
        pending: the dialler says "pending" first. Some others may do so too: always accept it.
        analogue_only: refused with E29950 by a dialler whose voice path is made by CTI ("soft" dialler).
    """

    longest: tuple[int | None, ...] = ()
    required: int = 0
    pending: bool = False
    analogue_only: bool = False


_LIST: Final = 1
_FIELD: Final = 19
_JOB: Final = 19
_PHONE: Final = 43

COMMAND_SHAPES: Final[Mapping[Command, CommandShape]] = {
    # A name of up to 19, preceded on a dialler with tenants by one of up to 20 and a backslash. Diallers
    # before 5.x take no version. The guide says 2 to 8 for a password, a later release more: not enforced.
    Command.LOGON: CommandShape((40, None, None), 2, pending=True),
    Command.LOGOFF: CommandShape(),
    Command.RESERVE_HEADSET: CommandShape((14,), 1, pending=True),
    Command.CONN_HEADSET: CommandShape(pending=True),
    Command.DISCONN_HEADSET: CommandShape(pending=True),
    Command.FREE_HEADSET: CommandShape(),
    Command.LOGON_ACD: CommandShape((20, None), 1, pending=True),
    Command.LOGOFF_ACD: CommandShape(pending=True),
    Command.LIST_STATE: CommandShape(),
    # One client that met real diallers sends a second parameter, A or I: a filter on the status.
    Command.LIST_JOBS: CommandShape((1, 1), 1),
    Command.LIST_CALL_LISTS: CommandShape(),
    Command.LIST_CALL_FIELDS: CommandShape((None,), 1),
    # A letter; a log in the guide shows the word OUTBOUND being accepted.
    Command.SET_WORK_CLASS: CommandShape((8,), 1),
    Command.ATTACH_JOB: CommandShape((_JOB,), 1),
    Command.DETACH_JOB: CommandShape(),
    Command.LIST_KEYS: CommandShape(),
    Command.LIST_SCREENS: CommandShape((_LIST,), 1),
    Command.GET_SCREEN: CommandShape((None,), 1),
    Command.DIALER_MODE: CommandShape(),
    Command.SEND_MESSAGE: CommandShape((79,), 1),
    Command.SET_PASSWORD: CommandShape((40, None, None), 3),
    Command.LIST_TENANTS: CommandShape(),
    Command.SET_TENANT: CommandShape((20,), 1, pending=True),
    Command.DUMP_DATA: CommandShape((None,)),
    Command.LOG_IO_START: CommandShape((None,)),
    Command.LOG_IO_STOP: CommandShape(),
    Command.ECHO_ON: CommandShape(),
    Command.ECHO_OFF: CommandShape(),
    Command.LIST_DATA_FIELDS: CommandShape((_LIST,), 1),
    Command.SET_NOTIFY_KEY_FIELD: CommandShape((_LIST, _FIELD), 2),
    Command.SET_DATA_FIELD: CommandShape((_LIST, _FIELD), 2),
    Command.CLEAR_DATA_SET: CommandShape((_LIST,), 1),
    Command.LIST_UNITS: CommandShape(),
    Command.SET_UNIT: CommandShape((None,), 1),
    Command.AVAIL_WORK: CommandShape(pending=True),
    Command.READY_NEXT_ITEM: CommandShape(),
    Command.NO_FURTHER_WORK: CommandShape(pending=True),
    Command.MANAGED_CALL: CommandShape(pending=True),
    Command.FIND_FIRST_RECORD: CommandShape((None,), 1, pending=True),
    Command.FIND_NEXT_RECORD: CommandShape((1,), 1, pending=True),
    Command.CANCEL_SEARCH: CommandShape(pending=True),
    Command.READ_FIELD: CommandShape((_LIST, _FIELD), 2),
    Command.UPDATE_FIELD: CommandShape((_LIST, _FIELD, None), 3),
    Command.LIST_CALLBACK_FMT: CommandShape(),
    Command.SET_CALLBACK: CommandShape((None, None, None, None, _PHONE), 3),
    Command.RELEASE_LINE: CommandShape((15, 3), pending=True),
    Command.FINISHED_ITEM: CommandShape((3,), 1),
    Command.HANGUP_CALL: CommandShape(),
    Command.HOLD_CALL: CommandShape(analogue_only=True),
    Command.UNHOLD_CALL: CommandShape(analogue_only=True),
    Command.MANUAL_CALL: CommandShape((_PHONE,), 1, analogue_only=True),
    Command.DIAL_DIGIT: CommandShape((1,), 1, analogue_only=True),
    # The guide sends one empty segment for the conference, two public clients none: both are accepted.
    Command.TRANSFER_CALL: CommandShape((_PHONE,), analogue_only=True),
    Command.HOOKFLASH_LINE: CommandShape((_PHONE,), analogue_only=True),
    Command.MO_FLASH_BLIND: CommandShape((_JOB,), pending=True),
    Command.MO_FLASH_SUPV: CommandShape((_JOB,), pending=True),
    Command.ADJUST_HEADSET: CommandShape((1, 1), 2, analogue_only=True),
    Command.GET_HEADSET_VOL: CommandShape(analogue_only=True),
    Command.MANUAL_PHONE: CommandShape((_PHONE,), 1),
    Command.DO_NOT_CALL: CommandShape(),
}


def check_parameters(command: Command, parameters: tuple[str, ...]) -> None:
    """Refuse parameters that the command cannot take.

    The error names the command and the place, never the value: it may be a password or a customer.

    Raises:
        LocalProtocolError: too few, too many, or one is too long.
    """
    shape = COMMAND_SHAPES[command]
    if not shape.required <= len(parameters) <= len(shape.longest):
        raise LocalProtocolError(
            f"{command} takes {shape.required} to {len(shape.longest)} parameters, not {len(parameters)}"
        )
    for place, (value, longest) in enumerate(zip(parameters, shape.longest, strict=False)):
        if longest is not None and len(value) > longest:
            raise LocalProtocolError(
                f"{command}: parameter {place} has {len(value)} characters, at most {longest} are allowed"
            )
