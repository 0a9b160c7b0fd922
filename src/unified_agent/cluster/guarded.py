"""What a serving process tells its guardian (``unified_agent.guardian``), its parent: JSON lines on an inherited pipe.

The pipe is named by an environment variable. Telling never waits and never fails: a guardian that is gone or frozen
must not take the instance with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections import deque
from collections.abc import MutableMapping
from typing import Final, Self

import msgspec
from msgspec import Struct

from unified_agent.cluster.stores.base import LeaseId, Revision
from unified_agent.domain.ids import InstanceId
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.guarded")

#: Names the pipe's descriptor. It does not begin with ``UA_``, which settings do.
FD_VARIABLE: Final = "UNIFIED_AGENT_GUARDIAN_FD"
#: How often to call ``Guarded.alive``, seconds; far more often than ``cluster.stuck_s``.
ALIVE_S: Final = 0.5
#: A line; the kernel writes one of that length whole or not at all.
LINE_LIMIT_BYTES: Final = 4_096
#: Lines kept for a guardian that does not read; beyond, the oldest have been overtaken by later ones.
LINES_KEPT: Final = 16


class Registered(Struct, frozen=True, kw_only=True, tag="registered"):
    """The process has registered in the store: from now on its end is to be proven.

    Attributes:
        datacentre, instance: whose key it is.
        incarnation: the revision of its making.
        lease: on which it is.
    """

    datacentre: str
    instance: InstanceId
    incarnation: Revision
    lease: LeaseId


class Alive(Struct, frozen=True, tag="alive"):
    """The process's event loop runs."""


class Left(Struct, frozen=True, kw_only=True, tag="left"):
    """The process has ended this incarnation itself, in the store too: nothing is to be proven. It may go on
    without.
    """

    incarnation: Revision


Message = Registered | Alive | Left

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Message]] = msgspec.json.Decoder(Message)


def write_line(message: Message) -> bytes:
    """Write a message, with the end of its line."""
    line = _ENCODER.encode(message) + b"\n"
    assert len(line) <= LINE_LIMIT_BYTES, "names are short"
    return line


def read_line(line: bytes) -> Message | None:
    """Read a message; None for one that we do not know."""
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError:
        return None


class Guarded:
    """The serving process's end of the pipe. No method waits, and none raises."""

    def __init__(self, fd: int) -> None:
        """Take a descriptor, which is closed when its guardian is gone.

        Args:
            fd: of a pipe, for writing.
        """
        self._fd: int | None = fd
        os.set_blocking(fd, False)
        os.set_inheritable(fd, False)
        self._waiting: deque[bytes] = deque(maxlen=LINES_KEPT)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Self | None:
        """Take over the pipe that the environment names, if it does, so that no child of ours believes it is meant."""
        fd = find_pipe(environ)
        environ.pop(FD_VARIABLE, None)
        return None if fd is None else cls(fd)

    @property
    def is_guarded(self) -> bool:
        """Whether the guardian was still there when it was last told something."""
        return self._fd is not None

    def registered(self, *, datacentre: str, instance: InstanceId, incarnation: Revision, lease: LeaseId) -> None:
        """Tell that we have registered in the store, or have done so anew."""
        self._tell(Registered(datacentre=datacentre, instance=instance, incarnation=incarnation, lease=lease))

    def alive(self) -> None:
        """Tell that the event loop runs; to be called from it each ``ALIVE_S``."""
        self._flush()
        if not self._waiting:
            self._write(write_line(Alive()))

    def left(self, incarnation: Revision) -> None:
        """Tell that this incarnation has been ended in order, key and lease included."""
        self._tell(Left(incarnation=incarnation))

    def _tell(self, message: Message) -> None:
        self._waiting.append(write_line(message))
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self._write(self._waiting[0]):
            self._waiting.popleft()

    def _write(self, line: bytes) -> bool:
        if self._fd is None:
            return False
        try:
            os.write(self._fd, line)
        except BlockingIOError:
            return False
        except OSError as error:
            log_event(
                LOGGER,
                "guardian_lost",
                level="error",
                reason=errno.errorcode.get(error.errno or 0, ""),
                advice="restart the instance when it can be spared: its crash would be noticed a lease later",
            )
            os.close(self._fd)
            self._fd = None
            return False
        return True


def find_pipe(environ: MutableMapping[str, str]) -> int | None:
    """Return the descriptor that the environment names, if it is a pipe that can be written to."""
    text = environ.get(FD_VARIABLE, "")
    if not text.isdecimal():
        return None
    fd = int(text)
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        can_write = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    except (OSError, OverflowError):
        return None
    return fd if is_pipe and can_write else None
