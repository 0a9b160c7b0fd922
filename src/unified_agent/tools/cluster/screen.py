"""What is drawn again in its place on a terminal, and printed once per change where there is none."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from typing import Final, TextIO

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_PLAIN: Final = "\x1b[0m"
#: The other screen of a terminal, which leaves what was on the usual one as it was; and the cursor out of the way.
_ENTER: Final = "\x1b[?1049h\x1b[?25l"
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_REST_OF_LINE: Final = "\x1b[K"
_REST_OF_SCREEN: Final = "\x1b[J"

Size = Callable[[], tuple[int, int]]


def terminal_size() -> tuple[int, int]:
    """Return the terminal's columns and lines."""
    size = shutil.get_terminal_size()
    return size.columns, size.lines


class Page:
    """A whole picture. Within ``with``; at the end the last picture stays on the usual screen.

    Each picture is one write over the one before, each line ending with "clear the rest", so nothing flickers.
    """

    def __init__(self, output: TextIO, *, is_terminal: bool, size: Size = terminal_size) -> None:
        self._output = output
        self._is_terminal = is_terminal
        self._size = size
        self._shown: bytes | str | None = None
        self._lines: Sequence[str] = ()

    def __enter__(self) -> Page:
        if self._is_terminal:
            self._write(_ENTER)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._write(_LEAVE + "".join(f"{line}\n" for line in self._lines))

    def show(self, lines: Sequence[str], change: bytes | str) -> None:
        """Draw a picture.

        Args:
            lines: of it; those beyond the terminal's last are left out, and what is beyond its width.
            change: what must differ for a picture to be printed again where it cannot be drawn in its place.
        """
        self._lines = lines
        if not self._is_terminal:
            if change != self._shown:
                self._write("".join(f"{line}\n" for line in lines))
            self._shown = change
            return
        columns, height = self._size()
        drawn = [f"{clip(line, columns)}{_REST_OF_LINE}" for line in lines[:height]]
        self._write(_HOME + "\r\n".join(drawn) + _REST_OF_SCREEN)

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


class Line:
    """One line that changes until it is done. Within ``with``."""

    def __init__(self, output: TextIO, *, is_terminal: bool, size: Size = terminal_size) -> None:
        self._output = output
        self._is_terminal = is_terminal
        self._size = size
        self._shown = ""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal and self._shown:
            self._write("\n")

    def show(self, text: str) -> None:
        """Write it in the place of what is there; without a terminal below it, when it differs."""
        if text == self._shown:
            return
        self._shown = text
        if self._is_terminal:
            columns, _ = self._size()
            self._write(f"\r{clip(text, columns - 1)}{_REST_OF_LINE}")
        else:
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()


def clip(line: str, columns: int) -> str:
    """Cut a line to so many columns; colours take none, and are ended where it is cut."""
    if len(_COLOUR.sub("", line)) <= columns:
        return line
    kept: list[str] = []
    room = columns
    position = 0
    coloured = False
    while room > 0:
        colour = _COLOUR.match(line, position)
        if colour is not None:
            kept.append(colour[0])
            position = colour.end()
            coloured = True
            continue
        kept.append(line[position])
        position += 1
        room -= 1
    return "".join(kept) + (_PLAIN if coloured else "")
