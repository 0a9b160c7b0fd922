"""The command ``unified-agent``. What a command needs is imported when it runs, so that ``--help`` is quick.

Exit status: 0 well, 1 something failed, 2 something given is wrong (a sentence on standard error says what to do).
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from unified_agent import __version__
from unified_agent.errors import SettingsError

APP: Final = App(
    name="unified-agent",
    version=__version__,
    help="One web desktop for contact-centre agents on Avaya telephony and diallers.",
    help_format="plaintext",
)
_SETTINGS: Final = App(name="settings", help="Check, show and explain settings.")
_SIMULATE: Final = App(name="simulate", help="Simulate what an instance talks to, to work and test without it.")
_KEYS: Final = App(name="keys", help="Make, rotate, show and prune the keys that all instances of a cluster share.")
_CLUSTER: Final = App(name="cluster", help="See and steer all instances, through any of them.")
_BALANCER: Final = App(name="balancer", help="Write the files of a load balancer in front of a cluster.")
APP.command(_SETTINGS)
APP.command(_SIMULATE)
APP.command(_KEYS)
APP.command(_CLUSTER)
APP.command(_BALANCER)
_SIMULATE.command(
    "unified_agent.tools.simulate_aes:simulate",
    name="aes",
    help="Simulate an AES with a Communication Manager: stations, agents, hunt groups, calls.",
)
_SIMULATE.command(
    "unified_agent.tools.simulate_apc:simulate",
    name="apc",
    help="Simulate a Proactive Contact dialler: agents, jobs, records, calls.",
)
for _name, _help in (
    ("new", "Make a file with one key."),
    ("rotate", "Add a key, which seals from a time on."),
    ("show", "Show the ids and dates of all keys; never a key."),
    ("prune", "Remove keys of which nothing is in use any more."),
):
    _KEYS.command(f"unified_agent.tools.keys:{_name}", name=_name, help=_help)
for _name, _help in (
    ("status", "Tell how the cluster is: instances, active datacentre, store, and what needs a person."),
    ("drain", "Have an instance move its agents to others, and show how far it is."),
    ("resume", "Have an instance take agents again."),
    ("move", "Move one agent to another instance."),
    ("activate", "Say what making a datacentre active would mean; with --confirm, do it."),
):
    _CLUSTER.command(f"unified_agent.tools.cluster.command:{_name}", name=_name, help=_help)
for _name, _help in (
    ("topology", "Write a description of the running cluster, to be completed and given to the others."),
    ("mod-jk", "Write the files of Apache httpd with mod_jk."),
    ("proxy-ajp", "Write the file of Apache httpd with mod_proxy_ajp."),
    ("haproxy", "Write the file of HAProxy."),
    ("nginx", "Write the file of nginx."),
    ("dns", "Write the files of dnsmasq, for one name with the addresses of all instances."),
):
    _BALANCER.command(f"unified_agent.tools.balancer.command:{_name.replace('-', '_')}", name=_name, help=_help)
APP.command(
    "unified_agent.tools.load.command:load",
    name="load",
    help="Put virtual agents on an instance, break its links, and measure.",
)
APP.command(
    "unified_agent.tools.chaos.command:chaos",
    name="chaos",
    help="Break a whole cluster in every way, in network namespaces, and measure. Needs root.",
)
APP.command(
    "unified_agent.tools.doctor:doctor",
    name="doctor",
    help="Try what an instance with these settings would need: Java and JTAPI, AES, diallers.",
)
APP.command(
    "unified_agent.tools.demo.command:demo",
    name="demo",
    help="Start a whole contact centre here, simulated, with the page to open and things to try.",
)

SettingsFile = Annotated[Path, Parameter(help="TOML file; the environment (UA_HTTP__PORT=9000 …) wins over it.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: without the program's name; None for those of the process.

    Returns:
        The exit status.
    """
    try:
        command, bound, _ = APP.parse_args(sys.argv[1:] if arguments is None else list(arguments))
        result = command(*bound.args, **bound.kwargs)
        if inspect.iscoroutine(result):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                result = runner.run(result)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has enough: head, less
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the flush at the very end
        return 1
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


@APP.command
def serve(file: SettingsFile, *, loop: Literal["uvloop", "asyncio"] = "uvloop", guardian: bool = True) -> int:
    """Run one instance until SIGTERM, which drains it; a second signal hurries.

    Standard output says "http URL" and "ready" once it serves; logs go to standard error. SIGHUP takes the TLS
    certificate from its file again.

    Parameters
    ----------
    file:
        Settings.
    loop:
        Event loop; asyncio's own needs far more memory with TLS, and is for tests.
    guardian:
        In a cluster, serve in a process beside this one, whose end this one proves to the others at once.
    """
    from unified_agent.observe import configure_logging
    from unified_agent.settings_file import read_settings

    settings = read_settings(file, os.environ).settings
    configure_logging(level=settings.log.level.value, as_json=settings.log.json)
    if guardian and not settings.cluster.is_alone:
        from unified_agent.cluster.guarded import find_pipe
        from unified_agent.guardian import guard

        if find_pipe(os.environ) is None:
            command = [sys.executable, "-P", "-m", "unified_agent.tools.cli", "serve", str(file), "--loop", loop]
            return guard(command, settings.cluster)
    from unified_agent import assembly

    return assembly.serve(settings, _announce, with_uvloop=loop == "uvloop")


@_SETTINGS.command
def check(file: SettingsFile) -> int:
    """Read settings as serve would, and say all that is wrong with them at once."""
    from unified_agent.network import make_tls_context
    from unified_agent.settings_file import read_settings

    settings = read_settings(file, os.environ).settings
    if not settings.cluster.is_alone:
        from unified_agent.cluster.stores.open import etcd_settings_from

        etcd_settings_from(settings.cluster.store)
    if settings.cluster.keys_file is not None:
        from unified_agent.sealing import read_keys

        read_keys(settings.cluster.keys_file)
    if settings.telephony.kind == "jtapi":
        from unified_agent.links.telephony.jtapi.requirements import check_requirements

        check_requirements(settings.telephony.jtapi)
    for tls in (each.tls for peers in (settings.telephony.servers, settings.diallers) for each in peers):
        make_tls_context(tls)
    print(
        f"{file} is good: {len(settings.telephony.servers)} AES, {len(settings.diallers)} diallers, "
        f"up to {settings.sessions.capacity} sessions."
    )
    return 0


@_SETTINGS.command
def show(file: SettingsFile, *, origin: bool = False, meaning: bool = False) -> int:
    """Show every setting; secrets are hidden.

    Parameters
    ----------
    file:
        Settings.
    origin:
        Also say where each value came from: a line of the file, the environment, or the default.
    meaning:
        Also say what each means.
    """
    from unified_agent.settings_file import read_settings
    from unified_agent.tools.settings_report import list_settings

    for line in list_settings(read_settings(file, os.environ)):
        if meaning and line.meaning:
            print(f"\n# {line.meaning}")
        print(f"{line.path} = {line.value}" + (f"  # {line.origin}" if origin else ""))
    return 0


@_SETTINGS.command
def reference() -> int:
    """Print every setting there can be, as Markdown; docs/reference/settings.md is this."""
    from unified_agent.tools.settings_report import write_reference

    print(write_reference(), end="")
    return 0


def _announce(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
