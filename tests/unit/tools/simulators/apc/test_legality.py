"""Every command in every stage: accepted, or refused with the error of that cell."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Agent, Bench

from unified_agent.tools.simulators.apc.legality import RULES
from unified_agent.wire.apc.commands import COMMAND_SHAPES, Command

#: What is answered in B, C, D, E, P, F, W. "ok" is accepted; P is a managed job, the others are outbound.
TABLE = """
Logon               28925  28925  28925  28925  28925  28925  28925
ListState           ok     ok     ok     ok     ok     ok     ok
ListJobs            ok     ok     ok     ok     ok     ok     ok
ListCallLists       ok     ok     ok     ok     ok     ok     ok
ListCallFields      ok     ok     ok     ok     ok     ok     ok
DialerMode          ok     ok     ok     ok     ok     ok     ok
SendMessage         ok     ok     ok     ok     ok     ok     ok
DumpData            ok     ok     ok     ok     ok     ok     ok
LogIoStart          ok     ok     ok     ok     ok     ok     ok
LogIoStop           ok     ok     ok     ok     ok     ok     ok
EchoOn              ok     ok     ok     ok     ok     ok     ok
EchoOff             ok     ok     ok     ok     ok     ok     ok
SetPassword         ok     ok     ok     ok     ok     ok     ok
ListTenants         ok     ok     ok     ok     ok     ok     ok
SetTenant           ok     ok     ok     ok     ok     ok     ok
ReserveHeadset      28923  28923  28923  28923  28923  28923  28923
ConnHeadset         28872  28872  28872  28872  28872  28872  28872
DisconnHeadset      ok     ok     28900  28900  28900  28900  28900
FreeHeadset         28879  28879  28879  28879  28879  28879  28879
SetWorkClass        ok     ok     28882  28882  28882  28882  28882
AttachJob           ok     28889  28889  28889  28889  28889  28889
SetNotifyKeyField   28885  ok     ok     ok     ok     ok     ok
SetDataField        28885  ok     ok     ok     ok     ok     ok
ClearDataSet        28885  ok     ok     ok     ok     ok     ok
ListDataFields      28885  ok     ok     ok     ok     ok     ok
ListKeys            28885  ok     ok     ok     ok     ok     ok
ListScreens         28885  ok     ok     ok     ok     ok     ok
GetScreen           28885  ok     ok     ok     ok     ok     ok
ListCallbackFmt     28885  ok     ok     ok     ok     ok     ok
ListUnits           28885  28886  28886  28886  28886  28886  28886
SetUnit             28885  28886  28887  28887  28887  28887  28887
LogonAcd            28873  70011  28873  28873  28873  28873  28873
LogoffAcd           28873  28873  28914  28914  28914  28914  28914
AvailWork           28885  ok     28895  28895  28895  28895  28895
ReadyNextItem       28885  28901  ok     28903  28902  28902  28902
NoFurtherWork       28917  28918  ok     ok     ok     ok     ok
ManagedCall         28885  28901  28907  28907  ok     28907  28907
FindFirstRecord     28885  28901  28907  28907  ok     28907  28907
FindNextRecord      28885  28901  28907  28907  29954  28907  28907
CancelSearch        28885  28901  28907  28907  29954  28907  28907
ReadField           28885  28912  28912  28912  ok     ok     ok
UpdateField         28885  28912  28912  28912  ok     ok     ok
SetCallback         28885  28912  28912  28912  ok     ok     ok
DoNotCall           28885  28912  28912  28912  ok     ok     ok
ReleaseLine         28885  28866  28866  28866  ok     ok     28866
HangupCall          28866  28866  28866  28866  28866  ok     28866
HoldCall            28866  28866  28866  28866  28866  ok     28866
UnholdCall          28866  28866  28866  28866  28866  28867  28866
ManualCall          28866  28866  28866  28866  28866  ok     28866
DialDigit           28866  28866  28866  28866  28866  ok     28866
TransferCall        28866  28866  28866  28866  28866  ok     28866
HookflashLine       28866  28866  28866  28866  28866  ok     28866
MoFlashBlind        28866  28866  28866  28866  28866  ok     28866
MoFlashSupv         28866  28866  28866  28866  28866  28868  28866
AdjustHeadset       28866  28866  28866  28866  28866  ok     28866
GetHeadsetVol       28866  28866  28866  28866  28866  ok     28866
ManualPhone         28866  28866  28866  28866  28866  ok     28866
FinishedItem        28885  28919  28919  28919  ok     ok     ok
DetachJob           28913  ok     28914  28914  28914  28914  28914
Logoff              ok     28916  28916  28916  28916  28916  28916
"""
CELLS = [
    (name, stage, expected)
    for line in TABLE.split("\n")
    if line.strip()
    for name, *cells in [line.split()]
    for stage, expected in zip("BCDEPFW", cells, strict=True)
]
PARAMETERS = {
    "Logon": ("ann", "pw", "PCAPI_5.1.0.0.4"),
    "ListJobs": ("A",),
    "ListCallFields": ("SPRING25_O",),
    "SendMessage": ("hello",),
    "SetPassword": ("ann", "pw", "pw2"),
    "SetTenant": ("north",),
    "ReserveHeadset": ("52001",),
    "SetWorkClass": ("O",),
    "AttachJob": ("SPRING25",),
    "SetNotifyKeyField": ("O", "ACCTNUM"),
    "SetDataField": ("O", "BAL"),
    "ClearDataSet": ("O",),
    "ListDataFields": ("O",),
    "ListScreens": ("O",),
    "GetScreen": ("{job}_OUT",),
    "SetUnit": ("NORTH",),
    "LogonAcd": ("52001",),
    "FindFirstRecord": ("{account}",),
    "FindNextRecord": ("N",),
    "ReadField": ("O", "NAME"),
    "UpdateField": ("O", "NAME", "x"),
    "SetCallback": ("2026/12/01", "0930", "1"),
    "FinishedItem": ("20",),
    "ManualCall": ("2025550143",),
    "DialDigit": ("5",),
    "TransferCall": ("2025550143",),
    "MoFlashBlind": ("HELPIN",),
    "MoFlashSupv": ("HELPIN",),
    "AdjustHeadset": ("E", "3"),
    "ManualPhone": ("2025550143",),
}


def agent_in(stage: str) -> Agent:
    """An agent with a connected headset in that stage."""
    bench = Bench(tenants=("north",))
    agent = bench.connect()
    agent.log_on("ann").take_headset()
    if stage == "B":
        return agent
    bench.floor.seats[1].tenant = "north"
    managed = stage == "P"
    agent.say("SetWorkClass", "M" if managed else "O")
    agent.say("AttachJob", "PREVW01" if managed else "SPRING25")
    if stage != "C":
        agent.say("AvailWork")
    if stage in "EPFW":
        agent.say("ReadyNextItem")
    if stage in "PFW":
        bench.wait(1.0)
    if stage == "W":
        agent.say("ReleaseLine")
    assert agent.stage == stage
    bench.floor.seats[1].tenant = ""
    agent.lines()
    return agent


def test_every_command_has_a_row_and_a_rule() -> None:
    assert {name for name, _, _ in CELLS} == {command.removeprefix("AGT") for command in Command}
    assert set(RULES) == set(Command)


@pytest.mark.parametrize(("name", "stage", "expected"), CELLS, ids=lambda value: str(value))
def test_command_in_stage(name: str, stage: str, expected: str) -> None:
    agent = agent_in(stage)
    seat = agent.bench.floor.seats[1]
    account = seat.call.record.fields["ACCTNUM"] if seat.call else ""
    if name == "AttachJob":
        seat.tenant = "north"
    parameters = [value.format(job=seat.job, account=account) for value in PARAMETERS.get(name, ())]
    answered = [
        line.split(" ", 2)[2]
        for line in agent.say(name, *parameters, wait_s=9.0 if name == "ManagedCall" else 0.01)
        if line.startswith(f"R {name} ")
    ]
    if name == "NoFurtherWork" and stage in "PFW":
        assert answered == []
        assert agent.bench.floor.seats[1].leaving
    elif expected == "ok":
        assert answered == ["0 M00000"]
    else:
        [answer] = answered
        assert answer.startswith(f"1 E{expected}")


@pytest.mark.parametrize("command", [command for command in Command if command is not Command.LOGON])
def test_every_command_before_logon_dies_by_a_system_error(command: Command) -> None:
    agent = Bench().connect()
    assert agent.lines() == ["N START 0 AGENT_STARTUP"]
    segments = PARAMETERS.get(command.removeprefix("AGT"), ())
    assert agent.say(command.removeprefix("AGT"), *segments) == ["N SystemError 1 E28924"]


@pytest.mark.parametrize("command", Command)
def test_wrong_number_of_parameters_is_refused(command: Command) -> None:
    agent = Bench().connect()
    agent.lines()
    if command is not Command.LOGON:
        agent.log_on()
    too_many = ("1",) * (len(COMMAND_SHAPES[command].longest) + 1)
    assert agent.say(command.removeprefix("AGT"), *too_many) == [f"R {command.removeprefix('AGT')} 1 E70000"]


def test_unknown_command_is_refused() -> None:
    agent = Bench().connect().log_on()
    assert agent.say("MakeTea") == ["R MakeTea 1 E28865"]


@pytest.mark.parametrize("command", [command for command, shape in COMMAND_SHAPES.items() if shape.analogue_only])
def test_soft_dialler_refuses_what_needs_its_own_line(command: Command) -> None:
    agent = Bench(soft_dialler=True).connect().join().get_call()
    name = command.removeprefix("AGT")
    assert agent.say(name, *PARAMETERS.get(name, ())) == [f"R {name} 1 E29950"]
