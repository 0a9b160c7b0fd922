"""Builds one running instance from its settings; the only room that knows every other.

- ``instance``: makes the parts, joins the ports, starts, drains, stops.
- ``house``: what the cluster asks of an instance: to serve, to stand down, to take agents over.
- ``operations``: what operators ask of the cluster through an instance.
- ``process``: an instance as a process.
"""

from __future__ import annotations

from unified_agent.assembly.instance import Instance
from unified_agent.assembly.process import GC_THRESHOLDS, serve

__all__ = ["GC_THRESHOLDS", "Instance", "serve"]
