"""Apache httpd with mod_jk. Figures in the comments were measured with httpd 2.4.71 and mod_jk 1.2.48. Pure."""

from __future__ import annotations

from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer import routes
from unified_agent.tools.balancer.apache import FILE, check_ajp, write_apache
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places

WORKERS_FILE: Final = "workers.properties"
#: Names of workers that are not instances begin so.
OURS: Final = "UA_"
ALL: Final = f"{OURS}all"
ENTRY: Final = f"{OURS}entry"
STATUS: Final = f"{OURS}status"
MEMBER: Final = f"{OURS}member"
ENTRY_MEMBER: Final = f"{OURS}entry_member"


def write_mod_jk(topology: BalancerTopology, places: Places) -> dict[str, str]:
    """Write httpd's configuration and mod_jk's list of workers.

    Raises:
        SettingsError: an instance has no AJP port, or a name that we need.
    """
    check_ajp(topology)
    taken = [each.name for each in topology.instances if each.name.startswith(OURS)]
    if taken:
        raise SettingsError(f"instance {taken[0]!r}: mod_jk's own workers are called {OURS}…; rename the instance")
    httpd = write_apache(
        topology,
        places,
        title="Apache httpd with mod_jk",
        modules=("jk",),
        main=_main(places),
        site=_site(topology),
        status=_status(),
    )
    return {FILE: httpd, WORKERS_FILE: _workers(topology)}


def _main(places: Places) -> str:
    first, last = (f"%{{JK_LB_{which}_NAME}}n/%{{JK_LB_{which}_STATE}}n" for which in ("FIRST", "LAST"))
    return f"""\
# Last: the instance asked first and the one that answered, with their states.
LogFormat "%h %t \\"%m %U %H\\" %>s %b %D {first} {last}" ua
CustomLog "{places.log}/access.log" ua

JkWorkersFile "{places.conf}/{WORKERS_FILE}"
JkShmFile "{places.run}/jk-status"
JkLogFile "{places.log}/mod_jk.log"
JkLogLevel info
# Without it, maintenance (finding a mended instance again) happens only while requests come.
JkWatchdogInterval 5
# A path like /x;/../metrics could mean one thing here and another at an instance (CVE-2018-11759).
JkOptions +RejectUnsafeURI
"""


def _site(topology: BalancerTopology) -> str:
    poll_ms = round((topology.hold_s + routes.POLL_GRACE_S) * 1000)
    lines = [
        "# The longer path wins. What binds nobody to an instance is stateless: it does not count as a session.",
        f"JkMount / {ALL}",
        f"JkMount /* {ALL}",
        *(f"JkMount {path} {ENTRY};stateless=1" for path in routes.ENTRY),
        *(f"JkMount {path} {ALL};reply_timeout={poll_ms}" for path in routes.POLLS),
        *(f"JkMount {path} {ALL};reply_timeout={routes.STREAM_LIMIT_S * 1000}" for path in routes.STREAMS),
    ]
    if topology.tls_cert_file:
        lines += ["JkOptions +ForwardKeySize"]
    return "\n".join(lines)


def _status() -> str:
    return f"""\
# /?cmd=list&mime=prop tells all; an instance by hand, N its name:
#   /?cmd=update&mime=txt&w={ALL}&sw=N&vwa=d      takes no new agents (a: active again, s: nobody at all)
#   /?cmd=recover&mime=txt&w={ALL}&sw=N           is tried again at once
# A graceful restart sets this back to what {WORKERS_FILE} says.
JkMount /* {STATUS}
<Location "/">
  Require local
</Location>"""


