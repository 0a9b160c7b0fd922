"""``python -m unified_agent.tools.simulators.apc``: the simulator by itself."""

from __future__ import annotations

import asyncio
import sys

from cyclopts import App

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.apc.command import ApcOptions, run

app = App(name="simulate-apc", help="A simulated Proactive Contact dialler.")


@app.default
def main(options: ApcOptions = ApcOptions()) -> None:  # noqa: B008 - cyclopts reads the default
    """Simulate a dialler until Ctrl-C. Prints its ports, then ``ready``."""
    try:
        asyncio.run(run(options))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    app()
