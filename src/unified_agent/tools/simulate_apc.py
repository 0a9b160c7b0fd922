"""``unified-agent simulate apc``, apart so that the command line loads it only when it is asked for."""

from __future__ import annotations

from typing import Final

from unified_agent.tools.simulators.apc.command import ApcOptions, run

_DEFAULTS: Final = ApcOptions()


async def simulate(options: ApcOptions = _DEFAULTS) -> None:
    """Simulate a Proactive Contact dialler: agents, jobs, records, calls."""
    await run(options)
