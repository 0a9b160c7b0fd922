"""Sequences of commands, written as generators and run without I/O.

A script asks for one thing at a time (a command sent, a pause, a signal) and is resumed with what came of it. It
knows nothing of bytes, sockets or clocks, so a whole logon reads top to bottom and runs in a test with made-up
answers. ``agent_flow`` runs them.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import StrEnum
from typing import TypeAlias, TypeVar

from msgspec import Struct

from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Replied


class Signal(StrEnum):
    """What scripts may wait for beside answers to their own commands."""

    #: An answer of AGTNoFurtherWork came, asked for or not.
    WORK_ENDED = "work-ended"
    #: The open record is closed.
    ITEM_CLOSED = "item-closed"


class SendCommand(Struct, frozen=True, kw_only=True):
    """Send a command and go on with its ``Replied``; after ``limit_s`` seconds with one that says "timed out"."""

    command: Command
    segments: tuple[str, ...] = ()
    limit_s: float | None = None


class Wait(Struct, frozen=True, kw_only=True):
    """Go on when the signal comes (with True) or after so many seconds (with False)."""

    signal: Signal | None = None
    limit_s: float | None = None


Step: TypeAlias = SendCommand | Wait
Resumed: TypeAlias = Replied | bool | None
ResultT = TypeVar("ResultT")
Script: TypeAlias = Generator[Step, Resumed, ResultT]


def ask(command: Command, *segments: str, limit_s: float | None = None) -> Script[Replied]:
    """Send a command; the result is how it ended."""
    reply = yield SendCommand(command=command, segments=segments, limit_s=limit_s)
    assert isinstance(reply, Replied)
    return reply


def pause(seconds: float) -> Script[None]:
    """Do nothing for a while."""
    yield Wait(limit_s=seconds)


def wait_for(signal: Signal, limit_s: float | None = None) -> Script[bool]:
    """Wait for a signal; the result says whether it came in time."""
    came = yield Wait(signal=signal, limit_s=limit_s)
    return came is True
