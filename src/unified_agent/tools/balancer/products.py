"""The products that we write for, and how each is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from unified_agent.tools.balancer import apache, dns, haproxy, mod_jk, nginx, proxy_ajp
from unified_agent.tools.balancer.check import Product
from unified_agent.tools.balancer.topology import BalancerTopology, Places


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of balancer.

    Attributes:
        product: the program.
        write: makes its files from a description.
        speaks_ajp: it reaches instances by AJP, not by HTTP.
        is_proxy: requests go through it, so that instances see its address instead of the agent's.
    """

    product: Product
    write: Callable[[BalancerTopology, Places], dict[str, str]]
    speaks_ajp: bool = False
    is_proxy: bool = True


def _apache(package: str, workers: str = "") -> Product:
    return Product(
        program="apache2",
        package=package,
        file=apache.FILE,
        check=("-t", "-f"),
        run=("-DFOREGROUND", "-f"),
        start=("-k", "start", "-f"),
        reload="{program} -k graceful -f {file}",
        reload_service="{program} -k graceful -f {file}",
        user="www-data",
        debian_service="apache2",
        workers=workers,
    )


KINDS: Final = {
    "mod-jk": Kind(
        product=_apache("apache2 libapache2-mod-jk", mod_jk.WORKERS_FILE), write=mod_jk.write_mod_jk, speaks_ajp=True
    ),
    "proxy-ajp": Kind(product=_apache("apache2"), write=proxy_ajp.write_proxy_ajp, speaks_ajp=True),
    "haproxy": Kind(
        product=Product(
            program="haproxy",
            package="haproxy",
            file=haproxy.FILE,
            check=("-c", "-f"),
            run=("-W", "-db", "-f"),
            start=("-W", "-D", "-p", "{run}/haproxy.pid", "-f"),
            reload="kill -USR2 $(cat {run}/haproxy.pid)",
            reload_service="/bin/kill -USR2 $MAINPID",
            user="haproxy",
            debian_service="haproxy",
        ),
        write=haproxy.write_haproxy,
    ),
    "nginx": Kind(
        product=Product(
            program="nginx",
            package="nginx-light",
            file=nginx.FILE,
            check=("-t", "-q", "-c"),
            run=("-g", "daemon off;", "-c"),
            start=("-c",),
            reload="{program} -s reload -c {file}",
            reload_service="/bin/kill -HUP $MAINPID",
            user="www-data",
            debian_service="nginx",
            needs_folders=True,
        ),
        write=nginx.write_nginx,
    ),
    "dns": Kind(
        product=Product(
            program="dnsmasq",
            package="dnsmasq-base",
            file=dns.FILE,
            check=("--test", "-C"),
            run=("-k", "-C"),
            start=("-C",),
            reload="kill -HUP $(cat {run}/dnsmasq.pid)",
            reload_service="/bin/kill -HUP $MAINPID",
            user="dnsmasq",
            debian_service="dnsmasq",
        ),
        write=dns.write_dns,
        is_proxy=False,
    ),
}
