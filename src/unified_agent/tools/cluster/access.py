"""Which instance is asked, and as whom: from options, or from the settings of an instance on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cyclopts import Parameter
from msgspec import Struct

from unified_agent.errors import SettingsError
from unified_agent.settings import HttpSettings, Settings
from unified_agent.settings_file import read_settings

DEFAULT_URL: Final = "http://127.0.0.1:8080"
#: Addresses to listen on that mean all of this machine; from here it is reached at the first of its own.
_ALL: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """Which instance to ask; any one answers for all.

    Attributes:
        url: of an instance; http://127.0.0.1:8080 when neither this nor --settings is given.
        settings: settings file of an instance on this machine, to take URL and token from.
        token_file: file with the operators' token, the same as that instance's http.operators_token_file.
        ca_file: certificates to trust, PEM, when the instance's is not signed by a public authority.
    """

    url: str | None = None
    settings: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None


NO_OPTIONS: Final = AccessOptions()


class Access(Struct, frozen=True, kw_only=True):
    """Where to ask, and as whom.

    Attributes:
        url: of the instance, without a slash at its end.
        token: of the operators; empty when there is none to show.
        ca_file: certificates to trust; None for those of the system.
    """

    url: str
    token: str = ""
    ca_file: Path | None = None


def find_access(options: AccessOptions, environment: Mapping[str, str]) -> Access:
    """Take URL and token from options, and what they leave out from the settings they name.

    Raises:
        SettingsError: the URL is none, or a file cannot be read.
    """
    settings = None if options.settings is None else read_settings(options.settings, environment).settings
    url = options.url or (DEFAULT_URL if settings is None else url_of(settings))
    if not _is_url(url):
        raise SettingsError(f"--url {url!r} is no URL of an instance: it looks like {DEFAULT_URL}")
    parts = urlsplit(url)
    token_file = options.token_file
    if token_file is None and settings is not None:
        token_file = settings.http.operators_token_file
    return Access(
        url=f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}",
        token="" if token_file is None else _read_token(token_file),
        ca_file=options.ca_file,
    )


def url_of(settings: Settings) -> str:
    """Return where an instance with these settings is reached from its own machine."""
    if settings.cluster.url:
        return settings.cluster.url
    if settings.http.port == 0:
        raise SettingsError("http.port = 0 leaves the port to the system: give the URL that serve printed with --url")
    return f"{_scheme(settings.http)}://{_host(settings.http.host)}:{settings.http.port}"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an address that is none
        return False


def _scheme(http: HttpSettings) -> str:
    return "http" if http.tls_cert_file is None else "https"


def _host(host: str) -> str:
    if host in _ALL:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _read_token(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise SettingsError(f"the operators' token cannot be read from {file}: {why}") from error
