"""Writes what was made, and nothing over what somebody has changed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from unified_agent.errors import SettingsError

#: So many lines of a difference are shown.
SHOWN_LINES: Final = 40
_SECRET_LINE: Final = re.compile(r"(secret\s*[= ]\s*)\S+")


class Standing(StrEnum):
    """How a file of ours compares to the one that is there."""

    NEW = "new"
    SAME = "unchanged"
    OTHER = "changed"


class Change(Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        file: where it goes.
        text: what is to stand in it.
        standing: compared to what is there.
        difference: lines, as ``diff -u`` gives them; secrets are not among them.
    """

    file: Path
    text: str
    standing: Standing
    difference: tuple[str, ...] = ()


def compare(folder: Path, files: Mapping[str, str]) -> list[Change]:
    """Compare files with those that are there.

    Raises:
        SettingsError: one cannot be read.
    """
    return [_compare(folder / name, text) for name, text in files.items()]


def write(changes: list[Change], *, force: bool) -> None:
    """Write files that are new or changed; whoever reads one meanwhile sees the whole old or the whole new one.

    Raises:
        SettingsError: one is there with other contents and force is not given, which then writes none of them; or it
            cannot be written.
    """
    others = [f"{each.file}" for each in changes if each.standing is Standing.OTHER]
    if others and not force:
        raise SettingsError(
            f"not written, because {' and '.join(others)} would be changed as shown above: give --force to do it, or "
            "another --out"
        )
    for each in changes:
        if each.standing is not Standing.SAME:
            _write(each)


def tell(changes: list[Change]) -> Iterator[str]:
    """Tell of each file how it stands, and what would be another in it."""
    for each in changes:
        yield f"{each.standing.value:<9} {each.file}"
        yield from (f"    {line}" for line in each.difference[:SHOWN_LINES])
        if len(each.difference) > SHOWN_LINES:
            yield f"    … and {len(each.difference) - SHOWN_LINES} lines more"


def _compare(file: Path, text: str) -> Change:
    try:
        there = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Change(file=file, text=text, standing=Standing.NEW)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is there and cannot be read: {error}") from error
    if there == text:
        return Change(file=file, text=text, standing=Standing.SAME)
    lines = difflib.unified_diff(_shown(there), _shown(text), "as it is", "as it would be", lineterm="", n=1)
    return Change(file=file, text=text, standing=Standing.OTHER, difference=tuple(lines))


def _shown(text: str) -> list[str]:
    return [_SECRET_LINE.sub(r"\1(not shown)", line) for line in text.splitlines()]


def _write(change: Change) -> None:
    # What holds a secret is for whoever starts the balancer alone; the rest may be looked at.
    mode = 0o600 if any(_SECRET_LINE.search(line) for line in change.text.splitlines()) else 0o644
    fresh = change.file.with_name(f"{change.file.name}.new")
    try:
        change.file.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as output:  # noqa: PTH123 - the mode from the beginning
            os.fchmod(output.fileno(), mode)
            output.write(change.text)
        fresh.replace(change.file)
    except OSError as error:
        raise SettingsError(f"{change.file} cannot be written: {error.strerror or error}") from error
