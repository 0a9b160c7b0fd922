"""Every message's table fits its struct: a field that no row writes or reads would vanish on the wire."""

from __future__ import annotations

import msgspec
import pytest

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta import codec, messages
from unified_agent.wire.csta.kinds import TEXT
from unified_agent.wire.csta.layout import Field, Inside
from unified_agent.wire.csta.shapes import (
    SHAPES_BY_CLASS,
    SHAPES_BY_ELEMENT,
    Message,
    MessageShape,
    Namespace,
    Role,
    Shape,
    message,
)

assert codec is not None  # importing it registers every message type


def attributes_in(item: object) -> set[str]:
    if isinstance(item, Inside):
        return {name for inner in item._items for name in attributes_in(inner)}
    attribute = getattr(item, "_attribute", None)
    return {"error_class", "value"} if attribute is None else {attribute}


def shapes_below(shape: object) -> list[Shape[msgspec.Struct]]:
    """Return the shapes of a message and of the structs inside it."""
    found: list[Shape[msgspec.Struct]] = []
    pending = [shape]
    while pending:
        item = pending.pop()
        if isinstance(item, Shape):
            found.append(item)
            pending.extend(item._items)
        elif isinstance(item, Inside):
            pending.extend(item._items)
        else:
            kind = getattr(item, "_kind", None)
            if kind is not None:
                pending.append(kind)
    return found


@pytest.mark.parametrize("shape", SHAPES_BY_CLASS.values(), ids=lambda shape: str(shape.element))
def test_rows_and_fields_are_the_same(shape: MessageShape[Message]) -> None:
    for part in shapes_below(shape):
        names = {name for item in part._items for name in attributes_in(item)}
        assert names == set(part._struct.__struct_fields__)


def test_every_message_is_to_be_had_by_one_import() -> None:
    for struct in SHAPES_BY_CLASS:
        assert getattr(messages, struct.__name__) is struct
        assert struct.__name__ in messages.__all__


def test_element_and_class_have_one_name() -> None:
    for element, shape in SHAPES_BY_ELEMENT.items():
        assert shape.struct.__name__ == element


def test_every_request_has_its_answer() -> None:
    for element, shape in SHAPES_BY_ELEMENT.items():
        if shape.role is Role.REQUEST:
            assert {element + "Response", element + "PosResponse"} & set(SHAPES_BY_ELEMENT)


def test_two_types_cannot_claim_one_element() -> None:
    with pytest.raises(LocalProtocolError, match="MonitorStop"):
        message(Role.REQUEST, Namespace.CSTA, element="MonitorStop")(messages.MonitorStop)


def test_two_rows_cannot_read_one_element() -> None:
    with pytest.raises(LocalProtocolError, match="twice"):
        Shape(msgspec.Struct, Field("x", "one", TEXT), Field("x", "two", TEXT))
