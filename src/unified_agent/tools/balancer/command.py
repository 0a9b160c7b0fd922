"""``unified-agent balancer``: the commands. Each writes the files of one product.

Exit status: 0 well, 1 the product does not take the files, 2 something given is wrong, or a file would be changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from msgspec.structs import replace

from unified_agent.errors import SettingsError
from unified_agent.settings_file import read_table
from unified_agent.tools.balancer import check as checking
from unified_agent.tools.balancer import files
from unified_agent.tools.balancer.advice import tell_next
from unified_agent.tools.balancer.live import ask_topology, describe
from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.service import write_service
from unified_agent.tools.balancer.topology import BalancerTopology, Places, write_toml
from unified_agent.tools.cluster.access import AccessOptions

RUN_FOLDER: Final = Path("/run/unified-agent-balancer")
LOG_FOLDER: Final = Path("/var/log/unified-agent-balancer")

_Yes = Annotated[bool, Parameter(negative=())]
_Folder = Annotated[Path, Parameter(help="Folder for the files; made when it is not there.")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Where the description of the cluster comes from, and what wins over it.

    Attributes:
        from_file: description of the cluster; 'unified-agent balancer topology' makes one to begin with.
        server: in place of a file: URL of any running instance, which tells of all.
        ca_file: certificates to trust when asking it, PEM; balancers then know https instances by them too.
        name: public name of the balancer.
        port: public port of the balancer.
        ajp_port: ajp.port of the instances, which they do not tell.
        ajp_secret_file: file with ajp.secret of the instances.
        tls_cert_file: certificate for https on the public port, PEM.
        tls_key_file: its key.
    """

    from_file: Annotated[Path | None, Parameter(name="--from")] = None
    server: str | None = None
    ca_file: Path | None = None
    name: str | None = None
    port: int | None = None
    ajp_port: int | None = None
    ajp_secret_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOptions:
    """Where things are on the balancer's machine.

    Attributes:
        conf_dir: folder in which the files will lie there; --out when left out.
        run_dir: folder for process ids and sockets.
        log_dir: folder for logs.
        user: unprivileged user that serves; Debian's for the product when left out, "" for whoever starts it.
    """

    conf_dir: Path | None = None
    run_dir: Path = RUN_FOLDER
    log_dir: Path = LOG_FOLDER
    user: str | None = None


NO_SOURCE: Final = SourceOptions()
USUAL_PLACES: Final = PlaceOptions()


def mod_jk(
    *,
    out: _Folder,
    check: _Yes = False,
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
    places: PlaceOptions = USUAL_PLACES,
) -> int:
    """Write the files of Apache httpd with mod_jk, which reaches instances by AJP.

    Parameters
    ----------
    check
        Have the product check them.
    force
        Also over files that somebody has changed.
    source
        Where the description of the cluster comes from.
    places
        Where things are on the balancer's machine.
    """
    return _make("mod-jk", out, source, places, check=check, force=force)


def proxy_ajp(
    *,
    out: _Folder,
    check: _Yes = False,
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
    places: PlaceOptions = USUAL_PLACES,
) -> int:
    """Write the file of Apache httpd with mod_proxy_ajp, which reaches instances by AJP.

    Parameters
    ----------
    check
        Have the product check it.
    force
        Also over a file that somebody has changed.
    source
        Where the description of the cluster comes from.
    places
        Where things are on the balancer's machine.
    """
    return _make("proxy-ajp", out, source, places, check=check, force=force)


def haproxy(
    *,
    out: _Folder,
    check: _Yes = False,
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
    places: PlaceOptions = USUAL_PLACES,
) -> int:
    """Write the file of HAProxy, which reaches instances by HTTP and asks them whether they are ready.

    Parameters
    ----------
    check
        Have the product check it.
    force
        Also over a file that somebody has changed.
    source
        Where the description of the cluster comes from.
    places
        Where things are on the balancer's machine.
    """
    return _make("haproxy", out, source, places, check=check, force=force)


