"""Settings from a TOML file and the environment, with the origin of each value and the meaning of each setting.

The environment wins: ``UA_HTTP__PORT=9000`` stands for ``http.port``, ``UA_TELEPHONY__SERVERS__0__HOST`` for the host
of the first server. An unknown key stops the start and names the nearest known one. All that is wrong is told at
once, each with its place, in a sentence that says what to do. Relative paths count from the settings file's folder.
"""

from __future__ import annotations

import difflib
import inspect
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

import msgspec
from msgspec import NODEFAULT, Struct, structs

from unified_agent.errors import SettingsError
from unified_agent.settings import Settings

#: A type as it stands in an annotation: a class, ``X | None``, ``tuple[X, ...]``, ``Annotated[X, Meta(...)]``.
TypeForm: TypeAlias = Any
S = TypeVar("S", bound=Struct)

#: Environment variables that begin so are settings.
PREFIX: Final = "UA_"
#: Settings that name a file which we write: only its folder must be there.
WRITTEN_FILES: Final = frozenset({"cluster.history_file"})
#: Default of a setting that must be given.
REQUIRED: Final = "required"


class LoadedSettings(Struct, frozen=True, kw_only=True):
    """Settings, and where each value came from.

    Attributes:
        settings: ready for use; secrets are read from their files.
        origins: dotted path of each value that was given to ``FILE:LINE``, ``environment UA_…`` or ``file PATH``.
    """

    settings: Settings
    origins: dict[str, str]


class KnownSetting(Struct, frozen=True, kw_only=True):
    """One setting that there can be.

    Attributes:
        path: dotted, with ``*`` for a position: ``telephony.servers.*.host``.
        kind: its type in words.
        default: what it is when not given, or ``REQUIRED``.
        meaning: from the docstring of its table.
    """

    path: str
    kind: str
    default: object
    meaning: str


def read_settings(file: Path, environment: Mapping[str, str]) -> LoadedSettings:
    """Read and check all settings.

    Args:
        file: TOML.
        environment: usually ``os.environ``.

    Raises:
        SettingsError: the file cannot be read, or something in it is wrong; one line for each fault.
    """
    reader, tree = _open(file)
    reader.overlay(tree, environment)
    settings = reader.whole(Settings, tree)
    return LoadedSettings(settings=cast("Settings", settings), origins=reader.origins)


def read_table(file: Path, kind: type[S]) -> S:
    """Read a TOML file that is no settings of an instance, as strictly and with as precise words.

    Args:
        file: TOML.
        kind: what its top table is.

    Raises:
        SettingsError: the file cannot be read, or something in it is wrong; one line for each fault.
    """
    reader, tree = _open(file)
    return cast("S", reader.whole(kind, tree))


def list_known() -> Iterator[KnownSetting]:
    """List every setting there can be, in the order of the classes."""
    yield from _known(Settings, "")


# --- reading


