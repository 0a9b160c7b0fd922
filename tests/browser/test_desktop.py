"""The desktop in Chromium: stories against a whole contact centre, and every state against a simulated backend.

Pictures are kept in ``artefacts/`` (ignored): ``browser/`` from the stories, ``desktop/`` of each state.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from tests.browser.centre import Centre, centre

HERE: Final = Path(__file__).parent
STATIC: Final = HERE.parent.parent / "src/unified_agent/server/static/desktop/index.html"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not STATIC.exists(), reason="needs node and the built pages: make pages"
)

STORIES: Final = {
    "login": "login_is_refused_in_a_sentence_and_a_refresh_loses_nothing",
    "inbound": "an_inbound_call_is_answered_held_asked_about_joined_and_wrapped_up",
    "predictive": "customers_of_a_job_are_worked_from_line_to_completion_code",
    "aes_lost": "a_lost_switch_is_told_and_the_way_back_ends_where_it_began",
    "dialler_lost": "a_dead_dialler_is_told_and_the_next_one_takes_over",
}


def run(script: str, *arguments: str, where: Centre | None = None, limit_s: float = 120.0) -> None:
    """Run a script with node; what it said goes into the failure."""
    told = {"UA_CENTRE": where.as_json()} if where else {}
    done = subprocess.run(
        ["node", str(HERE / script), *arguments],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    if done.returncode != 0:
        logs = (
            "".join(f"\n--- {file.name}\n{file.read_text()[-3000:]}" for file in sorted(where.logs.glob("*.log")))
            if where
            else ""
        )
        pytest.fail(f"{script}: {done.stdout[-3000:]}{done.stderr[-6000:]}{logs}", pytrace=False)


@pytest.mark.parametrize("story", STORIES, ids=STORIES.values())
def test_story(story: str, tmp_path: Path) -> None:
    with centre(tmp_path) as where:
        run(f"stories/{story}.mjs", where=where)


def test_no_state_has_barriers_or_is_wider_than_its_window() -> None:
    run("screenshots.mjs", "--only", "wide-light,phone-dark", limit_s=600.0)
