"""``python -m unified_agent.tools.simulators.aes``: the simulator by itself."""

from __future__ import annotations

import asyncio
import sys

from cyclopts import App

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.command import AesOptions, run

app = App(name="simulate-aes", help="A simulated AES with a Communication Manager behind it.")


@app.default
def main(options: AesOptions = AesOptions()) -> None:  # noqa: B008 - cyclopts reads the default
    """Simulate an AES until Ctrl-C. Prints its ports, then ``ready``."""
    try:
        asyncio.run(run(options))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    app()