def _open(file: Path) -> tuple[_Reader, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{file} does not exist: give the path of your settings file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    try:
        return _Reader(file, _lines_of_keys(text)), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from error


class _Given(Struct, frozen=True):
    """A value from the environment, whose type is not known yet."""

    variable: str
    text: str


class _Reader:
    """Walks a tree of values and the types they should have, side by side."""

    def __init__(self, file: Path, lines: Mapping[str, int]) -> None:
        self._file = file
        self._lines = lines
        self.problems: list[str] = []
        self.origins: dict[str, str] = {}

    def overlay(self, tree: dict[str, Any], environment: Mapping[str, str]) -> None:
        """Put what the environment says into the tree."""
        for variable in sorted(environment):
            if variable.startswith(PREFIX):
                keys = variable.removeprefix(PREFIX).lower().split("__")
                if not _place(tree, keys, _Given(variable, environment[variable])):
                    self.problems.append(f"{variable} goes into something that {self._file} says is a plain value")

    def whole(self, kind: type[Struct], tree: dict[str, Any]) -> Struct | None:
        """Read all of the file; raise what is wrong with it."""
        read = self.table(kind, tree, "")
        if self.problems:
            raise SettingsError("\n".join(self.problems))
        return read

    def table(self, kind: type[Struct], tree: object, path: str) -> Struct | None:
        """Read one table; None when something in it is wrong, which is then among the problems."""
        if not isinstance(tree, dict):
            self._problem(path, tree, f"is a table: write [{path}] and its keys below it")
            return None
        fields = {each.name: each for each in structs.fields(kind)}
        faults = len(self.problems)
        values: dict[str, Any] = {}
        for key, value in tree.items():
            if key in fields:
                values[key] = self._value(fields[key].type, value, _join(path, key))
            else:
                self._problem(_join(path, key), value, f"is not a setting; {_nearest(key, path, fields)}")
        for name, field in fields.items():
            if name not in tree and field.required:
                self._problem(_join(path, name), None, "is missing: give it a value")
        self._read_secrets(values, fields, path)
        if len(self.problems) > faults:
            return None
        try:
            return kind(**values)
        except SettingsError as error:
            self._problem(path, None, f"is wrong: {error}" if path else f"{error}")
            return None

    def _value(self, kind: TypeForm, value: object, path: str) -> object:
        kind, optional = _without_none(kind)
        struct = _struct_in(kind)
        if struct is not None and kind is struct:
            return self.table(struct, value, path)
        if struct is not None:
            if isinstance(value, _Given) or not isinstance(value, list):
                self._problem(path, value, f"is a list of tables: write [[{path}]] for each")
                return ()
            return tuple(self.table(struct, each, _join(path, str(index))) for index, each in enumerate(value))
        given = value
        if isinstance(given, _Given):
            if optional and not given.text:
                self.origins[path] = f"environment {given.variable}"
                return None
            value = _parse_given(kind, given.text)
        try:
            read = msgspec.convert(value, kind, dec_hook=self._path)
        except msgspec.ValidationError:
            self._problem(path, given, f"must be {_in_words(kind)}")
            return None
        if isinstance(read, int | float) and read < 0:
            self._problem(path, given, "must not be negative")
            return None
        self.origins[path] = self._origin(path, given)
        if path in WRITTEN_FILES and isinstance(read, Path):
            if not read.parent.is_dir():
                self._problem(path, given, f"is to be made in {read.parent}, which is no folder that we can see")
        elif isinstance(read, Path) and not read.is_file():
            self._problem(path, given, f"names {read}, which is not there or cannot be seen by us")
        return read

    def _read_secrets(self, values: dict[str, Any], fields: Mapping[str, structs.FieldInfo], path: str) -> None:
        for name in [each for each in values if each.endswith("_file") and each.removesuffix("_file") in fields]:
            file, secret = values[name], name.removesuffix("_file")
            if not isinstance(file, Path) or not file.is_file():
                continue
            if values.get(secret):
                self._problem(_join(path, secret), None, f"and {name} are both given: keep one, best {name}")
                continue
            try:
                values[secret] = file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                self._problem(_join(path, name), None, f"names {file}, which cannot be read: {error}")
                continue
            self.origins[_join(path, secret)] = f"file {file}"

    def _path(self, kind: type, value: object) -> object:
        if kind is Path and isinstance(value, str) and value:
            return self._file.parent / value
        raise TypeError("not a path")

    def _origin(self, path: str, value: object) -> str:
        while isinstance(value, dict | list) and len(value) == 1:
            value = next(iter(value.values() if isinstance(value, dict) else value))
        if isinstance(value, _Given):
            return f"environment {value.variable}"
        return f"{self._file}:{line}" if (line := self._line(path)) else f"{self._file}"

    def _line(self, path: str) -> int | None:
        """Find the line of a key, or that of the nearest table around it."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path.rpartition(".")[0]
        return None

    def _problem(self, path: str, value: object, what: str) -> None:
        place = self._origin(path, value)
        self.problems.append(f"{place}: {path} {what}" if path else f"{place}: {what}")


def _place(tree: dict[str, Any], keys: list[str], given: _Given) -> bool:
    node: Any = tree
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        empty: Any = given if following is None else [] if following.isdigit() else {}
        if isinstance(node, list) and key.isdigit() and int(key) <= len(node):
            if int(key) == len(node):
                node.append(empty)
            elif following is None:
                node[int(key)] = given
            node = node[int(key)]
        elif isinstance(node, dict):
            if following is None:
                node[key] = given
            else:
                node.setdefault(key, empty)
            node = node[key]
        else:
            return False
    return True


def _parse_given(kind: TypeForm, text: str) -> object:
    """Text for what is text, otherwise TOML: ``8080``, ``true``, ``["a", "b"]``."""
    base = _plain_type(kind)
    if isinstance(base, type) and issubclass(base, str | Path | Enum):
        return text
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _lines_of_keys(text: str) -> dict[str, int]:
    """Map dotted paths to line numbers. Reads what people write in settings files, not every corner of TOML:
    a key within an inline table is given the line of the table.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[\s*([^\]]+?)\s*\]\]", line):
            name = _in_last(match[1], counts)
            counts[name] = counts.get(name, -1) + 1
            table = f"{name}.{counts[name]}"
            lines[table] = number
        elif match := re.match(r"\s*\[\s*([^\]]+?)\s*\]\s*(#.*)?$", line):
            table = _in_last(match[1], counts)
            lines[table] = number
        elif match := re.match(r"""\s*([A-Za-z0-9_."'-]+)\s*=""", line):
            lines.setdefault(_join(table, match[1].replace('"', "").replace("'", "")), number)
    return lines


