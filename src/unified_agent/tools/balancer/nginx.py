"""nginx, the open source edition. Figures in the comments were measured with nginx 1.22.1. Pure."""

from __future__ import annotations

import re
from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer import routes
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places, bracketed

FILE: Final = "nginx.conf"
_ANY: Final = "ua"


def write_nginx(topology: BalancerTopology, places: Places) -> dict[str, str]:
    """Write nginx's configuration.

    Raises:
        SettingsError: TLS to the instances lacks a name.
    """
    user = f"user {places.user};\n" if places.user else ""
    connections = max(4_096, 4 * topology.agents)
    return {
        FILE: f"""\
# nginx in front of the cluster {topology.cluster}. Written by 'unified-agent balancer'; it is complete in itself:
#   nginx -t -c {places.conf}/{FILE}              checks it
#   nginx -c {places.conf}/{FILE}                 runs it; add -s reload or -s quit
# This edition has no health checks of its own: an instance that is leaving or passive goes on getting requests, and
# answers them itself by naming another; a frozen one costs those who meet it the timeouts below.

{user}worker_processes auto;
worker_rlimit_nofile {2 * connections};
# After a reload old processes serve their WebSockets for so long at most.
worker_shutdown_timeout 1h;
pid {places.run}/nginx.pid;
# Only crit: what nginx says of a failing instance below that holds the request's whole line, with tokens of JSONP in
# the query string. The access log says which instance failed how.
error_log {places.log}/error.log crit;

events {{
  worker_connections {connections};
}}

http {{
  client_body_temp_path {places.run}/nginx-body;
  proxy_temp_path {places.run}/nginx-proxy;
  fastcgi_temp_path {places.run}/nginx-fastcgi;
  scgi_temp_path {places.run}/nginx-scgi;
  uwsgi_temp_path {places.run}/nginx-uwsgi;

  # Tokens of JSONP stand in query strings, so none is logged: $uri is the path alone.
  log_format ua '$remote_addr [$time_iso8601] "$request_method $uri" $status $body_bytes_sent $request_time '
                '$upstream_addr $upstream_status $upstream_response_time';
  access_log {places.log}/access.log ua;
  server_tokens off;
  default_type application/octet-stream;
  client_max_body_size 1m;
  client_header_timeout 10s;
  client_body_timeout 20s;
  keepalive_timeout 15s;
  proxy_http_version 1.1;

{_maps(topology)}
{_upstreams(topology)}
  server {{
{_listen(topology)}
    # What a caller says of himself is not passed on; instances believe us: http.trusted_proxies. They must see the name
    # that the agent's page has, or they take the page for a foreign one.
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Forwarded "";
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
{_to_instances(topology)}
    # A host that is gone costs 1 s, once in 5 s for each process of nginx.
    proxy_connect_timeout 1s;
    proxy_send_timeout 10s;
    # A frozen instance holds what it has got for so long. GET goes elsewhere then, POST is not sent twice. 503 is
    # passed on: with one "all are full" every instance would be asked, and left for 5 s.
    proxy_read_timeout 10s;
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries {len(topology.instances)};
    proxy_next_upstream_timeout 15s;

    # {routes.OPERATORS_IN_WORDS} are for operators, who ask an instance itself. To let a network of
    # theirs in here, replace the line inside by: allow 10.1.2.0/24; deny all; proxy_pass {_scheme(topology)}://$instances;
    location ~ "{routes.OPERATORS}" {{
      return 403;
    }}
{_locations(topology)}
  }}
{_status(topology)}}}
"""
    }


def _maps(topology: BalancerTopology) -> str:
    chosen = "\n".join(f'    "~^{re.escape(each.name)}$" {_upstream_of(each)};' for each in topology.instances)
    return f"""\
  map $http_upgrade $connection_header {{
    default upgrade;
    '' '';
  }}
  # What ends in .NAME goes to the instance NAME: the path parameter first, then the cookie.
  map $request_uri $route_of_path {{
    default '';
    '~;{routes.PARAMETER}=[^;/?]*\\.(?<in_path>[A-Za-z0-9_-]+)([;/?]|$)' $in_path;
  }}
  map $cookie_{routes.COOKIE.lower()} $route_of_cookie {{
    default '';
    '~\\.(?<in_cookie>[A-Za-z0-9_-]+)$' $in_cookie;
  }}
  map $route_of_path $route {{
    default $route_of_path;
    '' $route_of_cookie;
  }}
  map $route $instances {{
    default {_ANY};
{chosen}
  }}
"""


