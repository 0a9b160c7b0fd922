"""What an instance's silence means, and what others think of it. Pure: time is an argument.

An instance promises a beat each ``beat_s`` seconds. A desk that hears nothing for longer first asks others, says then
that it is checking, and gives the instance up at last; later when the others say that it is well, because then the way
there is what is slow. An instance that lives and cannot be reached by us is given up all the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

#: The promise while no welcome has told it, and the shortest one that is believed, seconds.
BEAT_S: Final = 1.0
#: Beats missed until others are asked, until it is told that we are checking, until the instance is given up, and
#: until then when others say that it is well.
ASK_BEATS: Final = 1.5
SUSPECT_BEATS: Final = 3.0
DEAD_BEATS: Final = 6.0
DEAD_IF_WELL_BEATS: Final = 10.0
#: Others are asked again after so long while the silence lasts, seconds.
ASK_AGAIN_S: Final = 1.0


class Silence(StrEnum):
    """What a silence means so far."""

    NONE = "none"
    ASK = "ask"
    SUSPECT = "suspect"
    DEAD = "dead"


def judge(silent_s: float, beat_s: float, *, well: bool) -> tuple[Silence, float]:
    """Judge a silence.

    Args:
        silent_s: how long nothing has come.
        beat_s: what the instance promised.
        well: whether others say that it is well.

    Returns:
        What it means, and the length at which it will mean more.
    """
    beat_s = max(beat_s, BEAT_S)
    dead_s = beat_s * (DEAD_IF_WELL_BEATS if well else DEAD_BEATS)
    if silent_s >= dead_s:
        return Silence.DEAD, dead_s
    if silent_s >= SUSPECT_BEATS * beat_s:
        return Silence.SUSPECT, dead_s
    if silent_s >= ASK_BEATS * beat_s:
        return Silence.ASK, SUSPECT_BEATS * beat_s
    return Silence.NONE, ASK_BEATS * beat_s


class Opinion(Struct, frozen=True, kw_only=True):
    """What one instance thinks of another: the answer to ``GET /v1/witness``.

    Attributes:
        verdict: ``alive``, ``suspect``, ``dead``, ``draining`` or ``unknown``.
        can_take: whether it would serve us itself.
    """

    verdict: str
    can_take: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it is to be left at once. Who knows that counts more than others who have not noticed yet."""
        return self.verdict == "dead" or (self.verdict == "draining" and self.can_take)

    @property
    def is_well(self) -> bool:
        """Whether it is worth waiting for."""
        return self.verdict == "alive"
