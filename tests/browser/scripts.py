"""Runs the scripts that drive Chromium, and says why when they cannot be run here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Protocol

import pytest

HERE: Final = Path(__file__).parent
STATIC: Final = HERE.parent.parent / "src/unified_agent/server/static/desktop/index.html"

needs_browser = pytest.mark.skipif(
    shutil.which("node") is None or not STATIC.exists(), reason="needs node and the built pages: make pages"
)


class Where(Protocol):
    """What a story is told of what runs."""

    @property
    def logs(self) -> Path:
        """What each process said, for the one who looks into a failure."""
        ...

    def as_json(self) -> str:
        """Where everything is."""
        ...


def run(
    script: str, *arguments: str, where: Where | None = None, limit_s: float = 120.0, before: tuple[str, ...] = ()
) -> None:
    """Run a script with node, by whatever is to stand before it; what it said goes into the failure."""
    told = {"UA_CENTRE": where.as_json()} if where else {}
    done = subprocess.run(
        [*before, "node", str(HERE / script), *arguments],
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
