"""``unified-agent simulate aes``, apart so that the command line loads it only when it is asked for."""

from __future__ import annotations

from typing import Final

from unified_agent.tools.simulators.aes.command import AesOptions, run

_DEFAULTS: Final = AesOptions()


async def simulate(options: AesOptions = _DEFAULTS) -> None:
    """Simulate an AES with a Communication Manager: stations, agents, hunt groups, calls."""
    await run(options)