def nginx(
    *,
    out: _Folder,
    check: _Yes = False,
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
    places: PlaceOptions = USUAL_PLACES,
) -> int:
    """Write the file of nginx, which reaches instances by HTTP.

    Parameters
    ----------
    check
        Have the product check it.
    force
        Also over a file that somebody has changed.
    source
        Where the description of the cluster comes from.
    places
        Where things are on the balancer's machine.
    """
    return _make("nginx", out, source, places, check=check, force=force)


def dns(
    *,
    out: _Folder,
    check: _Yes = False,
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
    places: PlaceOptions = USUAL_PLACES,
) -> int:
    """Write the files of dnsmasq, which gives one name the addresses of all instances; and lines of a zone.

    Parameters
    ----------
    check
        Have the product check them.
    force
        Also over files that somebody has changed.
    source
        Where the description of the cluster comes from.
    places
        Where things are on the balancer's machine.
    """
    return _make("dns", out, source, places, check=check, force=force)


def topology(
    *,
    out: Annotated[Path, Parameter(help="The file.")],
    force: _Yes = False,
    source: SourceOptions = NO_SOURCE,
) -> int:
    """Write the description of a running cluster into a file, to be completed and given to the others with --from.

    Parameters
    ----------
    force
        Also over a file that somebody has changed.
    source
        Where the description of the cluster comes from.
    """
    changes = files.compare(out.parent, {out.name: write_toml(find_topology(source))})
    _write(changes, force=force)
    print(f"Read it, complete it, and go on: unified-agent balancer haproxy --from {out} --out DIR --check")
    return 0


def find_topology(source: SourceOptions, ask: Callable[[AccessOptions], Any] = ask_topology) -> BalancerTopology:
    """Take the description from a file or from an instance, and what else was given over it.

    Raises:
        SettingsError: neither or both are named, or something is wrong in it.
    """
    if (source.from_file is None) == (source.server is None):
        raise SettingsError("name the cluster by --from FILE or by --server URL of a running instance, and not by both")
    if source.from_file is not None:
        found = read_table(source.from_file, BalancerTopology)
    else:
        told = ask(AccessOptions(url=source.server, ca_file=source.ca_file))
        found = describe(told, source.ajp_port or 0, "" if source.ca_file is None else f"{source.ca_file.absolute()}")
    given: dict[str, Any] = {
        "name": source.name,
        "port": source.port,
        "tls_cert_file": source.tls_cert_file and f"{source.tls_cert_file}",
        "tls_key_file": source.tls_key_file and f"{source.tls_key_file}",
        "ajp_secret_file": source.ajp_secret_file,
        "ajp_secret": source.ajp_secret_file and _read_secret(source.ajp_secret_file),
    }
    if source.ajp_port is not None:
        given["instances"] = tuple(replace(each, ajp_port=source.ajp_port) for each in found.instances)
    return replace(found, **{key: value for key, value in given.items() if value is not None})


def _make(name: str, out: Path, source: SourceOptions, options: PlaceOptions, *, check: bool, force: bool) -> int:
    kind = KINDS[name]
    described = find_topology(source)
    places = Places(
        conf=f"{(options.conf_dir or out).absolute()}",
        run=f"{options.run_dir.absolute()}",
        log=f"{options.log_dir.absolute()}",
        user=kind.product.user if options.user is None else options.user,
    )
    made = kind.write(described, places) | write_service(name, described.cluster, kind.product, places)
    _write(files.compare(out, made), force=force)
    if check:
        if options.conf_dir not in {None, out, out.absolute()}:
            raise SettingsError("--check reads the files where they will lie, so give it without --conf-dir, or there")
        try:
            print(checking.check(kind.product, places))
        except checking.CheckFailed as failure:
            print(failure, file=sys.stderr)
            return 1
    print("\n".join(["", *tell_next(name, described, places)]))
    return 0


def _write(changes: list[files.Change], *, force: bool) -> None:
    print("\n".join(files.tell(changes)))
    files.write(changes, force=force)


def _read_secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise SettingsError(f"the AJP secret cannot be read from {file}: {why}") from error
