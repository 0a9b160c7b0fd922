"""Codes: every error has a meaning and a reaction."""

from __future__ import annotations

import re

from unified_agent.wire.apc.codes import ERRORS, FATAL_SYSTEM_ERRORS, Reaction, error_meaning


def test_every_error_has_a_meaning_and_a_reaction() -> None:
    assert len(ERRORS) > 140
    for code, error in ERRORS.items():
        assert re.fullmatch(r"E\d{5}", code)
        assert error.meaning
        assert not error.meaning.endswith(".")


def test_unknown_error_means_that_this_command_failed() -> None:
    assert error_meaning("E99999").reaction is Reaction.COMMAND_FAILED


def test_fatal_errors_end_the_session_or_the_dialler() -> None:
    reactions = {ERRORS[code].reaction for code in FATAL_SYSTEM_ERRORS}
    assert reactions == {Reaction.DIALLER_DOWN, Reaction.SESSION_LOST}
