"""Where a message's fields stand in its element: one table per message, used for writing and for reading.

A table is given to ``shapes.message`` in schema order. Writing follows it, so what we send is always in
schema order; reading goes once through what came, takes any order, and passes over what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Protocol

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta.kinds import IN_PRIVATE, AnyKind, Scope
from unified_agent.wire.csta.markup import AVAYA_NAMESPACE, Node

Values = dict[str, Any]
Writer = Callable[[Any], str]
Reader = Callable[[Node, Values], None]


class _Mandatory(Enum):
    """The only value of ``MANDATORY``."""

    MANDATORY = "mandatory"


#: A field without default whose element is missing makes the whole message malformed.
MANDATORY: Final = _Mandatory.MANDATORY


class Item(Protocol):
    """One row of a table."""

    def writer(self, prefix: str, scope: Scope) -> Writer:
        """Return what writes this row of an object; ``prefix`` goes before the names of the row's own elements."""
        ...

    def readers(self) -> Mapping[str, Reader]:
        """Return, by element name, what puts an element's value among the values read so far."""
        ...

    def fallbacks(self) -> Mapping[str, object]:
        """Return the values of fields without default whose element may be missing all the same."""
        ...


class Field:
    """One element, one attribute. None is not written, nor is an empty tuple or set unless ``keep_empty``.

    Args:
        element: the element's local name.
        attribute: the attribute of the struct.
        kind: how the value is spelled.
        missing: what an attribute without default is when the peer sends no such element, or one with a value
            that we do not know.
        keep_empty: write an empty collection as an empty element.
        referenced: the element belongs to the CSTA namespace although it stands in an Avaya element.
        unless: not written when this attribute is set (the other branch of a choice).
    """

    def __init__(
        self,
        element: str,
        attribute: str,
        kind: AnyKind,
        *,
        missing: object = MANDATORY,
        keep_empty: bool = False,
        referenced: bool = False,
        unless: str | None = None,
    ) -> None:
        self._element = element
        self._attribute = attribute
        self._kind = kind
        self._missing = missing
        self._keep_empty = keep_empty
        self._referenced = referenced
        self._unless = unless

    def writer(self, prefix: str, scope: Scope) -> Writer:
        """See ``Item``."""
        attribute, keep_empty, unless = self._attribute, self._keep_empty, self._unless
        write_element = element_writer(self._element, self._kind, prefix, scope, self._referenced)

        def write(source: Any) -> str:
            value = getattr(source, attribute)
            if value is None or (not keep_empty and (value == () or value == frozenset())):
                return ""
            if unless is not None and getattr(source, unless) is not None:
                return ""
            return write_element(value)

        return write

    def readers(self) -> Mapping[str, Reader]:
        """See ``Item``."""
        attribute, kind = self._attribute, self._kind

        def read(node: Node, values: Values) -> None:
            value = kind.read(node)
            if value is not None:
                values[attribute] = value

        return {self._element: read}

    def fallbacks(self) -> Mapping[str, object]:
        """See ``Item``."""
        return {} if self._missing is MANDATORY else {self._attribute: self._missing}


class Many:
    """An element that may repeat, without a wrapper around it: a tuple."""

    def __init__(self, element: str, attribute: str, kind: AnyKind, *, referenced: bool = False) -> None:
        self._element = element
        self._attribute = attribute
        self._kind = kind
        self._referenced = referenced

    def writer(self, prefix: str, scope: Scope) -> Writer:
        """See ``Item``."""
        attribute = self._attribute
        write_element = element_writer(self._element, self._kind, prefix, scope, self._referenced)

        def write(source: Any) -> str:
            return "".join([write_element(value) for value in getattr(source, attribute)])

        return write

    def readers(self) -> Mapping[str, Reader]:
        """See ``Item``."""
        attribute, kind = self._attribute, self._kind

        def read(node: Node, values: Values) -> None:
            value = kind.read(node)
            if value is not None:
                values[attribute] = (*values.get(attribute, ()), value)

        return {self._element: read}

    def fallbacks(self) -> Mapping[str, object]:
        """See ``Item``."""
        return {}