def _in_last(name: str, counts: Mapping[str, int]) -> str:
    """Turn a header's name into a path: within a list of tables it means the last one so far."""
    path = ""
    parts = [each.strip().strip("\"'") for each in name.split(".")]
    for index, part in enumerate(parts):
        path = _join(path, part)
        if index < len(parts) - 1 and path in counts:
            path = f"{path}.{counts[path]}"
    return path


def _nearest(key: str, path: str, fields: Mapping[str, structs.FieldInfo]) -> str:
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
    if near:
        return f"did you mean {_join(path, near[0])}?"
    elsewhere = [each.path for each in list_known() if each.path.rpartition(".")[2] == key]
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return f"known here: {', '.join(sorted(fields))}"


# --- types in words


def _origin_of(kind: TypeForm) -> object:
    return typing.get_origin(kind)


def _without_none(kind: TypeForm) -> tuple[TypeForm, bool]:
    if _origin_of(kind) in {types.UnionType, typing.Union}:
        (inner,) = (each for each in typing.get_args(kind) if each is not type(None))
        return inner, True
    return kind, False


def _plain_type(kind: TypeForm) -> TypeForm:
    """Look through Annotated and NewType."""
    if _origin_of(kind) is Annotated:
        return _plain_type(typing.get_args(kind)[0])
    return _plain_type(kind.__supertype__) if isinstance(kind, typing.NewType) else kind


def _struct_in(kind: TypeForm) -> type[Struct] | None:
    """Return the struct that a type is, or is a tuple of."""
    if _origin_of(kind) is tuple:
        kind = typing.get_args(kind)[0]
    return kind if isinstance(kind, type) and issubclass(kind, Struct) else None


def _in_words(kind: TypeForm) -> str:
    kind, _ = _without_none(kind)
    bounds = ""
    if _origin_of(kind) is Annotated:
        meta = typing.get_args(kind)[1]
        parts = (("at least", meta.ge), ("more than", meta.gt), ("at most", meta.le), ("less than", meta.lt))
        bounds = "".join(f", {words} {limit}" for words, limit in parts if limit is not None)
    base = _plain_type(kind)
    origin = _origin_of(base)
    if origin is tuple:
        return f'a list, like ["a", "b"], of which each is {_in_words(typing.get_args(base)[0])}'
    if origin is dict:
        return f"a table of names, of which each is {_in_words(typing.get_args(base)[1])}"
    if issubclass(base, Enum):
        return f"one of {', '.join(str(each.value) for each in base)}"
    return _WORDS[base] + bounds


_WORDS: Final[dict[type, str]] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Path: "a path in quotes",
}


# --- what there can be


def meanings_of(kind: type[Struct]) -> dict[str, str]:
    """Read the meaning of each field from the ``Attributes:`` part of a class's docstring."""
    meanings: dict[str, str] = {}
    _, found, part = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    names: list[str] = []
    for line in part.splitlines() if found else ():
        text = line.strip()
        if match := re.match(r" {4}(\w+(?:, \w+)*): (.*)$", line):
            names = match[1].split(", ")
            meanings.update(dict.fromkeys(names, match[2]))
        elif text:
            meanings.update({name: f"{meanings[name]} {text}" for name in names})
    return {name: text.replace("``", "") for name, text in meanings.items()}


def _known(kind: type[Struct], path: str) -> Iterator[KnownSetting]:
    meanings = meanings_of(kind)
    for field in structs.fields(kind):
        inner_path = _join(path, field.name)
        inner, _ = _without_none(field.type)
        struct = _struct_in(inner)
        if struct is not None:
            yield from _known(struct, inner_path if inner is struct else f"{inner_path}.*")
        else:
            default: object = REQUIRED
            if not field.required:
                default = field.default_factory() if field.default is NODEFAULT else field.default
            yield KnownSetting(
                path=inner_path, kind=_in_words(field.type), default=default, meaning=meanings.get(field.name, "")
            )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
