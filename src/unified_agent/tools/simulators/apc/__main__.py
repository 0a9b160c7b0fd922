"""``python -m unified_agent.tools.simulators.apc``: the simulator by itself."""

from __future__ import annotations

from cyclopts import App

from unified_agent.tools.simulators.apc.command import ApcOptions, run
from unified_agent.tools.simulators.shell.process import run_alone

app = App(name="simulate-apc", help="A simulated Proactive Contact dialler.")


@app.default
def main(options: ApcOptions = ApcOptions()) -> None:  # noqa: B008 - cyclopts reads the default
    """Simulate a dialler until Ctrl-C. Prints its ports, then ``ready``."""
    run_alone(run(options))


if __name__ == "__main__":
    app()
