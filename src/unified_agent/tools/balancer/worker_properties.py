"""A strict reading of mod_jk's workers.properties. Pure.

httpd reads it only when it starts, and an unknown word stops it. The words are those of mod_jk
1.2.48, as far as we write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

#: Attributes, and the form of their values; None for any.
_Words: TypeAlias = dict[str, re.Pattern[str] | None]

_NUMBERS: Final = re.compile(r"-?\d+")
_CONNECTION: Final[_Words] = {
    "host": None,
    "port": _NUMBERS,
    "route": None,
    "secret": None,
    "reference": None,
    "max_packet_size": _NUMBERS,
    "ping_mode": re.compile(r"[CPIA]+"),
    "ping_timeout": _NUMBERS,
    "connection_ping_interval": _NUMBERS,
    "socket_connect_timeout": _NUMBERS,
    "socket_keepalive": re.compile(r"true|false"),
    "connection_pool_timeout": _NUMBERS,
    "connection_pool_minsize": _NUMBERS,
    "reply_timeout": _NUMBERS,
    "retries": _NUMBERS,
    "recovery_options": re.compile(r"\d|[12]\d|3[01]"),
    "fail_on_status": re.compile(r"-?\d{3}(,-?\d{3})*"),
    "lbfactor": _NUMBERS,
    "distance": _NUMBERS,
    "activation": re.compile(r"active|disabled|stopped"),
    "redirect": None,
}
_BALANCER: Final[_Words] = {
    "balance_workers": None,
    "sticky_session": re.compile(r"true|false"),
    "sticky_session_force": re.compile(r"true|false"),
    "session_cookie": None,
    "session_path": re.compile(r";\w+"),
    "method": re.compile(r"Request|Session|Next|Traffic|Busyness"),
    "recover_time": _NUMBERS,
    "error_escalation_time": _NUMBERS,
    "max_reply_timeouts": _NUMBERS,
    "retries": _NUMBERS,
    "retry_interval": _NUMBERS,
}
_ATTRIBUTES: Final[dict[str, _Words]] = {
    "ajp13": _CONNECTION,
    "lb": _BALANCER,
    "status": {"read_only": re.compile(r"true|false")},
}
_LINE: Final = re.compile(r"worker\.(?P<worker>[A-Za-z0-9_-]+)\.(?P<attribute>[a-z_]+)=(?P<value>.*)")
_ITEM: Final = re.compile(r"worker\.(?P<attribute>list|maintain)=(?P<value>.*)")


def find_faults(text: str) -> Iterator[str]:
    """Say what is wrong with a file, by line; nothing when mod_jk takes it."""
    workers: dict[str, dict[str, str]] = {}
    listed: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if item := _ITEM.fullmatch(line):
            listed += item["value"].split(",") if item["attribute"] == "list" else []
        elif not (match := _LINE.fullmatch(line)):
            yield f"line {number} is no setting of a worker: {line.split('=')[0]}"
        elif match["attribute"] in workers.setdefault(match["worker"], {}):
            yield f"line {number} sets {match['attribute']} of worker {match['worker']} again"
        else:
            workers[match["worker"]][match["attribute"]] = match["value"]
            if match["value"] != match["value"].strip() or "$(" in match["value"]:
                yield f"line {number} has a value that mod_jk reads as another one"
    if not listed:
        yield "worker.list names no worker"
    yield from (f"worker.list names {name}, which is not there" for name in listed if name not in workers)
    for name, attributes in workers.items():
        yield from _faults_of(name, attributes, workers)


def _faults_of(name: str, attributes: dict[str, str], workers: dict[str, dict[str, str]]) -> Iterator[str]:
    kind = _kind(attributes, workers)
    if kind not in _ATTRIBUTES:
        yield f"worker {name} has no type that mod_jk knows"
        return
    for attribute, value in attributes.items():
        if attribute == "type":
            continue
        if attribute not in _ATTRIBUTES[kind]:
            yield f"worker {name}: {attribute} is no attribute of a worker of type {kind}"
        elif (form := _ATTRIBUTES[kind][attribute]) is not None and not form.fullmatch(value):
            yield f"worker {name}: {value!r} is no value of {attribute}"
    for member in attributes.get("balance_workers", "").split(",") if kind == "lb" else ():
        if not {"host", "port"} <= workers.get(member, {}).keys():
            yield f"worker {name} has the member {member!r}, which is not there with host and port"


def _kind(attributes: dict[str, str], workers: dict[str, dict[str, str]]) -> str:
    seen: set[str] = set()
    while "type" not in attributes:
        reference = attributes.get("reference", "").removeprefix("worker.")
        if reference in seen or reference not in workers:
            return ""
        seen.add(reference)
        attributes = workers[reference]
    return attributes["type"]
