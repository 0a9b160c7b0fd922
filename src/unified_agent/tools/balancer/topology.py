"""What a balancer must know: who stands behind it, and how it is reached itself. Read from TOML, written as TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from unified_agent.errors import SettingsError
from unified_agent.settings_file import meanings_of

Port = Annotated[int, Meta(ge=1, le=65_535)]
#: 0 leaves the thing out.
PortOrNone = Annotated[int, Meta(ge=0, le=65_535)]
#: What every connector takes without being told, and the most that AJP has.
PACKET_BYTES: Final = 8_192
PACKET_LIMIT_BYTES: Final = 65_536
#: mod_proxy_ajp keeps no longer secret.
SECRET_LIMIT: Final = 63

_ROUTE: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")
_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DNS_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
#: What may stand in a file's name without being read as something else by one of five configuration languages.
_FILE: Final = re.compile(r"/[A-Za-z0-9._/+@=:,-]*")
_SECRET: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
_WORDS: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class BalancedInstance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instance behind the balancer.

    Attributes:
        name: the instance's own name, its route: what stands behind the last dot of a session's cookie.
        host: name or address at which the balancer reaches it.
        http_port: its http.port.
        ajp_port: its ajp.port, for Apache; 0 for none.
        datacentre: its cluster.datacentre.
    """

    name: str
    host: str
    http_port: Port
    ajp_port: PortOrNone = 0
    datacentre: str = ""

    def __post_init__(self) -> None:
        if not _ROUTE.fullmatch(self.name):
            dot = " A dot would be read as the end of the route." if "." in self.name else ""
            raise SettingsError(
                f"name {self.name!r} cannot be a route: give the instance a name of 1 to 63 letters, digits, hyphens "
                f"and underscores.{dot}"
            )
        if not is_address(self.host) and not _DNS_NAME.fullmatch(self.host):
            raise SettingsError(f"host {self.host!r} is no name and no address of a machine: write it without port")
        if not _WORDS.fullmatch(self.datacentre):
            raise SettingsError("datacentre must be one line")

    @property
    def http(self) -> str:
        """Host and HTTP port, as they stand in a URL."""
        return f"{bracketed(self.host)}:{self.http_port}"

    @property
    def ajp(self) -> str:
        """Host and AJP port, as they stand in a URL."""
        return f"{bracketed(self.host)}:{self.ajp_port}"


