"""Any message of ours, made from the tables that write it, so that a new message is covered by being there."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from unified_agent.wire.csta import kinds
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.layout import Field, Inside, ListOf, Many
from unified_agent.wire.csta.shapes import SHAPES_BY_CLASS, Message, Shape
from unified_agent.wire.csta.values import (
    NOT_REQUIRED,
    NOT_SPECIFIED,
    RESTRICTED,
    Absence,
    AgentState,
    CallId,
    Cause,
    ConnectionId,
    DeviceId,
    Party,
    Secret,
)

#: Text that XML can carry.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r &<>\"'"),
    max_size=12,
)
TOKENS = TEXTS.map(str.strip)
DEVICES = TOKENS.map(DeviceId)
CONNECTIONS = st.builds(ConnectionId, TOKENS.map(CallId), DEVICES)
NAMED_PARTIES = st.builds(Party, DEVICES)
PARTIES = NAMED_PARTIES | st.sampled_from([Party(None, Absence.NOT_KNOWN), RESTRICTED])
REDIRECTIONS = PARTIES | st.sampled_from([NOT_REQUIRED, NOT_SPECIFIED])
SMALL_BYTES = st.binary(max_size=8)

_BY_KIND: dict[int, st.SearchStrategy[Any]] = {
    id(kinds.TEXT): TEXTS,
    id(kinds.TOKEN): TOKENS,
    id(kinds.SECRET_TEXT): TEXTS.map(Secret),
    id(kinds.SECRET_HEX): TEXTS.map(Secret),
    id(kinds.INTEGER): st.integers(-(2**15), 2**15 - 1),
    id(kinds.BOOLEAN): st.booleans(),
    id(kinds.HEX): SMALL_BYTES,
    id(kinds.DEVICE): DEVICES,
    id(kinds.PARTY): PARTIES,
    id(kinds.ENDPOINT): PARTIES,
    id(kinds.REDIRECTION): REDIRECTIONS,
    id(kinds.CONNECTION): CONNECTIONS,
    id(kinds.USER_DATA): SMALL_BYTES,
    id(kinds.UCID): TOKENS,
}

#: What the schemas allow where our types are wider: by (class, attribute), or by attribute in every class.
_IN_SCHEMA: dict[tuple[str, str] | str, st.SearchStrategy[Any]] = {
    "cause": st.sampled_from(list(Cause)).map(str),
    "instance": st.sampled_from(["0", "1", "2"]),
    "simple_state": st.sampled_from(["callNull", "callEstablished", "callQueuedHeld"]),
    ("AgentBusyEvent", "pending_state"): st.sampled_from([s for s in AgentState if s is not AgentState.BUSY]),
    ("SetAgentStateResponse", "pending_state"): st.sampled_from([s for s in AgentState if s is not AgentState.BUSY]),
    ("AgentGroupState", "pending_state"): st.sampled_from([s for s in AgentState if s is not AgentState.BUSY]),
    ("StartApplicationSessionNegResponse", "error"): st.sampled_from(
        [
            csta.SessionError.INVALID_APPLICATION_INFO,
            csta.SessionError.VERSION_NOT_SUPPORTED,
            csta.SessionError.SERVER_RESOURCES_BUSY,
            csta.SessionError.TOO_MANY_SESSIONS,
        ]
    ).map(str),
    ("ResetApplicationSessionTimerNegResponse", "error"): st.sampled_from(
        [csta.SessionError.INVALID_SESSION_ID, csta.SessionError.CANNOT_RESET_TIMER]
    ).map(str),
    ("StopApplicationSessionNegResponse", "error"): st.just("invalidSessionID"),
    ("ApplicationSessionTerminated", "reason"): st.sampled_from(list(csta.TerminationReason)).map(str),
    ("StopApplicationSession", "reason"): st.just("normal"),
}
#: None means "a value that we do not know": it can be read, but is not to be written.
_NEVER_NONE_IN_SCHEMA = {"cause", "status", "state"}

_ERRORS_IN_SCHEMA: st.SearchStrategy[Any] = st.one_of(
    st.builds(csta.CSTAErrorCode, st.just(csta.ErrorClass.OPERATION), st.sampled_from(list(csta.OperationError))),
    st.builds(csta.CSTAErrorCode, st.just(csta.ErrorClass.STATE), st.sampled_from(list(csta.StateError))),
    st.builds(csta.CSTAErrorCode, st.just(csta.ErrorClass.SYSTEM_RESOURCE), st.sampled_from(list(csta.ResourceError))),
    st.builds(csta.CSTAErrorCode, st.just(csta.ErrorClass.PRIVATE_CODE), TOKENS.filter(bool)),
    st.just(csta.CSTAErrorCode(csta.ErrorClass.UNSPECIFIED)),
)
_ERRORS: st.SearchStrategy[Any] = st.builds(csta.CSTAErrorCode, st.sampled_from(list(csta.ErrorClass)), TOKENS)


def messages(*, in_schema: bool = False) -> st.SearchStrategy[Message]:
    """Any message; with ``in_schema`` only values that the schemas enumerate."""
    return st.one_of([messages_of(struct, in_schema=in_schema) for struct in SHAPES_BY_CLASS])


def messages_of(struct: type[Message], *, in_schema: bool = False) -> st.SearchStrategy[Message]:
    """Any message of one class."""
    made: st.SearchStrategy[Message] = _structs(SHAPES_BY_CLASS[struct], in_schema)
    return made


def _structs(shape: Shape[Any], in_schema: bool) -> st.SearchStrategy[Any]:
    struct = shape._struct
    if struct is csta.CSTAErrorCode:
        return _ERRORS_IN_SCHEMA if in_schema else _ERRORS
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    rows = _rows(shape._items)
    values = {row._attribute: _values(struct, fields[row._attribute], row, in_schema) for row in rows}
    choices = {row._attribute: row._unless for row in rows if isinstance(row, Field) and row._unless}

    def build(drawn: dict[str, Any]) -> Any:
        for attribute, other in choices.items():
            if drawn[other] is not None:
                drawn[attribute] = () if isinstance(drawn[attribute], tuple) else None
        if (
            in_schema
            and struct is csta.NetworkReachedEvent
            and None
            in (
                drawn["progress_location"],
                drawn["progress_description"],
            )
        ):
            drawn["progress_location"] = drawn["progress_description"] = None
        return struct(**drawn)

    return st.fixed_dictionaries(values).map(build)


def _rows(items: tuple[Any, ...]) -> list[Any]:
    rows = []
    for item in items:
        rows.extend(_rows(item._items) if isinstance(item, Inside) else [item])
    return rows


def _values(struct: type[Any], field: Any, row: Any, in_schema: bool) -> st.SearchStrategy[Any]:
    values = _of_kind(row._kind, in_schema)
    if in_schema:
        values = _IN_SCHEMA.get((struct.__name__, field.name), _IN_SCHEMA.get(field.name, values))
    if isinstance(row, Many):
        return st.lists(values, max_size=3).map(tuple)
    if isinstance(None, _accepted(field.type)) and not (
        in_schema and field.name in _NEVER_NONE_IN_SCHEMA and struct.__name__ != "SwitchLink"
    ):
        return st.none() | values
    return values


def _accepted(annotation: Any) -> tuple[type, ...]:
    described = msgspec.inspect.type_info(annotation)
    parts = described.types if isinstance(described, msgspec.inspect.UnionType) else (described,)
    return (type(None),) if any(isinstance(part, msgspec.inspect.NoneType) for part in parts) else ()


def _of_kind(kind: Any, in_schema: bool) -> st.SearchStrategy[Any]:
    known = _BY_KIND.get(id(kind))
    if known is not None:
        return known
    if isinstance(kind, kinds.OneOf):
        return st.sampled_from(list(kind._values.values()))
    if isinstance(kind, kinds.Flags):
        return st.frozensets(st.sampled_from(kind._members))
    if isinstance(kind, ListOf):
        return st.lists(_of_kind(kind._kind, in_schema), max_size=3).map(tuple)
    if isinstance(kind, Shape):
        return _structs(kind, in_schema)
    raise AssertionError(f"no strategy for {kind}")
