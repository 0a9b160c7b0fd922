"""What a person does next with the files, on one screen. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.service import service_name
from unified_agent.tools.balancer.topology import BalancerTopology, Places


def tell_next(name: str, topology: BalancerTopology, places: Places) -> Iterator[str]:
    """Tell how the balancer is started, what instances must know of it, and how to see that it works.

    Args:
        name: of its kind.
        topology: the cluster.
        places: where things are.
    """
    kind, service = KINDS[name], service_name(name)
    product = kind.product
    file = f"{places.conf}/{product.file}"
    start = shlex.join([product.program, *(each.format(run=places.run) for each in product.start), file])
    reload = product.reload.format(program=product.program, file=file, run=places.run)
    yield "Next"
    yield "  On the balancer's machine, with systemd:"
    yield f"    systemctl disable --now {product.debian_service}    # Debian's own, with other files"
    yield f"    systemctl enable --now {places.conf}/{service}.service"
    yield f"    systemctl reload {service}    # after a change; files that it does not take change nothing"
    yield "  Without:"
    yield f"    mkdir -p {places.run} {places.log} && {start}"
    yield f"    {reload}    # after a change"
    yield "  In the settings of every instance:"
    if kind.speaks_ajp:
        ports = sorted({each.ajp_port for each in topology.instances})
        port = " or ".join(map(str, ports))
        yield f"    [ajp] port = {port}, secret_file, packet_size_bytes = {topology.ajp_packet_size_bytes}"
    elif kind.is_proxy:
        yield "    [http] trusted_proxies = [the balancer's address]    # or all agents count as one for login limits"
    yield f'    [http] allowed_origins = ["{topology.url}"]    # pages that came through it call instances themselves'
    yield "  See that it works:"
    yield f"    curl -s {topology.url}/v1/entry    # names an instance"
    if kind.is_proxy and topology.status_port:
        yield f"    curl -s http://127.0.0.1:{topology.status_port}/    # how it stands, on its own machine"
    if kind.speaks_ajp and not topology.ajp_secret:
        yield "  There is no AJP secret yet: openssl rand -hex 24 makes one, for ajp.secret_file and --ajp-secret-file."
    if not topology.tls_cert_file and kind.is_proxy:
        yield "  There is no TLS yet: passwords cross the network as they are. Give tls_cert_file and tls_key_file."
