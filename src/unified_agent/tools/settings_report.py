"""Settings for people: every value with its origin, and the reference of all there can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from unified_agent.settings_file import REQUIRED, KnownSetting, LoadedSettings, list_known, meanings_of

#: Origin of a value that nobody gave.
DEFAULT: Final = "default"
_HIDDEN: Final = "(hidden)"
_SECRET_NAME: Final = re.compile(r"(^|_)(password|secret|token)$")
_INTRODUCTION: Final = """\
# Settings

Written by `unified-agent settings reference` from the docstrings of `unified_agent.settings`; a test holds the two
together.

An instance reads one TOML file and the environment, and the environment wins: `UA_HTTP__PORT=9000` stands for
`http.port`, `UA_TELEPHONY__SERVERS__0__HOST` for the host of the first server (`*` below is the position). Text is
given as it is, everything else as TOML: `8080`, `true`, `["a", "b"]`. Relative paths count from the settings file's
folder.
An unknown key stops the start and names the nearest known one.

    unified-agent settings check FILE            says all that is wrong, each with its line
    unified-agent settings show FILE --origin    every value and where it came from; secrets are hidden

A secret is best given by the path of a file that only the service can read (`password_file`).
"""


class SettingLine(Struct, frozen=True, kw_only=True):
    """One setting for people.

    Attributes:
        path: dotted, ``telephony.servers.0.host``.
        value: as TOML; secrets are hidden; ``none`` when there is none.
        origin: see ``LoadedSettings``, or ``default``.
        meaning: from the docstring of its table.
    """

    path: str
    value: str
    origin: str
    meaning: str


def list_settings(loaded: LoadedSettings) -> Iterator[SettingLine]:
    """List every setting with its value, origin and meaning, in the order of the classes."""
    yield from _list(loaded.settings, "", loaded.origins)


def write_reference() -> str:
    """Write every setting there can be as Markdown, a table for each table of TOML."""
    tables: dict[str, list[KnownSetting]] = {}
    for known in list_known():
        tables.setdefault(known.path.rpartition(".")[0], []).append(known)
    lines = [_INTRODUCTION]
    for of, settings in tables.items():
        lines += [f"## {_heading(of)}", "", "| key | value | default | meaning |", "|---|---|---|---|"]
        for known in settings:
            default = REQUIRED if known.default is REQUIRED else f"`{_as_toml(known.default)}`"
            name = known.path.rpartition(".")[2]
            lines.append(f"| `{name}` | {known.kind} | {default} | {known.meaning} |")
        lines.append("")
    return "\n".join(lines)


def _heading(table: str) -> str:
    if not table:
        return "At the top of the file"
    if table.endswith(".*"):
        return f"`[[{table.removesuffix('.*')}]]`, one for each"
    return f"`[{table.replace('.*', '')}]`" + (", within each" if ".*" in table else "")


def _list(value: Struct, path: str, origins: Mapping[str, str]) -> Iterator[SettingLine]:
    meanings = meanings_of(type(value))
    for name in value.__struct_fields__:
        inner, inner_path = getattr(value, name), f"{path}.{name}" if path else name
        if isinstance(inner, Struct):
            yield from _list(inner, inner_path, origins)
        elif isinstance(inner, tuple) and inner and isinstance(inner[0], Struct):
            for index, each in enumerate(inner):
                yield from _list(each, f"{inner_path}.{index}", origins)
        else:
            hidden = bool(inner) and _SECRET_NAME.search(name)
            yield SettingLine(
                path=inner_path,
                value=_HIDDEN if hidden else _as_toml(inner),
                origin=origins.get(inner_path, DEFAULT),
                meaning=meanings.get(name, ""),
            )


def _as_toml(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_as_toml(each) for each in value) + "]"
    if isinstance(value, Path):
        value = str(value)
    return msgspec.json.encode(value).decode()
