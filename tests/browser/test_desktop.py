"""The desktop in Chromium: stories against a whole contact centre, and every state against a simulated backend.

Pictures are kept in ``artefacts/`` (ignored): ``browser/`` from the stories, ``desktop/`` of each state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from tests.browser.centre import centre
from tests.browser.scripts import needs_browser, run

pytestmark = needs_browser

STORIES: Final = {
    "login": "login_is_refused_in_a_sentence_and_a_refresh_loses_nothing",
    "inbound": "an_inbound_call_is_answered_held_asked_about_joined_and_wrapped_up",
    "predictive": "customers_of_a_job_are_worked_from_line_to_completion_code",
    "aes_lost": "a_lost_switch_is_told_and_the_way_back_ends_where_it_began",
    "dialler_lost": "a_dead_dialler_is_told_and_the_next_one_takes_over",
}


@pytest.mark.parametrize("story", STORIES, ids=STORIES.values())
def test_story(story: str, tmp_path: Path) -> None:
    with centre(tmp_path) as where:
        run(f"stories/{story}.mjs", where=where)


@pytest.mark.timeout(600)
def test_no_state_has_barriers_or_is_wider_than_its_window() -> None:
    run("screenshots.mjs", "--only", "wide-light,phone-dark", limit_s=590.0)
