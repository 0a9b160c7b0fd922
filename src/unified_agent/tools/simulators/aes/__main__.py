"""``python -m unified_agent.tools.simulators.aes``: the simulator by itself."""

from __future__ import annotations

from cyclopts import App

from unified_agent.tools.simulators.aes.command import AesOptions, run
from unified_agent.tools.simulators.shell.process import run_alone

app = App(name="simulate-aes", help="A simulated AES with a Communication Manager behind it.")


@app.default
def main(options: AesOptions = AesOptions()) -> None:  # noqa: B008 - cyclopts reads the default
    """Simulate an AES until Ctrl-C. Prints its ports, then ``ready``."""
    run_alone(run(options))


if __name__ == "__main__":
    app()