def _workers(topology: BalancerTopology) -> str:
    secret = (
        f"worker.{MEMBER}.secret={topology.ajp_secret}\nworker.{ENTRY_MEMBER}.secret={topology.ajp_secret}\n"
        if topology.ajp_secret
        else "# No secret: instances take that on loopback only, with ajp.allow_without_secret.\n"
    )
    members = "\n".join(_member(number, each, topology) for number, each in enumerate(topology.instances, 1))
    entries = ",".join(f"{ENTRY}{number}" for number, _ in enumerate(topology.instances, 1))
    return f"""\
# mod_jk's view of the cluster {topology.cluster}. Written by 'unified-agent balancer'. Times ending in _timeout are
# milliseconds, but for connection_pool_timeout, which is seconds like the rest.

worker.list={ALL},{ENTRY},{STATUS}
# Mended instances are found and idle connections seen to on this tick; 60 if nothing is said. One that was started
# again is used after at most recover_time and this together.
worker.maintain=5

# --- every instance, for what agents do
worker.{MEMBER}.type=ajp13
worker.{MEMBER}.max_packet_size={topology.ajp_packet_size_bytes}
# Probe on connect, before every request (about 10 microseconds), and on idle connections. Without, a frozen instance
# was never left: 1,506 of 6,000 requests took up to 10 s.
worker.{MEMBER}.ping_mode=A
# The longest pause of an instance that is not yet its death; every dead pooled connection costs one.
worker.{MEMBER}.ping_timeout=2000
worker.{MEMBER}.connection_ping_interval=10
# A host that is gone costs one such wait for each attempt to find it again.
worker.{MEMBER}.socket_connect_timeout=1000
worker.{MEMBER}.socket_keepalive=true
# Below the instances' ajp.idle_timeout_s, so that it is not the instance that closes a connection just being used.
worker.{MEMBER}.connection_pool_timeout=60
worker.{MEMBER}.connection_pool_minsize=0
# Between two packets. Longer for polls and streams: see JkMount.
worker.{MEMBER}.reply_timeout={routes.ANSWER_LIMIT_S * 1000}
# Not twice at the same instance: the usual 2 sleeps 100 ms in every request while one is down.
worker.{MEMBER}.retries=1
# Never send again what an instance has got, and drop its connection when the agent's is gone. The usual 0 sends
# commands twice, and has been seen to glue two answers together.
worker.{MEMBER}.recovery_options=7
# 503 from an instance means "not done": another one is asked, and the instance is not taken for broken.
worker.{MEMBER}.fail_on_status=-503
worker.{MEMBER}.lbfactor=1

# --- the same, for choosing an instance: {" and ".join(routes.ENTRY)}
# Read-only and answered within milliseconds, so it is asked of another instance when the first one dies with it
# (16 of recovery_options) or is silent.
worker.{ENTRY_MEMBER}.reference=worker.{MEMBER}
worker.{ENTRY_MEMBER}.ping_timeout={routes.ENTRY_PROBE_MS}
worker.{ENTRY_MEMBER}.socket_connect_timeout={routes.ENTRY_PROBE_MS}
worker.{ENTRY_MEMBER}.reply_timeout={routes.ENTRY_LIMIT_MS}
worker.{ENTRY_MEMBER}.recovery_options=23
{secret}
{members}

# --- the balancers
worker.{ALL}.type=lb
worker.{ALL}.balance_workers={",".join(each.name for each in topology.instances)}
# What ends in .NAME goes to the instance NAME while that can be had, and to another one otherwise: false, as true
# answers 503 to every session of a failed instance.
worker.{ALL}.sticky_session=true
worker.{ALL}.sticky_session_force=false
worker.{ALL}.session_cookie={routes.COOKIE}
worker.{ALL}.session_path=;{routes.PARAMETER}
# In turn; only requests without a session count.
worker.{ALL}.method=Next
worker.{ALL}.recover_time=5
# An instance that fails is at once left by everybody: 217 slow requests in a freeze of 10 s, and 656 with 5.
worker.{ALL}.error_escalation_time=0
worker.{ALL}.max_reply_timeouts=10
worker.{ALL}.retries=1
worker.{ALL}.retry_interval=100

worker.{ENTRY}.type=lb
worker.{ENTRY}.balance_workers={entries}
worker.{ENTRY}.sticky_session=false
worker.{ENTRY}.method=Request
worker.{ENTRY}.recover_time=5
worker.{ENTRY}.error_escalation_time=0
worker.{ENTRY}.max_reply_timeouts=1
worker.{ENTRY}.retries=1
worker.{ENTRY}.retry_interval=100

worker.{STATUS}.type=status
"""


def _member(number: int, instance: BalancedInstance, topology: BalancerTopology) -> str:
    distance = 0 if topology.is_preferred(instance) else 1
    lines = [] if not instance.datacentre else [f"# in {instance.datacentre}"]
    if distance:
        lines.append("# Asked only when none of the preferred datacentre can be had: distance.")
    for worker, template in ((instance.name, MEMBER), (f"{ENTRY}{number}", ENTRY_MEMBER)):
        lines += [
            f"worker.{worker}.reference=worker.{template}",
            f"worker.{worker}.host={instance.host}",
            f"worker.{worker}.port={instance.ajp_port}",
            f"worker.{worker}.route={instance.name}",
        ]
        if distance:
            lines.append(f"worker.{worker}.distance={distance}")
    return "\n".join(lines)
