"""Apache httpd with mod_proxy_ajp. Figures in the comments were measured with httpd 2.4.71. Pure."""

from __future__ import annotations

from unified_agent.tools.balancer import routes
from unified_agent.tools.balancer.apache import FILE, check_ajp, write_apache
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places

_MODULES = ("env", "proxy", "slotmem_shm", "lbmethod_byrequests", "proxy_balancer", "proxy_ajp", "proxy_hcheck")


def write_proxy_ajp(topology: BalancerTopology, places: Places) -> dict[str, str]:
    """Write httpd's configuration.

    Raises:
        SettingsError: an instance has no AJP port.
    """
    check_ajp(topology)
    httpd = write_apache(
        topology,
        places,
        title="Apache httpd with mod_proxy_ajp",
        modules=_MODULES,
        main=_main(topology, places),
        site=_site(topology),
        status=_status(),
    )
    return {FILE: httpd}


def _main(topology: BalancerTopology, places: Places) -> str:
    usual = ("1s", f"{routes.STREAM_LIMIT_S}s")
    entry = (f"{routes.ENTRY_PROBE_MS}ms", f"{routes.ENTRY_LIMIT_MS}ms")
    members, entries = (
        "\n".join(f"  {_member(each, topology, probe, answer)}" for each in topology.instances)
        for probe, answer in (usual, entry)
    )
    return f"""\
LogFormat "%h %t \\"%m %U %H\\" %>s %b %D %{{BALANCER_WORKER_ROUTE}}e" ua
CustomLog "{places.log}/access.log" ua

# Only balancers below; never a proxy to anywhere.
ProxyRequests Off
ProxyVia Off
# The size of AJP's packets.
ProxyIOBufferSize {topology.ajp_packet_size_bytes}
# httpd from 2.4.59 on throws the instances' Content-Length away otherwise, and sends everything in chunks.
SetEnv ap_trust_cgilike_cl yes

# ping: an instance must answer a probe within this before each request. connectiontimeout: a host that is gone costs
# this. retry: one that failed is tried again after 5 s. ttl: below the instances' ajp.idle_timeout_s. hcmethod=CPING:
# probed each 2 s without any request; a frozen instance was out after 2 s, and in again by itself.
# 503 of an instance is passed on, and its word when to ask again: with failonstatus one "all are full" would put every
# instance into error.
<Proxy "balancer://{_ALL}">
{members}
  ProxySet stickysession={routes.COOKIE}|{routes.PARAMETER} lbmethod=byrequests nofailover=Off
</Proxy>

# Choosing an instance: answered within milliseconds, so a silent one is given up soon.
<Proxy "balancer://{_ENTRY}">
{entries}
  ProxySet lbmethod=byrequests nofailover=Off
</Proxy>
"""


_ALL = "ua"
_ENTRY = "ua-entry"


def _site(topology: BalancerTopology) -> str:
    del topology
    lines = [
        "# The instance must see the name that the agent's page has, or it takes the page for a foreign one.",
        "ProxyPreserveHost On",
        "# The first that fits wins.",
        *(f'ProxyPass "{path}" "balancer://{_ENTRY}{path}"' for path in routes.ENTRY),
        f'ProxyPass "/" "balancer://{_ALL}/"',
    ]
    return "\n".join(lines)


def _status() -> str:
    return """\
# http://127.0.0.1:PORT/ shows all; an instance is drained there by hand.
ProxyPass "/" "!"
<Location "/">
  SetHandler balancer-manager
  Require local
</Location>"""


def _member(instance: BalancedInstance, topology: BalancerTopology, probe: str, answer: str) -> str:
    words = [
        f"BalancerMember ajp://{instance.ajp} route={instance.name}",
        *([f"secret={topology.ajp_secret}"] if topology.ajp_secret else []),
        f"ping={probe} timeout={answer} connectiontimeout={probe}",
        "retry=5 keepalive=On ttl=60 flushpackets=auto",
        "hcmethod=CPING hcinterval=2 hcpasses=1 hcfails=1",
        *([] if topology.is_preferred(instance) else ["status=+H"]),
    ]
    return " ".join(words)