class BalancerTopology(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cluster as a balancer must know it.

    Attributes:
        cluster: its name, for people.
        name: the public name under which agents reach the balancer.
        listen: address to listen on; 0.0.0.0 for all of IPv4, :: for all of both.
        port: the public port.
        dns_port: where the name server answers, for dns.
        status_port: the balancer's own status, on 127.0.0.1 only; 0 for none.
        agents: how many work through the balancer at most; where it only chooses instances, those who come at a time.
        hold_s: desktop.poll_hold_s of the instances: how long an unanswered long poll is held.
        tls_cert_file, tls_key_file: for https on the public port, PEM; on the balancer's machine.
        ajp_secret, ajp_secret_file: ajp.secret of the instances; best from a file.
        ajp_packet_size_bytes: ajp.packet_size_bytes of the instances.
        instances_https: the instances' http_port speaks TLS.
        instances_ca_file: certificates by which the balancer knows them, PEM; on the balancer's machine.
        instances_tls_name: a name that stands in the certificate of each of them; left out: the public name.
        preferred_datacentre: gets new agents while it can; left out: that of the first instance.
        instances: all of the cluster.
    """

    cluster: str
    instances: tuple[BalancedInstance, ...]
    port: Port
    name: str = ""
    listen: str = "0.0.0.0"  # noqa: S104 - a balancer is there for others
    dns_port: Port = 53
    status_port: PortOrNone = 9_180
    agents: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    hold_s: Annotated[float, Meta(ge=2, le=25)] = 8.0
    tls_cert_file: str = ""
    tls_key_file: str = ""
    ajp_secret: str = ""
    ajp_secret_file: Path | None = None
    ajp_packet_size_bytes: Annotated[int, Meta(ge=PACKET_BYTES, le=PACKET_LIMIT_BYTES)] = PACKET_BYTES
    instances_https: bool = False
    instances_ca_file: str = ""
    instances_tls_name: str = ""
    preferred_datacentre: str = ""

    def __post_init__(self) -> None:
        for fault in (*self._instance_faults(), *self._front_faults(), *self._ajp_faults()):
            raise SettingsError(fault)

    def _instance_faults(self) -> Iterator[str]:
        if not self.instances:
            yield "name at least one instance: write [[instances]] and its keys below it"
        double = _first_double([each.name.lower() for each in self.instances])
        if double:
            yield f"instances: {double!r} is there twice (large and small letters are one), and each needs its own name"
        double = _first_double([each.http for each in self.instances])
        if double:
            yield f"instances: two are at {double}, where only one can be"
        if self.instances_https and not self.instances_ca_file:
            yield (
                "instances_https needs instances_ca_file: a balancer that takes any certificate proves nothing; name "
                "the file of the authority that signed the instances' certificates"
            )
        if self.preferred_datacentre and self.preferred_datacentre not in {each.datacentre for each in self.instances}:
            yield f"preferred_datacentre {self.preferred_datacentre!r} has no instance"

    def _front_faults(self) -> Iterator[str]:
        if not _WORDS.fullmatch(self.cluster):
            yield "cluster must be one line"
        for key, name in (("name", self.name), ("instances_tls_name", self.instances_tls_name)):
            if name and not _DNS_NAME.fullmatch(name):
                yield f"{key} {name!r} is no name of the DNS: write it like ua.example, without scheme and port"
        if not is_address(self.listen):
            yield f"listen {self.listen!r} is no address: 0.0.0.0 for all of IPv4, :: for all, or one of the machine's"
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            yield "tls_cert_file and tls_key_file belong together: give both or neither"
        if self.status_port == self.port:
            yield "status_port and port are the same: take another one for the status, or 0 for none"
        for key in ("tls_cert_file", "tls_key_file", "instances_ca_file"):
            yield from _file_faults(key, getattr(self, key))

    def _ajp_faults(self) -> Iterator[str]:
        if self.ajp_secret and not _SECRET.fullmatch(self.ajp_secret):
            yield (
                "the AJP secret may hold letters, digits and ._~+/=- only, or a balancer would read something else: "
                "make one with 'openssl rand -hex 24'"
            )
        if len(self.ajp_secret) > SECRET_LIMIT:
            yield f"the AJP secret is longer than the {SECRET_LIMIT} characters that mod_proxy_ajp takes"
        if self.ajp_packet_size_bytes % 1_024:
            yield "ajp_packet_size_bytes must be a multiple of 1024: connectors take no other"

    @property
    def scheme(self) -> str:
        """What agents' addresses begin with."""
        return "https" if self.tls_cert_file else "http"

    @property
    def url(self) -> str:
        """Where agents reach the balancer; HOST stands for a name that was not given."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.name or 'HOST'}{'' if self.port == usual else f':{self.port}'}"

    def is_preferred(self, instance: BalancedInstance) -> bool:
        """Say whether an instance gets new agents first; the others only when none of these can take them."""
        return instance.datacentre == (self.preferred_datacentre or self.instances[0].datacentre)


def is_address(host: str) -> bool:
    """Say whether a host is an address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # behind it an address of IPv6 may have anything


def bracketed(host: str) -> str:
    """Put an IPv6 address into brackets, as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def check_file(key: str, value: str) -> str:
    """Return a file's or folder's path that can stand in a configuration.

    Raises:
        SettingsError: it cannot.
    """
    for fault in _file_faults(key, value):
        raise SettingsError(fault)
    return value


def write_toml(topology: BalancerTopology) -> str:
    """Write a description, with the meaning of each key, for a person to go on from."""
    lines = [
        f"# The cluster {topology.cluster}, for 'unified-agent balancer mod-jk|proxy-ajp|haproxy|nginx|dns --from'.",
        "",
    ]
    meanings = meanings_of(BalancerTopology)
    for field in structs.fields(topology):
        value = getattr(topology, field.name)
        if field.name in {"instances", "ajp_secret"}:
            continue
        lines.append(f"# {meanings[field.name]}")
        is_left_out = value in {"", None}
        lines.append(f"{'# ' if is_left_out else ''}{field.name} = {_as_toml(value)}")
    lines += ["", *(f"# {name}: {meaning}" for name, meaning in meanings_of(BalancedInstance).items())]
    for instance in topology.instances:
        lines += ["", "[[instances]]"]
        lines += [f"{field.name} = {_as_toml(getattr(instance, field.name))}" for field in structs.fields(instance)]
    return "\n".join(lines) + "\n"


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    text = "" if value is None else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file_faults(key: str, value: str) -> Iterator[str]:
    if value and not _FILE.fullmatch(value):
        yield (
            f"{key} {value!r} must be a whole path, from / on, of letters, digits and ._/+@=:,- only: anything else "
            "means something in a balancer's configuration"
        )


def _first_double(of: list[str]) -> str:
    return next((each for index, each in enumerate(of) if each in of[:index]), "")


class Places(Struct, frozen=True, kw_only=True):
    """Where things are on the balancer's machine, and who it runs as.

    Attributes:
        conf: folder of the written files.
        run, log: folders of process ids, sockets and shared memory; of logs.
        user: the unprivileged user that serves; empty to stay who starts it.
    """

    conf: str
    run: str
    log: str
    user: str = ""

    def __post_init__(self) -> None:
        for key, value in (("--conf-dir", self.conf), ("--run-dir", self.run), ("--log-dir", self.log)):
            check_file(key, value)
        if self.user and not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", self.user):
            raise SettingsError(f"--user {self.user!r} is no name of a user")
