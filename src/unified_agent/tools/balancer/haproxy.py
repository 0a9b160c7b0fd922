"""HAProxy. Figures in the comments were measured with HAProxy 2.6.12. Pure."""

from __future__ import annotations

from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer import routes
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places, bracketed, is_address

FILE: Final = "haproxy.cfg"
ALL: Final = "ua"
_ENTRY: Final = "ua_entry"


def write_haproxy(topology: BalancerTopology, places: Places) -> dict[str, str]:
    """Write HAProxy's configuration.

    Raises:
        SettingsError: it could not find the key of the certificate.
    """
    wait_ms = round((topology.hold_s + routes.POLL_GRACE_S) * 1000)
    return {
        FILE: f"""\
# HAProxy in front of the cluster {topology.cluster}. Written by 'unified-agent balancer'; it is complete in itself:
#   haproxy -c -f {places.conf}/{FILE}            checks it
#   haproxy -W -f {places.conf}/{FILE}            runs it; SIGUSR2 to the first process reads it anew

{_global(topology, places)}
defaults
  mode http
  log global
  option dontlognull
  option http-keep-alive
  # Without it the first event of a stream comes 200 ms late, and later ones 6 to 14 ms; with it after 1 ms.
  option http-no-delay
  # An instance that refuses the connection is left for another one at once; what one has got is not sent again.
  option redispatch 1
  retries 2
  retry-on conn-failure
  timeout connect 1s
  # Longer than a poll is held; streams say something every few seconds.
  timeout client {wait_ms}ms
  timeout server {wait_ms}ms
  timeout http-request 10s
  timeout http-keep-alive 15s
  timeout queue 5s
  # A WebSocket may be quiet for this long; instances and pages beat every few seconds.
  timeout tunnel 1h
  timeout client-fin 10s
  timeout check 1s

{_frontend(topology)}
{_backends(topology)}{_status(topology)}"""
    }


def _global(topology: BalancerTopology, places: Places) -> str:
    user = f"  user {places.user}\n  group {places.user}\n" if places.user else ""
    resolvers = ""
    if not all(is_address(each.host) for each in topology.instances):
        resolvers = "\nresolvers system\n  parse-resolv-conf\n  hold valid 10s\n"
    return f"""\
global
  # To standard error, which systemd keeps; a syslog server would be 'log 10.0.0.9 daemon info'.
  log stderr format raw daemon info
{user}  maxconn {max(4_000, 4 * topology.agents)}
  # For operators on this machine:  echo 'show stat' | socat {places.run}/haproxy.sock -
  #   set server {ALL}/NAME state drain      takes no new agents (ready: again, maint: nobody at all)
  stats socket {places.run}/haproxy.sock mode 600 level admin expose-fd listeners
  stats timeout 30s
  # After a reload the old process serves its WebSockets for so long at most.
  hard-stop-after 1h
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
{_key_lines(topology)}{resolvers}"""


def _key_lines(topology: BalancerTopology) -> str:
    """Return what makes HAProxy find the key, which it looks for by the certificate's name."""
    cert, key = topology.tls_cert_file, topology.tls_key_file
    if key in {cert, f"{cert}.key"}:
        return ""
    if cert.endswith(".crt") and key == f"{cert.removesuffix('.crt')}.key":
        return "  # The key is looked for beside the certificate: NAME.crt and NAME.key.\n  ssl-load-extra-del-ext\n"
    raise SettingsError(
        f"HAProxy looks for the key of {cert} in the same file, in {cert}.key, or in NAME.key when the certificate is "
        f"NAME.crt, and not in {key}: copy or link the key there, and give that name as tls_key_file"
    )


