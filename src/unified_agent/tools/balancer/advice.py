"""What a person does next with the files, on one screen. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from unified_agent.tools.balancer.products import Kind
from unified_agent.tools.balancer.topology import BalancerTopology, Places


def tell_next(kind: Kind, topology: BalancerTopology, places: Places) -> Iterator[str]:
    """Tell how the balancer is started, what instances must know of it, and how to see that it works."""
    product = kind.product
    file = f"{places.conf}/{product.file}"
    words = [each.format(run=places.run) for each in product.start]
    yield "Next"
    yield "  On the balancer's machine:"
    yield f"    mkdir -p {places.run} {places.log}"
    yield f"    {shlex.join([product.program, *product.check, file])}    # check"
    yield f"    {shlex.join([product.program, *words, file])}    # start"
    yield f"    {product.reload.format(program=product.program, file=file, run=places.run)}    # after a change"
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
