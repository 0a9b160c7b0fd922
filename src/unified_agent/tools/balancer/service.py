"""A systemd unit that runs a balancer from our files. Pure."""

from __future__ import annotations

import shlex

from unified_agent.tools.balancer.check import Product
from unified_agent.tools.balancer.topology import Places


def service_name(kind: str) -> str:
    """Return the unit's name, one for each kind of balancer, so that several may run on one machine."""
    return f"unified-agent-{kind}"


def write_service(kind: str, cluster: str, product: Product, places: Places) -> dict[str, str]:
    """Write the unit.

    Args:
        kind: of balancer, as the command calls it.
        cluster: its name, for people.
        product: what is run.
        places: where things are.
    """
    program = f"/usr/sbin/{product.program}"
    file = f"{places.conf}/{product.file}"
    reload = product.reload_service.format(program=program, file=file)
    return {
        f"{service_name(kind)}.service": f"""\
# {product.program} in front of the cluster {cluster}. Written by 'unified-agent balancer'.
#   systemctl enable --now {places.conf}/{service_name(kind)}.service
[Unit]
Description={product.program} in front of Unified Agent
Wants=network-online.target
After=network-online.target

[Service]
# The first may be gone after each start of the machine.
ExecStartPre=/bin/mkdir -p {places.run} {places.log}
ExecStartPre={shlex.join([program, *product.check, file])}
ExecStart={shlex.join([program, *product.run, file])}
ExecReload={shlex.join([program, *product.check, file])}
ExecReload={reload}
Restart=always
RestartSec=1
LimitNOFILE=262144
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""
    }