def _frontend(topology: BalancerTopology) -> str:
    tls = f" ssl crt {topology.tls_cert_file} alpn http/1.1" if topology.tls_cert_file else ""
    both = " v4v6" if topology.listen == "::" else ""
    entry = " ".join(routes.ENTRY)
    return f"""\
frontend public
  bind {topology.listen}:{topology.port}{both}{tls}
  # Tokens of JSONP stand in query strings, so none is logged: %HPO is the path alone.
  log-format "%ci [%tr] %HM %HPO %ST %B %Tr/%Ta %s %ts %rc"
  # {routes.OPERATORS_IN_WORDS} are for operators, who ask an instance itself. To let a network of
  # theirs in here, add !{{ src 10.1.2.0/24 }} at the end of the next line.
  http-request deny deny_status 403 if {{ path,url_dec -m reg {routes.OPERATORS} }}
  # What a caller says of himself is not passed on; instances believe us: http.trusted_proxies.
  http-request del-header X-Forwarded-For
  http-request del-header Forwarded
  http-request set-header X-Forwarded-Proto {topology.scheme}
  option forwardfor
  use_backend {_ENTRY} if METH_GET {{ path {entry} }}
  default_backend {ALL}
"""


def _backends(topology: BalancerTopology) -> str:
    stickiness = "\n".join(
        f"  use-server {each.name} if {{ req.cook({routes.COOKIE}) -m end .{each.name} }} or "
        f"{{ path,field(2,;) -m end .{each.name} }}"
        for each in topology.instances
    )
    checked = "\n".join(f"  server {each.name} {each.http}{_options(each, topology)}" for each in topology.instances)
    tracking = "\n".join(
        f"  server {each.name} {each.http}{_options(each, topology)} track {ALL}/{each.name}"
        for each in topology.instances
    )
    host = topology.name or "ua"
    return f"""\
backend {ALL}
  balance leastconn
  # {routes.READY}: 200 is ready; 404 leaving: those it has stay, no new ones; 503 of no use, like the instances of the
  # passive datacentre. So 'http-check expect status' must not stand here.
  option httpchk
  http-check disable-on-404
  http-check send meth GET uri {routes.READY} ver HTTP/1.1 hdr Host {host}
  # All of the second datacentre take part as soon as none of the first can.
  option allbackups
  # A killed instance is left at the first refused connection; a frozen one was noticed after 3.0 to 3.4 s, a 503 after
  # 1.0 to 1.4 s. Its WebSockets are cut then, so that agents come back elsewhere.
  default-server {_check(topology)} inter 1s fastinter 500ms downinter 1s fall 2 rise 2 slowstart 10s maxconn 4000
  default-server on-marked-down shutdown-sessions
  # What ends in .NAME goes to the instance NAME while that can be had.
{stickiness}
{checked}

# Choosing an instance: read-only and answered within milliseconds, so it is asked of another one when the first dies
# with it, is silent or says 503.
backend {_ENTRY}
  balance roundrobin
  option httpchk
  http-check disable-on-404
  option allbackups
  retries 3
  retry-on conn-failure empty-response response-timeout 503
  timeout server {routes.ENTRY_LIMIT_MS}ms
{tracking}
"""


def _check(topology: BalancerTopology) -> str:
    return "check" if not topology.instances_https else f"check check-sni {_tls_name(topology)}"


def _options(instance: BalancedInstance, topology: BalancerTopology) -> str:
    tls = ""
    if topology.instances_https:
        name = _tls_name(topology)
        tls = f" ssl verify required ca-file {topology.instances_ca_file} sni str({name}) verifyhost {name}"
    found = "" if is_address(instance.host) else " resolvers system init-addr last,libc,none"
    return f"{tls}{found}{'' if topology.is_preferred(instance) else ' backup'}"


def _tls_name(topology: BalancerTopology) -> str:
    name = topology.instances_tls_name or topology.name
    if not name:
        raise SettingsError("instances_https needs instances_tls_name: the name that stands in each one's certificate")
    return name


def _status(topology: BalancerTopology) -> str:
    if not topology.status_port:
        return ""
    return f"""
# How it stands, from this machine only.
frontend status
  bind {bracketed("127.0.0.1")}:{topology.status_port}
  no log
  stats enable
  stats uri /
  stats refresh 5s
  stats hide-version
"""
