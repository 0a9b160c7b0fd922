"""The simulator's TOML file: read into a plan, and a plan printed as such a file.

[numbers]        stations, agents, group and VDN in a row (``NumberPlan``)
[switch]         rules (``SwitchPlan``); with [[switch.stations]], [[switch.agents]], [[switch.groups]] and
                 [[switch.vdns]] in it, those are taken instead of [numbers]
[aes]            how clients are treated (``AesSettings``)
[[traffic]]      streams of callers (``TrafficPlan``)
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.tools.simulators.aes.traffic import TrafficPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """What stands in the file.

    Attributes:
        numbers: numbers in a row; not used when the switch has stations of its own.
        switch: the switch.
        aes: the AES.
        traffic: streams of callers.
    """

    numbers: NumberPlan = field(default_factory=NumberPlan)
    switch: SwitchPlan = field(default_factory=SwitchPlan)
    aes: AesSettings = field(default_factory=AesSettings)
    traffic: tuple[TrafficPlan, ...] = (TrafficPlan(),)

    def plan(self) -> SimulatorPlan:
        """Return what is to be simulated.

        Raises:
            SettingsError: numbers overlap.
        """
        switch = self.switch if self.switch.stations else fill_plan(self.switch, self.numbers)
        return SimulatorPlan(switch=switch, aes=self.aes, traffic=self.traffic)


def read_plan_file(file: Path) -> PlanFile:
    """Read the file.

    Raises:
        SettingsError: it cannot be read, has a key that is not known (the nearest known one is named), or a value that
            does not fit.
    """
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from error
    try:
        _check_keys(PlanFile, tree, "")
        return msgspec.convert(tree, PlanFile)
    except SettingsError as error:
        raise SettingsError(f"{file}: {error}") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: {str(error).replace('`$.', '`')}") from error


def print_plan(plan: PlanFile) -> str:
    """Write a plan as a file that reads back as the same plan; what is not set stands there as a comment."""
    return "\n".join(_table(plan, "")).strip() + "\n"


def _check_keys(kind: type, table: object, path: str) -> None:
    if not isinstance(table, dict):
        return
    kinds = get_type_hints(kind)
    for key, value in table.items():
        if key not in kinds:
            near = difflib.get_close_matches(key, kinds, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(kinds))}"
            raise SettingsError(f"{path}{key} is not a known key{hint}")
        inner = _dataclass_in(kinds[key])
        if inner is not None:
            for item in value if isinstance(value, list) else [value]:
                _check_keys(inner, item, f"{path}{key}.")


def _dataclass_in(kind: Any) -> type | None:
    if get_origin(kind) in {tuple, Union, UnionType}:
        found = [_dataclass_in(part) for part in get_args(kind) if part is not NoneType]
        return next((part for part in found if part is not None), None)
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def _table(value: Any, path: str) -> Iterator[str]:
    inner: list[tuple[str, Any]] = []
    for item in fields(value):
        entry = getattr(value, item.name)
        if is_dataclass(entry) or (isinstance(entry, tuple) and entry and is_dataclass(entry[0])):
            inner.append((f"{path}{item.name}", entry))
        elif entry is None:
            yield f"# {item.name} is not set"
        else:
            yield f"{item.name} = {_as_toml(entry)}"
    for name, entry in inner:
        for part in entry if isinstance(entry, tuple) else (entry,):
            yield ""
            yield f"[[{name}]]" if isinstance(entry, tuple) else f"[{name}]"
            yield from _table(part, f"{name}.")


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(str(value)).decode()
    if isinstance(value, tuple):
        return f"[{', '.join(_as_toml(part) for part in value)}]"
    return repr(value)
