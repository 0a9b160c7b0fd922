"""One name with an address for each instance, by dnsmasq, or by the lines for another name server. Pure."""

from __future__ import annotations

from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.topology import BalancerTopology, Places, is_address

FILE: Final = "dnsmasq.conf"
HOSTS_FILE: Final = "instances.hosts"
ZONE_FILE: Final = "instances.zone"
#: How long an answer may be kept, seconds.
TTL_S: Final = 5


def write_dns(topology: BalancerTopology, places: Places) -> dict[str, str]:
    """Write dnsmasq's configuration and its addresses, and the same as lines of a zone.

    Raises:
        SettingsError: there is no public name, an instance is not given by its address, or their ports differ.
    """
    if not topology.name:
        raise SettingsError("dns needs the public name: give name in the file, or --name")
    named = [each.name for each in topology.instances if not is_address(each.host)]
    if named:
        raise SettingsError(f"a name server answers with addresses: give host of {', '.join(named)} as one")
    ports = {each.http_port for each in topology.instances}
    if ports != {topology.port}:
        given = " and ".join(map(str, sorted(ports)))
        raise SettingsError(
            "behind a name agents reach the instances themselves, so http_port must be the same at all of them, and "
            f"port the same as that; here port is {topology.port}, and http_port {given}"
        )
    return {FILE: _dnsmasq(topology, places), HOSTS_FILE: _hosts(topology), ZONE_FILE: _zone(topology)}


def _dnsmasq(topology: BalancerTopology, places: Places) -> str:
    user = f"user={places.user}\n" if places.user else "user=\n"
    is_everywhere = topology.listen in {"0.0.0.0", "::"}  # noqa: S104 - compared
    listen = "" if is_everywhere else f"listen-address={topology.listen}\n"
    return f"""\
# dnsmasq for the cluster {topology.cluster}: {topology.name} has the address of every instance. Written by
# 'unified-agent balancer'; it is complete in itself:
#   dnsmasq --test -C {places.conf}/{FILE}        checks it
#   dnsmasq -C {places.conf}/{FILE}               runs it; SIGHUP reads {HOSTS_FILE} anew
port={topology.dns_port}
{listen}bind-interfaces
{user}pid-file={places.run}/dnsmasq.pid
# Nothing but this name is answered, and nobody else is asked.
no-resolv
no-poll
no-hosts
domain-needed
local=/{topology.name}/
addn-hosts={places.conf}/{HOSTS_FILE}
# Answers are in turn, and kept for {TTL_S} s: an address that is taken out is not used any more after that.
local-ttl={TTL_S}
cache-size=0
"""


def _hosts(topology: BalancerTopology) -> str:
    lines = [
        f"# {topology.name} once for every instance, and each one's own name, which desktops are sent to.",
        "# One that will be away for long is taken out here; those that fail are passed over by the clients.",
    ]
    for each in topology.instances:
        lines += [f"{each.host} {topology.name}", f"{each.host} {each.name}.{topology.name}"]
    return "\n".join(lines) + "\n"


def _zone(topology: BalancerTopology) -> str:
    lines = [f"; {topology.name} for another name server: lines of a zone. Let it answer in turn."]
    for each in topology.instances:
        kind = "AAAA" if ":" in each.host else "A"
        lines += [f"{name}. {TTL_S} IN {kind} {each.host}" for name in (topology.name, f"{each.name}.{topology.name}")]
    return "\n".join(lines) + "\n"