class Inside:
    """Rows that stand inside a further element.

    It is not written when none of them writes anything, or with ``keep_empty`` as an empty element.
    """

    def __init__(self, element: str, *items: Item, keep_empty: bool = False) -> None:
        self._element = element
        self._items = items
        self._keep_empty = keep_empty

    def writer(self, prefix: str, scope: Scope) -> Writer:
        """See ``Item``."""
        tag = prefix + self._element
        empty = f"<{tag}/>" if self._keep_empty else ""
        return wrapping_writer(f"<{tag}>", f"</{tag}>", empty, body_writer(self._items, prefix, scope))

    def readers(self) -> Mapping[str, Reader]:
        """See ``Item``."""
        inner = all_readers(self._items)

        def read(node: Node, values: Values) -> None:
            read_children(node, inner, values)

        return {self._element: read}

    def fallbacks(self) -> Mapping[str, object]:
        """See ``Item``."""
        return all_fallbacks(self._items)


class AvayaElement(Inside):
    """The element of the Avaya namespace that holds private data, with the prefix ``a`` and its declaration."""

    def __init__(self, element: str, *items: Item, attributes: str = "") -> None:
        super().__init__(element, *items)
        self._attributes = attributes

    def writer(self, prefix: str, scope: Scope) -> Writer:
        """See ``Item``."""
        opening = f'<a:{self._element} xmlns:a="{AVAYA_NAMESPACE}"{self._attributes}>'
        body = body_writer(self._items, "a:", IN_PRIVATE)
        return wrapping_writer(opening, f"</a:{self._element}>", "", body)


def private_data(element: str, *items: Item) -> Inside:
    """Rows in Avaya's private data: ``extensions/privateData/private/a:element``."""
    return Inside("extensions", Inside("privateData", Inside("private", AvayaElement(element, *items))))


class ListOf:
    """A wrapper element around repeated elements: a tuple. Written as an empty element when empty."""

    def __init__(self, element: str, kind: AnyKind, *, referenced: bool = False) -> None:
        self._element = element
        self._kind = kind
        self._referenced = referenced

    def write(self, tag: str, value: tuple[Any, ...], scope: Scope) -> str:
        """Return the wrapper with one element for each member."""
        if not value:
            return f"<{tag}/>"
        prefix = tag.rpartition(":")[0]
        write_element = element_writer(
            self._element, self._kind, prefix + ":" if prefix else "", scope, self._referenced
        )
        return f"<{tag}>{''.join([write_element(member) for member in value])}</{tag}>"

    def read(self, node: Node) -> tuple[Any, ...]:
        """Return the members that we know, in document order."""
        name, read = self._element, self._kind.read
        members = [read(child) for child in node.children if child.name == name]
        return tuple([member for member in members if member is not None])


def element_writer(element: str, kind: AnyKind, prefix: str, scope: Scope, referenced: bool) -> Writer:
    """Return what writes one value as an element of this name."""
    if not (referenced and scope.declaration):
        tag = prefix + element
        return lambda value: kind.write(tag, value, scope)
    tag = scope.prefix + element
    inner, head, declaration = scope.inside(), len(tag) + 1, scope.declaration

    def write(value: Any) -> str:
        written = kind.write(tag, value, inner)
        return f"<{tag}{declaration}{written[head:]}"

    return write


def body_writer(items: tuple[Item, ...], prefix: str, scope: Scope) -> Writer:
    """Return what writes all rows of one object, in order."""
    writers = [item.writer(prefix, scope) for item in items]
    return lambda source: "".join([write(source) for write in writers])


def wrapping_writer(opening: str, closing: str, empty: str, body: Writer) -> Writer:
    """Return what writes a body between two tags, or ``empty`` where the body is nothing."""

    def write(source: Any) -> str:
        inner = body(source)
        return f"{opening}{inner}{closing}" if inner else empty

    return write


def all_readers(items: tuple[Item, ...]) -> Mapping[str, Reader]:
    """Return the readers of all rows. No two rows of one table may read the same element."""
    readers: dict[str, Reader] = {}
    for item in items:
        for name, reader in item.readers().items():
            if name in readers:
                raise LocalProtocolError(f"a table reads {name} twice")
            readers[name] = reader
    return readers


def all_fallbacks(items: tuple[Item, ...]) -> Mapping[str, object]:
    """Return the fallbacks of all rows."""
    fallbacks: dict[str, object] = {}
    for item in items:
        fallbacks.update(item.fallbacks())
    return fallbacks


def read_children(node: Node, readers: Mapping[str, Reader], values: Values) -> None:
    """Give each child that a row knows to that row; pass over the others."""
    for child in node.children:
        read = readers.get(child.name)
        if read is not None:
            read(child, values)
