"""The description of a cluster, asked of one of its instances while it runs."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from unified_agent.domain.topology import InstanceEntry, Topology
from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology
from unified_agent.tools.cluster.access import AccessOptions, find_access
from unified_agent.tools.cluster.door import trust

#: An instance answers within milliseconds, seconds.
ANSWER_LIMIT_S: Final = 8.0
#: The public port when nothing is said.
_PUBLIC_PORT: Final = 8080

_T = TypeVar("_T")


def ask_topology(access: AccessOptions, transport: httpx.BaseTransport | None = None) -> Topology:
    """Ask an instance which instances there are.

    Args:
        access: which one, by ``url``; ``ca_file`` when its certificate is not of a public authority.
        transport: in place of the network.

    Raises:
        SettingsError: nothing came of it; the sentence says what to do.
    """
    asked = find_access(access, {})
    verify = trust(asked) if asked.ca_file is not None else True
    with httpx.Client(timeout=ANSWER_LIMIT_S, trust_env=False, transport=transport, verify=verify) as http:
        try:
            answer = http.get(f"{asked.url}/v1/topology")
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise SettingsError(
                f"no instance answers at {asked.url} ({why}): name another one with --server, as any tells of all; or "
                "describe the cluster in a file and give that with --from"
            ) from error
    if not answer.is_success:
        raise SettingsError(f"{asked.url} answers {answer.status_code} to /v1/topology and is no instance of ours")
    try:
        return msgspec.json.decode(answer.content, type=Topology)
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{asked.url} tells of its cluster in a way that this command does not know ({error}): take the command of "
            "the same version as the instance"
        ) from error


def describe(topology: Topology, ajp_port: int = 0, instances_ca_file: str = "") -> BalancerTopology:
    """Turn what an instance tells into the description of a balancer.

    Args:
        topology: as told.
        ajp_port: of all instances, which they do not tell; 0 for none.
        instances_ca_file: by which a balancer knows instances that speak TLS.

    Raises:
        SettingsError: an instance's URL leads nowhere, or some speak TLS and some do not.
    """
    schemes = {urlsplit(each.url).scheme for each in topology.instances}
    if len(schemes) > 1:
        raise SettingsError("some instances are reached by https and some by http: let all have the same (cluster.url)")
    ports = {_port(each) for each in topology.instances}
    return BalancerTopology(
        cluster=topology.cluster,
        port=ports.pop() if len(ports) == 1 else _PUBLIC_PORT,
        instances_https=schemes == {"https"},
        instances_ca_file=instances_ca_file,
        preferred_datacentre=topology.active,
        instances=tuple(
            BalancedInstance(
                name=each.id,
                host=urlsplit(each.url).hostname or "",
                http_port=_port(each),
                ajp_port=ajp_port,
                datacentre=each.datacentre,
            )
            for each in sorted(topology.instances, key=lambda each: (each.datacentre != topology.active, each.id))
        ),
    )


def _port(instance: InstanceEntry) -> int:
    try:
        parts = urlsplit(instance.url)
        port = parts.port
    except ValueError:
        port = None
        parts = urlsplit("")
    if not parts.hostname:
        raise SettingsError(
            f"instance {instance.id} tells {instance.url!r} as its URL, which leads nowhere: cluster.url"
        )
    return port or {"https": 443}.get(parts.scheme, 80)
