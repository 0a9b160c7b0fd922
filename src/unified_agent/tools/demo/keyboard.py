"""Single keys from a terminal. Ctrl-C comes as a key too, so that it ends us alone, and we our processes in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import Callable, Iterator
from typing import Final

#: Keys that mean the end, besides q: Ctrl-C, Ctrl-D.
END_KEYS: Final = frozenset({"q", "Q", "\x03", "\x04"})
_LOCAL_FLAGS: Final = 3
#: A paste or an arrow key is a burst of bytes; a finger makes one.
_READ_BYTES: Final = 64


def is_ours(fd: int) -> bool:
    """Say whether this is a terminal and we are in its foreground, so that its keys are meant for us."""
    try:
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


@contextlib.contextmanager
def single_keys(fd: int, pressed: Callable[[str], None]) -> Iterator[None]:
    """Hand each key over as it is pressed, within this block; the terminal is as before afterwards.

    Args:
        fd: a terminal.
        pressed: told each key. Bursts, such as those of arrow keys, are passed over.
    """
    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(fd)
    changed = termios.tcgetattr(fd)
    changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)

    def read() -> None:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the terminal is gone
            loop.remove_reader(fd)
        elif len(data) == 1:
            pressed(data.decode("latin-1"))

    termios.tcsetattr(fd, termios.TCSADRAIN, changed)
    loop.add_reader(fd, read)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
