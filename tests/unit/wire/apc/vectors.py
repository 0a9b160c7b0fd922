"""Reads the worked examples in tests/vectors/apc."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[3] / "vectors" / "apc"


class Frame(NamedTuple):
    """One line of an example file."""

    from_server: bool
    length: int
    data: bytes
    origin: str


def frames(name: str) -> list[Frame]:
    """All frames of ``<name>.txt``, in order."""
    found = []
    for number, line in enumerate((FOLDER / f"{name}.txt").read_text("utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        match = re.fullmatch(r"(S>C|C>S) +(\d+)  (.*)", line)
        assert match, f"{name}.txt:{number} is no frame"
        data = match[3].translate({ord("␞"): 0x1E, ord("␗"): 0x17, ord("␃"): 0x03}).encode("latin-1")
        found.append(Frame(match[1] == "S>C", int(match[2]), data, f"{name}.txt:{number}"))
    return found


def every_frame() -> list[Frame]:
    """All frames of all examples."""
    return [frame for name in ("session", "calls", "answers") for frame in frames(name)]


def hex_frames() -> list[bytes]:
    """The frames of ``header.hex``."""
    text = (FOLDER / "header.hex").read_text("utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [bytes.fromhex(block) for block in text.strip().split("\n\n")]
