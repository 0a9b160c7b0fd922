"""Where everything runs: hosts, the sites they stand at, and their addresses inside our own namespaces."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

EAST: Final = "east"
WEST: Final = "west"
THIRD: Final = "third"
TELEPHONY: Final = "telephony"
OFFICE: Final = "office"

#: The two datacentres of the cluster, the primary first.
DATACENTRES: Final = (EAST, WEST)

#: Sites by number. Addresses are 10.77.SITE.HOST and exist only inside namespaces.
_SITES: Final = {EAST: 1, WEST: 2, THIRD: 3, TELEPHONY: 4, OFFICE: 5}
_NET: Final = "10.77"

#: The router between all hosts.
ROUTER_ADDRESS: Final = f"{_NET}.0.1"


class Host(Struct, frozen=True, kw_only=True):
    """One machine of the simulated world, which is one network namespace.

    Attributes:
        name: short, since a link is named after it.
        site: where it stands.
        address: its only one.
    """

    name: str
    site: str
    address: str


def _hosts(site: str, *names: str, first: int = 1) -> tuple[Host, ...]:
    return tuple(
        Host(name=name, site=site, address=f"{_NET}.{_SITES[site]}.{number}")
        for number, name in enumerate(names, first)
    )


INSTANCES: Final = (*_hosts(EAST, "a1", "a2"), *_hosts(WEST, "b1", "b2"))
#: Members of the store: two at each datacentre, one at the third site.
MEMBERS: Final = (
    *_hosts(EAST, "store-a1", "store-a2", first=11),
    *_hosts(WEST, "store-b1", "store-b2", first=11),
    *_hosts(THIRD, "store-c", first=11),
)
AES: Final = _hosts(TELEPHONY, "aes")[0]
DIALLERS: Final = _hosts(TELEPHONY, "dialler-1", "dialler-2", first=11)
#: Where the virtual agents sit.
DESKS: Final = _hosts(OFFICE, "desks")[0]
HOSTS: Final = (*INSTANCES, *MEMBERS, AES, *DIALLERS, DESKS)

_ADDRESSES: Final = {host.name: f"{host.address}/32" for host in HOSTS} | {
    site: f"{_NET}.{number}.0/24" for site, number in _SITES.items()
}
_EVERYWHERE: Final = "0.0.0.0/0"


def addresses_of(place: str) -> str:
    """Return the addresses of a host or a site, by its name; of everything for an empty one."""
    return _ADDRESSES[place] if place else _EVERYWHERE


def at(site: str, hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    """Return those of the hosts that stand at a site."""
    return tuple(host for host in hosts if host.site == site)
