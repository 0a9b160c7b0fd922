"""What both Apache configurations share: processes, logs, TLS, and what is for operators only. Pure."""

from __future__ import annotations

import math
from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer import routes
from unified_agent.tools.balancer.topology import BalancerTopology, Places, bracketed

#: Debian's and Ubuntu's folder.
MODULES: Final = "/usr/lib/apache2/modules"
THREADS_PER_CHILD: Final = 256
#: A held poll or stream takes a thread, and a page now and then opens a second one.
THREADS_PER_AGENT: Final = 1.3
FILE: Final = "apache.conf"

_BASE_MODULES: Final = ("mpm_event", "authz_core", "authz_host", "reqtimeout")


def write_apache(
    topology: BalancerTopology,
    places: Places,
    *,
    title: str,
    modules: tuple[str, ...],
    main: str,
    site: str,
    status: str,
) -> str:
    """Write a whole configuration.

    Args:
        topology: the cluster.
        places: where things are.
        title: what it is, for its first line.
        modules: those it needs beyond the common ones, in an order in which they can be loaded.
        main: lines outside of the sites.
        site: lines of the public site.
        status: lines of the site that is on 127.0.0.1 only.
    """
    tls_modules = ("socache_shmcb", "ssl") if topology.tls_cert_file else ()
    loaded = "\n".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in (*_BASE_MODULES, *tls_modules, *modules)
    )
    children = max(2, math.ceil(topology.agents * THREADS_PER_AGENT / THREADS_PER_CHILD))
    user = f"User {places.user}\nGroup {places.user}\n" if places.user else ""
    return f"""\
# {title} in front of the cluster {topology.cluster}. Written by 'unified-agent balancer'; it is complete in itself:
#   apache2 -f {places.conf}/{FILE} -t              checks it
#   apache2 -f {places.conf}/{FILE} -k start        also -k graceful, -k stop

ServerRoot "{places.conf}"
ServerName {topology.name or "localhost"}
DefaultRuntimeDir "{places.run}"
PidFile "{places.run}/apache2.pid"
{user}
{loaded}

# A pending long poll or stream holds a thread, so {THREADS_PER_AGENT:g} for each of {topology.agents} agents.
# Measured: 1,000 polls in 512 threads kept a further request waiting for over 4 s; in 1,536 threads it took 1 ms, and
# the children 134 MiB.
# An instance must take as many AJP connections from each Apache: ajp.max_connections.
StartServers 2
ThreadsPerChild {THREADS_PER_CHILD}
ThreadLimit {THREADS_PER_CHILD}
ServerLimit {children}
MaxRequestWorkers {children * THREADS_PER_CHILD}
MinSpareThreads {THREADS_PER_CHILD}
MaxSpareThreads {min(4 * THREADS_PER_CHILD, children * THREADS_PER_CHILD)}
MaxConnectionsPerChild 0

# Whoever sends slowly is not waited for longer than this; our requests are small.
RequestReadTimeout header=10-20,MinRate=500 body=10-20,MinRate=500
LimitRequestBody 1048576
Timeout 60
KeepAlive On
KeepAliveTimeout 15
MaxKeepAliveRequests 0
GracefulShutdownTimeout 60

# Who we are and in which version is nobody's business.
ServerTokens Prod
ServerSignature Off
TraceEnable Off
HostnameLookups Off
UseCanonicalName Off

# Tokens of JSONP stand in query strings, so none is logged: %U is the path alone, and the error log says no Referer.
ErrorLog "{places.log}/error.log"
LogLevel warn
ErrorLogFormat "[%{{cu}}t] [%-m:%l] [pid %P:tid %T] %7F: %E: [client\\ %a] %M"
{main}
# Nothing is served from the disk.
DocumentRoot "{places.run}"
<Directory "/">
  AllowOverride None
  Options None
  Require all denied
</Directory>

Listen {bracketed(topology.listen)}:{topology.port}
<VirtualHost *:{topology.port}>
{_tls(topology)}{indented(site)}
  # {routes.OPERATORS_IN_WORDS} are for operators, who ask an instance itself. To let a
  # network of theirs in here: 'Require ip 10.1.2.0/24' instead of the line inside.
  <LocationMatch "{routes.OPERATORS}">
    Require all denied
  </LocationMatch>
</VirtualHost>
{_status(topology, status)}"""


def check_ajp(topology: BalancerTopology) -> None:
    """See that every instance has an AJP port.

    Raises:
        SettingsError: one has none.
    """
    missing = [each.name for each in topology.instances if not each.ajp_port]
    if missing:
        raise SettingsError(
            f"Apache speaks AJP with instances, and ajp_port is missing for {', '.join(missing)}: set ajp.port in the "
            "settings of each instance, and give it here in the file or with --ajp-port"
        )


def indented(lines: str) -> str:
    """Put lines into a section."""
    return "".join(f"  {line}\n" if line else "\n" for line in lines.strip("\n").split("\n"))


def _tls(topology: BalancerTopology) -> str:
    if not topology.tls_cert_file:
        return ""
    return f"""\
  SSLEngine on
  SSLCertificateFile "{topology.tls_cert_file}"
  SSLCertificateKeyFile "{topology.tls_key_file}"
  SSLProtocol -all +TLSv1.2 +TLSv1.3
  SSLCipherSuite HIGH:!aNULL:!MD5:!SHA1
  SSLSessionTickets Off
  # An instance is told which TLS the agent has.
  SSLOptions +StdEnvVars

"""


def _status(topology: BalancerTopology, lines: str) -> str:
    if not topology.status_port:
        return ""
    return f"""
# How it stands, and taking an instance out by hand: from this machine only, on a port that nobody else can reach.
Listen 127.0.0.1:{topology.status_port}
<VirtualHost 127.0.0.1:{topology.status_port}>
{indented(lines)}</VirtualHost>
"""
