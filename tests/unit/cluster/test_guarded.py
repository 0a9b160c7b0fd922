"""What a serving process tells its guardian: whole lines, never waiting, never failing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from unified_agent.cluster import guarded
from unified_agent.cluster.guarded import (
    FD_VARIABLE,
    LINES_KEPT,
    Alive,
    Guarded,
    Left,
    Message,
    Registered,
    find_pipe,
    read_line,
    write_line,
)
from unified_agent.cluster.stores.base import LeaseId, Revision
from unified_agent.domain.ids import InstanceId


class Pipe:
    """Both ends; ``end`` is what the process has."""

    def __init__(self) -> None:
        self.hearing, telling = os.pipe()
        os.set_blocking(self.hearing, False)
        self.telling = telling
        self.end = Guarded(telling)

    def heard(self) -> list[Message | None]:
        try:
            return [read_line(line) for line in os.read(self.hearing, 1_000_000).splitlines()]
        except BlockingIOError:
            return []

    def fill(self) -> int:
        """Write until the guardian, which does not read, can be told nothing more; returns how much that was."""
        written = 0
        for size in (4_096, 1):
            try:
                while True:
                    written += os.write(self.telling, b"\n" * size)
            except BlockingIOError:
                pass
        return written

    def unplug(self) -> None:
        if self.hearing >= 0:
            os.close(self.hearing)
            self.hearing = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    it = Pipe()
    yield it
    it.unplug()
    if it.end.is_guarded:
        os.close(it.telling)


@pytest.fixture
def said(monkeypatch) -> list[str]:
    events: list[str] = []
    monkeypatch.setattr(guarded, "log_event", lambda _, event, **__: events.append(event))
    return events


def register(pipe: Pipe, incarnation: int) -> Registered:
    message = Registered(
        datacentre="dc1", instance=InstanceId("a1"), incarnation=Revision(incarnation), lease=LeaseId(9)
    )
    pipe.end.registered(
        datacentre=message.datacentre,
        instance=message.instance,
        incarnation=message.incarnation,
        lease=message.lease,
    )
    return message


def test_everything_that_is_told_arrives_in_order(pipe) -> None:
    message = register(pipe, 17)
    pipe.end.alive()
    pipe.end.left(Revision(17))
    assert pipe.heard() == [message, Alive(), Left(incarnation=Revision(17))]


def test_the_lines_are_json_as_described() -> None:
    message = Registered(
        datacentre="dc1", instance=InstanceId("a1"), incarnation=Revision(17), lease=LeaseId(2**63 - 1)
    )
    assert write_line(message) == (
        b'{"type":"registered","datacentre":"dc1","instance":"a1","incarnation":17,"lease":9223372036854775807}\n'
    )
    assert write_line(Alive()) == b'{"type":"alive"}\n'
    assert write_line(Left(incarnation=Revision(17))) == b'{"type":"left","incarnation":17}\n'


@pytest.mark.parametrize("line", [b"", b"nonsense", b"{}", b'{"type":"later"}', b'{"type":"left"}', b"\xff"])
def test_a_line_of_another_kind_is_none(line) -> None:
    assert read_line(line) is None


def test_a_guardian_that_does_not_read_is_not_waited_for_and_hears_the_rest_later(pipe) -> None:
    rubbish = pipe.fill()
    message = register(pipe, 17)
    pipe.end.alive()
    assert pipe.end.is_guarded
    assert os.read(pipe.hearing, rubbish) == b"\n" * rubbish
    pipe.end.alive()
    assert pipe.heard() == [message, Alive()]


def test_what_waits_for_a_guardian_is_bounded_and_the_newest_is_kept(pipe) -> None:
    rubbish = pipe.fill()
    for incarnation in range(LINES_KEPT + 5):
        register(pipe, incarnation)
    os.read(pipe.hearing, rubbish)
    pipe.end.left(Revision(99))
    heard = pipe.heard()
    assert len(heard) == LINES_KEPT
    assert heard[-1] == Left(incarnation=Revision(99))


def test_a_guardian_that_is_gone_is_told_of_once_and_nothing_fails(pipe, said) -> None:
    pipe.unplug()
    for _ in range(3):
        pipe.end.alive()
        pipe.end.left(Revision(17))
    assert said == ["guardian_lost"]
    assert not pipe.end.is_guarded
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pipe.telling)


def test_the_pipe_is_taken_out_of_the_environment_and_not_left_to_children() -> None:
    hearing, telling = os.pipe()
    os.set_inheritable(telling, True)
    environ = {FD_VARIABLE: str(telling), "HOME": "/"}
    it = Guarded.from_environment(environ)
    assert it is not None
    assert environ == {"HOME": "/"}
    assert not os.get_inheritable(telling)
    assert not os.get_blocking(telling)
    it.alive()
    assert os.read(hearing, 100) == write_line(Alive())
    os.close(hearing)
    os.close(telling)


@pytest.mark.parametrize("value", ["", "x", "-1", "987654", "9" * 30])
def test_without_a_pipe_there_is_no_guardian(value) -> None:
    environ = {FD_VARIABLE: value}
    assert find_pipe(environ) is None
    assert Guarded.from_environment(environ) is None
    assert environ == {}
    assert Guarded.from_environment({}) is None


def test_a_descriptor_that_is_something_else_by_now_is_no_guardian(tmp_path) -> None:
    hearing, telling = os.pipe()
    with (tmp_path / "file").open("wb") as file:
        assert find_pipe({FD_VARIABLE: str(file.fileno())}) is None
    assert find_pipe({FD_VARIABLE: str(hearing)}) is None
    assert find_pipe({FD_VARIABLE: str(telling)}) == telling
    os.close(hearing)
    os.close(telling)
