"""With what the JVM is started and the provider opened: class path, options, provider string; and the process's
command line, by which they come.

The class path and the options stand in the command line because the JVM starts before the server has said anything;
nothing secret does: user and password come in ``messages.Open``.

Source: aes-jtapi reference, sections 2 and 7.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from unified_agent.domain.ids import Secret
from unified_agent.errors import LinkRefused

#: The vendor's limits.
USER_LIMIT: Final = 48
PASSWORD_LIMIT: Final = 47

#: Without it a JVM takes the signals of the process for itself.
ALWAYS: Final = ("-Xrs", "-Djava.awt.headless=true")
#: Small: 56 MiB with a bare JVM instead of 62 to 63. Each goes when the settings name one of the same kind.
#: One that is out of memory ends: as a link loss that is seen, instead of a client library that has lost a thread.
DEFAULTS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms32m",
    "-Xmx192m",
    "-Xss512k",
    "-XX:+ExitOnOutOfMemoryError",
)
#: How options of the same kind begin, for each default.
_OVERRIDES: Final[dict[str, str]] = {
    "-XX:+UseSerialGC": r"-XX:[+-]Use\w+GC$",
    "-XX:TieredStopAtLevel=1": r"-XX:(TieredStopAtLevel|[+-]TieredCompilation)",
    "-Xms32m": r"-Xm[sx]|-XX:(Initial|Max)(HeapSize|RAMPercentage)",
    "-Xmx192m": r"-Xmx|-XX:Max(HeapSize|RAMPercentage)",
    "-Xss512k": r"-Xss|-XX:ThreadStackSize",
    "-XX:+ExitOnOutOfMemoryError": r"-XX:[+-](Exit|Crash)OnOutOfMemoryError|-XX:OnOutOfMemoryError",
}
#: What separates the parts of a provider string.
_SEPARATORS: Final = frozenset(";=")
_OWN_PARTS: Final = frozenset({"login", "loginid", "passwd"})


class JavaSettings(Struct, frozen=True, kw_only=True):
    """What a JVM is started with.

    Attributes:
        class_path: jar files and folders.
        options: for the JVM; override our defaults.
        java_home: of the Java to be used; empty for the one that the system offers.
    """

    class_path: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    java_home: str = ""


class CommandLine(Struct, frozen=True, kw_only=True):
    """The process's command line.

    Attributes:
        descriptor: of the socket to the server; None to only check.
        java: see there.
        peer: only to check.
        log_level: of ``observe.configure_logging``.
    """

    descriptor: int | None
    java: JavaSettings
    peer: str = ""
    log_level: str = "info"


def arguments_of(line: CommandLine) -> list[str]:
    """Write a command line, for whoever starts the process; what stands before is ``python -m`` and the module."""
    what = ["--check", line.peer] if line.descriptor is None else [str(line.descriptor)]
    return [
        *what,
        *(f"--class-path={each}" for each in line.java.class_path),
        *(f"--java-option={each}" for each in line.java.options),
        *([f"--java-home={line.java.java_home}"] if line.java.java_home else []),
        f"--log-level={line.log_level}",
    ]


def read_arguments(arguments: Sequence[str]) -> CommandLine:
    """Read a command line. Exits with a sentence and the status 2 when it is none."""
    parser = argparse.ArgumentParser(prog="jtapi", description="Holds the JVM of one AES server.", allow_abbrev=False)
    parser.add_argument("descriptor", type=int, nargs="?", help="of the socket to the server")
    parser.add_argument("--check", metavar="PEER", help="only start the JVM, look for this peer and tell")
    parser.add_argument("--class-path", action="append", default=[], metavar="ENTRY")
    parser.add_argument("--java-option", action="append", default=[], metavar="OPTION")
    parser.add_argument("--java-home", default="", metavar="FOLDER")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    found = parser.parse_args(arguments)
    if (found.descriptor is None) == (found.check is None):
        parser.error("give the descriptor of the server's socket, or --check PEER")
    java = JavaSettings(class_path=tuple(found.class_path), options=tuple(found.java_option), java_home=found.java_home)
    return CommandLine(descriptor=found.descriptor, java=java, peer=found.check or "", log_level=found.log_level)


def jvm_options(wanted: Sequence[str]) -> list[str]:
    """Return what the JVM is started with: ours, less the defaults that the settings override, then theirs."""
    kept = [each for each in DEFAULTS if not any(re.match(_OVERRIDES[each], option) for option in wanted)]
    return [*ALWAYS, *kept, *(each for each in wanted if each not in ALWAYS)]


def provider_string(service: str, user: str, password: Secret, parameters: dict[str, str]) -> str:
    """Write what a provider is asked for with.

    Args:
        service: the tlink.
        user, password: of the CTI user.
        parameters: further parts.

    Raises:
        LinkRefused: something cannot be written so, with a sentence that does not tell the password.
    """
    if _SEPARATORS & set(service):
        raise LinkRefused(f"the service {service!r} has a ; or =, which JTAPI cannot carry")
    _check("user", user, USER_LIMIT, shown=repr(user))
    _check("password", password.value, PASSWORD_LIMIT, shown="of the CTI user")
    parts = [service, f"login={user}", f"passwd={password.value}"]
    for name, value in parameters.items():
        if name.lower() in _OWN_PARTS:
            raise LinkRefused(f"{name} is no further part of the provider string: set the user and the password")
        if not name or _SEPARATORS & set(name) or ";" in value:
            raise LinkRefused(f"the part {name!r} of the provider string has a ; or =, which JTAPI cannot carry")
        parts.append(f"{name}={value}")
    return ";".join(parts)


def _check(what: str, text: str, limit: int, *, shown: str) -> None:
    if not text:
        raise LinkRefused(f"the {what} is empty: set the CTI user and its password file")
    if _SEPARATORS & set(text):
        raise LinkRefused(f"the {what} {shown} has a ; or =, which JTAPI cannot carry: change it at the AES server")
    if len(text) > limit:
        raise LinkRefused(f"the {what} {shown} is longer than {limit} characters, the most that JTAPI takes")