def _upstreams(topology: BalancerTopology) -> str:
    # The failed one is left for 5 s. A backup is asked when none of the others can be.
    blocks = [
        _upstream(_ANY, [(each, not topology.is_preferred(each)) for each in topology.instances], "    least_conn;\n")
    ]
    for each in topology.instances:
        others = [(other, True) for other in topology.instances if other is not each]
        blocks.append(_upstream(_upstream_of(each), [(each, False), *others], ""))
    return "\n".join(blocks)


def _upstream(name: str, members: list[tuple[BalancedInstance, bool]], method: str) -> str:
    servers = "\n".join(
        f"    server {each.http} max_fails=1 fail_timeout=5s{' backup' if is_backup else ''};"
        for each, is_backup in members
    )
    return f"""\
  upstream {name} {{
    zone {name} 64k;
{method}    keepalive 64;
{servers}
  }}"""


def _upstream_of(instance: BalancedInstance) -> str:
    return f"{_ANY}-{instance.name}"


def _listen(topology: BalancerTopology) -> str:
    both = " ipv6only=off" if topology.listen == "::" else ""
    listen = f"{bracketed(topology.listen)}:{topology.port}"
    if not topology.tls_cert_file:
        return f"    listen {listen}{both};\n    server_name _;\n"
    return f"""\
    listen {listen}{both} ssl;
    server_name _;
    ssl_certificate {topology.tls_cert_file};
    ssl_certificate_key {topology.tls_key_file};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
    ssl_session_cache shared:tls:1m;
"""


def _scheme(topology: BalancerTopology) -> str:
    return "https" if topology.instances_https else "http"


def _to_instances(topology: BalancerTopology) -> str:
    if not topology.instances_https:
        return ""
    name = topology.instances_tls_name or topology.name
    if not name:
        raise SettingsError("instances_https needs instances_tls_name: the name that stands in each one's certificate")
    return f"""\
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate {topology.instances_ca_file};
    proxy_ssl_name {name};
    proxy_ssl_server_name on;
"""


def _locations(topology: BalancerTopology) -> str:
    target = f"proxy_pass {_scheme(topology)}://"
    lines = ["    location / {", f"      {target}$instances;", "    }"]
    lines += [
        "    # Choosing an instance: read-only and answered within milliseconds, so it is asked of another one when",
        "    # the first dies with it or is silent.",
    ]
    for path in routes.ENTRY:
        lines += [
            f"    {_exactly(path)} {{",
            f"      proxy_read_timeout {routes.ENTRY_LIMIT_MS}ms;",
            f"      {target}{_ANY};",
            "    }",
        ]
    lines.append("    # What may be held long, or does something, is never sent twice.")
    for path in routes.POLLS:
        lines += [
            f"    {_exactly(path)} {{",
            f"      proxy_read_timeout {round((topology.hold_s + routes.POLL_GRACE_S) * 1000)}ms;",
            "      proxy_next_upstream off;",
            f"      {target}$instances;",
            "    }",
        ]
    lines += [
        f"    {_exactly('/v1/jsonp/command')} {{",
        "      proxy_next_upstream off;",
        f"      {target}$instances;",
        "    }",
    ]
    for path in routes.STREAMS:
        lines += [
            "    # The WebSocket and the stream of events: the instance says something every few seconds.",
            f"    {_exactly(path)} {{",
            f"      proxy_read_timeout {routes.STREAM_LIMIT_S}s;",
            "      proxy_buffering off;",
            "      proxy_next_upstream off;",
            f"      {target}$instances;",
            "    }",
        ]
    return "\n".join(lines)


def _exactly(path: str) -> str:
    """Match a path, also with a parameter behind it that holds a route."""
    return f'location ~ "^{re.escape(path)}(;|$)"'


def _status(topology: BalancerTopology) -> str:
    if not topology.status_port:
        return ""
    return f"""
  # How it stands, from this machine only.
  server {{
    listen 127.0.0.1:{topology.status_port};
    access_log off;
    location / {{
      stub_status;
    }}
  }}
"""
