"""The recorder of what an instance claims and does: every line, also when the disk has its troubles."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent import history
from unified_agent.domain.ids import AgentId, CommandId, InstanceId, RequestId, StationId
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import Side
from unified_agent.errors import SettingsError
from unified_agent.history import (
    AnyEvent,
    Claimed,
    CommandAnswered,
    Entry,
    Event,
    History,
    HistoryFile,
    HistoryList,
    LinkDeed,
    NoHistory,
    Registered,
    Released,
    read_history,
)

A1 = InstanceId("a1")
DEED = LinkDeed(
    agent=AgentId("5001"), station=StationId("2001"), term=7, incarnation=812, side=Side.TELEPHONY, what="make-call",
    command=CommandId("d1-3"), request=RequestId(4),
)  # fmt: skip


def file_history(path: Path, told: list[OSError] | None = None) -> HistoryFile:
    heard = told if told is not None else []
    return HistoryFile(path, A1, ManualClock(1_000.0), failed=heard.append, monotonic_s=lambda: 50.0)


def record_deed(kept: History) -> None:
    kept.record(
        LinkDeed, agent=DEED.agent, station=DEED.station, term=DEED.term, incarnation=DEED.incarnation, side=DEED.side,
        what=DEED.what, command=DEED.command, request=DEED.request,
    )  # fmt: skip


def test_what_was_recorded_is_read_again_with_time_and_instance(tmp_path: Path) -> None:
    kept = file_history(tmp_path / "a1.jsonl")
    record_deed(kept)
    kept.record(CommandAnswered, command=CommandId("d1-3"), outcome=Outcome.ACCEPTED)
    kept.close()
    entries, unreadable = read_history(tmp_path / "a1.jsonl")
    answered = CommandAnswered(command=CommandId("d1-3"), outcome=Outcome.ACCEPTED)
    assert entries == [
        Entry(at_s=1_000.0, mono_s=50.0, instance=A1, event=DEED),
        Entry(at_s=1_000.0, mono_s=50.0, instance=A1, event=answered),
    ]
    assert unreadable == 0


def test_a_line_names_its_kind_and_stands_in_the_file_at_once(tmp_path: Path) -> None:
    kept = file_history(tmp_path / "a1.jsonl")
    kept.record(Registered, incarnation=12)
    line = (tmp_path / "a1.jsonl").read_bytes()
    kept.close()
    assert line == b'{"at_s":1000.0,"mono_s":50.0,"instance":"a1","event":{"kind":"registered","incarnation":12}}\n'


def test_a_process_that_starts_again_writes_on(tmp_path: Path) -> None:
    for incarnation in (12, 30):
        kept = file_history(tmp_path / "a1.jsonl")
        kept.record(Registered, incarnation=incarnation)
        kept.close()
    entries, _ = read_history(tmp_path / "a1.jsonl")
    assert [entry.event for entry in entries] == [Registered(incarnation=12), Registered(incarnation=30)]


def test_every_event_of_the_vocabulary_can_be_read(tmp_path: Path) -> None:
    kinds = {kind for kind in vars(history).values() if isinstance(kind, type) and issubclass(kind, Event)} - {Event}
    assert set(get_args(AnyEvent)) == kinds
    line = (
        b'{"at_s":1,"mono_s":2,"instance":"a1","event":{"kind":"desktop-shown","agent":"1","term":1,"epoch":2,"seq":3}}'
    )
    assert msgspec.json.decode(line, type=Entry).event.__class__ is history.DesktopShown


def test_a_full_disk_is_told_once_and_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[OSError] = []
    kept = file_history(tmp_path / "a1.jsonl", told)

    def full(file: int, line: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        record_deed(kept)
        record_deed(kept)
    assert [error.errno for error in told] == [errno.ENOSPC]
    record_deed(kept)
    kept.close()
    assert [entry.event for entry in read_history(tmp_path / "a1.jsonl")[0]] == [DEED]


def test_trouble_that_comes_back_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[OSError] = []
    kept = file_history(tmp_path / "a1.jsonl", told)

    def broken(file: int, line: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", broken)
            record_deed(kept)
        record_deed(kept)
    kept.close()
    assert len(told) == 2


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[OSError] = []
    kept = file_history(tmp_path / "a1.jsonl", told)
    whole_write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, line: whole_write(file, line[:20]))
        kept.record(Registered, incarnation=12)
    record_deed(kept)
    kept.close()
    entries, unreadable = read_history(tmp_path / "a1.jsonl")
    assert [entry.event for entry in entries] == [DEED]
    assert unreadable == 1
    assert len(told) == 1


def test_a_file_that_cannot_be_opened_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be written to .*No such file"):
        file_history(tmp_path / "missing" / "a1.jsonl")


def test_instances_of_a_simulation_share_one_list_in_order() -> None:
    clock = ManualClock(1_000.0)
    first = HistoryList(A1, clock)
    second = HistoryList(InstanceId("b1"), clock, monotonic_s=lambda: 5.0, entries=first.entries)
    first.record(
        Claimed, agent=AgentId("5001"), station=StationId("2001"), term=1, incarnation=3, epoch=1, wish="login"
    )
    second.record(Released, agent=AgentId("5001"), term=1)
    assert [(entry.instance, entry.mono_s) for entry in first.entries] == [("a1", 1_000.0), ("b1", 5.0)]
    assert second.entries is first.entries


def test_no_history_takes_everything_and_keeps_nothing() -> None:
    record_deed(NoHistory())
    assert not hasattr(NoHistory(), "__dict__")
